"""Finding a customer at the till, in a brand of 4,000,000 and in one of 4,000.

Asked: at most 1.3 times as long, by card and by the first letters of a name, on PostgreSQL with
row-level security on. Measured is the whole look-up as a till pays it: a session in the store's
scope, the room's own query, the end of the transaction.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from benchmarks import capture, crowd, databases, measure
from benchmarks.brands import found_brand
from benchmarks.crowd import Crowd
from benchmarks.measure import Figure
from highstreet.app import house_of
from highstreet.customers import queries
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import ScopedSession, Tenancy

LOOKUPS = 300
ROUNDS = 15
#: Tills at work: so many stores, however many the brand has.
TILLS = 40


class _Tills:
    """Tills of one brand that look customers up."""

    def __init__(self, tenancy: Tenancy, crowded: Crowd) -> None:
        self.tenancy = tenancy
        self.crowd = crowded
        self._random = random.Random(crowded.people)
        step = crowded.stores // TILLS
        self._scopes = [
            Scope.store(crowded.brand_id, crowded.store_id(1 + step * number))
            for number in range(TILLS)
        ]

    def by_card(self, s: ScopedSession, number: int) -> None:
        """Scan a card."""
        found = queries.by_card(s, self.crowd.card(number))
        if found.name != self.crowd.name(number):
            raise AssertionError(f"card of {self.crowd.name(number)} found {found.name}")

    def by_name(self, s: ScopedSession, number: int) -> None:
        """Type the first name."""
        first = self.crowd.name(number).split()[0]
        found = queries.find(s, first, 20)
        if len(found) != 20 or not all(one.customer.name.startswith(first) for one in found):
            raise AssertionError(f"{first} found {[one.customer.name for one in found]}")

    def work(self, look: Callable[[ScopedSession, int], None]) -> Callable[[], None]:
        """A round of look-ups, of anybody in any of the stores."""

        def looked() -> None:
            for number in range(LOOKUPS):
                with self.tenancy.session(self._scopes[number % TILLS]) as s:
                    look(s, self._random.randint(1, self.crowd.people))

        return looked

    def indexes(self, look: Callable[[ScopedSession, int], None]) -> list[str]:
        """The indexes that serve a look-up. Raises AssertionError if a table is read whole."""
        names: list[str] = []
        with self.tenancy.session(self._scopes[0]) as s:
            with capture.statements(s) as sent:
                look(s, 1)
            for one in sent:
                plan = s.raw().execute(f"EXPLAIN (FORMAT JSON) {one.sql}", one.values).fetchone()
                for node in _nodes(plan[0][0]["Plan"]):
                    if node["Node Type"] == "Seq Scan" and node["Relation Name"] in crowd.BIG:
                        raise AssertionError(f"reads all of {node['Relation Name']}: {one.sql}")
                    if "Index Name" in node:
                        names.append(node["Index Name"])
        return names


def run() -> list[Figure]:
    """Measure both brands in turn, each in a database of its own."""
    if not databases.postgresql_answers():
        return measure.skipped("lookup", "no PostgreSQL server answers")
    people, stores = (400_000, 4_000) if measure.quick() else (4_000_000, 40_000)
    figures = []
    with ExitStack() as stack:
        few = stack.enter_context(_tills(4_000, 40))
        began = time.perf_counter()
        many = stack.enter_context(_tills(people, stores))
        print(f"  made {people:,} customers in {time.perf_counter() - began:.0f} s")
        for how, small, large in (
            ("card", few.by_card, many.by_card),
            ("name prefix", few.by_name, many.by_name),
        ):
            indexes = ", ".join(many.indexes(large))
            times = measure.in_turn({"few": few.work(small), "many": many.work(large)}, ROUNDS)
            figures.append(
                measure.cost(
                    f"look-up by {how}, {people:,} customers against 4,000", times, ours="many",
                    floor="few", count=LOOKUPS, at_most=1.3, note=f"served by {indexes}",
                )
            )  # fmt: skip
    return figures


@contextmanager
def _tills(people: int, stores: int) -> Iterator[_Tills]:
    with databases.installation("postgresql") as app:
        house = house_of(app)
        brand = found_brand(house.tenancy, stores=0)
        url = house.config["owner_database_url"]
        yield _Tills(house.tenancy, crowd.fill(url, brand.id, brand.owner_id, people, stores))


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)
