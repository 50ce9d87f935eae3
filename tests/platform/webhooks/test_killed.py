"""kill -9 between a receiver's answer and its being written down: nothing is lost, ids stay."""

import os
import signal
import subprocess
import sys
from collections import Counter

import sqlalchemy as sa

from highstreet.customers import service as customers
from highstreet.webhooks.models import WebhookDelivery, WebhookEvent
from webhook_sink import Got

MESSAGES = 130
"""More than two chunks."""
KILLS = 2

CHILD = """
import sys
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


def test_a_killed_worker_loses_nothing_and_sends_again_under_the_same_ids(
    street, sink, database, tmp_path
):
    with street.till() as s:
        street.listen(s, sink.url)
    for number in range(MESSAGES):
        with street.till() as s:
            customers.enrol(s, name=f"Anna {number}")
    config = {
        "database_url": database.url,
        "owner_database_url": database.extra["owner_url"],
        "instance": str(tmp_path),
        "secret_key": street.house.config["secret_key"],
        "webhooks_local": True,
    }
    worker: list[subprocess.Popen[bytes]] = []
    left = [20, 110]
    assert len(left) == KILLS

    def kill_at(_got: Got) -> tuple[int, dict[str, str], bytes]:
        if left and len({one.id for one in sink.got}) >= left[0]:
            del left[0]
            os.kill(worker[-1].pid, signal.SIGKILL)
        return 204, {}, b""

    sink.reply = kill_at
    codes = []
    for turn in range(KILLS + 1):
        script = CHILD.format(config=config, turn=turn)
        worker.append(subprocess.Popen([sys.executable, "-c", script]))
        codes.append(worker[-1].wait(120))
    assert codes == [-signal.SIGKILL] * KILLS + [0]

    sent = Counter(one.id for one in sink.got)
    assert len(sent) == MESSAGES
    assert 0 < sent.total() - MESSAGES <= KILLS * 50, "a killed chunk, and no more, came again"
    assert len({(one.id, one.body) for one in sink.got}) == MESSAGES, "and came as it was"
    with street.till() as s:
        rows = s.execute(sa.select(WebhookDelivery.event_id, WebhookDelivery.status)).all()
        assert {f"msg_{event.hex}" for event, _status in rows} == set(sent)
        assert {status for _event, status in rows} == {"sent"}
        assert s.scalars(sa.select(WebhookEvent)).all() == []
