"""Killed with -9 again and again, a mailing goes on where it was: each piece once, none lost."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa

from highstreet.addresses.models import Address, Household
from highstreet.consent import laying_down
from highstreet.consent.models import Contact
from highstreet.customers.models import Customer
from highstreet.mailings import drafting, queries, releasing
from highstreet.mailings.facts import MailingIn
from highstreet.mailings.models import Piece
from highstreet.segments import service as picking
from highstreet.segments.rules import All
from highstreet_tenants import bulk
from highstreet_tenants.clock import now
from highstreet_tenants.ids import new_id
from rooms_given import Floor

PEOPLE = 2000
KILLS = 4

CHILD = """
import os
import signal
from datetime import timedelta

import time_machine

from highstreet.app import create_app, house_of
from highstreet.consent import contacts
from highstreet.mailings.post import Post
from highstreet_tenants import clock

Post.chunk = 200
note, chunks = contacts.note, 0


def noted(*given, **named):
    # In the middle of a chunk's transaction: before its contacts are written, or after all is.
    global chunks
    chunks += 1
    if {kill} and chunks == 1 + {turn} % 3:
        if {turn} % 2:
            note(*given, **named)
        os.kill(os.getpid(), signal.SIGKILL)
    return note(*given, **named)


contacts.note = noted
house = house_of(create_app({config!r}, faces=False))
# What a killed worker held is let go after some minutes; they have passed.
with time_machine.travel(clock.now() + timedelta(minutes=10 * {turn}), tick=True):
    while house.runner.run_one() is not None:
        pass
"""


def settle(s: Any) -> None:
    """A town in which every door has two of one surname."""
    people = [new_id() for _each in range(PEOPLE)]
    doors = [new_id() for _each in range(PEOPLE // 2)]
    at = now()
    given: dict[str, Any] = {"store_id": None, "name": "Ann Lee", "fields": {}, "status": "active"}
    times = {"joined_at": at, "updated_at": at}
    bulk.insert(s, _t(Customer), [{"id": one, **given, **times} for one in people])
    bulk.insert(
        s,
        _t(Household),
        [
            {
                "id": one, "store_id": None, "realm_id": s.brand_id, "delivery_point": one.hex,
                "surname_key": "lee", "created_at": at,
            }
            for one in doors
        ],
    )  # fmt: skip
    home = {"country": "GB", "recipient": "", "street": [], "lines": ["1 High Street"]}
    more = {"dependent_locality": "", "city": "", "area": "", "sorting_code": "", "state": "good"}
    bulk.insert(
        s,
        _t(Address),
        [
            {
                "id": new_id(), "store_id": None, "customer_id": who,
                "household_id": doors[number // 2], "postal_code": f"{number % 97}",
                "delivery_point": "x", "source": "staff", "valid_from": at, **home, **more,
            }
            for number, who in enumerate(people)
        ],
    )  # fmt: skip


def _t(model: Any) -> sa.Table:
    return cast(sa.Table, model.__table__)


@pytest.mark.slow
def test_each_piece_has_one_state_however_often_it_is_killed(floor: Floor, tmp_path: Path) -> None:
    database = floor.database
    with floor.office(floor.club) as s:
        laying_down.lay_down(s, "basis", "post")
        settle(s)
        segment = picking.save(s, name="All", rule=All())
        mailing = drafting.draft(s, MailingIn("Spring", "news", "post", segment.id))
        fact = drafting.select(s, mailing)
        drafting.approve(s, mailing, fact.manifest)
        releasing.release(s, mailing)
    config = {
        "database_url": database.url,
        "owner_database_url": database.extra["owner_url"],
        "instance": str(tmp_path),
        "secret_key": "for tests only, and long enough",
    }
    for turn in range(KILLS + 1):
        script = CHILD.format(config=config, turn=turn, kill=turn < KILLS)
        code = subprocess.run([sys.executable, "-c", script], timeout=120, check=False).returncode
        assert code == (-signal.SIGKILL if turn < KILLS else 0)
        with floor.office(floor.club, write=False) as s:
            told = queries.waterfall(s, mailing)
            assert (
                told.selected
                == PEOPLE
                == told.ready + told.sent + sum(one.people for one in told.steps)
            )
            contacts = s.scalar(sa.select(sa.func.count(Contact.id)))
            assert contacts == told.sent, "what was sent, and only that, was counted"
    with floor.office(floor.club, write=False) as s:
        told = queries.waterfall(s, mailing)
        assert (told.sent, told.ready) == (PEOPLE // 2, 0)
        sent = s.scalars(sa.select(Piece.household_id).where(Piece.state == "sent")).all()
        assert set(Counter(sent).values()) == {1}, "one for each door"
        assert queries.get(s, mailing).status == "finished"
