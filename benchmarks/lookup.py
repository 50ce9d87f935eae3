"""Finding a customer at the till, in a brand of 4,000,000 and in one of 4,000.

Asked: at most 1.3 times as long, by card and by the first letters of a name, on PostgreSQL with
row-level security on. The till's other look-ups (phone, e-mail, receipt) are held to the same.
Measured is the whole look-up as a till pays it: a session in the store's scope, the room's own
query, the end of the transaction.

Left to itself, PostgreSQL reads a table of 4,000 customers whole for each search by name, and the
floor would be three times as slow as it need be; so there it is held to joins by index, which is
what it chooses for the large brand by itself.

Filling 4,000,000 takes minutes. With HIGHSTREET_BENCH_KEEP=1 the two databases stay for the next
run (8 GB); they are filled anew when the schema or the filling has changed, and
`python -m benchmarks --drop-kept` drops them.
"""

from __future__ import annotations

import hashlib
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask

from benchmarks import capture, crowd, databases, measure
from benchmarks.brands import found_brand
from benchmarks.crowd import Crowd
from benchmarks.measure import Figure
from highstreet.app import house_of
from highstreet.customers import queries
from highstreet.purchases import queries as purchases
from highstreet_tenants import models
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import ScopedSession, Tenancy

#: So many look-ups, `ROUNDS` times on each side in turn.
LOOKUPS = 40
ROUNDS = 40
#: Tills at work: so many stores, however many the brand has.
TILLS = 40
#: Customers of the small brand.
FEW = 4_000

Look = Callable[[ScopedSession, int], None]


class _Tills:
    """Tills of one brand that look customers up."""

    def __init__(self, tenancy: Tenancy, crowded: Crowd) -> None:
        self.tenancy = tenancy
        self.crowd = crowded
        self._random = random.Random(crowded.people)
        step = crowded.stores // TILLS
        self._stores = [1 + step * number for number in range(TILLS)]

    def _scope(self, store: int) -> Scope:
        return Scope.store(self.crowd.brand_id, self.crowd.store_id(store))

    def by_card(self, s: ScopedSession, number: int) -> None:
        """Scan a card."""
        found = queries.by_card(s, self.crowd.card(number))
        if found.name != self.crowd.name(number):
            raise AssertionError(f"card of {self.crowd.name(number)} found {found.name}")

    def by_phone(self, s: ScopedSession, number: int) -> None:
        """Type a phone number: it might be a card's, so that is looked up first."""
        number -= 1 - number % 2
        self._one(s, self.crowd.phone(number), number)

    def by_email(self, s: ScopedSession, number: int) -> None:
        """Type an e-mail address."""
        number = max(1, number - (number - 1) % 3)
        self._one(s, self.crowd.email(number), number)

    def _one(self, s: ScopedSession, text: str, number: int) -> None:
        found = queries.find(s, text, 20)
        if [one.customer.name for one in found] != [self.crowd.name(number)]:
            raise AssertionError(f"{text} found {[one.customer.name for one in found]}")

    def by_name(self, s: ScopedSession, number: int) -> None:
        """Type the first name."""
        first = self.crowd.name(number).split()[0]
        found = queries.find(s, first, 20)
        if len(found) != 20 or not all(one.customer.name.startswith(first) for one in found):
            raise AssertionError(f"{first} found {[one.customer.name for one in found]}")

    def by_receipt(self, s: ScopedSession, number: int) -> None:
        """Scan the receipt of a purchase in this store, of anybody's."""
        store_id = s.scope.store_id
        assert store_id is not None
        number += self.crowd.place_of(store_id) - self.crowd.home_of(number)
        found = purchases.by_ref(s, store_id, self.crowd.receipt(number))
        if len(found.lines) != 1:
            raise AssertionError(f"{found.pos_ref} has {len(found.lines)} lines")

    def work(self, look: Look) -> Callable[[], None]:
        """A round of look-ups, of anybody in any of the stores."""

        def looked() -> None:
            for number in range(LOOKUPS):
                with self.tenancy.session(self._scope(self._stores[number % TILLS])) as s:
                    look(s, self._anybody())

        return looked

    def _anybody(self) -> int:
        # Not the first and not the last few, so that each has neighbours in every store.
        return self._random.randint(self.crowd.stores, self.crowd.people - self.crowd.stores)

    def plan(self, look: Look) -> tuple[list[str], float]:
        """(what serves a look-up: indexes, or tables read whole; the median of pages touched)."""
        names: list[str] = []
        pages: list[int] = []
        for store in self._stores[:20]:
            with self.tenancy.session(self._scope(store)) as s:
                with capture.statements(s) as sent:
                    look(s, self._anybody())
                plans = [_explained(s, one) for one in sent]
            pages.append(sum(_pages(plan) for plan in plans))
            names = [name for plan in plans for name in _serving(plan)]
        return list(dict.fromkeys(names)), statistics.median(pages)


