"""Giving points for purchases: one at a till in a single statement, thousands of an import at once.

Both ways come to the same rows; a test compares them. A purchase earns once: a second time finds
its entry (the database's unique index decides between two at the same moment).
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from highstreet.sdk import Ctx, PurchaseFact, ScopedSession, Statement, new_id, own
from highstreet_points_club import accounts, idle, issuing, ledger, rules
from highstreet_points_club import often as oftens
from highstreet_points_club.ledger import AccountState, after_visit
from highstreet_points_club.often import Often
from highstreet_points_club.programme import NOTHING, EarnResult, Programme, earned, left_of
from highstreet_points_club.rules import Place
from highstreet_points_club.writing import Cause, Change, write

_VALUES = (
    ":id, acc.store_id, acc.id, acc.seq + 1, 'earn', CAST(:points AS bigint), :at_store_id,"
    " :purchase_id, CAST(:amount_minor AS bigint), :rule_id, :occurred_at, :business_date,"
    " :recorded_at, :actor_kind, :actor_id"
)
_ENTRY = (
    "INSERT INTO points_club_entry (brand_id, id, store_id, account_id, seq, kind, points,"
    " at_store_id, purchase_id, amount_minor, rule_id, occurred_at, business_date, recorded_at,"
    " actor_kind, actor_id)"
)
_HERE = "AND (acc.idle_at IS NULL OR acc.idle_at > :occurred_at)"
_ONCE = "ON CONFLICT (brand_id, purchase_id) WHERE kind = 'earn' DO NOTHING"

# PostgreSQL: everything in one statement. Locking the account first makes its `seq` the latest;
# lot and sums follow only from an entry that went in, so a replay leaves no trace. An account in
# debt is left to the slow way, which pays the debt, and so is one whose member stayed away until
# points ended. No row: there is no account yet.
_AWARD = Statement(
    "SELECT 1",
    postgresql=f"""
WITH acc AS (
  SELECT a.id, a.store_id, a.seq, a.debt, a.balance, a.idle_at FROM points_club_account AS a
  WHERE a.customer_id = :customer_id AND {own("a")} FOR NO KEY UPDATE
), e AS (
  {_ENTRY} SELECT :brand_id, {_VALUES} FROM acc WHERE acc.debt = 0 {_HERE} {_ONCE}
  RETURNING id, account_id
), l AS (
  INSERT INTO points_club_lot (brand_id, id, store_id, account_id, points, remaining, at_store_id,
    earned_at, activates_at, expires_at, idle)
  SELECT :brand_id, e.id, acc.store_id, acc.id, CAST(:points AS bigint), CAST(:points AS bigint),
    :at_store_id, :occurred_at, CAST(:activates_at AS timestamptz),
    CAST(:expires_at AS timestamptz), CAST(:idle_at AS timestamptz) IS NOT NULL FROM acc, e
), u AS (
  UPDATE points_club_account AS a SET balance = a.balance + CAST(:points AS bigint),
    seq = a.seq + 1, last_at = GREATEST(a.last_at, :occurred_at),
    idle_at = CASE WHEN CAST(:idle_at AS timestamptz) IS NOT NULL
      THEN GREATEST(a.idle_at, CAST(:idle_at AS timestamptz)) END
  FROM e WHERE a.id = e.account_id AND {own("a")} RETURNING a.balance
)
SELECT acc.balance, acc.debt, u.balance FROM acc LEFT JOIN u ON true
""",
    returns="row",
)
# SQLite: one writer at a time, so three plain statements are as safe.
_LITE_ENTRY = Statement(
    f"{_ENTRY} SELECT :brand_id, {_VALUES} FROM points_club_account AS acc"
    f" WHERE acc.customer_id = :customer_id AND acc.debt = 0 {_HERE} AND {own('acc')} {_ONCE}"
    " RETURNING account_id",
    returns="value",
)
_LITE_LOT = Statement(
    "INSERT INTO points_club_lot (brand_id, id, store_id, account_id, points, remaining,"
    " at_store_id, earned_at, activates_at, expires_at, idle) VALUES (:brand_id, :id,"
    " :owner_store_id, :account_id, :points, :points, :at_store_id, :occurred_at, :activates_at,"
    " :expires_at, :idle_at IS NOT NULL)",
    returns="none",
)
_LITE_ACCOUNT = Statement(
    "UPDATE points_club_account AS a SET balance = a.balance + :points, seq = a.seq + 1,"
    " last_at = MAX(COALESCE(a.last_at, ''), :occurred_at),"
    " idle_at = MAX(COALESCE(a.idle_at, ''), :idle_at)"  # NULL without a new one
    f" WHERE a.id = :account_id AND {own('a')} RETURNING balance",
    returns="value",
)
_FOUND = Statement(
    "SELECT a.balance, a.debt FROM points_club_account AS a"
    f" WHERE a.customer_id = :customer_id AND {own('a')}",
    returns="row",
)
_EARNED = Statement(
    "SELECT e.points FROM points_club_entry AS e"
    f" WHERE e.purchase_id = :purchase_id AND e.kind = 'earn' AND {own('e')}",
    returns="value",
)
_KNOWN = Statement(
    "SELECT e.purchase_id FROM points_club_entry AS e WHERE e.purchase_id IN"
    f" (SELECT value FROM json_each(:ids)) AND e.kind = 'earn' AND {own('e')}",
    postgresql="SELECT e.purchase_id FROM points_club_entry AS e WHERE e.purchase_id = ANY(:ids)"
    f" AND e.kind = 'earn' AND {own('e')}",
    types={"purchase_id": UUID},
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


class BatchAwarded(NamedTuple):
    """What an import's purchases brought: how many earned, points given, rewards issued."""

    purchases: int
    points: int
    rewards: int


