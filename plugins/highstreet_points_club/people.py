"""Accounts of members who join, ask what is held about them, or are erased."""

from collections.abc import Sequence
from typing import Any

from highstreet.sdk import Ctx, CustomerFact, Statement, new_id, own
from highstreet.sdk import lazy_gettext as _l
from highstreet_points_club import accounts, history, issuing, ledger, rules
from highstreet_points_club.writing import Cause, Change, write

#: Names and values of the export, for the page on which a member reads what is held: it looks them
#: up in the catalogue.
HELD = (
    *(_l("Balance"), _l("Entries"), _l("Rewards"), _l("At"), _l("Kind"), _l("Points"), _l("Store")),
    *(_l("Reward"), _l("Reason"), _l("Status"), _l("Issued at"), _l("Ended at"), _l("Earn")),
    *(_l("Hold"), _l("Burn"), _l("Release"), _l("Reverse earn"), _l("Reverse burn"), _l("Expire")),
    *(_l("Adjust"), _l("Opening"), _l("Forfeit"), _l("Merge in"), _l("Merge out"), _l("Lapsed")),
    *(_l("Unmerge in"), _l("Unmerge out"), _l("Issued"), _l("Redeemed"), _l("Released")),
    *(_l("Returned"), _l("Welcome"), _l("Birthday")),
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
    "UPDATE points_club_account AS a SET customer_id = NULL, merged_customer_id = NULL"
    f" WHERE a.id = :id AND {own('a')}",
    returns="none",
)


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
                "campaigns": dict(line.campaigns),
            }
            for line in lines
        ],
        "rewards": [
            {
                "reward": reward.name,
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
    nobody = account._replace(customer_id=None)  # of whom nothing is told any more
    write(ctx, [Change(nobody, cause, step)])
    lineage = accounts.lineage(s, account_id)
    reasons = sum(_FORGET_REASONS(s, id=one) for one in lineage)
    for one in lineage:
        _LEAVE(s, id=one)
    return {"points": account.balance, "rewards": rewards, "reasons": reasons}


def open_accounts(ctx: Ctx, customers: Sequence[CustomerFact]) -> None:
    """Accounts for new members, so that their first purchases find them."""
    accounts.open_many(ctx.s, [(one.id, one.store_id) for one in customers], ctx.now())
