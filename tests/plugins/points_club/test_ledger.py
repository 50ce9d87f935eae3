"""The ledger's arithmetic, event by event: what a member and a shop would expect to see."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from highstreet_points_club import ledger
from highstreet_points_club.ledger import AccountState

START = datetime(2026, 5, 4, 9, tzinfo=UTC)
BUY = UUID(int=2)


def day(number: float) -> datetime:
    return START + timedelta(days=number)


class Mint:
    """Ids in order, as a replay needs them."""

    def __init__(self) -> None:
        self.last = 1000

    def __call__(self) -> UUID:
        self.last += 1
        return UUID(int=self.last)


@pytest.fixture
def mint() -> Mint:
    return Mint()


def opened(mint: Mint) -> AccountState:
    return AccountState(mint())


def earned(state: AccountState, points: int, at: datetime, mint: Mint, **more) -> AccountState:
    return ledger.earn(state, points, at, mint, **more).state


def points_of(step: ledger.Step) -> list[tuple[str, int]]:
    return [(entry.kind, entry.points) for entry in step.entries]


def test_earn_then_refund_leaves_nothing(mint: Mint) -> None:
    """PEERS B1 (odoo#257854): a refund that keeps its points makes unlimited free points."""
    step = ledger.earn(opened(mint), 12, day(0), mint)
    earn_id = step.entries[0].id
    back = ledger.reverse_earn(step.state, 12, day(1), mint, earn_id=earn_id, left=12)
    assert back.state.balance == 0
    assert back.entries[0].reverses_id == step.entries[0].id
    assert back.state.lots == ()


def test_more_than_was_earned_is_never_taken_back(mint: Mint) -> None:
    state = earned(opened(mint), 12, day(0), mint)
    with pytest.raises(ValueError, match="5 left"):
        ledger.reverse_earn(state, 6, day(1), mint, earn_id=BUY, left=5)


def test_refund_after_spending_leaves_a_debt_that_the_next_visit_pays(mint: Mint) -> None:
    state = earned(opened(mint), 10, day(0), mint)
    step, _ = ledger.burn(state, 10, day(1), mint)
    back = ledger.reverse_earn(step.state, 10, day(2), mint, earn_id=BUY, left=10)
    assert (back.state.balance, back.state.debt, back.state.spendable(day(2))) == (-10, 10, 0)
    with pytest.raises(ledger.NotEnough):
        ledger.burn(back.state, 1, day(2), mint)
    part = ledger.earn(back.state, 4, day(3), mint)
    assert (part.state.balance, part.state.debt) == (-6, 6)
    rest = ledger.earn(part.state, 8, day(4), mint)
    assert (rest.state.balance, rest.state.debt, rest.state.spendable(day(4))) == (2, 0, 2)
    assert [lot.remaining for lot in rest.state.lots] == [2]


def test_the_soonest_to_expire_is_spent_first_then_the_oldest_then_what_never_expires(mint) -> None:
    state = opened(mint)
    state = earned(state, 5, day(0), mint)
    state = earned(state, 5, day(1), mint, expires_at=day(60))
    state = earned(state, 5, day(2), mint, expires_at=day(30))
    state = earned(state, 5, day(0.5), mint, expires_at=day(60))
    step, _ = ledger.burn(state, 12, day(4), mint)
    assert [lot.remaining for lot in step.state.lots] == [5, 3]
    assert [-a.points for a in step.allocations] == [5, 5, 2]
    assert step.state.lots[1].earned_at == day(1)


def test_points_past_their_day_cannot_be_spent_before_the_sweep_came_by(mint: Mint) -> None:
    state = earned(opened(mint), 5, day(0), mint, expires_at=day(30))
    assert state.spendable(day(29.9)) == 5
    assert state.spendable(day(30)) == 0
    with pytest.raises(ledger.NotEnough):
        ledger.burn(state, 1, day(30), mint)
    swept = ledger.expire(state, day(31), mint)
    assert points_of(swept) == [("expire", -5)]
    assert swept.entries[0].at == day(30)
    assert ledger.expire(swept.state, day(32), mint).entries == ()


def test_pending_points_count_but_cannot_be_spent_yet(mint: Mint) -> None:
    state = earned(opened(mint), 5, day(0), mint, activates_at=day(14))
    assert (state.balance, state.pending(day(1)), state.spendable(day(1))) == (5, 5, 0)
    assert (state.pending(day(14)), state.spendable(day(14))) == (0, 5)


def test_a_released_reward_returns_to_the_same_lots_with_their_own_expiry(mint: Mint) -> None:
    state = earned(opened(mint), 5, day(0), mint, expires_at=day(10))
    state = earned(state, 5, day(1), mint, expires_at=day(90))
    held, hold = ledger.hold(state, 8, day(2), mint)
    assert (held.state.balance, held.state.held()) == (2, 8)
    early = ledger.release(held.state, hold.id, day(3), mint)
    assert [(x.remaining, x.expires_at) for x in early.state.lots] == [(5, day(10)), (5, day(90))]
    late = ledger.release(held.state, hold.id, day(20), mint)
    assert points_of(late) == [("release", 8), ("expire", -5)]
    assert [(x.remaining, x.expires_at) for x in late.state.lots] == [(5, day(90))]


def test_a_redeemed_reward_is_over(mint: Mint) -> None:
    """PEERS B7 (odoo#256896): what was given back or used cannot be used again."""
    state = earned(opened(mint), 10, day(0), mint)
    held, hold = ledger.hold(state, 10, day(1), mint)
    used = ledger.redeem(held.state, hold.id)
    assert (used.balance, used.holds) == (0, ())
    for again in (
        lambda: ledger.redeem(used, hold.id),
        lambda: ledger.release(used, hold.id, day(2), mint),
    ):
        with pytest.raises(ledger.NotHeld):
            again()


def test_burn_then_refund_restores_the_points_into_their_lots(mint: Mint) -> None:
    """PEERS B2 (odoo#212922)."""
    state = earned(opened(mint), 5, day(0), mint, expires_at=day(30))
    state = earned(state, 5, day(0), mint)
    spent, hold = ledger.burn(state, 7, day(1), mint)
    lots = tuple({lot.id: lot for lot in (*spent.state.lots, *emptied(state, spent))}.values())
    back = ledger.give_back(with_lots(spent.state, lots), hold, day(2), mint)
    assert back.state.balance == 10
    assert sorted((x.id, x.remaining) for x in back.state.lots) == sorted(
        (x.id, x.remaining) for x in state.lots
    )


def emptied(before: AccountState, step: ledger.Step) -> list[ledger.Lot]:
    left = {lot.id for lot in step.state.lots}
    return [lot._replace(remaining=0) for lot in before.lots if lot.id not in left]


def with_lots(state: AccountState, lots: tuple[ledger.Lot, ...]) -> AccountState:
    from msgspec.structs import replace

    return replace(state, lots=lots)


def test_the_threshold_crossed_twice_issues_two_rewards(mint: Mint) -> None:
    state = earned(opened(mint), 23, day(0), mint)
    step, made = ledger.issue_due(state, 10, day(0), mint)
    assert len(made) == 2
    assert (step.state.balance, step.state.held()) == (3, 20)
    again, more = ledger.issue_due(step.state, 10, day(0), mint)
    assert (again.entries, more) == ((), [])


def test_a_return_takes_back_the_reward_it_no_longer_earns_before_it_makes_a_debt(mint) -> None:
    state = earned(opened(mint), 9, day(0), mint)
    state = earned(state, 1, day(1), mint)
    step, made = ledger.issue_due(state, 10, day(1), mint)
    back = ledger.reverse_earn(step.state, 1, day(2), mint, earn_id=BUY, left=1)
    assert points_of(back) == [("release", 10), ("reverse_earn", -1)]
    assert (back.state.balance, back.state.debt, back.state.holds) == (9, 0, ())
    with pytest.raises(ledger.NotHeld):
        ledger.redeem(back.state, made[0].id)


def test_three_partial_returns_take_back_what_one_return_takes() -> None:
    """PEERS A1: a $15 purchase at a point for each whole $10."""
    reversed_so_far = 0
    for left_minor in (1000, 500, 0):
        reversed_so_far += ledger.due_back(1, reversed_so_far, 0, left_minor // 1000)
    assert reversed_so_far == 1 == ledger.due_back(1, 0, 0, 0)


def test_a_return_does_not_ask_again_for_points_that_lapsed(mint: Mint) -> None:
    state = earned(opened(mint), 10, day(0), mint, expires_at=day(30))
    spent, _ = ledger.burn(state, 6, day(1), mint)
    swept = ledger.expire(spent.state, day(31), mint)
    assert points_of(swept) == [("expire", -4)]
    assert ledger.due_back(10, 0, 4, 0) == 6  # she had the use of six
    assert ledger.due_back(10, 0, 10, 0) == 0


def test_merging_moves_lots_and_held_rewards_and_pays_debts(mint: Mint) -> None:
    """PEERS B4 (odoo#171706)."""
    kept = earned(opened(mint), 7, day(0), mint, expires_at=day(50))
    gone = earned(opened(mint), 20, day(0), mint)
    step, hold = ledger.hold(gone, 8, day(1), mint)
    stays, leaves = ledger.merge(kept, step.state, day(2), mint)
    assert (stays.state.balance, leaves.state.balance) == (19, 0)
    assert (leaves.state.lots, leaves.state.holds) == ((), ())
    assert stays.entries[0].reverses_id == leaves.entries[0].id
    assert ledger.release(stays.state, hold.id, day(3), mint).state.balance == 27


def test_merging_a_debt_pays_it(mint: Mint) -> None:
    kept = earned(opened(mint), 7, day(0), mint)
    gone = ledger.adjust(opened(mint), -10, day(0), mint).state
    stays, leaves = ledger.merge(kept, gone, day(1), mint)
    assert (stays.state.balance, stays.state.debt, leaves.state.debt) == (-3, 3, 0)
    assert [lot.remaining for lot in stays.state.lots] == [-3]


def test_an_erased_member_leaves_no_points(mint: Mint) -> None:
    state = earned(opened(mint), 20, day(0), mint)
    step, _ = ledger.hold(state, 8, day(1), mint)
    gone = ledger.forfeit(step.state, day(2), mint)
    assert (gone.state.balance, gone.state.lots, gone.state.holds) == (0, (), ())
    owing = ledger.adjust(opened(mint), -4, day(0), mint).state
    assert ledger.forfeit(owing, day(1), mint).state.balance == 0


def test_a_late_upload_keeps_its_own_time_and_does_not_set_the_clock_back(mint: Mint) -> None:
    state = earned(opened(mint), 5, day(10), mint)
    step = ledger.earn(state, 5, day(3), mint, expires_at=day(33))
    assert (step.entries[0].at, step.state.last_at) == (day(3), day(10))
    assert step.lots[0].earned_at == day(3)