class _Due(NamedTuple):
    """A purchase with the points that it is to earn (none: it is a visit all the same, which idle
    points wait for). customer_id: as merges left it."""

    purchase: PurchaseFact
    customer_id: UUID
    place: Place
    programme: Programme
    points: int


def award(ctx: Ctx, purchase: PurchaseFact) -> Awarded | None:
    """Give the points of one purchase, and the rewards that they bring. None without a customer."""
    if purchase.customer_id is None:
        return None
    place = rules.place(ctx, purchase.store_id)
    programme = rules.programme(ctx, purchase.store_id, purchase.occurred_at)
    result = earned(programme, left_of(purchase), place.zone)
    due = _Due(purchase, purchase.customer_id, place, programme, result.points)
    if not result.points:
        return _nothing(ctx, due)
    rules.keep(ctx.s, programme)
    often = oftens.of_purchase(ctx, programme, purchase)
    if often is None:
        return _give(ctx, due, result)
    done = _nothing(ctx, due) if often.blocked else _give(ctx, due, result)
    return done._replace(often=often)


def _nothing(ctx: Ctx, due: _Due) -> Awarded:
    """A purchase that earns nothing is a visit all the same."""
    idle.visited(ctx, due.customer_id, due.programme, due.place, due.purchase.occurred_at)
    found = _FOUND(ctx.s, customer_id=due.customer_id)
    return Awarded(0, found[0] if found else 0, NOTHING)


def _give(ctx: Ctx, due: _Due, result: EarnResult) -> Awarded:
    s = ctx.s
    row = _quick(ctx, due)
    if row is None:
        due = _with_account(ctx, due)
        row = _quick(ctx, due)
        assert row is not None, "the account was just opened"
    before, _debt, balance = row
    if balance is None:
        known = _EARNED(s, purchase_id=due.purchase.id)
        if known is not None:
            return Awarded(known, before, result, created=False)
        return _slowly(ctx, due, result)
    return _with_rewards(ctx, due, result, balance)