def run() -> list[Figure]:
    """Measure both brands in turn, each in a database of its own."""
    if not databases.postgresql_answers():
        return measure.skipped("lookup", "no PostgreSQL server answers")
    people, stores = (400_000, 4_000) if measure.quick() else (4_000_000, 40_000)
    figures = []
    with ExitStack() as stack:
        few = stack.enter_context(_tills(FEW, 40))
        many = stack.enter_context(_tills(people, stores))
        for how, small, large in (
            ("card", few.by_card, many.by_card),
            ("name prefix", few.by_name, many.by_name),
            ("phone", few.by_phone, many.by_phone),
            ("e-mail", few.by_email, many.by_email),
            ("receipt", few.by_receipt, many.by_receipt),
        ):
            serving, pages = many.plan(large)
            if whole := set(serving) & set(crowd.BIG):
                raise AssertionError(f"the look-up by {how} reads all of {', '.join(whole)}")
            fewer = few.plan(small)[1]
            times = measure.in_turn({"few": few.work(small), "many": many.work(large)}, ROUNDS)
            note = f"{pages:.0f} pages against {fewer:.0f}; served by {', '.join(serving)}"
            figures.append(
                measure.cost(
                    f"look-up by {how}, {people:,} customers against {FEW:,}", times, ours="many",
                    floor="few", count=LOOKUPS, at_most=1.3, note=note,
                )
            )  # fmt: skip
    return figures


@contextmanager
def _tills(people: int, stores: int) -> Iterator[_Tills]:
    """Tills on a filled database, which is dropped afterwards or kept for the next run."""
    place: AbstractContextManager[tuple[dict[str, str], bool]]
    if os.environ.get("HIGHSTREET_BENCH_KEEP", "") in ("", "0"):
        place = _new()
    else:
        names = {count: f"{_digest()}_{count}" for count in (FEW, 400_000, 4_000_000)}
        databases.drop_kept(but=names.values())
        place = databases.kept(names[people])
    with place as (config, new), databases.running(config) as app:
        crowded = _crowd(app, people, stores, new=new)
        if people == FEW:
            _hold_to_indexes(app)
        yield _Tills(house_of(app).tenancy, crowded)


@contextmanager
def _new() -> Iterator[tuple[dict[str, str], bool]]:
    with databases.fresh("postgresql") as config:
        yield config, True


def _crowd(app: Flask, people: int, stores: int, *, new: bool) -> Crowd:
    house = house_of(app)
    if not new:
        with house.tenancy.control() as c:
            return Crowd(c.scalars(sa.select(models.Brand.id)).one(), people, stores)
    began = time.perf_counter()
    brand = found_brand(house.tenancy, stores=0)
    url = house.config["owner_database_url"]
    filled = crowd.fill(url, brand.id, brand.owner_id, people, stores)
    print(f"  made {people:,} customers in {time.perf_counter() - began:.0f} s")
    return filled


def _hold_to_indexes(app: Flask) -> None:
    house = house_of(app)
    url = sa.make_url(house.config["owner_database_url"])
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for kind in ("hashjoin", "mergejoin"):
            connection.exec_driver_sql(f"ALTER DATABASE {url.database} SET enable_{kind} = off")
    engine.dispose()
    house.engine.dispose()  # connections that are open know nothing of it


def _digest() -> str:
    """Stands for everything that decides what a filled database looks like."""
    spec = find_spec("highstreet_migrations.versions")
    assert spec is not None
    folders = [Path(place) for place in spec.submodule_search_locations or ()]
    files = [Path(crowd.__file__), *(f for folder in folders for f in sorted(folder.glob("*.py")))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:8]


def _explained(s: ScopedSession, one: capture.Sent) -> dict[str, Any]:
    sql = f"EXPLAIN (ANALYZE, BUFFERS, TIMING off, FORMAT JSON) {one.sql}"
    plan: dict[str, Any] = s.raw().execute(sql, one.values).fetchone()[0][0]["Plan"]
    return plan


def _pages(plan: dict[str, Any]) -> int:
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def _serving(plan: dict[str, Any]) -> Iterator[str]:
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    if "Index Name" in plan:
        yield plan["Index Name"]
    for part in plan.get("Plans", ()):
        yield from _serving(part)
