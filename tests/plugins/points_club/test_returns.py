"""Goods come back: the points they earned go, exactly, however it happens."""

from __future__ import annotations

from decimal import Decimal

import pytest

from highstreet.purchases import service as purchases
from highstreet.purchases.facts import ReturnIn, ReturnLineIn
from highstreet_points_club import history, returns, rewards
from highstreet_points_club.models import Entry
from highstreet_tenants import clock

from .conftest import COFFEE, FREE, MONEY, NOON, Shop, later, line


def test_earn_then_refund_leaves_nothing(shop: Shop) -> None:
    """PEERS B1 (odoo#257854)."""
    for brand in (shop.club, shop.shops):
        with shop.session(brand) as s:
            who = shop.member(s)
            bought = shop.buy(s, who.id, 1500)
            back = shop.bring_back(s, bought)
            assert back.answers[0].value.points == 15
            assert back.answers[0].value.words == "15 points taken back, 0 left."
            assert history.balance(shop.ctx(s), who.id).balance == 0
        shop.sound(brand)


@pytest.mark.parametrize("parts", [(1500,), (500, 500, 500), (1, 499, 1000), (1499, 1)])
def test_partial_returns_add_up_to_one_whole_return(shop: Shop, parts: tuple[int, ...]) -> None:
    """PEERS A1: a point for each whole £10, three returns of £5 of a purchase of £15."""
    shop.set_up(shop.club, accruals=[{"mode": "spend", "per_minor": 1000}])
    with shop.session(shop.club) as s:
        who = shop.member(s)
        bought = shop.buy(s, who.id, 1500)
        left = 1500
        for part in parts:
            shop.bring_back(s, bought, part)
            left -= part
            assert history.balance(shop.ctx(s), who.id).balance == left // 1000
    shop.sound(shop.club)


def test_what_falls_below_the_least_purchase_earns_nothing(shop: Shop) -> None:
    shop.set_up(shop.club, accruals=[{"mode": "visit", "points": 3, "min_minor": 500}])
    with shop.session(shop.club) as s:
        who = shop.member(s)
        bought = shop.buy(s, who.id, 800)
        shop.bring_back(s, bought, 300)
        assert history.balance(shop.ctx(s), who.id).balance == 3
        shop.bring_back(s, bought, 1)
        assert history.balance(shop.ctx(s), who.id).balance == 0


def test_lines_that_come_back_are_taken_out_of_their_department(shop: Shop) -> None:
    shop.set_up(
        shop.club,
        accruals=[{"mode": "spend", "factors": {"Coffee": 300}, "excluded": ["Tobacco"]}],
    )
    lines = (line(1, "Coffee", 1000), line(2, "tobacco", 2000), line(3, "Bread", 500))
    with shop.session(shop.club) as s:
        who = shop.member(s)
        bought = shop.buy(s, who.id, 3500, lines=lines)
        ctx = shop.ctx(s)
        assert history.balance(ctx, who.id).balance == 35
        shop.bring_back(s, bought, lines=(ReturnLineIn(line_no=2),))
        assert history.balance(ctx, who.id).balance == 35  # tobacco had earned nothing
        shop.bring_back(s, bought, lines=(ReturnLineIn(line_no=1),))
        assert history.balance(ctx, who.id).balance == 5
    shop.sound(shop.club)


def test_pieces_that_come_back_by_weight_and_by_count(shop: Shop) -> None:
    shop.set_up(shop.club, accruals=[{"mode": "items", "departments": {"Rolls": 2}}])
    with shop.session(shop.club) as s:
        who = shop.member(s)
        bought = shop.buy(s, who.id, 1000, lines=(line(1, "Rolls", 1000, "5.5"),))
        ctx = shop.ctx(s)
        assert history.balance(ctx, who.id).balance == 10
        half = ReturnLineIn(line_no=1, quantity=Decimal("2.5"), amount_minor=500)
        shop.bring_back(s, bought, lines=(half,))
        assert history.balance(ctx, who.id).balance == 6


def test_a_return_of_spent_points_leaves_a_debt_and_blocks_spending(shop: Shop) -> None:
    shop.set_up(shop.club, rewards=[COFFEE])
    with shop.session(shop.club) as s:
        who = shop.member(s)
        bought = shop.buy(s, who.id, 8000)
        ctx = shop.ctx(s)
        rewards.redeem_now(ctx, who.id, "coffee")
        shop.bring_back(s, bought)
        standing = history.balance(ctx, who.id)
        assert (standing.balance, standing.spendable) == (-80, 0)
        with pytest.raises(rewards.NotEnoughPoints):
            rewards.redeem_now(ctx, who.id, "coffee")
    shop.sound(shop.club)


