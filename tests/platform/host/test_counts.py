"""How often hooks were called, how long it took and how often they failed: kept apart from whatever
called them, and added up by whoever has time."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from highstreet.host import counting, counts, dispatch, policy, retry
from highstreet.host.counting import Counting
from highstreet.host.models import PluginUse
from highstreet.host.registry import Host
from highstreet_tenants import clock
from highstreet_tenants.scopes import Scope

from .test_dispatch import tool

MAKE = Callable[..., Host]


class Counted:
    """A host with two tools in two stores, and what it has counted."""

    def __init__(self, host: Host, opened: Any, brand: Any, tenancy: Any) -> None:
        self.host, self.opened, self.brand, self.tenancy = host, opened, brand, tenancy
        self.counting = Counting(tenancy, host.counts)
        for store in brand.stores:
            with opened(brand, store) as s:
                policy.choose(s, "club", True)
                policy.choose(s, "mail", True)

    def at(self, store: int, *, write: bool = True) -> Any:
        return self.opened(self.brand, self.brand.stores[store], write=write)

    def seen(self, plugin: str, store: int | None = None, days: int = 7) -> dict[str, Any]:
        place = (self.brand,) if store is None else (self.brand, self.brand.stores[store])
        with self.opened(*place, write=False) as s:
            return {one.hook: (one.calls, one.failures) for one in counts.used(s, plugin, days)}

    def rows(self) -> int:
        with self.tenancy.session(Scope.operator(self.brand.id)) as s:
            return int(s.scalar(sa.select(sa.func.count(PluginUse.id))) or 0)


@pytest.fixture
def counted(make_host: MAKE, hung: Any, two_brands: list[Any], database: Any) -> Counted:
    def broken(ctx: Any, thing: str) -> None:
        raise RuntimeError("not now")

    def fine(ctx: Any, thing: Any) -> None:
        return None

    def checks(ctx: Any, thing: Any) -> None:
        return None

    host = make_host(
        {
            "club": tool(look=fine, happened=fine, which=fine, may=checks),
            "mail": tool(look=broken, happened=fine),
        }
    )
    host.fault_limit = 1000
    return Counted(host, hung(host), two_brands[1], database.tenancy)


def test_every_way_of_calling_is_counted_by_store_and_written_apart(counted: Counted) -> None:
    with counted.at(0) as s:
        for _each in range(3):
            dispatch.collect(s, "look", thing="x")
        dispatch.collect(s, "happened", thing="x")
        dispatch.first(s, "which", thing="x")
        dispatch.veto(s, "may", thing="x")
    with counted.at(1, write=False) as s:
        dispatch.collect(s, "look", thing="x")
    assert counted.rows() == 0, "no request writes a row for it"
    assert counted.counting.write() == 0, "somebody may still count on these"
    assert counted.counting.write() == 8
    assert counted.seen("club", 0) == {
        "look": (3, 0), "happened": (1, 0), "may": (1, 0), "which": (1, 0),
    }  # fmt: skip
    assert counted.seen("mail", 0) == {"look": (3, 3), "happened": (1, 0)}
    assert counted.seen("mail", 1) == {"look": (1, 1)}
    assert counted.seen("mail") == {"look": (4, 4), "happened": (1, 0)}, "head office: all"
    with counted.opened(counted.brand, write=False) as s:
        first, second = counted.brand.stores
        assert counts.failing(s, "mail", 7) == [(first.id, 3), (second.id, 1)]
        use = counts.used(s, "club", 7)[0]
        assert 0 < use.mean_ms <= use.slowest_ms < 5000
    with counted.at(1) as s:
        dispatch.collect(s, "look", thing="x")
    assert counted.counting.write(everything=True) == 2, "added to what is there"
    assert counted.seen("mail", 1) == {"look": (2, 2)}
    assert counted.rows() == 8


def test_what_is_owed_and_done_again_counts_too(counted: Counted) -> None:
    def broken(ctx: Any, thing: str) -> None:
        raise RuntimeError("not now")

    call = counted.host.calls["happened"]["mail"]
    counted.host.calls["happened"]["mail"] = call._replace(function=broken)
    with counted.at(0) as s:
        dispatch.collect(s, "happened", thing="x")
        retry.settle(s, "mail")
        counted.host.calls["happened"]["mail"] = call
        retry.settle(s, "mail")
    counted.counting.write(everything=True)
    assert counted.seen("mail", 0) == {"happened": (3, 2)}


def test_a_database_that_is_away_is_written_to_next_time(
    counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    with counted.at(0) as s:
        dispatch.first(s, "which", thing="x")
        dispatch.first(s, "which", thing="x")

    def away(*_of: Any) -> None:
        raise sa.exc.OperationalError("", {}, Exception("away"))

    with monkeypatch.context() as patch:
        patch.setattr(counting, "_add", away)
        assert counted.counting.write(everything=True) == 0
    assert counted.counting.write() == 1
    assert counted.seen("club", 0) == {"which": (2, 0)}


def test_old_days_go(counted: Counted) -> None:
    with counted.at(0) as s:
        dispatch.first(s, "which", thing="x")
    counted.counting.write(everything=True)
    for days, left in ((7, 1), (9, 0)):
        with counted.tenancy.session(Scope.operator(counted.brand.id), write=True) as s:
            s.execute(sa.update(PluginUse).values(day=clock.now().date() - timedelta(days=days)))
        assert counted.seen("club", 0, days=1) == {}
        counted.counting.purge()
        assert counted.rows() == left
