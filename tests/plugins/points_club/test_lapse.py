"""What the calendar does to points and rewards."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from highstreet.purchases import service as purchases
from highstreet_points_club import batch, history, jobs, lapse, liability, rewards
from highstreet_points_club.models import Account, Entry

from .conftest import COFFEE, FREE, NAME, NOON, Shop, later


@pytest.mark.parametrize("batch_of", [1, 2])
def test_a_till_whose_clock_is_ahead_ends_nobodys_points_too_soon(
    shop: Shop, time_machine_: Any, batch_of: int
) -> None:
    """It says tomorrow, when these points are gone; and until then they can be spent."""
    shop.set_up(shop.club, expiry="days", expiry_days=1, rewards=[COFFEE, FREE | {"points": 500}])
    time_machine_.move_to(NOON)
    with shop.session(shop.club) as s:
        ctx, who = shop.ctx(s), shop.member(s)
        shop.buy(s, who.id, 50500)
        time_machine_.move_to(later(1))
        ahead = [shop.purchase(s, who.id, 50000, at=later(1.9)), shop.purchase(s, None, 1)]
        purchases.record_batch(s, ahead[:batch_of])
        standing = history.balance(ctx, who.id)
        assert (standing.balance, len(standing.rewards)) == (5, 2)
        shop.bring_back(s, shop.buy(s, who.id, 9000, at=later(1.9)), 100, at=later(1.95))
        assert rewards.redeem_now(ctx, who.id, "coffee").points == 80
        assert s.query(Account).one().last_at == later(1)
    shop.sound(shop.club)


def test_points_end_after_their_last_day_and_are_told_before(
    shop: Shop, time_machine_: Any
) -> None:
    shop.set_up(shop.club, expiry="months", expiry_months=1, rewards=[COFFEE])
    time_machine_.move_to(datetime(2026, 4, 30, 12, tzinfo=UTC))
    with shop.session(shop.club) as s:
        ctx, who = shop.ctx(s), shop.member(s)
        shop.buy(s, who.id, 10000)
        standing = history.balance(ctx, who.id)
        assert standing.lapsing == ((100, date(2026, 5, 30), False),)
        time_machine_.move_to(datetime(2026, 5, 30, 22, 59, tzinfo=UTC))  # 23:59 in London
        assert history.balance(ctx, who.id).spendable == 100
        assert lapse.sweep(ctx).points == 0
        time_machine_.move_to(datetime(2026, 5, 30, 23, 0, tzinfo=UTC))
        assert history.balance(ctx, who.id).balance == 0  # before the sweep came by
        with pytest.raises(rewards.NotEnoughPoints):
            rewards.redeem_now(ctx, who.id, "coffee")
        time_machine_.move_to(datetime(2026, 6, 2, 9, 0, tzinfo=UTC))
        assert lapse.sweep(ctx)[:2] == (1, 100)
        assert lapse.sweep(ctx)[:2] == (0, 0)
        entry = s.query(Entry).where(Entry.kind == "expire").one()
        assert entry.occurred_at == datetime(2026, 5, 30, 23, 0, tzinfo=UTC)
        assert entry.business_date == date(2026, 5, 31)
    shop.sound(shop.club)


def test_it_does_not_matter_when_the_sweep_runs(shop: Shop, time_machine_: Any) -> None:
    """A refusal to spend what has expired books the lapse, or leaves it to the sweep: same sums."""
    shop.set_up(shop.club, expiry="month_end", expiry_months=0, rewards=[COFFEE])
    time_machine_.move_to(datetime(2026, 3, 30, 12, tzinfo=UTC))
    with shop.session(shop.club) as s:
        ctx = shop.ctx(s)
        swept, unswept = shop.member(s, "A"), shop.member(s, "B")
        for who in (swept, unswept):
            shop.buy(s, who.id, 9000)
        time_machine_.move_to(datetime(2026, 4, 2, 12, tzinfo=UTC))
        lapse.sweep(ctx, limit=1)
        for who in (swept, unswept):
            shop.buy(s, who.id, 8500)
            rewards.redeem_now(ctx, who.id, "coffee")
            assert history.balance(ctx, who.id).balance == 5
        lapse.sweep(ctx)
        for who in (swept, unswept):
            assert history.balance(ctx, who.id).balance == 5
    shop.sound(shop.club)


def test_pending_points_bring_their_reward_when_they_become_active(
    shop: Shop, time_machine_: Any
) -> None:
    shop.set_up(shop.club, pending_days=14, rewards=[FREE])
    time_machine_.move_to(datetime(2026, 5, 4, 12, tzinfo=UTC))
    with shop.session(shop.club) as s:
        ctx, who = shop.ctx(s), shop.member(s)
        shop.buy(s, who.id, 1200)
        standing = history.balance(ctx, who.id)
        assert (standing.balance, standing.pending, standing.spendable) == (12, 12, 0)
        assert standing.rewards == ()
        assert lapse.sweep(ctx).rewards_issued == 0
        time_machine_.move_to(datetime(2026, 5, 18, 3, tzinfo=UTC))
        assert history.balance(ctx, who.id).spendable == 12
        assert lapse.sweep(ctx).rewards_issued == 1
        assert lapse.sweep(ctx).rewards_issued == 0
        standing = history.balance(ctx, who.id)
        assert (standing.balance, [r.name for r in standing.rewards]) == (2, ["Free sandwich"])
    shop.sound(shop.club)


def test_an_automatic_reward_that_ended_is_gone_with_its_points(
    shop: Shop, time_machine_: Any
) -> None:
    shop.set_up(shop.club, rewards=[FREE | {"valid_days": 30}])
    time_machine_.move_to(datetime(2026, 5, 4, 12, tzinfo=UTC))
    with shop.session(shop.club) as s:
        ctx, who = shop.ctx(s), shop.member(s)
        shop.buy(s, who.id, 1200)
        (reward,) = history.balance(ctx, who.id).rewards
        time_machine_.shift(timedelta(days=31))
        with pytest.raises(rewards.RewardClosed, match="has ended"):
            rewards.redeem(ctx, reward.id)
        assert lapse.sweep(ctx).rewards_ended == 1
        standing = history.balance(ctx, who.id)
        assert (standing.balance, standing.held, standing.rewards) == (2, 0, ())
    shop.sound(shop.club)


def test_the_nightly_job_goes_on_until_all_is_done(shop: Shop, time_machine_: Any) -> None:
    from highstreet.jobs.models import job_table

    shop.set_up(shop.club, expiry="months", expiry_months=1)
    time_machine_.move_to(datetime(2026, 5, 4, 12, tzinfo=UTC))
    with shop.session(shop.club) as s:
        ctx = shop.ctx(s)
        members = [shop.member(s, f"M{n}") for n in range(lapse.CHUNK + 3)]
        basket = [shop.purchase(s, who.id, 500) for who in members]
        from highstreet.purchases import service

        service.record_batch(s, basket)
    time_machine_.move_to(datetime(2026, 6, 10, 12, tzinfo=UTC))
    (job,) = (job for job in jobs.JOBS if job.name == jobs.SWEEP)
    with shop.session(shop.club) as s:
        job.run(s, {"subject": "2026-06-10"})
        queued = s.execute(job_table.select().where(job_table.c.name == jobs.SWEEP)).all()
        assert len(queued) == 1
        job.run(s, {"subject": "2026-06-10"})
        assert len(s.execute(job_table.select().where(job_table.c.name == jobs.SWEEP)).all()) == 1
        assert lapse.sweep(shop.ctx(s)).accounts == 0
        assert ctx.plugin == NAME
    shop.sound(shop.club)


def test_what_each_store_owes(shop: Shop) -> None:
    shop.set_up(shop.club, rewards=[COFFEE])
    with shop.session(shop.club, 0) as s:
        who, other = shop.member(s, "A"), shop.member(s, "B")
        shop.buy(s, who.id, 10000)
        shop.buy(s, other.id, 3000)
    with shop.session(shop.club, 1) as s:
        shop.buy(s, who.id, 5000)
        rewards.hold(shop.ctx(s), who.id, "coffee")
    first, second = shop.club.stores
    with shop.operator(shop.club, write=False) as s:
        lines = {line.store_id: line for line in liability.by_store(shop.ctx(s))}
        assert (lines[first.id].active, lines[first.id].held, lines[first.id].members) == (
            50,
            80,
            2,
        )
        assert (lines[second.id].active, lines[second.id].points) == (50, 50)
    with shop.session(shop.club, 1, write=False) as s:
        (mine,) = liability.by_store(shop.ctx(s))
        assert (mine.store_id, mine.points) == (second.id, 50)


def test_another_brands_and_stores_ledgers_are_out_of_reach(shop: Shop) -> None:
    with shop.session(shop.shops, 0) as s:
        who = shop.member(s)
        bought = shop.buy(s, who.id, 1000)
    for brand, number in ((shop.shops, 1), (shop.club, 0)):
        with shop.session(brand, number) as s:
            ctx = shop.ctx(s)
            assert history.balance(ctx, who.id).balance == 0
            assert history.page(ctx, who.id) == ([], None)
            assert liability.by_store(ctx) == []
            assert s.query(Entry).all() == []
            assert batch.award_batch(ctx, []) == (0, 0, 0)
    assert bought.total_minor == 1000
