"""Giving points for one purchase at a till, and the rewards that they bring.

An import goes another way (`batch`) and comes to the same rows; a test compares them. A purchase
earns once: a second time finds its entry (the database's unique index decides between two at the
same moment).
"""

from typing import NamedTuple

from highstreet.sdk import Ctx, PurchaseFact, Statement, own
from highstreet_points_club import (
    accounts,
    gains,
    idle,
    issuing,
    quick,
    reviving,
    rules,
    story,
    telling,
)
from highstreet_points_club import often as oftens
from highstreet_points_club.due import Due, cause_of, step_of
from highstreet_points_club.often import Often
from highstreet_points_club.programme import NOTHING, EarnResult, earned, left_of
from highstreet_points_club.writing import Change, write

_EARNED = Statement(
    "SELECT e.points FROM points_club_entry AS e"
    f" WHERE e.purchase_id = :purchase_id AND e.kind = 'earn' AND {own('e')}",
    returns="value",
)


class Awarded(NamedTuple):
    """What a purchase brought. created: False where it had earned before (nothing was added).

    often: it is one more in a day than is usual.
    """

    points: int
    balance: int
    result: EarnResult
    rewards: tuple[issuing.Issued, ...] = ()
    created: bool = True
    often: Often | None = None


def award(ctx: Ctx, purchase: PurchaseFact) -> Awarded | None:
    """Give the points of one purchase, and the rewards that they bring. None without a customer."""
    if purchase.customer_id is None:
        return None
    place = rules.place(ctx, purchase.store_id)
    at = purchase.occurred_at
    earning = rules.earning(ctx, purchase.store_id, at)
    programme = earning.usual
    result = earned(programme, left_of(purchase), place.zone)
    if result.points and earning.welcomes and gains.is_new(ctx, purchase.customer_id):
        programme = earning.first
        result = earned(programme, left_of(purchase), place.zone)
    due = Due(purchase, purchase.customer_id, place, programme, result.points, result.gains)
    if not result.points:
        return _nothing(ctx, due)
    rules.keep(ctx.s, programme)
    often = oftens.of_purchase(ctx, programme, purchase)
    if often is None:
        return _give(ctx, due, result)
    done = _nothing(ctx, due) if often.blocked else _give(ctx, due, result)
    return done._replace(often=often)


def _nothing(ctx: Ctx, due: Due) -> Awarded:
    """A purchase that earns nothing is a visit all the same."""
    idle.visited(ctx, due.customer_id, due.programme, due.place, due.purchase.occurred_at)
    found = quick.FOUND(ctx.s, customer_id=due.customer_id)
    return Awarded(0, found[0] if found else 0, NOTHING)


def _give(ctx: Ctx, due: Due, result: EarnResult) -> Awarded:
    s = ctx.s
    row = quick.give(ctx, due)
    if row is None:
        due = _with_account(ctx, due)
        row = quick.give(ctx, due)
        assert row is not None, "the account was just opened"
    before, _debt, balance = row
    if balance is None:
        known = _EARNED(s, purchase_id=due.purchase.id)
        if known is not None:
            return Awarded(known, before, result, created=False)
        return _slowly(ctx, due, result)
    telling.at_till(ctx, due, balance)
    return _with_rewards(ctx, due, result, balance)


def _slowly(ctx: Ctx, due: Due, result: EarnResult) -> Awarded:
    """Through the ledger, under the lock: a debt is to be paid, or points ended, first."""
    s, at = ctx.s, ctx.now()
    account = accounts.lock_of(s, [due.customer_id])[due.customer_id]
    state = accounts.states(s, [account])[account.id]
    found = reviving.late_for(s, account, due.purchase.occurred_at)
    step = step_of(due, found.into(state), at, found.lapses)
    write(ctx, [Change(account, cause_of(ctx, due, at), step)])
    story.tell_many(ctx, reviving.told(account, due.place.id, step))
    return _with_rewards(ctx, due, result, step.state.balance)


def _with_rewards(ctx: Ctx, due: Due, result: EarnResult, balance: int) -> Awarded:
    """Issue the automatic rewards that `balance` points may reach."""
    automatic = due.programme.automatic
    if automatic is None or balance < automatic.points:
        return Awarded(result.points, balance, result)
    account_id = accounts.of_customer(ctx.s, due.customer_id)
    assert account_id is not None, "it has just earned"
    state, rewards = issuing.issue_automatic(
        ctx, account_id, due.programme, due.place, min(due.purchase.occurred_at, ctx.now())
    )
    return Awarded(result.points, state.balance, result, rewards)


def _with_account(ctx: Ctx, due: Due) -> Due:
    """Open the customer's account; a merged customer's is that of the record that was kept."""
    customer = ctx.customers.get(due.customer_id)
    accounts.open_many(ctx.s, [(customer.id, customer.store_id)], ctx.now())
    return due._replace(customer_id=customer.id)
