"""A card that is swiped for strangers: more purchases in a day than are usual."""

from __future__ import annotations

from typing import Any

import pytest

from highstreet.customers import service as customers
from highstreet.host import dispatch
from highstreet.purchases import service as purchases
from highstreet_points_club import award, batch, history, often, rules

from .conftest import Shop, later


def said(shop: Shop, s: Any, who: Any, hours: float) -> Any:
    """What the till hears of a purchase of ten pounds."""
    return purchases.record(s, shop.purchase(s, who, 1000, at=later(hours / 24))).answers[0].value


@pytest.mark.parametrize(("then", "given"), [("warn", [10, 10, 10, 10]), ("block", [10, 10, 0, 0])])
def test_beyond_what_is_usual_the_cashier_is_told(shop: Shop, then: str, given: list[int]) -> None:
    shop.set_up(shop.club, often_most=2, often_then=then)
    with shop.session(shop.club) as s:
        who = shop.member(s).id
        heard = [said(shop, s, who, hour) for hour in range(4)]
        assert [one.points for one in heard] == given
        assert [one.unusual for one in heard] == [False, False, True, True]
        assert "Purchase 4 of this member today; 2 are usual." in heard[3].words or then == "block"
        assert ("earn nothing" in heard[2].words) == (then == "block")
        assert heard[2].balance == sum(given[:3])
        tomorrow = said(shop, s, who, 24)
        assert (tomorrow.points, tomorrow.unusual) == (10, False)
    shop.sound(shop.club)


def test_the_day_is_the_stores(shop: Shop) -> None:
    """Noon in UTC is one o'clock in London: eleven hours later it is another day there."""
    shop.set_up(shop.club, often_most=1, often_then="block")
    with shop.session(shop.club) as s:
        who = shop.member(s).id
        assert [said(shop, s, who, hour).points for hour in (0, 10.9, 11.1)] == [10, 0, 10]


def test_what_is_told_twice_is_no_second_purchase(shop: Shop) -> None:
    shop.set_up(shop.club, often_most=1, often_then="block")
    with shop.session(shop.club) as s:
        who = shop.member(s).id
        first = shop.buy(s, who, 1000, at=later(0))
        blocked = shop.buy(s, who, 1000, at=later(0.1))
        for bought, points in ((first, 10), (blocked, 0), (first, 10)):
            again = award.award(shop.ctx(s), bought)
            assert again is not None
            assert (again.points, again.balance) == (points, 10)
        assert batch.award_batch(shop.ctx(s), [first, blocked]).points == 0
    shop.sound(shop.club)


def test_another_card_of_the_same_member_counts_as_well(shop: Shop) -> None:
    shop.set_up(shop.club, often_most=1, often_then="block")
    with shop.session(shop.club) as s:
        kept, gone = shop.member(s, "A"), shop.member(s, "B")
        customers.merge(s, kept.id, gone.id)
        assert [said(shop, s, one.id, 1).points for one in (kept, gone)] == [10, 0]


@pytest.mark.parametrize("way", ["till", "import", "preview"])
def test_what_two_records_bought_before_they_were_merged_counts_together(
    shop: Shop, way: str
) -> None:
    """Else whoever has two cards may swipe both, and have the records merged between."""
    shop.set_up(shop.club, often_most=2, often_then="block")
    with shop.session(shop.club) as s:
        ctx = shop.ctx(s)
        kept, gone, third = (shop.member(s, name) for name in "ABC")
        said(shop, s, kept.id, 0)
        told = shop.buy(s, third.id, 1000, at=later(0.01))
        customers.merge(s, gone.id, third.id)
        customers.merge(s, kept.id, gone.id)
        if way == "preview":
            found = often.of_basket(ctx, rules.programme(ctx), kept.id, later(0).date())
            assert found == often.Often(3, True)
        elif way == "till":
            assert said(shop, s, kept.id, 1).points == 0
            again = award.award(ctx, told)
            assert again is not None
            assert (again.points, again.created) == (10, False), "that one had earned"
        else:
            basket = [shop.purchase(s, kept.id, 1000, at=later(n / 50)) for n in (1, 2)]
            purchases.record_batch(s, basket)
        assert history.balance(ctx, kept.id).balance == 20
    shop.sound(shop.club)


def test_an_import_stops_what_a_till_would_have_stopped(shop: Shop) -> None:
    shop.set_up(shop.club, often_most=2, often_then="block")
    with shop.session(shop.club) as s:
        who, other = shop.member(s, "A").id, shop.member(s, "B").id
        shop.buy(s, who, 500, at=later(0))
        basket = [shop.purchase(s, who, 1000, at=later(n / 24)) for n in (3, 1, 2, 25, 26)]
        basket += [shop.purchase(s, other, 700, at=later(n / 24)) for n in range(2)]
        purchases.record_batch(s, basket)
        assert history.balance(shop.ctx(s), who).balance == 5 + 10 + 20
        assert history.balance(shop.ctx(s), other).balance == 14
    shop.sound(shop.club)


def test_a_preview_says_the_same(shop: Shop) -> None:
    shop.set_up(shop.club, often_most=1, often_then="block")
    with shop.session(shop.club) as s:
        who = shop.member(s).id
        shop.buy(s, who, 1000, at=later(0))
        basket = shop.purchase(s, who, 1000, at=later(0.1))
        assert s.store_id is not None
        (answer,) = dispatch.collect(s, "basket_preview", store_id=s.store_id, basket=basket)
        assert (answer.value.points, answer.value.balance_after) == (0, 10)
        assert "Purchase 2 of this member today" in answer.value.words


def test_the_owner_sees_unusual_days(shop: Shop) -> None:
    shop.set_up(shop.club, often_most=2)
    with shop.session(shop.club) as s:
        ctx, who, other = shop.ctx(s), shop.member(s, "A").id, shop.member(s, "B").id
        for hour in range(3):
            shop.buy(s, who, 1000, at=later(hour / 24))
        voided = [shop.buy(s, other, 1000, at=later(hour / 24)) for hour in range(3)]
        shop.bring_back(s, voided[0])
        programme, day = rules.programme(ctx), later(0).date()
        assert often.unusual(ctx, programme, day) == [(who, day, 3, "A")]
        assert often.unusual(ctx, programme, later(40).date()) == []
    with shop.session(shop.club, 1) as s:
        assert often.unusual(shop.ctx(s), programme, day) == [], "another store's"


def test_without_the_setting_nothing_is_unusual(shop: Shop) -> None:
    with shop.session(shop.club) as s:
        who = shop.member(s).id
        assert not any(said(shop, s, who, hour).unusual for hour in range(9))
