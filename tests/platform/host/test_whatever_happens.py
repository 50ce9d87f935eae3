"""A tool that sleeps, raises, breaks the session or takes too long: what happened stands, the other
tools' parts with it, and the tool's own is done once, later."""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import sqlalchemy as sa

from highstreet.host import dispatch, faults, guard, policy, retry
from highstreet.host.models import PluginOwed
from highstreet.host.registry import Host
from highstreet_tenants.ids import new_id
from highstreet_tenants.models import Region
from highstreet_tenants.statements import Statement

from .test_dispatch import tool

MAKE = Callable[..., Host]
_SLEEP = Statement("SELECT pg_sleep(5)", returns="none")


def do(s: Any, name: str) -> None:
    """Write something. Done twice, it would be seen twice."""
    s.add(Region(brand_id=s.brand_id, slug=f"{name}.{new_id().hex}", name=name))


def raises(_s: Any) -> None:
    raise RuntimeError("not now")


def sleeps(_s: Any) -> None:
    time.sleep(0.06)


def breaks(s: Any) -> None:
    with suppress(sa.exc.DBAPIError):
        s.execute(sa.text("SELECT nothing FROM nowhere"))
    raise RuntimeError("not now")  # and PostgreSQL refuses everything from here on


def takes_too_long(s: Any) -> None:
    if s.dialect == "postgresql":
        _SLEEP(s)
    raises(s)  # SQLite has no such limit where somebody writes


@pytest.mark.parametrize(
    ("way", "kind", "said"),
    [
        (raises, "error", "not now"),
        (sleeps, "slow", "took"),
        (breaks, "error", "not now"),
        (takes_too_long, "error", "statement timeout [SQL: SELECT pg_sleep(5)]"),
    ],
)
def test_what_happened_stands_and_the_tools_part_is_done_once(
    make_host: MAKE, hung: Any, two_brands: list[Any], database: Any, way: Any, kind: str, said: str
) -> None:
    brand, broken = two_brands[1], True

    def happened(ctx: Any, thing: str) -> None:
        do(ctx.s, "club's")
        if broken:
            way(ctx.s)

    def look(ctx: Any, thing: str) -> str:
        guard.arm(ctx.s)  # as the sdk's ctx does
        if broken:
            way(ctx.s)
        return "seen"

    host = make_host(
        {
            "club": tool(happened=happened, look=look),
            "mail": tool(
                happened=lambda ctx, thing: do(ctx.s, "mail's"), look=lambda ctx, thing: 1
            ),
        },
        slow_ms=50,
    )
    host.query_seconds = 0.05
    opened = hung(host)
    with opened(brand, brand.stores[0]) as s:
        policy.choose(s, "club", True)
        policy.choose(s, "mail", True)
    with opened(brand, brand.stores[0]) as s:
        do(s, "fact")
        dispatch.collect(s, "happened", thing="x")
        answers = dispatch.collect(s, "look", thing="x")
        assert [answer.plugin for answer in answers][-1] == "mail"
        assert len(answers) == (2 if kind == "slow" else 1)
    with opened(brand, brand.stores[0]) as s:
        known = faults.recent(s, "club")
        assert {fault.kind for fault in known} == {kind}
        if database.kind == "postgresql" or way is not takes_too_long:
            assert all(said in fault.said for fault in known)
        owed = s.scalars(sa.select(PluginOwed)).all()
        assert len(owed) == (0 if kind == "slow" else 1), "what is slow is done"
        broken = False
        for one in owed:
            one.due_at = one.owed_at
    with opened(brand, brand.stores[0]) as s:
        for _again in range(2):
            retry.settle(s, "club")
        done = Counter(s.scalars(sa.select(Region.name).where(Region.slug.contains("."))))
    assert done == {"fact": 1, "mail's": 1, "club's": 1}
