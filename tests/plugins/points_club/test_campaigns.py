"""Points under head office's campaigns: at the till, in imports, before the sale, in returns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa
import time_machine

import campaigning
from campaigning import BEFORE, double, launched, noon
from highstreet.campaigns import answering, drafting, queries
from highstreet.host import dispatch, policy
from highstreet.purchases import service as purchases
from highstreet.purchases.facts import LineIn
from highstreet_points_club import gains, history
from highstreet_points_club.models import Gain
from highstreet_tenants.models import Store
from highstreet_tenants.scopes import Scope

from .conftest import NAME, Shop, line

LATER = datetime(2026, 6, 1, 9, tzinfo=UTC)


def week(shop: Shop, brand: Any, **given: Any) -> UUID:
    """A campaign that was launched before its first day."""
    with time_machine.travel(BEFORE, tick=False):
        return launched(shop.database.tenancy, brand, double(**given))


def points(shop: Shop, s: Any, customer: UUID) -> list[tuple[str, int, tuple[Any, ...]]]:
    """The member's story, oldest first: kind, points, campaigns."""
    return [
        (one.kind, one.points, one.campaigns) for one in history.statement(shop.ctx(s), customer)
    ]


@pytest.mark.parametrize("which", ["club", "shops"])
def test_a_purchase_earns_double_by_the_stores_own_clock(shop: Shop, which: str) -> None:
    brand = getattr(shop, which)
    week(shop, brand)
    with shop.session(brand) as s, time_machine.travel(LATER, tick=False):
        who = shop.member(s).id
        # London is an hour ahead of UTC in May: these are minutes before, and at, its midnights.
        for at in ("2026-05-03T22:59", "2026-05-03T23:00", "2026-05-10T22:59", "2026-05-10T23:00"):
            shop.buy(s, who, 1000, at=datetime.fromisoformat(f"{at}+00:00"))
        assert points(shop, s, who) == [
            ("earn", 10, ()),
            ("earn", 20, (("Double points week", 10),)),
            ("earn", 20, (("Double points week", 10),)),
            ("earn", 10, ()),
        ]
    shop.sound(brand)


def test_each_store_begins_at_its_own_midnight(shop: Shop) -> None:
    with shop.operator(shop.club) as s:
        s.get_one(Store, (shop.club.id, shop.club.stores[1].id)).zone = "Pacific/Auckland"
    week(shop, shop.club)
    hour_in_between = datetime(2026, 5, 3, 14, tzinfo=UTC)  # Monday 2 a.m. there, Sunday here
    found = []
    for number in (0, 1):
        with shop.session(shop.club, number) as s, time_machine.travel(LATER, tick=False):
            who = shop.member(s, f"Kiri Quill{number}").id
            shop.buy(s, who, 1000, at=hour_in_between)
            found.append(history.balance(shop.ctx(s), who).balance)
    assert found == [10, 20]


@pytest.mark.parametrize("which", ["club", "shops"])
def test_an_import_gives_what_tills_give(shop: Shop, which: str) -> None:
    brand = getattr(shop, which)
    week(shop, brand)
    week(
        shop,
        brand,
        name="Welcome",
        action="points_club.welcome",
        terms={"points": 50},
    )
    with shop.operator(brand) as s, time_machine.travel(LATER, tick=False):
        store = brand.stores[0].id
        with shop.session(brand) if s.dialect != "sqlite" else _same(s, store) as own:
            tills, file = (_new(own, store, f"Noor Van {name}") for name in "AB")
        for who, batch in ((tills, False), (file, True)):
            given = [
                shop.purchase(s, who, 1000, at=at, store_id=store)
                for at in (noon(-2), noon(), noon(1))
            ]
            if batch:
                purchases.record_batch(s, given)
            else:
                for one in given:
                    purchases.record(s, one)
        # Neither was welcomed: their first purchase was before it began.
        expected = [("earn", 10, ()), *[("earn", 20, (("Double points week", 10),))] * 2]
        assert points(shop, s, tills) == points(shop, s, file) == expected
    shop.sound(brand)


def _same(s: Any, store: UUID) -> Any:
    from contextlib import nullcontext

    return nullcontext(s)


def _new(s: Any, store: UUID, name: str) -> UUID:
    from highstreet.customers import service as customers

    return customers.enrol(s, name=name, store_id=store).id


