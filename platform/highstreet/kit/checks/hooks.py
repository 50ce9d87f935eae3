"""What it answers when something happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from time import perf_counter
from typing import Any
from uuid import uuid4

from highstreet.kit import life as lives
from highstreet.kit.bench import Bench, let_go
from highstreet.kit.check import Finding, check
from highstreet.kit.life import Life
from highstreet.kit.town import Shop
from highstreet.purchases import service as purchases
from highstreet.purchases.facts import LineIn, PurchaseIn
from highstreet.stores import owing
from highstreet_tenants import clock
from highstreet_tenants.errors import HighstreetError
from highstreet_tenants.sessions import ScopedSession

#: How many times slower than one a batch of 1,000 may be, as the host counts it.
BATCH_FACTOR = 21


@check("hooks-deprecated", needs="tool")
def hooks_deprecated(bench: Bench) -> Iterator[Finding]:
    """It answers no hook that is on its way out."""
    for hook in bench.hooks():
        if hook.deprecated:
            yield Finding(
                f"It answers {hook.name}, which is deprecated.",
                hook.deprecated,
                bench.place_of_hook(hook.name),
            )


@check("hooks-day")
def hooks_day(bench: Bench) -> Iterator[Finding]:
    """On an ordinary day none of its hooks fails, in a club or in stores of their own."""
    for life in bench.lives.values():
        given = lives.facts(life)
        for hook in bench.hooks():
            if hook.kind == "all" or hook.name in ("customers_merged", "erase_customer"):
                continue  # tried with two records that are merged indeed: person-*
            if hook.name == "store_owes":  # as head office asks, which may read sums alone
                office = life.shop.office
                owing.ask(office.town.house.tenancy, office.row, life.shop.id)
                continue
            try:
                with let_go(life.shop.session(write=hook.writes)) as s:
                    bench.ask(s, hook, given)
            except HighstreetError as error:
                if hook.kind != "veto":
                    yield Finding(
                        f"{hook.name} raised {error}",
                        "Give an answer, or none.",
                        bench.place_of_hook(hook.name),
                    )
    yield from bench.faults()


@check("hooks-odd")
def hooks_odd(bench: Bench) -> Iterator[Finding]:
    """Odd facts are facts: nobody's purchase, a total of nothing, lines without a total, everything
    returned, somebody without a name.
    """
    for shop in (bench.town.shops[0], bench.town.shops[2]):
        nameless = shop.enrol("", card=f"N{uuid4().int % 10**12}")
        long_ago = clock.now() - timedelta(days=3_000)
        for customer in (None, nameless):
            shop.buy(0, customer)
            shop.buy(lives.amount(shop), customer, at=long_ago)
            shop.buy(
                700,
                customer,
                lines=(LineIn(1, "Ω" * 80, "", 3, 1_000), LineIn(2, "Voucher", "", 1, -300)),
            )
            whole = shop.buy(lives.amount(shop), customer, lines=lives.lines(shop)).purchase
            shop.give_back(whole, 1)
            shop.give_back(whole)
    yield from bench.faults()


@check("hooks-twice")
def hooks_twice(bench: Bench) -> Iterator[Finding]:
    """A hook that is undone and called again does what it does when called once."""
    life = bench.store_life
    for hook in bench.hooks():
        if not hook.writes or hook.name in ("customers_unmerged", "customers_merged"):
            continue
        given = _fresh(bench, life)
        with let_go(life.shop.session(write=True)) as s:
            _quietly(bench, s, hook, given)
            once = bench.within(s)
        with let_go(life.shop.session(write=True)) as s:
            try:
                with s.savepoint():
                    _quietly(bench, s, hook, given)
                    raise _Undone
            except _Undone:
                pass
            _quietly(bench, s, hook, given)
            twice = bench.within(s)
        if once != twice:
            yield Finding(
                f"{hook.name}, undone and called again, leaves {len(twice)} rows where one call"
                f" leaves {len(once)}, or other ones.",
                "The host undoes the database and nothing else, and calls again after another"
                " tool's fault. Keep nothing in the module; ask your table.",
                bench.place_of_hook(hook.name),
            )


class _Undone(Exception):
    """Another tool has failed."""


def _quietly(bench: Bench, s: ScopedSession, hook: Any, given: dict[str, Any]) -> None:
    with suppress(HighstreetError):  # what it raises is for hooks-day and person-* to say
        bench.ask(s, hook, given)


def _fresh(bench: Bench, life: Life) -> dict[str, Any]:
    """Facts that no hook has heard of: the tool was off when they came to be."""
    shop = life.shop
    shop.office.require("optional")
    shop.switch(False)
    customer = lives.join(shop, "Eve")
    bought = shop.buy(lives.amount(shop), customer, lines=lives.lines(shop)).purchase
    shop.switch(True)
    given = lives.facts(life)
    given.update(customer=customer, customers=[customer], purchase=bought, purchases=[bought])
    return given


@check("hooks-batch")
def hooks_batch(bench: Bench) -> Iterator[Finding]:
    """An import of a thousand purchases comes to what a thousand at the till come to."""
    if not {"purchases_recorded"} & {hook.name for hook in bench.hooks()}:
        return
    shop = bench.town.shops[2]
    baskets = _baskets(shop, bench.many)
    with let_go(shop.office.everything(write=True)) as s:
        purchases.record_batch(s, baskets)
        together = bench.within(s)
    with let_go(shop.office.everything(write=True)) as s:
        for basket in baskets:
            purchases.record(s, basket)
        apart = bench.within(s)
    where = bench.place_of_hook("purchases_recorded")
    if together != apart:
        differing = sorted(set(together) ^ set(apart))
        shown = "; ".join(differing[:4])
        yield Finding(
            f"{bench.many} purchases in one batch leave {len(together)} rows, one by one"
            f" {len(apart)}; what differs: {shown or 'how often'}",
            "`purchases` may be one or thousands, of many customers and stores, in any number for"
            " each: go through all of them.",
            where,
        )
    yield from bench.faults()


def _baskets(shop: Shop, many: int) -> list[PurchaseIn]:
    """Purchases of a few people, and some of nobody, minute by minute up to now."""
    people = [lives.join(shop, f"P{number}") for number in range(max(2, min(20, many // 20)))]
    start = clock.now() - timedelta(minutes=many + 1)
    return [
        PurchaseIn(
            shop.id,
            f"B{number}",
            start + timedelta(minutes=number),
            lives.LARGE + number % 7 * 100,
            "GBP",
            None if number % 9 == 0 else people[number % len(people)].id,
            tuple(lives.lines(shop)),
        )
        for number in range(many)
    ]


@check("hooks-budget")
def hooks_budget(bench: Bench) -> Iterator[Finding]:
    """Each hook stays within its time: a till waits for it."""
    life = bench.club_life
    for hook in bench.hooks():
        if hook.kind == "all" or hook.name in ("customers_merged", "erase_customer"):
            continue
        budget = hook.budget_ms or bench.host.slow_ms
        given = _fresh(bench, life) if hook.writes else lives.facts(life)
        took = min(_time(bench, life, hook, given) for _turn in range(3))
        if took > budget:
            yield Finding(
                f"{hook.name} took {took:.0f} ms for one fact; it has {budget:.0f} ms.",
                "Do in the hook what must be done at once, the rest in a job (ctx.jobs.enqueue).",
                bench.place_of_hook(hook.name),
            )


def _time(bench: Bench, life: Life, hook: Any, given: dict[str, Any]) -> float:
    with let_go(life.shop.session(write=hook.writes)) as s:
        began = perf_counter()
        _quietly(bench, s, hook, given)
        return (perf_counter() - began) * 1_000
