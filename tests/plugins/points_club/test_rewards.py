"""Spending points: hold, redeem, release, undo."""

from __future__ import annotations

from uuid import uuid4

import pytest

from highstreet_points_club import corrections, history, issuing, lapse, rewards
from highstreet_points_club.errors import NotEnoughPoints, RewardClosed
from highstreet_points_club.models import Reward
from highstreet_tenants import clock
from highstreet_tenants.errors import Conflict, Invalid, NotFound

from .conftest import COFFEE, FREE, LUNCH, MONEY, NAME, Shop


def test_hold_redeem(shop: Shop) -> None:
    shop.set_up(shop.club, rewards=[COFFEE, LUNCH])
    with shop.session(shop.club) as s:
        ctx, who = shop.ctx(s), shop.member(s)
        shop.buy(s, who.id, 18400)
        held = rewards.hold(ctx, who.id, "coffee")
        standing = history.balance(ctx, who.id)
        assert (standing.balance, standing.spendable, standing.held) == (104, 104, 80)
        done = rewards.redeem(ctx, held.id)
        assert (done.status, done.redeemed_store_id) == ("redeemed", shop.club.stores[0].id)
        assert history.balance(ctx, who.id).held == 0
        assert rewards.redeem(ctx, held.id).status == "redeemed"  # pressed twice
        with pytest.raises(RewardClosed, match="handed over already"):
            rewards.release(ctx, held.id)
        with pytest.raises(NotEnoughPoints, match="96 points short") as refusal:
            rewards.hold(ctx, who.id, "lunch")
        assert refusal.value.missing == 96
    shop.sound(shop.club)


def test_release_gives_the_points_back(shop: Shop) -> None:
    shop.set_up(shop.club, rewards=[COFFEE])
    with shop.session(shop.club) as s:
        ctx, who = shop.ctx(s), shop.member(s)
        shop.buy(s, who.id, 8000)
        held = rewards.hold(ctx, who.id, "coffee")
        assert rewards.release(ctx, held.id).status == "released"
        assert rewards.release(ctx, held.id).status == "released"
        assert history.balance(ctx, who.id).spendable == 80
        with pytest.raises(RewardClosed, match="given back"):  # PEERS B7 (odoo#256896)
            rewards.redeem(ctx, held.id)
    shop.sound(shop.club)


def test_redeem_at_once_and_undo_once(shop: Shop) -> None:
    shop.set_up(shop.club, rewards=[COFFEE])
    with shop.session(shop.club) as s:
        ctx, who = shop.ctx(s), shop.member(s)
        shop.buy(s, who.id, 9000)
        done = rewards.redeem_now(ctx, who.id, "coffee")
        assert history.balance(ctx, who.id).balance == 10
        for _time in range(2):
            assert rewards.give_back(ctx, done.id).status == "returned"
            assert history.balance(ctx, who.id).balance == 90
        with pytest.raises(RewardClosed, match="given back"):
            rewards.redeem(ctx, done.id)
    shop.sound(shop.club)


def test_the_cashier_chooses_how_many_points_to_spend(shop: Shop) -> None:
    """PEERS B6 (odoo#264931)."""
    shop.set_up(shop.club, rewards=[MONEY, COFFEE])
    with shop.session(shop.club) as s:
        ctx, who = shop.ctx(s), shop.member(s)
        shop.buy(s, who.id, 70000)
        some = rewards.redeem_now(ctx, who.id, "money", steps=3)
        assert (some.points, some.value_minor, some.currency) == (300, 1500, "GBP")
        assert history.balance(ctx, who.id).balance == 400
        with pytest.raises(NotEnoughPoints):
            rewards.redeem_now(ctx, who.id, "money", steps=5)
        for steps in (0, -1, 10**6):
            with pytest.raises(Invalid):
                rewards.redeem_now(ctx, who.id, "money", steps=steps)
        with pytest.raises(Invalid, match="once at a time"):
            rewards.redeem_now(ctx, who.id, "coffee", steps=2)
    shop.sound(shop.club)


def test_the_same_ref_is_the_same_deed(shop: Shop) -> None:
    shop.set_up(shop.club, rewards=[COFFEE, LUNCH])
    with shop.session(shop.club) as s:
        ctx, who = shop.ctx(s), shop.member(s)
        shop.buy(s, who.id, 40000)
        one = rewards.redeem_now(ctx, who.id, "coffee", ref="till-1")
        assert rewards.redeem_now(ctx, who.id, "coffee", ref="till-1") == one
        assert history.balance(ctx, who.id).balance == 320
        with pytest.raises(Conflict, match="another reward"):
            rewards.redeem_now(ctx, who.id, "lunch", ref="till-1")
    with shop.session(shop.club, 1) as s:  # another store's tills count for themselves
        assert rewards.redeem_now(shop.ctx(s), who.id, "coffee", ref="till-1").id != one.id
    shop.sound(shop.club)


