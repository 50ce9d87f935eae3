"""Segments ask what the tool publishes, where it is on; where it is off or fails they say so."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import force_setattr

from highstreet.host import policy
from highstreet.segments import queries, service
from highstreet.segments.rules import All, Field, Not, Rule
from highstreet_points_club import fields
from highstreet_tenants.errors import Conflict, Invalid

from .conftest import COFFEE, NAME, Shop

RICH = Field("points_club.balance", "at_least", 50)


def picked(shop: Shop, rule: Rule, brand: Any, store: int = 0) -> int:
    with shop.session(brand, store, write=False) as s:
        return queries.count(s, rule)


def test_members_are_picked_by_their_points(shop: Shop) -> None:
    for brand in (shop.club, shop.shops):
        shop.set_up(brand, rewards=[COFFEE])
        with shop.session(brand) as s:
            one, other = shop.member(s, "Maren"), shop.member(s, "Nils")
            shop.member(s, "Nobody")
            shop.buy(s, one.id, 9000)
            shop.buy(s, other.id, 1000)
            assert queries.count(s, RICH) == 1
            assert queries.holds(s, RICH, one.id) and not queries.holds(s, RICH, other.id)
            assert queries.count(s, Not(RICH)) == 2
            assert queries.count(s, Field("points_club.since", "in_last_days", 1)) >= 2
            assert queries.why(s, RICH, one.id)[0].reads == "90"
        assert picked(shop, All((RICH, Field("customer.spent", "at_least", 1))), brand) == 1
        if brand is shop.shops:
            assert picked(shop, RICH, brand, 1) == 0, "another store's members"


def test_where_the_tool_is_off_the_rule_says_so_and_picks_nobody(shop: Shop) -> None:
    shop.set_up(shop.club)
    with shop.operator(shop.club) as s:
        kept = service.save(s, name="Rich", rule=RICH)
    with shop.operator(shop.club) as s:
        policy.set_policy(s, NAME, "optional")
    with shop.session(shop.club) as s:
        policy.choose(s, NAME, False)
    with shop.session(shop.club) as s:
        for asks in (
            lambda: queries.count(s, RICH),
            lambda: service.take(s, kept.id, used_for="mailing:"),
            lambda: service.save(s, name="Mine", rule=Not(RICH)),
        ):
            with pytest.raises(Conflict, match=r"is off here\. Switch it on"):
                asks()
        assert "is off here" in queries.in_words(s, RICH)[0][1]
    with shop.session(shop.club) as s, pytest.raises(Invalid, match="nothing called"):
        queries.count(s, Field("points_club.nothing", "is", 1))


def test_a_tool_that_fails_costs_the_count_and_nothing_else(shop: Shop) -> None:
    shop.set_up(shop.club)

    def broken(_ctx: object) -> Any:
        raise ZeroDivisionError("in the tool")

    (mine,) = [one for one in fields.FIELDS if one.name == RICH.name]
    force_setattr(mine, "query", broken)
    try:
        _asked(shop)
    finally:
        force_setattr(mine, "query", fields._balance)


def _asked(shop: Shop) -> None:
    with shop.session(shop.club) as s:
        with pytest.raises(Conflict, match="its tool failed"):
            queries.count(s, RICH)
        assert queries.count(s, All()) == 0