@pytest.mark.parametrize("way", ["till", "import"])
def test_a_first_purchase_is_welcomed_once(shop: Shop, way: str) -> None:
    week(shop, shop.club, name="Welcome", action="points_club.welcome", terms={"points": 50})
    with shop.session(shop.club) as s, time_machine.travel(LATER, tick=False):
        who = shop.member(s).id
        given = [shop.purchase(s, who, 1000, at=noon(day)) for day in (0, 1)]
        before = dispatch.collect(s, "basket_preview", basket=given[0])[0].value
        if way == "till":
            for one in given:
                purchases.record(s, one)
        else:
            purchases.record_batch(s, given)
        assert before.points == 60 and "Welcome: 50 more." in before.why
        assert points(shop, s, who) == [("earn", 60, (("Welcome", 50),)), ("earn", 10, ())]
        after = dispatch.collect(s, "basket_preview", basket=shop.purchase(s, who, 1000, at=noon()))
        assert after[0].value.points == 10
    shop.sound(shop.club)


def test_a_department_gives_more_once_a_purchase(shop: Shop) -> None:
    week(
        shop,
        shop.club,
        action="points_club.department",
        terms={"department": "Batteries", "points": 30, "min_minor": 500},
    )
    baskets: list[tuple[tuple[LineIn, ...], int]] = [
        ((line(1, "batteries", 300), line(2, "Batteries", 200)), 35),
        ((line(1, "Batteries", 499), line(2, "Oil", 1)), 5),
        ((line(1, "Oil", 500),), 5),
    ]
    with shop.session(shop.club) as s, time_machine.travel(LATER, tick=False):
        who = shop.member(s).id
        for lines, expected in baskets:
            basket = shop.purchase(s, who, 500, at=noon(), lines=lines)
            assert dispatch.collect(s, "basket_preview", basket=basket)[0].value.points == expected
            purchases.record(s, basket)
        assert [one.points for one in reversed(history.statement(shop.ctx(s), who))] == [5, 5, 35]


def test_returns_take_back_by_the_terms_of_the_time(shop: Shop) -> None:
    campaign = week(shop, shop.club)
    with shop.session(shop.club) as s, time_machine.travel(LATER, tick=False):
        who = shop.member(s).id
        thrice, once = (shop.buy(s, who, 1500, at=noon()) for _each in range(2))
        for _each in range(3):
            shop.bring_back(s, thrice, 500)
        shop.bring_back(s, once, 1500)
        told = points(shop, s, who)
        assert told[2:5] == [("reverse_earn", -10, (("Double points week", -5),))] * 3
        assert told[5] == ("reverse_earn", -30, (("Double points week", -15),))
        assert history.balance(shop.ctx(s), who).balance == 0
        # Both purchases stay counted, and nothing is left of their points.
        assert queries.counts(s, "points_club.multiply", campaign)[0][1:] == (2, 1, 0)
    shop.sound(shop.club)


def test_a_stop_ends_it_at_once_and_what_was_given_stays(shop: Shop) -> None:
    campaign = week(shop, shop.club)
    stopped = noon(2)
    with time_machine.travel(stopped, tick=False):
        with campaigning.office(shop.database.tenancy, shop.club) as s:
            drafting.stop(s, campaign, reason="The tills print it wrong")
        # The job has not been through the stores yet.
        with shop.session(shop.club) as s:
            who = shop.member(s).id
            shop.buy(s, who, 1000, at=stopped - timedelta(seconds=1))
            shop.buy(s, who, 1000, at=stopped)
            assert [one[1] for one in points(shop, s, who)] == [20, 10]
        campaigning.go_through(shop.database.tenancy, shop.club, campaign)
        with shop.session(shop.club) as s:
            shop.buy(s, who, 1000, at=stopped - timedelta(hours=1))  # a late upload
            shop.buy(s, who, 1000, at=noon(3))
            assert [one[1] for one in points(shop, s, who)] == [20, 10, 20, 10]


