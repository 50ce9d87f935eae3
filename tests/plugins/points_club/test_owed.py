"""The club stood still for a day. Once it goes on, everybody has what they would have had."""

from collections.abc import Callable
from typing import Any

import pytest

from highstreet.customers import service
from highstreet.host import policy, retry
from highstreet.host.registry import Quarantine
from highstreet.i18n import lazy_gettext

from .conftest import NAME, NOON, Shop, later
from .test_unmerging import points


def stands_still(shop: Shop, brand: Any, on: bool) -> None:
    with shop.session(brand) as s:
        (policy.resume if on else policy.pause)(s, NAME)


def fails(shop: Shop, _brand: Any, on: bool) -> None:
    """Every hook of the club raises; it is not paused, for nobody counts that far."""

    def broken(*_args: Any) -> Any:
        raise RuntimeError("the club is broken")

    shop.host.fault_limit = 5 if on else 1000
    for hook, calls in shop.host.calls.items():
        if NAME in calls:
            whole = getattr(calls[NAME].function, "whole", calls[NAME].function)

            def bad(*args: Any) -> Any:
                return broken()

            bad.whole = whole  # type: ignore[attr-defined]
            function: Callable[..., Any] = whole if on else bad
            shop.host.calls[hook][NAME] = calls[NAME]._replace(function=function)
    _forget(shop)


def does_not_load(shop: Shop, _brand: Any, on: bool) -> None:
    host = shop.host
    if on:
        host.plugins[NAME] = shop.database.extra.pop("loaded")
        host.quarantined.clear()
    else:
        shop.database.extra["loaded"] = host.plugins.pop(NAME)
        host.quarantined[NAME] = Quarantine(NAME, "import-error", lazy_gettext("broken"))
    _forget(shop)


def _forget(shop: Shop) -> None:
    """As a process does that starts anew."""
    shop.host.actives.clear()
    shop.host.states._entries.clear()


@pytest.mark.parametrize("stop", [stands_still, fails, does_not_load])
@pytest.mark.parametrize("kind", ["club", "shops"])
def test_sales_returns_and_merges_of_that_day_count_as_if_it_had_been_there(
    shop: Shop, stop: Any, kind: str
) -> None:
    brand = getattr(shop, kind)
    with shop.session(brand) as s:
        ann, bea, old = (shop.member(s, name) for name in ("Ann", "Bea", "Old Bea"))
        before = shop.buy(s, ann.id, 2000, at=NOON)
        shop.buy(s, old.id, 700, at=NOON)
    stop(shop, brand, False)
    with shop.session(brand) as s:
        whole = shop.buy(s, ann.id, 1000, at=later(1))
        part = shop.buy(s, bea.id, 3000, at=later(1))
        gone = shop.buy(s, bea.id, 500, at=later(1))
        shop.bring_back(s, before, 500, at=later(2))
        shop.bring_back(s, part, 1000, at=later(2))
        shop.bring_back(s, gone, at=later(2))
        shop.buy(s, old.id, 400, at=later(2))
        service.merge(s, bea.id, old.id)
        cleo = shop.member(s, "Cleo")
        shop.buy(s, cleo.id, 900, at=later(2))
        if stop is not fails:  # what all must do is not done while one fails
            service.merge(s, ann.id, cleo.id)
            service.unmerge(s, cleo.id)
    stop(shop, brand, True)
    with shop.session(brand) as s:
        for _each in range(3):
            retry.settle(s, NAME)
        assert retry.settle(s, NAME) == dict.fromkeys(
            ("done", "failed", "gone", "dropped", "left"), 0
        )
        shop.bring_back(s, whole, 200, at=later(3))
        balance = {who.name: points(shop, s, who.id)[0] for who in (ann, bea, cleo)}
        assert balance == {"Ann": 15 + 8, "Bea": 7 + 20 + 4, "Cleo": 9}
    shop.sound(brand)
