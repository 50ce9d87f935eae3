"""Killed with -9 while it is queued and while it goes out, a mailing by e-mail reaches nobody
twice, and its numbers add up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa

from highstreet.consent import laying_down, service
from highstreet.consent.models import Contact
from highstreet.customers.models import Customer, Identity
from highstreet.email.models import EmailMessage
from highstreet.email.posting import CHUNK
from highstreet.mailings import drafting, queries, releasing
from highstreet.mailings.facts import MailingIn
from highstreet.segments import service as picking
from highstreet.segments.rules import All
from highstreet_tenants import bulk
from highstreet_tenants.clock import now
from highstreet_tenants.ids import new_id

#: Few where the database is a file: what differs there is not how many they are.
PEOPLE = {"sqlite": 700, "postgresql": 2000}
#: Killed in the middle of a chunk's transaction, before any has left; then when so many arrived.
ARRIVED = 150
REFUSE = 10

CHILD = """
import os
import signal
from datetime import timedelta

import time_machine

from highstreet.app import create_app, house_of
from highstreet.email import outbox
from highstreet_tenants import clock

queue_many, chunks = outbox.queue_many, 0


def queued(*given):
    global chunks
    chunks += 1
    done = queue_many(*given)
    if {turn} == 0 and chunks == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return done


outbox.queue_many = queued
house = house_of(create_app({config!r}, faces=False))
# What a killed worker held is let go after some minutes; they have passed.
with time_machine.travel(clock.now() + timedelta(minutes=10 * {turn}), tick=True):
    while house.runner.run_one() is not None:
        pass
"""


def settle(s: Any, many: int) -> None:
    people = [new_id() for _each in range(many)]
    at = now()
    more = {"store_id": None, "fields": {}, "status": "active", "joined_at": at, "updated_at": at}
    rows = [{"id": one, "name": f"M{number}", **more} for number, one in enumerate(people)]
    bulk.insert(s, cast(sa.Table, Customer.__table__), rows)
    reached = [
        {
            "id": new_id(), "store_id": None, "customer_id": one, "realm_id": s.brand_id,
            "kind": "email", "value": f"m{number}@post.example",
            "shown": f"m{number}@post.example", "status": "active",
            "created_at": at,
        }
        for number, one in enumerate(people)
    ]  # fmt: skip
    bulk.insert(s, cast(sa.Table, Identity.__table__), reached)


@pytest.mark.slow
def test_nobody_gets_it_twice_and_everybody_is_accounted_for(
    street: Any, sink: Any, database: Any, tmp_path: Path
) -> None:
    street.sign()
    with street.office() as s:
        laying_down.lay_down(s, "basis", "email")
        settle(s, PEOPLE[database.kind])
        segment = picking.save(s, name="All", rule=All())
        content = {"subject": "Spring", "text": "Hello {{ customer.name }}, {{ code }}"}
        mailing = drafting.draft(
            s, MailingIn("Spring", "news", "email", segment.id, content, by_household=False)
        )
        drafting.approve(s, mailing, drafting.select(s, mailing).manifest)
        releasing.release(s, mailing)
    config = {
        "database_url": database.url,
        "owner_database_url": database.extra["owner_url"],
        "instance": str(tmp_path),
        "secret_key": street.house.config["secret_key"],
        "smtp_url": sink.url,
        "testing": True,
    }
    worker: list[subprocess.Popen[bytes]] = []

    def kill_at(stage: str, _argument: str) -> str | None:
        if stage == "content" and len(worker) == 2 and len(sink.got) >= ARRIVED:
            os.kill(worker[-1].pid, signal.SIGKILL)
        return None

    sink.answer = kill_at
    codes = []
    for turn in range(3):
        script = CHILD.format(config=config, turn=turn)
        worker.append(subprocess.Popen([sys.executable, "-c", script]))
        codes.append(worker[-1].wait(240))
        with street.office() as s:
            told = queries.waterfall(s, mailing)
            assert told.selected == told.ready + told.sent + sum(one.people for one in told.steps)
            assert s.scalar(sa.select(sa.func.count(Contact.id))) == told.sent
            if turn == 1:  # some change their minds between
                waiting = sa.select(EmailMessage.customer_id).where(EmailMessage.state == "queued")
                for who in s.scalars(waiting.limit(REFUSE)).all():
                    service.refuse_all(s, who, method="phone")
    assert codes == [-signal.SIGKILL, -signal.SIGKILL, 0]

    arrived = Counter(one.to[0] for one in sink.got)
    assert set(arrived.values()) == {1}, "nobody got it twice"
    with street.office(write=False) as s:
        states = Counter(s.scalars(sa.select(EmailMessage.state)))
        told = queries.waterfall(s, mailing)
        assert queries.get(s, mailing).status == "finished"
    assert states["stopped"] == REFUSE and {one.reason for one in told.steps} == {"opted_out"}
    assert 0 < states["unknown"] <= CHUNK, "a killed chunk, and no more"
    assert states["sent"] + states["unknown"] == told.sent == PEOPLE[database.kind] - REFUSE
    assert states["sent"] <= len(arrived) <= told.sent
