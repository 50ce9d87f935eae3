"""Which store owes which for rewards, month by month."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from highstreet_points_club import corrections, rewards, settlement
from highstreet_points_club.settlement import Month, Pair, Standing

from .conftest import COFFEE, FREE, MONEY, Shop

LONDON = ZoneInfo("Europe/London")
MAY, JUNE = Month(date(2026, 5, 1), LONDON), Month(date(2026, 6, 1), LONDON)
IN_MAY = datetime(2026, 5, 10, 12, tzinfo=UTC)


def test_a_month_begins_and_ends_with_the_stores_days() -> None:
    assert (MAY.since, MAY.until) == (
        datetime(2026, 4, 30, 23, tzinfo=UTC),
        datetime(2026, 5, 31, 23, tzinfo=UTC),
    )
    assert (MAY.after, MAY.before) == (JUNE.first, date(2026, 4, 1))
    year = Month(date(2026, 12, 1), LONDON)
    assert (year.after, Month(year.after, LONDON).before) == (date(2027, 1, 1), year.first)


def pairs(shop: Shop, month: Month = MAY, store: int | None = None) -> list[Pair]:
    session = (
        shop.operator(shop.club, write=False)
        if store is None
        else shop.session(shop.club, store, write=False)
    )
    with session as s:
        return settlement.pairs(shop.ctx(s), month)


def test_the_store_that_gave_owes_the_store_that_took(shop: Shop, time_machine_: Any) -> None:
    """A £5 reward of 100 points: 70 of the first store's, 30 of the second's, taken there."""
    first, second = (store.id for store in shop.club.stores)
    shop.set_up(shop.club, rewards=[MONEY, COFFEE])
    time_machine_.move_to(IN_MAY)
    with shop.session(shop.club, 0) as s:
        who = shop.member(s).id
        shop.buy(s, who, 7000)
    with shop.session(shop.club, 1) as s:
        shop.buy(s, who, 13000)
        rewards.redeem_now(shop.ctx(s), who, "money")
    assert pairs(shop) == [
        Pair(first, second, "GBP", 1, 70, 350),
        Pair(second, second, "GBP", 1, 30, 150),
    ]
    assert settlement.standings(pairs(shop)) == [
        Standing(second, "GBP", 350, 0),
        Standing(first, "GBP", 0, 350),
    ]
    with shop.session(shop.club, 0) as s:
        rewards.redeem_now(shop.ctx(s), who, "coffee")
    assert Pair(second, first, "GBP", 1, 80, 0) in pairs(shop)
    assert pairs(shop, JUNE) == []


def test_a_month_that_is_settled_does_not_change(shop: Shop, time_machine_: Any) -> None:
    first, second = (store.id for store in shop.club.stores)
    shop.set_up(shop.club, rewards=[MONEY])
    time_machine_.move_to(IN_MAY)
    with shop.session(shop.club, 0) as s:
        who = shop.member(s).id
        shop.buy(s, who, 30000)
    with shop.session(shop.club, 1) as s:
        done = rewards.redeem_now(shop.ctx(s), who, "money", steps=2)
    before = pairs(shop)
    assert before == [Pair(first, second, "GBP", 1, 200, 1000)]
    time_machine_.move_to(datetime(2026, 6, 3, 12, tzinfo=UTC))
    with shop.session(shop.club, 0) as s:
        rewards.give_back(shop.ctx(s), done.id)
    assert pairs(shop) == before
    assert pairs(shop, JUNE) == [Pair(first, second, "GBP", -1, -200, -1000)]
    assert settlement.standings(pairs(shop, JUNE))[0] == Standing(first, "GBP", 0, -1000)


def test_what_waits_is_nobodys_debt_until_it_is_handed_over(shop: Shop, time_machine_: Any) -> None:
    first, second = (store.id for store in shop.club.stores)
    shop.set_up(shop.club, rewards=[FREE | {"value_minor": 301}])
    time_machine_.move_to(IN_MAY)
    with shop.session(shop.club, 0) as s:
        who = shop.member(s).id
        shop.buy(s, who, 1000)
    assert pairs(shop) == []
    time_machine_.move_to(datetime(2026, 6, 3, 12, tzinfo=UTC))
    with shop.session(shop.club, 1) as s:
        (waiting,) = rewards.issuing.open_of(s, rewards.accounts.of_customer(s, who))
        rewards.redeem(shop.ctx(s), waiting.id)
    assert pairs(shop) == []
    assert pairs(shop, JUNE) == [Pair(first, second, "GBP", 1, 10, 301)]


@pytest.mark.parametrize("worth", [1, 2, 99, 100, 301])
def test_no_penny_is_lost_in_the_sharing(shop: Shop, time_machine_: Any, worth: int) -> None:
    reward = MONEY | {"points": 7, "value_minor": worth}
    shop.set_up(shop.club, rewards=[reward], expiry="days", expiry_days=9)
    time_machine_.move_to(IN_MAY)
    with shop.session(shop.club, 0) as s:
        who = shop.member(s).id
        shop.buy(s, who, 300)
    with shop.session(shop.club, 1) as s:
        shop.buy(s, who, 200)
    with shop.operator(shop.club) as s:
        corrections.adjust(shop.ctx(s), who, 2, "A present of head office")
    with shop.session(shop.club, 1) as s:
        rewards.redeem_now(shop.ctx(s), who, "money")
    found = pairs(shop)
    assert {one.giver for one in found} == {*(store.id for store in shop.club.stores), None}
    assert sum(one.points for one in found) == 7
    assert sum(one.minor for one in found) == worth
    assert all(one.minor >= 0 for one in found)


def test_a_store_sees_its_own_pairs_only(shop: Shop, time_machine_: Any) -> None:
    shop.set_up(shop.club, rewards=[MONEY])
    time_machine_.move_to(IN_MAY)
    with shop.session(shop.club, 0) as s:
        who = shop.member(s).id
        shop.buy(s, who, 10000)
        rewards.redeem_now(shop.ctx(s), who, "money")
    assert len(pairs(shop)) == 1
    assert len(pairs(shop, store=0)) == 1
    assert pairs(shop, store=1) == []
