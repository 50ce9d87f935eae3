"""Verbs of tools on the command line stand behind the same gate as all else."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from highstreet.host import policy, verbs
from highstreet.host.plugin import Verb
from highstreet.host.registry import Host
from highstreet.sdk import Ctx
from highstreet.sdk.context import make
from highstreet_tenants.errors import Invalid, NotFound, ToolOff


def told(ctx: Ctx, options: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"tool": ctx.plugin, "store": ctx.store_id, "writes": ctx.s.writing, **options}]


@pytest.fixture
def host(make_host: Callable[..., Host]) -> Host:
    kinds = (
        Verb("club.tell", "Tell", told, {"month": "a month"}),
        Verb("club.till", "Tell in a store", told, at="store"),
    )
    found = make_host({"club": None, "bare": None}, club={"plugin": {"verbs": kinds}})
    found.make_ctx = make
    return found


def test_a_verb_is_asked_with_its_options(
    hung: Callable[[Host], Any], host: Host, two_brands: list[Any]
) -> None:
    brand = two_brands[0]
    here = brand.stores[0]
    with hung(host)(brand, here) as s:
        policy.choose(s, "club", True)
        (row,) = verbs.run(s, "club.tell", {"month": "2026-10"}, here.id)
        assert (row["tool"], row["store"], row["month"]) == ("club", here.id, "2026-10")
        with pytest.raises(Invalid, match="has no option year; it has: month"):
            verbs.run(s, "club.tell", {"year": "1"}, here.id)
        with pytest.raises(NotFound, match=r"there are: club\.tell, club\.till"):
            verbs.run(s, "club.drop", {}, here.id)
        with pytest.raises(Invalid, match="works in one store"):
            verbs.run(s, "club.till", {})
        assert verbs.run(s, "club.till", {}, here.id)


def test_off_means_off(hung: Callable[[Host], Any], host: Host, two_brands: list[Any]) -> None:
    brand = two_brands[0]
    here, there = brand.stores
    opened = hung(host)
    with opened(brand, here) as s:
        with pytest.raises(ToolOff, match="not on here"):
            verbs.run(s, "club.tell", {}, here.id)
        policy.choose(s, "club", True)
        assert verbs.run(s, "club.tell", {}, here.id)
        policy.pause(s, "club")
        with pytest.raises(ToolOff):
            verbs.run(s, "club.tell", {}, here.id)
    with opened(brand, there) as s, pytest.raises(ToolOff):
        verbs.run(s, "club.till", {}, there.id)
    with opened(brand) as s:
        policy.set_policy(s, "club", "forbidden")
        with pytest.raises(ToolOff, match="orbidden"):
            verbs.run(s, "club.tell", {})
