"""What becomes of an account when its member's records merge, are shown, or are erased."""

from collections.abc import Sequence
from typing import Any

from highstreet.sdk import Ctx, CustomerFact, Statement, new_id, own
from highstreet_points_club import accounts, history, issuing, ledger, rules
from highstreet_points_club.writing import Cause, Change, write

_REPOINT = Statement(
    "UPDATE points_club_account AS a SET customer_id = :customer_id"
    f" WHERE a.id = :id AND {own('a')}",
    returns="none",
)
_MERGED = Statement(
    "UPDATE points_club_account AS a SET customer_id = NULL, merged_into_id = :kept"
    f" WHERE a.id = :id AND {own('a')}",
    returns="none",
)
_MOVE_LOTS = Statement(
    f"UPDATE points_club_lot AS l SET account_id = :kept WHERE l.account_id = :id AND {own('l')}",
    returns="none",
)
_MOVE_REWARDS = Statement(
    "UPDATE points_club_reward AS r SET account_id = :kept"
    f" WHERE r.account_id = :id AND {own('r')}",
    returns="none",
)
_END_REWARDS = Statement(
    "UPDATE points_club_reward AS r SET status = 'lapsed', closed_at = :at"
    f" WHERE r.account_id = :id AND r.status = 'issued' AND {own('r')}",
    returns="count",
)
_FORGET_REASONS = Statement(
    "DELETE FROM points_club_reason AS n WHERE n.entry_id IN"
    " (SELECT e.id FROM points_club_entry AS e"
    f" WHERE e.account_id = :id AND {own('e')}) AND {own('n')}",
    returns="count",
)
_LEAVE = Statement(
    f"UPDATE points_club_account AS a SET customer_id = NULL WHERE a.id = :id AND {own('a')}",
    returns="none",
)


def merge(ctx: Ctx, kept: CustomerFact, gone: CustomerFact) -> int | None:
    """Let `kept` have the points of `gone`; gives the points that moved, None if there are none.

    Lots and rewards change hands as they are, with their expiry and the store that owes them, so
    every card of both goes on working on one balance.
    """
    s = ctx.s
    leaving = accounts.of_customer(s, gone.id)
    if leaving is None:
        return None
    staying = accounts.of_customer(s, kept.id)
    if staying is None:
        accounts.lock(s, [leaving])
        _REPOINT(s, id=leaving, customer_id=kept.id)
        return accounts.lock(s, [leaving])[leaving].balance
    locked = accounts.lock(s, [leaving, staying])
    states = accounts.states(s, list(locked.values()))
    at = ctx.now()
    place = rules.place(ctx)
    stays, leaves = ledger.merge(states[staying], states[leaving], at, new_id)
    owner_id = locked[staying].owner_id
    cause = Cause("merge_in", place.id, place.zone, ctx.scope.actor, at)
    write(s, [Change(owner_id, cause, leaves), Change(owner_id, cause, stays)])
    _MOVE_LOTS(s, id=leaving, kept=staying)
    _MOVE_REWARDS(s, id=leaving, kept=staying)
    _MERGED(s, id=leaving, kept=staying)
    issuing.issue_automatic(ctx, staying, rules.programme(ctx), place, at)
    return -sum(entry.points for entry in leaves.entries if entry.kind == "merge_out")


def export(ctx: Ctx, customer: CustomerFact) -> dict[str, Any]:
    """Everything the points club holds about a member, as JSON-able values."""
    s = ctx.s
    account_id = accounts.of_customer(s, customer.id)
    if account_id is None:
        return {"balance": 0, "entries": [], "rewards": []}
    lines = history.statement(ctx, customer.id)
    return {
        "balance": lines[-1].balance if lines else 0,
        "entries": [
            {
                "at": line.at.isoformat(),
                "kind": line.kind,
                "points": line.points,
                "balance": line.balance,
                "store": line.store,
                "reward": line.reward,
                "reason": line.reason,
            }
            for line in lines
        ],
        "rewards": [
            {
                "name": reward.name,
                "points": reward.points,
                "status": reward.status,
                "issued_at": reward.issued_at.isoformat(),
                "ended_at": reward.closed_at.isoformat() if reward.closed_at else None,
            }
            for reward in issuing.latest_of(s, account_id, 10_000)
        ],
    }


def erase(ctx: Ctx, customer: CustomerFact) -> dict[str, int]:
    """Let points and rewards go and cut the account off from the person; gives counts.

    The entries stay: they hold no personal data, and a store's books need their sums.
    """
    s = ctx.s
    account_id = accounts.of_customer(s, customer.id)
    if account_id is None:
        return {}
    account = accounts.lock(s, [account_id])[account_id]
    place = rules.place(ctx)
    at = ctx.now()
    rewards = _END_REWARDS(s, id=account_id, at=at)
    state = accounts.states(s, [account])[account_id]
    step = ledger.forfeit(state, at, new_id)
    cause = Cause("forfeit", place.id, place.zone, ctx.scope.actor, at)
    write(s, [Change(account.owner_id, cause, step)])
    reasons = sum(_FORGET_REASONS(s, id=one) for one in accounts.lineage(s, account_id))
    _LEAVE(s, id=account_id)
    return {"points": account.balance, "rewards": rewards, "reasons": reasons}


def open_accounts(ctx: Ctx, customers: Sequence[CustomerFact]) -> None:
    """Accounts for new members, so that their first purchases find them."""
    accounts.open_many(ctx.s, [(one.id, one.store_id) for one in customers], ctx.now())