def test_points_are_spent_in_any_store_of_the_club_and_in_no_other_of_the_chain(shop: Shop) -> None:
    for brand in (shop.club, shop.shops):
        shop.set_up(brand, rewards=[COFFEE])
        with shop.session(brand, 0) as s:
            who = shop.member(s)
            shop.buy(s, who.id, 9000)
            held = rewards.hold(shop.ctx(s), who.id, "coffee")
        with shop.session(brand, 1) as s:
            ctx = shop.ctx(s)
            if brand is shop.club:
                assert rewards.redeem(ctx, held.id).redeemed_store_id == brand.stores[1].id
            else:
                with pytest.raises(NotFound):
                    rewards.redeem(ctx, held.id)
                with pytest.raises(NotFound):
                    rewards.hold(ctx, who.id, "coffee")
        shop.sound(brand)


def test_what_is_not_on_offer(shop: Shop) -> None:
    shop.set_up(shop.club, rewards=[FREE])
    with shop.session(shop.club) as s:
        ctx, who = shop.ctx(s), shop.member(s)
        with pytest.raises(NotFound, match="not on offer"):
            rewards.hold(ctx, who.id, "coffee")
        with pytest.raises(Invalid, match="by itself"):
            rewards.hold(ctx, who.id, "free")
        with pytest.raises(NotFound):
            rewards.redeem(ctx, uuid4())


def test_a_member_without_points(shop: Shop) -> None:
    shop.set_up(shop.club, rewards=[COFFEE])
    with shop.session(shop.club) as s:
        ctx, who = shop.ctx(s), shop.member(s)
        with pytest.raises(NotEnoughPoints, match="80 points short"):
            rewards.hold(ctx, who.id, "coffee")


def test_a_reward_that_came_by_itself_waits(shop: Shop) -> None:
    shop.set_up(shop.shops, accruals=[{"mode": "visit", "points": 5}], rewards=[FREE])
    with shop.session(shop.shops) as s:
        ctx, who = shop.ctx(s), shop.member(s)
        shop.buy(s, who.id, 100)
        shop.buy(s, who.id, 100)
        (reward,) = history.balance(ctx, who.id).rewards
        with pytest.raises(Conflict, match="came by itself"):
            rewards.release(ctx, reward.id)
        rewards.redeem(ctx, reward.id)
        rewards.give_back(ctx, reward.id)  # a slip: it is there again
        (again,) = history.balance(ctx, who.id).rewards
        assert (again.key, again.status) == ("free", "issued")
    shop.sound(shop.shops)


def test_a_hold_that_nobody_came_for_frees_its_points(shop: Shop, time_machine_: object) -> None:
    shop.set_up(shop.club, rewards=[COFFEE], hold_minutes=30)
    with shop.session(shop.club) as s:
        ctx, who = shop.ctx(s), shop.member(s)
        shop.buy(s, who.id, 8000)
        held = rewards.hold(ctx, who.id, "coffee")
        row = s.query(Reward).one()
        assert row.ends_at is not None
        assert 29 * 60 < (row.ends_at - clock.now()).total_seconds() <= 30 * 60
        assert lapse.sweep(ctx).rewards_ended == 0
        time_machine_.shift(31 * 60)  # type: ignore[attr-defined]
        with pytest.raises(RewardClosed, match="has ended"):
            rewards.redeem(ctx, held.id)
        assert lapse.sweep(ctx).rewards_ended == 1
        found = issuing.one(s, held.id)
        assert found is not None
        assert found.status == "released"
        assert history.balance(ctx, who.id).spendable == 80
    shop.sound(shop.club)


def test_points_that_a_till_held_too_long_are_free_before_any_sweep(
    shop: Shop, time_machine_: object
) -> None:
    """The till crashed in the morning; the member comes at noon, and the sweep at night."""
    shop.set_up(shop.club, rewards=[COFFEE, FREE | {"points": 500}], hold_minutes=30)
    with shop.session(shop.club) as s:
        ctx, who = shop.ctx(s), shop.member(s)
        shop.buy(s, who.id, 8000)
        crashed = rewards.hold(ctx, who.id, "coffee")
        with pytest.raises(NotEnoughPoints):
            rewards.hold(ctx, who.id, "coffee")
        time_machine_.shift(31 * 60)  # type: ignore[attr-defined]
        standing = history.balance(ctx, who.id)
        assert (standing.balance, standing.spendable, standing.held) == (80, 80, 0)
        assert standing.rewards == ()
        assert rewards.redeem_now(ctx, who.id, "coffee").status == "redeemed"
        found = issuing.one(s, crashed.id)
        assert found is not None
        assert found.status == "released"
        assert history.balance(ctx, who.id).balance == 0
    shop.sound(shop.club)


def test_the_timeline_tells_of_rewards(shop: Shop) -> None:
    from highstreet.timeline.queries import read

    shop.set_up(shop.club, rewards=[COFFEE])
    with shop.session(shop.club) as s:
        ctx, who = shop.ctx(s), shop.member(s)
        shop.buy(s, who.id, 9000)
        done = rewards.redeem_now(ctx, who.id, "coffee")
        rewards.give_back(ctx, done.id)
        corrections.adjust(ctx, who.id, 5, "For the trouble")
        told = [e.title for e in read(s, who.id).entries if e.source == NAME]
        assert set(told) == {
            "Coffee redeemed",
            "Coffee given back",
            "Points corrected by 5: For the trouble",
        }
