"""What others are told of points by name is what the member's own page says."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from highstreet.customers import fields, published
from highstreet.customers import service as customers
from highstreet.host import policy, state
from highstreet.host.models import PluginFault
from highstreet_points_club import history, lapse, rewards
from highstreet_points_club.fields import FIELDS
from highstreet_points_club.models import Account
from highstreet_tenants.errors import NotFound
from highstreet_tenants.scopes import Scope

from .conftest import COFFEE, FREE, NAME, NOON, Shop

POINTS = [one.name for one in FIELDS]


def told(shop: Shop, who: Any, *, brand: Any = None, store: int = 0) -> dict[str, Any]:
    with shop.session(brand or shop.club, store, write=False) as s:
        return published.read(s, POINTS, [who.id]).get(who.id, {})


def test_fields_say_what_the_members_page_says_as_time_goes_by(
    shop: Shop, time_machine_: Any
) -> None:
    shop.set_up(shop.club, expiry="months", expiry_months=1, pending_days=5, rewards=[COFFEE, FREE])
    time_machine_.move_to(NOON)
    with shop.session(shop.club) as s:
        who, nobody = shop.member(s, "Maren"), shop.member(s, "Nobody")
        shop.buy(s, who.id, 10000)
    for days in (0, 5, 6, 20, 35, 36, 60):
        time_machine_.move_to(NOON + timedelta(days=days))
        with shop.session(shop.club) as s:
            if days == 20:
                lapse.sweep(shop.ctx(s))  # lets go what was held and not fetched
            if days == 6:
                rewards.hold(shop.ctx(s), who.id, "coffee")
                shop.buy(s, who.id, 3000)
        with shop.session(shop.club, write=False) as s:
            standing = history.balance(shop.ctx(s), who.id)
        found = told(shop, who)
        assert (
            found["points_club.balance"],
            found["points_club.spendable"],
            found["points_club.pending"],
            found.get("points_club.rewards", 0),
        ) == (
            standing.balance,
            standing.spendable,
            standing.pending,
            len(standing.rewards),
        ), days
        assert found["points_club.since"] == NOON
        soonest = found.get("points_club.lapses_at")
        assert (soonest is None) is (standing.balance == 0)
        assert soonest is None or soonest > NOON + timedelta(days=days)
    assert not told(shop, nobody).get("points_club.balance")


def test_where_the_tool_is_off_its_fields_are_absent(shop: Shop) -> None:
    shop.set_up(shop.club)
    with shop.session(shop.club) as s:
        who = shop.member(s, "Maren")
        shop.buy(s, who.id, 5000)
    with shop.operator(shop.club) as s:
        policy.set_policy(s, NAME, "optional")
    with shop.session(shop.club, 1) as s:
        policy.choose(s, NAME, False)
    with shop.session(shop.club, 1, write=False) as s:
        assert not set(POINTS) & set(published.known(s))
        names = [*POINTS, "customer.name"]
        assert published.read(s, names, [who.id]) == {who.id: {"customer.name": "Maren"}}


def test_stores_that_own_their_customers_hear_nothing_of_others(shop: Shop) -> None:
    shop.set_up(shop.shops)
    with shop.session(shop.shops, 0) as s:
        who = shop.member(s, "Maren")
        shop.buy(s, who.id, 5000)
    assert told(shop, who, brand=shop.shops)["points_club.balance"] == 50
    assert told(shop, who, brand=shop.shops, store=1) == {}
    assert told(shop, who, brand=shop.club) == {}


def test_the_cores_and_the_brands_own_fields_are_asked_for_alike(shop: Shop) -> None:
    with shop.operator(shop.club) as s:
        fields.define(s, key="skin", label="Skin", kind="choice", choices=["dry", "oily"])
        fields.define(s, key="since", label="Since", kind="date")
        fields.define(s, key="feet", label="Feet", kind="number")
        fields.define(s, key="vip", label="VIP", kind="yes-no")
    with shop.session(shop.club) as s:
        mine = {"skin": "dry", "since": "2024-02-29", "feet": 42, "vip": True}
        who = shop.member(s, "Maren", birthday=date(1990, 5, 1), language="de", fields=mine)
        other = shop.member(s, "Bo", fields={"feet": 38.5, "vip": False})
        known = published.known(s)
        names = [one for one in known if not one.startswith(NAME)]
        found = published.read(s, names, [who.id, other.id])
    assert [str(known[one].label) for one in ("custom.skin", "customer.name")] == ["Skin", "Name"]
    assert found[who.id] | {"customer.joined_at": None, "customer.home_store": None} == {
        "customer.name": "Maren",
        "customer.language": "de",
        "customer.birthday": date(1990, 5, 1),
        "customer.joined_at": None,
        "customer.home_store": None,
        "custom.skin": "dry",
        "custom.since": date(2024, 2, 29),
        "custom.feet": 42,
        "custom.vip": True,
    }
    assert (found[other.id]["custom.feet"], found[other.id]["custom.vip"]) == (38.5, False)
    assert found[who.id]["customer.home_store"]


def test_a_name_that_nobody_publishes_is_refused_with_those_there_are(shop: Shop) -> None:
    with (
        shop.session(shop.club, write=False) as s,
        pytest.raises(NotFound, match=r"points_club\.balance"),
    ):
        published.read(s, ["points_club.balanse"], [])


@pytest.mark.parametrize("how", ["raises", "other kind", "statement"])
def test_a_field_that_fails_costs_itself_alone_and_is_noted(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    def query(_ctx: Any) -> Any:
        if how == "raises":
            raise RuntimeError("no such luck")
        if how == "statement":
            return sa.select(Account.customer_id, sa.func.no_such_function(Account.balance))
        return sa.select(Account.customer_id, Account.opened_at)

    loaded = shop.host.get(NAME)
    bad = replace(FIELDS[0], query=query)
    plugin = replace(loaded.plugin, fields=(bad, *FIELDS[1:]))
    monkeypatch.setitem(shop.host.plugins, NAME, replace(loaded, plugin=plugin))  # type: ignore[arg-type]
    shop.set_up(shop.club)
    with shop.session(shop.club) as s:
        who = shop.member(s, "Maren")
        shop.buy(s, who.id, 5000)
        found = published.read(s, POINTS, [who.id])[who.id]
        assert "points_club.balance" not in found
        assert found["points_club.spendable"] == 50
    with shop.database.tenancy.session(Scope.store(shop.club.id, shop.club.stores[0].id)) as s:
        assert "field:points_club.balance" in s.scalars(sa.select(PluginFault.hook)).all()
        assert state.is_on(s, NAME)


def test_under_the_id_of_a_merged_record_stands_what_is_known_of_whom_it_is_now(
    shop: Shop,
) -> None:
    shop.set_up(shop.club)
    with shop.session(shop.club) as s:
        stays, goes = shop.member(s, "Maren"), shop.member(s, "Marn")
        shop.buy(s, stays.id, 5000)
        shop.buy(s, goes.id, 3000)
        customers.merge(s, stays.id, goes.id)
        found = published.read(s, ["points_club.balance"], [goes.id, stays.id, uuid4()])
    assert found == {one.id: {"points_club.balance": 80} for one in (goes, stays)}


def test_a_field_is_known_to_whoever_may_see_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = shop.host.get(NAME)
    shy = replace(FIELDS[0], permission="points_club.adjust")
    plugin = replace(loaded.plugin, fields=(shy, *FIELDS[1:]))
    monkeypatch.setitem(shop.host.plugins, NAME, replace(loaded, plugin=plugin))
    shop.set_up(shop.club)
    with shop.session(shop.club, write=False) as s:
        assert shy.name in published.known(s)
        assert shy.name in published.known(s, may=lambda one: one == shy.permission)
        seen = published.known(s, may=lambda _one: False)
    assert shy.name not in seen
    assert FIELDS[1].name in seen
