"""Taking back what a purchase earned, when goods come back.

The points of what is left are worked out anew by the rules that the purchase was reckoned by, and
the difference goes: three returns of a third each take back what one return of all takes.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from highstreet.sdk import Ctx, ReturnFact, ScopedSession, Statement, new_id, own
from highstreet.sdk import lazy_gettext as _l
from highstreet_points_club import accounts, gains, issuing, ledger, rewards, rules, story
from highstreet_points_club.programme import NOTHING, earned, left_of
from highstreet_points_club.writing import Cause, Change, write

_EARNED = Statement(
    "SELECT e.id, e.account_id, e.points, e.rule_id, e.at_store_id FROM points_club_entry AS e"
    f" WHERE e.purchase_id = :purchase_id AND e.kind = 'earn' AND {own('e')}",
    returns="row",
    types={"id": UUID, "account_id": UUID, "rule_id": UUID, "at_store_id": UUID},
)
_REVERSED = Statement(
    "SELECT COALESCE(SUM(e.points), 0) FROM points_club_entry AS e"
    f" WHERE e.reverses_id = :earn_id AND e.kind = 'reverse_earn' AND {own('e')}",
    returns="value",
)
_LAPSED = Statement(
    "SELECT COALESCE(SUM(p.points), 0) FROM points_club_allocation AS p"
    " JOIN points_club_entry AS e ON e.brand_id = p.brand_id AND e.id = p.entry_id"
    " WHERE p.lot_id = :earn_id AND (e.kind = 'expire' OR e.kind = 'revive' AND p.points > 0)"
    f" AND {own('p')} AND {own('e')}",
    returns="value",
)
_IS_IDLE = Statement(
    f"SELECT l.idle FROM points_club_lot AS l WHERE l.id = :earn_id AND {own('l')}",
    returns="value",
)
_NOTED = Statement(
    f"SELECT 1 FROM points_club_entry AS e WHERE e.idem_key = :key AND {own('e')}",
    returns="value",
)


class Reversed(Struct, frozen=True):
    """What a return took back. given_back: names of rewards whose points returned with it."""

    points: int
    balance: int
    given_back: tuple[str, ...] = ()


def reverse(ctx: Ctx, returned: ReturnFact) -> Reversed | None:
    """Take back what the returned part of a purchase earned; None if it earned nothing.

    A purchase that comes back whole also gives back the rewards that were redeemed with it. Said
    twice, it is done once: what is left decides, not how often it is told.
    """
    s, purchase = ctx.s, returned.purchase
    found = _EARNED(s, purchase_id=purchase.id)
    used = _used(ctx, returned)
    if found is None and not used:
        return None
    concerned = [one.account_id for one in used] + ([found[1]] if found else [])
    locked = _lock_roots(ctx, concerned)
    given_back = _give_back(ctx, used, locked)
    if found is None:
        return Reversed(0, 0, given_back)
    earn_id, account_id, points, rule_id, at_store_id = found
    account = locked.get(account_id)
    if account is None:
        return None
    # What was given back may have changed it since.
    account = accounts.lock(s, [account.id])[account.id]
    place = rules.place(ctx, purchase.store_id)
    at = _when(ctx, returned)
    state = accounts.states(s, [account])[account.id]
    # What has expired by now counts as lapsed, whether or not the nightly sweep came by.
    swept = ledger.expire(state, at, new_id)
    before = -int(_REVERSED(s, earn_id=earn_id))
    lapsed = -int(_LAPSED(s, earn_id=earn_id)) + sum(
        -one.points for one in swept.allocations if one.lot_id == earn_id
    )
    programme = rules.recorded(s, rule_id) if rule_id is not None else None
    left = NOTHING
    if programme is not None:
        left = earned(programme, left_of(purchase), place.zone)
    still = left.points
    due = ledger.due_back(points, before, lapsed, still)
    cause = Cause(
        "reverse_earn", returned.store_id, place.zone, ctx.scope.actor, ctx.now(),
        purchase_id=purchase.id, amount_minor=-returned.amount_minor, rule_id=rule_id,
        key=f"return:{returned.id}",
    )  # fmt: skip
    changes = [Change(account, cause, swept)] if swept.entries else []
    state = swept.state
    if due:
        step = ledger.reverse_earn(
            state, due, at, new_id, earn_id=earn_id, left=points - before, store_id=at_store_id
        )
        campaigns = gains.taken_back(s, earn_id, left.gains, due)
        taking = cause._replace(gains=campaigns, at_store_id=at_store_id)
        changes.append(Change(account, taking, step))
        state = step.state
    if ledger.due_back(points, before, 0, still) > due:
        note = ledger.note_return(state, at, new_id, earn_id=earn_id)
        changes += _noted(s, Change(account, cause, note), earn_id)
    write(ctx, changes)
    if due:
        _tell(ctx, account, returned, due, at)
    return Reversed(due, state.balance, given_back)


def _noted(s: ScopedSession, note: Change, earn_id: UUID) -> list[Change]:
    """A note that goods came back whose points had lapsed, once. It matters for idle points only:
    those could come back (see `reviving`).
    """
    key = f"{note.cause.key}:lapsed"
    if not _IS_IDLE(s, earn_id=earn_id) or _NOTED(s, key=key) is not None:
        return []
    return [note._replace(cause=note.cause._replace(key=key))]


def _used(ctx: Ctx, returned: ReturnFact) -> list[issuing.Issued]:
    """Rewards that were redeemed with a purchase of which nothing is left."""
    purchase = returned.purchase
    if purchase.returned_minor < purchase.total_minor:
        return []
    return issuing.redeemed_in(ctx.s, purchase.id)


def _give_back(
    ctx: Ctx, used: Sequence[issuing.Issued], locked: Mapping[UUID, accounts.Locked]
) -> tuple[str, ...]:
    at = ctx.now()
    for reward in used:
        account = accounts.lock(ctx.s, [locked[reward.account_id].id])
        rewards.take_back(ctx, next(iter(account.values())), reward, at)
    return tuple(reward.name for reward in used)


def _lock_roots(ctx: Ctx, ids: Sequence[UUID]) -> dict[UUID, accounts.Locked]:
    """For each account the one that holds its points now, all locked in order.

    Merges may go on until the locks are held, so it looks again.
    """
    s = ctx.s
    while True:
        roots = {one: accounts.root(s, one) for one in ids}
        locked = accounts.lock(s, {root for root in roots.values() if root is not None})
        if all(accounts.root(s, one) == root for one, root in roots.items()):
            return {one: locked[root] for one, root in roots.items() if root is not None}


def _when(ctx: Ctx, returned: ReturnFact) -> datetime:
    """A till's clock may say that goods came back before they were bought, or will tomorrow."""
    return min(max(returned.occurred_at, returned.purchase.occurred_at), ctx.now())


def _tell(
    ctx: Ctx, account: accounts.Locked, returned: ReturnFact, points: int, at: datetime
) -> None:
    story.tell_many(
        ctx,
        [
            story.Event(
                account, returned.store_id, "points-returned",
                _l("Points taken back for a return: %(points)s"), at, returned.id,
                {"points": points},
            )
        ],
    )  # fmt: skip
