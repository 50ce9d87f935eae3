"""What is written down of a tool's failure, and that it does not outlive whom it names."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

import highstreet.consent
import highstreet.purchases  # noqa: F401 - rooms register their parts on import
from highstreet.customers import service as customers
from highstreet.host import dispatch, faults, policy, retry
from highstreet.host.models import PluginFault
from highstreet.host.registry import Host
from highstreet_tenants.errors import HighstreetError
from highstreet_tenants.scopes import Scope

from .test_dispatch import tool

MAKE = Callable[..., Host]
MARK = "Zyxwv"


def whole_row(s: Any) -> str:
    """All that is kept of all faults, as text."""
    rows = s.execute(sa.select(PluginFault.__table__).where(*s.scope.owns(PluginFault)))
    return " ".join(str(dict(row)) for row in rows.mappings())


def test_an_error_and_what_led_to_it_are_told_with_their_places(
    make_host: MAKE, hung: Any, two_brands: list[Any]
) -> None:
    def look(ctx: Any, thing: str) -> None:
        try:
            int(thing)
        except ValueError as error:
            raise RuntimeError("no such number") from error

    brand = two_brands[0]
    opened = hung(make_host({"club": tool(look=look)}))
    with opened(brand, brand.stores[0]) as s:
        policy.choose(s, "club", True)
        dispatch.collect(s, "look", thing="seven")
        (fault,) = faults.recent(s, "club")
    assert (fault.error, fault.said) == (
        "RuntimeError",
        "no such number ← invalid literal for int() with base 10: 'seven'",
    )
    assert fault.message == f"RuntimeError: {fault.said}"
    assert "ValueError\n" in fault.traceback and "RuntimeError\n" in fault.traceback
    assert 'raise RuntimeError("no such number") from error' in fault.traceback
    assert "seven" not in fault.traceback, "code, never what an error said"


class Mute(Exception):
    """Can't even say what it is."""

    def __str__(self) -> str:
        raise ValueError("no words")

    def __eq__(self, other: object) -> bool:
        raise ValueError("no comparing")

    __hash__ = None  # type: ignore[assignment]


def groups(ctx: Any, thing: str) -> None:
    raise BaseExceptionGroup("several", [Mute(), ValueError(thing), KeyboardInterrupt()])


def endless(ctx: Any, thing: str) -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    raise one


def mute(ctx: Any, thing: str) -> None:
    raise Mute


def odd_text(ctx: Any, thing: str) -> None:
    raise ValueError("nul \x00, half a pair \ud800, and long " + "x" * 10_000)


@pytest.mark.parametrize("fails", [groups, endless, mute, odd_text])
def test_an_error_as_broken_as_its_tool_is_written_down_all_the_same(
    make_host: MAKE, hung: Any, two_brands: list[Any], fails: Any
) -> None:
    brand = two_brands[0]
    opened = hung(make_host({"club": tool(look=fails, happened=fails)}))
    with opened(brand, brand.stores[0]) as s:
        policy.choose(s, "club", True)
        assert dispatch.collect(s, "look", thing="seven") == []
        assert dispatch.collect(s, "happened", thing="seven") == []
        assert len(faults.recent(s, "club")) == 2
        assert all(fails.__name__ in fault.traceback for fault in faults.recent(s, "club"))


@pytest.mark.parametrize("number", [0, 1])
def test_what_an_error_said_goes_with_whoever_is_erased(
    make_host: MAKE, hung: Any, two_brands: list[Any], number: int, database: Any
) -> None:
    brand = two_brands[number]

    def greet(ctx: Any, customers: Any) -> None:
        raise ValueError(f"no card for {customers[0].name}")

    def look(ctx: Any, thing: str) -> None:
        raise KeyError(thing)

    opened = hung(make_host({"club": tool(customers_enrolled=greet, look=look)}, club={}))
    with opened(brand, brand.stores[0]) as s:
        policy.choose(s, "club", True)
        ann = customers.enrol(s, name=f"{MARK} Hall")
    with opened(brand, brand.stores[0], write=False) as s:
        dispatch.collect(s, "look", thing=f"{MARK} of a reading session")
    with database.tenancy.session(Scope.operator(brand.id), write=True) as s:
        faults.record(s, faults.of_error("club", "audit", None, ValueError(MARK), 1.0))
        assert whole_row(s).count(MARK) == 3
    eraser = () if brand.customers == "brand" else (brand.stores[0],)
    with opened(brand, *eraser) as s:
        done = customers.erase(s, ann.id, "asked by letter")
        assert done.parts["faults"] == {"words": 3}
    with database.tenancy.session(Scope.operator(brand.id)) as s:
        assert MARK not in whole_row(s)
        kept = faults.recent(s, "club")
        assert sorted(fault.message for fault in kept) == ["KeyError", "ValueError", "ValueError"]
        assert "in greet" in "".join(fault.traceback for fault in kept)


def test_what_a_tool_says_while_it_fails_to_forget_is_not_kept_at_all(
    make_host: MAKE, hung: Any, two_brands: list[Any]
) -> None:
    brand = two_brands[1]
    broken = {"is": True}

    def forget(ctx: Any, customer: Any) -> dict[str, Any]:
        if broken["is"]:
            raise HighstreetError(f"can't forget {MARK}")
        return {}

    def look(ctx: Any, thing: str) -> None:
        raise KeyError(thing)

    opened = hung(make_host({"club": tool(erase_customer=forget, look=look)}))
    with opened(brand, brand.stores[0]) as s:
        policy.choose(s, "club", True)
        ann = customers.enrol(s, name=f"{MARK} Hall")
    with opened(brand, brand.stores[0]) as s:
        assert customers.erase(s, ann.id, "asked").parts["tools_later"] == ["club"]
        retry.settle(s, "club")
        assert [fault.message for fault in faults.recent(s, "club")] == ["HighstreetError"] * 2
        dispatch.collect(s, "look", thing=f"{MARK}, whom it has not forgotten yet")
        assert MARK in whole_row(s)
        broken["is"] = False
        assert retry.settle(s, "club")["done"] == 1
        assert MARK not in whole_row(s)
