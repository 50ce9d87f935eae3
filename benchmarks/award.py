"""Points for a sale, through the service and through the bare driver.

Asked: at least 0.6 of the pace of the same statements in the same transaction on the raw driver
(psycopg with one client and with eight, sqlite3). Measured twice: the points club's own verb, and
the whole sale as a till records it (purchase, lines, timeline, points). Each piece of the floor is
what the service really sent for a sale like it, with ids of its own, in values as the driver
takes them: the floor makes no ids, reckons no points and converts nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from benchmarks import club, databases, measure, replay
from benchmarks.club import CLUB, Club
from benchmarks.measure import Figure
from benchmarks.replay import Piece, Raw
from highstreet.app import house_of
from highstreet.purchases import service
from highstreet.purchases.facts import PurchaseFact, PurchaseIn
from highstreet.sdk import context
from highstreet_points_club.award import award
from highstreet_tenants.sessions import ScopedSession

RUNS = 11
PIECES = 100
CLIENTS = 8
EACH = 25
ROUNDS = 9

Work = Callable[[ScopedSession], object]


def run() -> list[Figure]:
    """Measure on each kind of database."""
    figures: list[Figure] = []
    for kind in databases.kinds():
        with databases.installation(kind) as app:
            shop = club.open_club(house_of(app))
            for name, works in (("award", _awards(shop)), ("sale with points", _sales(shop))):
                figures += _measure(kind, shop, name, works)
    return figures


def _awards(shop: Club) -> Iterator[Work]:
    """The points club's verb, on purchases that the core has checked."""

    def work(fact: PurchaseFact) -> Work:
        return lambda s: award(context.ctx_of(s, CLUB, fact.store_id), fact)

    while True:
        for fact in shop.facts(100):
            yield work(fact)


def _sales(shop: Club) -> Iterator[Work]:
    """The core's verb, which asks the points club."""

    def work(sale: PurchaseIn) -> Work:
        return lambda s: _granted(service.record(s, sale).answers)

    while True:
        yield work(shop.sale())


def _granted(answers: tuple[Any, ...]) -> None:
    if len(answers) != 1 or not answers[0].value.points:
        raise AssertionError(f"no points were given: {answers}")


def _measure(kind: str, shop: Club, name: str, works: Iterator[Work]) -> list[Figure]:
    tenancy, scope = shop.house.tenancy, shop.scope
    url = shop.house.config["database_url"]

    def serve(work: Work) -> None:
        with tenancy.session(scope, write=True) as s:
            work(s)

    def rehearsed() -> Piece:
        return replay.rehearse(tenancy, scope, next(works))

    serve(next(works))  # the programme's rules are written once
    raw = replay.client(url)
    sides: dict[str, Callable[[], Callable[[], object]]] = {
        "service": lambda: _bound(serve, next(works)),
        "raw": lambda: _bound(raw.play, rehearsed()),
    }
    if kind == "postgresql" and name == "award":
        alone = [one for one in rehearsed() if one.sql.lstrip().startswith("WITH")]
        send = replay.in_one_statement(shop.house.config["owner_database_url"], alone[0].sql)
        sides["one"] = lambda: _bound(send, _values(rehearsed()))
    times = measure.in_runs(sides, RUNS, PIECES)
    raw.close()
    figures = [
        measure.rate(
            f"{name}, {kind}, one client", times, ours="service", floor="raw", count=1,
            at_least=0.6, note=f"floor: the same {len(rehearsed())} statements, raw",
        )
    ]  # fmt: skip
    if "one" in times:
        figures.append(
            measure.rate(
                f"{name}, {kind}, against all in one statement", times, ours="service",
                floor="one", count=1, at_least=None, note="without scope, by itself committed",
            )
        )  # fmt: skip
    if kind == "postgresql":
        figures.append(_crowded(name, url, serve, works, rehearsed))
    return figures


def _crowded(
    name: str,
    url: str,
    serve: Callable[[Work], None],
    works: Iterator[Work],
    rehearsed: Callable[[], Piece],
) -> Figure:
    """Eight at once, in threads, each with a connection of its own."""
    clients = [replay.client(url) for _number in range(CLIENTS)]
    times: dict[str, list[float]] = {"service": [], "raw": []}
    for number in range(ROUNDS + 1):
        mine = [[next(works) for _one in range(EACH)] for _client in clients]
        theirs = [[rehearsed() for _one in range(EACH)] for _client in clients]
        turns = [
            ("service", partial(_together, serve, mine)),
            ("raw", partial(_raw, clients, theirs)),
        ]
        for side, work in turns if number % 2 else reversed(turns):
            took = measure.seconds(work)
            if number:
                times[side].append(took)
    for one in clients:
        one.close()
    return measure.rate(
        f"{name}, postgresql, {CLIENTS} clients", measure.medians(times), ours="service",
        floor="raw", count=CLIENTS * EACH, at_least=0.6, note="floor: the same statements, raw",
    )  # fmt: skip


def _raw(clients: list[Raw], pieces: list[list[Piece]]) -> None:
    threads = [
        threading.Thread(target=lambda c=c, mine=mine: [c.play(one) for one in mine])
        for c, mine in zip(clients, pieces, strict=True)
    ]
    _run(threads)


def _together(serve: Callable[[Work], None], works: list[list[Work]]) -> None:
    _run(
        [threading.Thread(target=lambda mine=mine: [serve(one) for one in mine]) for mine in works]
    )


def _run(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _bound(function: Callable[[Any], object], value: Any) -> Callable[[], object]:
    return lambda: function(value)


def _values(piece: Piece) -> Any:
    return next(one.values for one in piece if one.sql.lstrip().startswith("WITH"))
