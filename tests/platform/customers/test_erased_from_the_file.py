"""On SQLite somebody who was erased can't be read in the file either, nor in the log beside it."""

import random
import re
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from highstreet.consent import service as consent
from highstreet.customers import service
from highstreet.jobs import JobRegistry, Upkeep
from highstreet.purchases import service as till
from highstreet.purchases.facts import LineIn, PurchaseIn
from highstreet.timeline.service import write
from rooms_given import Floor

PEOPLE = 150
_MARK = re.compile(rb"(?i)zq(\d{4})x")


@pytest.fixture
def path(floor: Floor) -> Path:
    """The database's file."""
    if floor.database.kind != "sqlite":
        pytest.skip("PostgreSQL's files are its own: its vacuum takes out what was deleted")
    return Path(str(sa.make_url(floor.database.url).database))


def readable(path: Path) -> set[int]:
    """Numbers of the people whose names, keys or stories stand anywhere in the files' bytes."""
    files = [path, *path.parent.glob(f"{path.name}-*")]
    assert len(files) > 1, "there is no log beside the file"
    return {int(found) for one in files for found in _MARK.findall(one.read_bytes())}


def take_on(floor: Floor, numbers: range) -> dict[int, Any]:
    """People of whom every room holds something, of very different lengths."""
    dice = random.Random(5)
    store = floor.shops.stores[0].id
    ids = {}
    for number in numbers:
        mark = f"zq{number:04}x"
        with floor.till(floor.shops) as s:
            who = service.enrol(s, name=f"{mark} Hall", email=f"{mark}@example.com")
            service.add_note(s, who.id, f"{mark} likes tea. " * dice.randrange(1, 90))
            consent.record(
                s,
                who.id,
                purpose="marketing",
                channel="email",
                status="given",
                wording="May we write?",
                method="form",
                evidence=f"signed by {mark}",
            )
            now = datetime.now(UTC)
            line = LineIn(1, "ham", "deli", 2, 1500)
            till.record(s, PurchaseIn(store, f"R{number}", now, 1500, "GBP", who.id, (line,)))
            write(s, who.id, "visit", f"{mark} came by", occurred_at=now)
            if number % 3 == 0:
                service.update(s, who.id, name=f"{mark} Hall-Wren")
        ids[number] = who.id
    return ids


def test_the_bytes_of_the_files_name_nobody_who_was_erased(floor: Floor, path: Path) -> None:
    ids = take_on(floor, range(PEOPLE))
    assert readable(path) == set(ids)
    leavers = random.Random(6).sample(sorted(ids), PEOPLE // 3)
    for number in leavers:
        with floor.till(floor.shops) as s:
            service.erase(s, ids[number], "asked")
    assert readable(path) == set(ids) - set(leavers)


@pytest.fixture
def reader(path: Path) -> Iterator[sqlite3.Connection]:
    """A program of somebody else's that reads the file."""
    connection = sqlite3.connect(path)
    yield connection
    connection.close()


def test_while_somebody_reads_the_old_state_the_log_is_emptied_later(
    floor: Floor, path: Path, reader: sqlite3.Connection
) -> None:
    (who,) = take_on(floor, range(9000, 9001)).values()
    reader.execute("BEGIN")
    reader.execute("SELECT COUNT(*) FROM core_customer").fetchone()
    with floor.till(floor.shops) as s:
        service.erase(s, who, "asked")
    assert floor.database.tenancy.to_scrub and 9000 in readable(path)
    reader.rollback()
    Upkeep(floor.database.tenancy, JobRegistry())()
    assert not floor.database.tenancy.to_scrub and 9000 not in readable(path)
