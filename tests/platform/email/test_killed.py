"""kill -9 while mail goes out: nobody gets a message twice, and what nobody can know is counted."""

import os
import signal
import subprocess
import sys
from collections import Counter

import sqlalchemy as sa

from highstreet.email.models import EmailMessage
from highstreet.email.posting import CHUNK

MESSAGES = 130
"""More than two chunks."""
LEFT = (20, 70)
"""A kill when so many have arrived."""

CHILD = """
from datetime import timedelta

import time_machine

from highstreet.app import create_app, house_of
from highstreet_tenants import clock

house = house_of(create_app({config!r}, faces=False))
# What a killed worker held is let go after some minutes; they have passed.
with time_machine.travel(clock.now() + timedelta(minutes=10 * {turn}), tick=True):
    while house.runner.run_one() is not None:
        pass
"""


def test_a_killed_worker_sends_nothing_twice(street, sink, database, tmp_path):
    street.sign()
    for number in range(MESSAGES):
        assert street.send(street.member(f"A{number}"))
    config = {
        "database_url": database.url,
        "owner_database_url": database.extra["owner_url"],
        "instance": str(tmp_path),
        "secret_key": street.house.config["secret_key"],
        "smtp_url": sink.url,
        "testing": True,
    }
    worker: list[subprocess.Popen[bytes]] = []
    left = list(LEFT)

    def kill_at(stage: str, _argument: str) -> str | None:
        if stage == "content" and left and len(sink.got) >= left[0]:
            del left[0]
            os.kill(worker[-1].pid, signal.SIGKILL)
        return None

    sink.answer = kill_at
    codes = []
    for turn in range(len(LEFT) + 1):
        script = CHILD.format(config=config, turn=turn)
        worker.append(subprocess.Popen([sys.executable, "-c", script]))
        codes.append(worker[-1].wait(120))
    assert codes == [-signal.SIGKILL] * len(LEFT) + [0]

    arrived = Counter(one.to[0] for one in sink.got)
    assert set(arrived.values()) == {1}, "nobody got it twice"
    with street.till(write=False) as s:
        rows = dict(s.execute(sa.select(EmailMessage.address, EmailMessage.state)).all())
    states = Counter(rows.values())
    assert set(states) == {"sent", "unknown"}
    assert 0 < states["unknown"] <= len(LEFT) * CHUNK, "a killed chunk, and no more"
    assert {who for who, state in rows.items() if state == "sent"} <= set(arrived)
    assert states["sent"] + states["unknown"] == MESSAGES