def award_batch(ctx: Ctx, purchases: Sequence[PurchaseFact]) -> BatchAwarded:
    """Give the points of many purchases, of any stores, in the order of their times.

    Set by set: accounts are opened and locked, lots loaded only where a debt or an automatic
    reward needs them, everything else is worked out in memory and written in a few statements.
    """
    s = ctx.s
    due = _worked_out(ctx, purchases)
    if not due:
        return BatchAwarded(0, 0, 0)
    locked = _locked(ctx, due)
    known = {row[0] for row in _KNOWN(s, ids=[one.purchase.id for one in due])}
    due = list({one.purchase.id: one for one in due if one.purchase.id not in known}.values())
    due.sort(key=lambda one: (one.purchase.occurred_at, one.purchase.id))
    due = _without_blocked(s, due, locked)
    need = _needing_lots(due, locked)
    states = accounts.states(s, [locked[c] for c in need]) if need else {}
    by_customer = {
        customer: states.get(one.id)
        or AccountState(
            one.id, one.balance, one.seq, one.last_at, debt=one.debt, idle_at=one.idle_at
        )
        for customer, one in locked.items()
    }
    for programme in {one.programme.rule_id: one.programme for one in due}.values():
        rules.keep(s, programme)
    at = ctx.now()
    changes: list[Change] = []
    issued: list[issuing.Made] = []
    for one in due:
        account = locked[one.customer_id]
        state = by_customer[one.customer_id]
        step = _earn(state, one)
        changes.append(Change(account.owner_id, _cause(ctx, one, at), step))
        state = step.state
        automatic = one.programme.automatic
        if automatic is not None and state.balance >= automatic.points:
            issue, holds = ledger.issue_due(
                state, automatic.points, one.purchase.occurred_at, new_id
            )
            if issue.entries:
                cause = Cause("hold", one.place.id, one.place.zone, ctx.scope.actor, at)
                changes.append(Change(account.owner_id, cause, issue))
                issued += [
                    issuing.automatic(hold, automatic, issue.state, one.place, account)
                    for hold in holds
                ]
                state = issue.state
        by_customer[one.customer_id] = state
    write(s, changes)
    issuing.record(ctx, issued)
    earning = [one.points for one in due if one.points]
    return BatchAwarded(len(earning), sum(earning), len(issued))


def _quick(ctx: Ctx, due: _Due) -> tuple[int, int, int | None] | None:
    """(balance before, debt, balance after or None if nothing was written); None: no account."""
    s, purchase, programme = ctx.s, due.purchase, due.programme
    at, zone, actor = purchase.occurred_at, due.place.zone, s.scope.actor
    binds: dict[str, Any] = {
        "id": new_id(),
        "points": due.points,
        "at_store_id": purchase.store_id,
        "occurred_at": at,
        "activates_at": rules.active_from(programme, at, zone),
        "expires_at": rules.expires_at(programme, at, zone),
        "idle_at": rules.idle_at(programme, at, zone),
        "customer_id": due.customer_id,
        "purchase_id": purchase.id,
        "amount_minor": purchase.total_minor,
        "rule_id": programme.rule_id,
        "business_date": purchase.business_date,
        "recorded_at": ctx.now(),
        "actor_kind": actor.kind,
        "actor_id": actor.id,
    }
    if s.dialect == "postgresql":
        row: tuple[int, int, int | None] | None = _AWARD(s, **binds)
        return row
    account_id = _LITE_ENTRY(s, **binds)
    if account_id is None:
        found = _FOUND(s, customer_id=due.customer_id)
        return None if found is None else (*found, None)
    owner_id = purchase.store_id if s.customers == "store" else None
    _LITE_LOT(s, **binds, owner_store_id=owner_id, account_id=account_id)
    balance = _LITE_ACCOUNT(
        s, points=due.points, occurred_at=at, idle_at=binds["idle_at"], account_id=account_id
    )
    return balance - due.points, 0, balance


def _slowly(ctx: Ctx, due: _Due, result: EarnResult) -> Awarded:
    """Through the ledger, under the lock: a debt is to be paid, or points ended, first."""
    s = ctx.s
    account = accounts.lock_of(s, [due.customer_id])[due.customer_id]
    step = _earn(accounts.states(s, [account])[account.id], due)
    write(s, [Change(account.owner_id, _cause(ctx, due, ctx.now()), step)])
    return _with_rewards(ctx, due, result, step.state.balance)


def _with_rewards(ctx: Ctx, due: _Due, result: EarnResult, balance: int) -> Awarded:
    """Issue the automatic rewards that `balance` points may reach."""
    automatic = due.programme.automatic
    if automatic is None or balance < automatic.points:
        return Awarded(result.points, balance, result)
    account_id = accounts.of_customer(ctx.s, due.customer_id)
    assert account_id is not None, "it has just earned"
    state, rewards = issuing.issue_automatic(
        ctx, account_id, due.programme, due.place, due.purchase.occurred_at
    )
    return Awarded(result.points, state.balance, result, rewards)