def test_the_better_of_a_bonus_time_and_a_campaign_counts(shop: Shop) -> None:
    bonus = {"name": "Monday", "percent": 300, "weekdays": ["mon"]}
    shop.set_up(shop.club, bonuses=[bonus])
    campaign = week(shop, shop.club)
    with shop.session(shop.club) as s, time_machine.travel(LATER, tick=False):
        who = shop.member(s).id
        shop.buy(s, who, 1000, at=noon())
        shop.buy(s, who, 1000, at=noon(1))
        assert points(shop, s, who) == [
            ("earn", 30, ()),
            ("earn", 20, (("Double points week", 10),)),
        ]
    with campaigning.office(shop.database.tenancy, shop.club) as s:
        standing = queries.standings(s, queries.get(s, campaign), BEFORE, clashes=True)
        assert {said for one in standing for said in one.clashes} == {
            "“Monday” runs there on some of these days, too: the better of both counts."
        }
    shop.set_up(shop.club, bonuses=[bonus], stacked=True)
    with shop.session(shop.club) as s, time_machine.travel(LATER, tick=False):
        shop.buy(s, who, 1000, at=noon())
        assert points(shop, s, who)[2] == ("earn", 40, (("Double points week", 10),))


def test_a_store_that_opted_out_gives_the_usual_and_its_own_terms_hold(shop: Shop) -> None:
    with time_machine.travel(BEFORE, tick=False):
        campaign = launched(
            shop.database.tenancy,
            shop.club,
            double(
                participation="opt_out",
                bounds={"percent": {"min": 150, "max": 300}},
            ),
        )
        with shop.session(shop.club, 0) as s:
            answering.answer(s, campaign, False)
        with shop.session(shop.club, 1) as s:
            answering.change_terms(s, campaign, {"percent": 300})
    found = []
    for number in (0, 1):
        with shop.session(shop.club, number) as s, time_machine.travel(LATER, tick=False):
            who = shop.member(s, f"Kay Quill{number}").id
            shop.buy(s, who, 1000, at=noon())
            found.append(history.balance(shop.ctx(s), who).balance)
    assert found == [10, 30]


def test_where_the_tool_is_off_nothing_is_given_until_it_is_on_again(shop: Shop) -> None:
    with shop.operator(shop.club) as s:
        policy.set_policy(s, NAME, "optional")
        policy.choose(s, NAME, True, store_id=shop.club.stores[0].id)
    week(shop, shop.club)
    with shop.session(shop.club) as s, time_machine.travel(LATER, tick=False):
        who = shop.member(s).id
        policy.choose(s, NAME, False)
        shop.buy(s, who, 1000, at=noon())
        policy.choose(s, NAME, True)
        shop.buy(s, who, 1000, at=noon())
        assert points(shop, s, who) == [("earn", 20, (("Double points week", 10),))]


def test_head_office_counts_it_and_no_small_cell_is_told(shop: Shop) -> None:
    campaign = week(shop, shop.shops)
    for number, members in ((0, 6), (1, 3)):
        with shop.session(shop.shops, number) as s, time_machine.travel(LATER, tick=False):
            for one in range(members):
                who = shop.member(s, f"Kay Quill{one}").id
                shop.buy(s, who, 1000, at=noon())
                shop.buy(s, who, 500, at=noon(20))
            own = queries.counts(s, "points_club.multiply", campaign)
            assert [count[1:] for count in own] == [(members, members, members * 10)]
    with shop.database.tenancy.session(Scope.aggregate(shop.shops.id)) as s:
        told = queries.counts(s, "points_club.multiply", campaign)
    # With a small cell the only other one is hidden, for their sum would tell.
    assert {count[1:] for count in told} == {(None, None, None)}
    with shop.operator(shop.shops, write=False) as s:
        assert len(s.scalars(sa.select(Gain)).all()) == 9


def test_of_two_first_purchases_one_is_welcomed(shop: Shop) -> None:
    """The question locks the account, so the second till waits and then knows of the first."""
    week(shop, shop.club, name="Welcome", action="points_club.welcome", terms={"points": 50})
    with time_machine.travel(LATER, tick=False):
        with shop.session(shop.club) as s:
            who = shop.member(s).id
        if shop.database.kind == "sqlite":
            return  # one writer at a time
        with shop.session(shop.club) as s:
            assert gains.is_new(shop.ctx(s), who)
            with pytest.raises(psycopg.errors.LockNotAvailable), shop.session(shop.club, 1) as two:
                two.raw().execute("SET LOCAL lock_timeout = '100ms'")
                gains.is_new(shop.ctx(two), who)
