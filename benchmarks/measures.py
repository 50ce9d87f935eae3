"""What it costs to keep customers' measures up to date, as a share of an award.

Asked: at most a tenth. A whole sale is recorded with its measure and without, in turn; what the
measure adds is held against the points club's award of a sale like it, in the same run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from unittest.mock import patch

from benchmarks import club, databases, measure
from benchmarks.award import _awards, _sales
from benchmarks.measure import Figure
from highstreet.app import house_of
from highstreet.purchases import measuring
from highstreet_tenants.sessions import ScopedSession

RUNS = 15
PIECES = 100


def run() -> list[Figure]:
    """Measure on each kind of database."""
    figures: list[Figure] = []
    for kind in databases.kinds():
        with databases.installation(kind) as app:
            shop = club.open_club(house_of(app))
            figures.append(_measure(kind, shop))
    return figures


def _measure(kind: str, shop: club.Club) -> Figure:
    awards, sales = _awards(shop), _sales(shop)

    def serve(work: Callable[[ScopedSession], object]) -> None:
        with shop.house.tenancy.session(shop.scope, write=True) as s:
            work(s)

    def without(work: Callable[[ScopedSession], object]) -> None:
        with patch.object(measuring, "bought", lambda *_given: None):
            serve(work)

    def with_patch(work: Callable[[ScopedSession], object]) -> None:
        # The same patch around it, so that the patch itself is on both sides.
        with patch.object(measuring, "bought", measuring.bought):
            serve(work)

    def pieces(
        how: Callable[[Callable[[ScopedSession], object]], None],
        works: Iterator[Callable[[ScopedSession], object]],
    ) -> Callable[[], Callable[[], object]]:
        def prepare() -> Callable[[], object]:
            work = next(works)
            return lambda: how(work)

        return prepare

    sides = {
        "with": pieces(with_patch, sales),
        "without": pieces(without, sales),
        "award": pieces(serve, awards),
    }
    times = measure.in_runs(sides, RUNS, PIECES)
    added = times["with"] - times["without"]
    return Figure(
        f"measures of a purchase, {kind}", added * 1e6, times["award"] * 1e6, "µs",
        added / times["award"], ("<=", 0.1),
        note="floor: an award; ours: a sale with them less one without",
    )  # fmt: skip