def _earn(state: AccountState, due: _Due) -> ledger.Step:
    at = due.purchase.occurred_at
    stays_until = rules.idle_at(due.programme, at, due.place.zone)
    if not due.points:
        return ledger.visit(state, at, new_id, idle_at=stays_until)
    return ledger.earn(
        state,
        due.points,
        at,
        new_id,
        activates_at=rules.active_from(due.programme, at, due.place.zone),
        expires_at=rules.expires_at(due.programme, at, due.place.zone),
        store_id=due.purchase.store_id,
        idle_at=stays_until,
    )


def _cause(ctx: Ctx, due: _Due, recorded_at: Any) -> Cause:
    return Cause(
        "earn",
        due.purchase.store_id,
        due.place.zone,
        ctx.scope.actor,
        recorded_at,
        purchase_id=due.purchase.id,
        amount_minor=due.purchase.total_minor,
        rule_id=due.programme.rule_id,
    )


def _with_account(ctx: Ctx, due: _Due) -> _Due:
    """Open the customer's account; a merged customer's is that of the record that was kept."""
    customer = ctx.customers.get(due.customer_id)
    accounts.open_many(ctx.s, [(customer.id, customer.store_id)], ctx.now())
    return due._replace(customer_id=customer.id)


def _worked_out(ctx: Ctx, purchases: Iterable[PurchaseFact]) -> list[_Due]:
    due = []
    for purchase in purchases:
        if purchase.customer_id is None:
            continue
        place = rules.place(ctx, purchase.store_id)
        programme = rules.programme(ctx, purchase.store_id, purchase.occurred_at)
        points = earned(programme, left_of(purchase), place.zone).points
        if points or programme.idle_months:
            due.append(_Due(purchase, purchase.customer_id, place, programme, points))
    return due


def _locked(ctx: Ctx, due: list[_Due]) -> dict[UUID, accounts.Locked]:
    """The accounts of all customers, by customer, opened where missing. `due` follows merges."""
    s = ctx.s
    customers = {one.customer_id for one in due}
    locked = accounts.lock_of(s, customers)
    missing = customers - locked.keys()
    if missing:
        roots = ctx.customers.roots(missing)
        due[:] = [
            one._replace(customer_id=roots[one.customer_id].id) if one.customer_id in roots else one
            for one in due
            if one.customer_id in locked or one.customer_id in roots
        ]
        accounts.open_many(s, sorted(set(roots.values()), key=lambda pair: pair[0]), ctx.now())
        locked = accounts.lock_of(s, {one.customer_id for one in due})
    return locked


def _without_blocked(
    s: ScopedSession, due: list[_Due], locked: dict[UUID, accounts.Locked]
) -> list[_Due]:
    """The same, where those of a member beyond what a day may bring earn nothing."""
    stopped = oftens.stopped(
        s,
        [(locked[d.customer_id].id, d.purchase.business_date, d.programme, d.points) for d in due],
    )
    return [d._replace(points=0) if n in stopped else d for n, d in enumerate(due)]


def _needing_lots(due: Sequence[_Due], locked: dict[UUID, accounts.Locked]) -> list[UUID]:
    """Customers whose lots matter: a debt is to be paid, an automatic reward comes near, or points
    have ended because the member stayed away.
    """
    ends = {customer: account.idle_at for customer, account in locked.items()}
    most = {customer: account.balance for customer, account in locked.items()}
    need = {customer for customer, account in locked.items() if account.debt}
    for one in due:
        most[one.customer_id] += one.points
        automatic = one.programme.automatic
        if automatic is not None and most[one.customer_id] >= automatic.points:
            need.add(one.customer_id)
        at, end = one.purchase.occurred_at, ends[one.customer_id]
        if end is not None and end <= at:
            need.add(one.customer_id)
        stays_until = rules.idle_at(one.programme, at, one.place.zone)
        ends[one.customer_id] = after_visit(end, stays_until)
    return sorted(need)


__all__ = ["Awarded", "BatchAwarded", "award", "award_batch"]
