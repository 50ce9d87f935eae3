"""Giving points for the purchases of an import, thousands at once and of any stores, set by set."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from highstreet.sdk import Ctx, PurchaseFact, ScopedSession, Statement, new_id, own
from highstreet_points_club import accounts, gains, issuing, ledger, reviving, rules, story
from highstreet_points_club import often as oftens
from highstreet_points_club.due import Due, cause_of, step_of
from highstreet_points_club.ledger import AccountState, after_visit
from highstreet_points_club.programme import earned, left_of
from highstreet_points_club.reviving import NOTHING
from highstreet_points_club.writing import Cause, Change, write

_KNOWN = Statement(
    "SELECT e.purchase_id FROM points_club_entry AS e WHERE e.purchase_id IN"
    f" (SELECT value FROM json_each(:ids)) AND e.kind = 'earn' AND {own('e')}",
    postgresql="SELECT e.purchase_id FROM points_club_entry AS e WHERE e.purchase_id = ANY(:ids)"
    f" AND e.kind = 'earn' AND {own('e')}",
    types={"purchase_id": UUID},
)


class BatchAwarded(NamedTuple):
    """What an import's purchases brought: how many earned, points given, rewards issued."""

    purchases: int
    points: int
    rewards: int


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
    due = _welcomed(ctx, due, locked)
    due = _without_blocked(s, due, locked)
    late = reviving.late(
        s, [(locked[d.customer_id], d.purchase.occurred_at) for d in due if d.programme.idle_months]
    )
    need = _needing_lots(due, locked, late)
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
    events: list[story.Event] = []
    for one in due:
        account = locked[one.customer_id]
        state = by_customer[one.customer_id]
        found = late.get(account.id, NOTHING)
        step = step_of(one, found.into(state), at, found.lapses)
        changes.append(Change(account, cause_of(ctx, one, at), step))
        late[account.id] = reviving.after(found, state, step)
        events += reviving.told(account, one.place.id, step)
        state = step.state
        automatic = one.programme.automatic if one.points else None
        if automatic is not None and state.balance >= automatic.points:
            issue, holds = ledger.issue_due(
                state, automatic.points, min(one.purchase.occurred_at, at), new_id
            )
            if issue.entries:
                cause = Cause("hold", one.place.id, one.place.zone, ctx.scope.actor, at)
                changes.append(Change(account, cause, issue))
                late[account.id] = reviving.after(late[account.id], state, issue)
                issued += [
                    issuing.automatic(hold, automatic, issue.state, one.place, account)
                    for hold in holds
                ]
                state = issue.state
        by_customer[one.customer_id] = state
    write(ctx, changes)
    issuing.record(ctx, issued)
    story.tell_many(ctx, events)
    earning = [one.points for one in due if one.points]
    return BatchAwarded(len(earning), sum(earning), len(issued))


def _worked_out(ctx: Ctx, purchases: Sequence[PurchaseFact]) -> list[Due]:
    due = []
    ctx.campaigns.prime({one.store_id for one in purchases})
    for purchase in purchases:
        if purchase.customer_id is None:
            continue
        place = rules.place(ctx, purchase.store_id)
        programme = rules.earning(ctx, purchase.store_id, purchase.occurred_at).usual
        result = earned(programme, left_of(purchase), place.zone)
        if result.points or programme.idle_months:
            due.append(
                Due(purchase, purchase.customer_id, place, programme, result.points, result.gains)
            )
    return due


def _welcomed(ctx: Ctx, due: list[Due], locked: Mapping[UUID, accounts.Locked]) -> list[Due]:
    """The same, where the first purchase that earns for a new member has what campaigns give to
    welcome them. `due` are in their order, the accounts locked."""
    welcoming = {
        number
        for number, one in enumerate(due)
        if one.points
        and rules.earning(ctx, one.purchase.store_id, one.purchase.occurred_at).welcomes
    }
    if not welcoming:
        return due
    new = gains.new_among(ctx.s, {locked[due[number].customer_id].id for number in welcoming})
    found = []
    for number, one in enumerate(due):
        account_id = locked[one.customer_id].id
        if one.points and account_id in new:
            new.remove(account_id)
            if number in welcoming:
                purchase = one.purchase
                programme = rules.earning(ctx, purchase.store_id, purchase.occurred_at).first
                result = earned(programme, left_of(purchase), one.place.zone)
                one = one._replace(programme=programme, points=result.points, gains=result.gains)
        found.append(one)
    return found


def _locked(ctx: Ctx, due: list[Due]) -> dict[UUID, accounts.Locked]:
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
    s: ScopedSession, due: list[Due], locked: dict[UUID, accounts.Locked]
) -> list[Due]:
    """The same, where those of a member beyond what a day may bring earn nothing."""
    stopped = oftens.stopped(
        s,
        [(locked[d.customer_id].id, d.purchase.business_date, d.programme, d.points) for d in due],
    )
    return [d._replace(points=0, gains=()) if n in stopped else d for n, d in enumerate(due)]


def _needing_lots(
    due: Sequence[Due], locked: dict[UUID, accounts.Locked], late: Collection[UUID]
) -> list[UUID]:
    """Customers whose lots matter: a debt is to be paid, an automatic reward comes near, or points
    have ended because the member stayed away, or was thought to.
    """
    ends = {customer: account.idle_at for customer, account in locked.items()}
    most = {customer: account.balance for customer, account in locked.items()}
    need = {c for c, account in locked.items() if account.debt or account.id in late}
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