def test_a_return_takes_the_reward_it_no_longer_earns(shop: Shop) -> None:
    shop.set_up(shop.club, rewards=[FREE])
    with shop.session(shop.club) as s:
        who = shop.member(s)
        shop.buy(s, who.id, 900)
        bought = shop.buy(s, who.id, 100)
        ctx = shop.ctx(s)
        (reward,) = history.balance(ctx, who.id).rewards
        shop.bring_back(s, bought)
        standing = history.balance(ctx, who.id)
        assert (standing.balance, standing.rewards) == (9, ())
        with pytest.raises(rewards.RewardClosed):
            rewards.redeem(ctx, reward.id)
    shop.sound(shop.club)


def test_a_purchase_that_comes_back_whole_gives_back_what_was_spent_on_it_once(shop: Shop) -> None:
    """PEERS B2 (odoo#212922, #221928): points spent on a purchase return with it, once."""
    shop.set_up(shop.club, rewards=[MONEY])
    with shop.session(shop.club) as s:
        ctx = shop.ctx(s)
        who = shop.member(s)
        shop.buy(s, who.id, 30000)
        bought = shop.buy(s, who.id, 2000)
        rewards.redeem_now(ctx, who.id, "money", steps=2, purchase_id=bought.id)
        assert history.balance(ctx, who.id).balance == 120
        shop.bring_back(s, bought, 1500)  # a part: the reward stays used
        assert history.balance(ctx, who.id).balance == 105
        back = shop.bring_back(s, bought)
        assert back.answers[0].value.given_back == ("Auto dollars",)
        assert history.balance(ctx, who.id).balance == 300
        again = returns.reverse(ctx, back.returned)
        assert again is not None
        assert (again.points, again.given_back) == (0, ())
        assert history.balance(ctx, who.id).balance == 300
    shop.sound(shop.club)


def test_a_return_that_is_told_twice_counts_once(shop: Shop) -> None:
    with shop.session(shop.club) as s:
        who = shop.member(s)
        bought = shop.buy(s, who.id, 1500)
        back = shop.bring_back(s, bought, 700)
        again = returns.reverse(shop.ctx(s), back.returned)
        assert again is not None
        assert (again.points, again.balance) == (0, 8)
    shop.sound(shop.club)


def test_a_return_at_another_store_of_the_club(shop: Shop) -> None:
    with shop.session(shop.club, 0) as s:
        who = shop.member(s)
        bought = shop.buy(s, who.id, 1500)
    with shop.operator(shop.club) as s:
        here, there = shop.club.stores
        back = ReturnIn(there.id, "b-1", bought.pos_ref, clock.now(), purchase_store_id=here.id)
        assert purchases.record_return(s, back).answers[0].value.points == 15
        entry = s.query(Entry).where(Entry.kind == "reverse_earn").one()
        assert entry.at_store_id == shop.club.stores[1].id
    shop.sound(shop.club)


def test_points_that_lapsed_are_not_asked_for_again(shop: Shop) -> None:
    """PEERS A1: a return after its lot has expired."""
    shop.set_up(shop.club, expiry="months", expiry_months=1)
    with shop.session(shop.club) as s:
        who = shop.member(s)
        bought = shop.buy(s, who.id, 1500, at=later(-60))
        shop.buy(s, who.id, 800)
        ctx = shop.ctx(s)
        shop.bring_back(s, bought)
        assert history.balance(ctx, who.id).balance == 8
    shop.sound(shop.club)


def test_a_return_is_reckoned_by_the_rules_of_its_purchase(shop: Shop) -> None:
    shop.set_up(shop.club, accruals=[{"mode": "spend", "per_minor": 100}])
    with shop.session(shop.club) as s:
        who = shop.member(s)
        bought = shop.buy(s, who.id, 1000, at=NOON)
    shop.set_up(shop.club, accruals=[{"mode": "spend", "per_minor": 10}])
    with shop.session(shop.club) as s:
        shop.bring_back(s, bought, 500)
        assert history.balance(shop.ctx(s), who.id).balance == 5
    shop.sound(shop.club)


def test_a_return_of_what_earned_nothing_takes_nothing(shop: Shop) -> None:
    with shop.session(shop.club) as s:
        bought = shop.buy(s, None, 1500)
        assert shop.bring_back(s, bought).answers == ()
        who = shop.member(s)
        small = shop.buy(s, who.id, 20)
        assert shop.bring_back(s, small).answers == ()
        assert s.query(Entry).all() == []


def test_three_thirds_of_a_piece_are_a_whole_one(shop: Shop) -> None:
    """Two pounds of three came back without a word what for: a third of each line is left."""
    shop.set_up(shop.club, accruals=[{"mode": "items", "departments": {"Cake": 3}}])
    with shop.session(shop.club) as s:
        who = shop.member(s)
        lines = tuple(line(number, "Cake", 100) for number in (1, 2, 3))
        bought = shop.buy(s, who.id, 300, lines=lines)
        shop.bring_back(s, bought, 200)
        assert history.balance(shop.ctx(s), who.id).balance == 3
        shop.bring_back(s, bought)
        assert history.balance(shop.ctx(s), who.id).balance == 0
    shop.sound(shop.club)
