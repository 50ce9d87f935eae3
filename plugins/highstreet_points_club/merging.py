"""What becomes of accounts when the records of two members turn out to be one person's."""

from highstreet.sdk import Ctx, CustomerFact, Statement, new_id, own
from highstreet_points_club import accounts, issuing, ledger, rules
from highstreet_points_club.writing import Cause, Change, write

_MERGED = Statement(
    "UPDATE points_club_account AS a SET customer_id = NULL, merged_customer_id = a.customer_id,"
    f" merged_into_id = :kept WHERE a.id = :id AND {own('a')}",
    returns="none",
)
# All of them, for a reward that is given back fills its lots again. A lot bears the id of its
# entry, and entries are found by account: another index of lots would cost something at each sale.
_MOVE_LOTS = Statement(
    "UPDATE points_club_lot AS l SET account_id = :kept WHERE l.account_id = :id AND l.id IN"
    f" (SELECT e.id FROM points_club_entry AS e WHERE e.account_id = :origin AND {own('e')})"
    f" AND {own('l')}",
    returns="none",
)
_MOVE_REWARDS = Statement(
    "UPDATE points_club_reward AS r SET account_id = :kept"
    f" WHERE r.account_id = :id AND {own('r')}",
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
    at = ctx.now()
    # Never re-pointed, though `kept` may have none: what it earns from now on must be its own.
    accounts.open_many(s, [(kept.id, kept.store_id)], at)
    staying = accounts.of_customer(s, kept.id)
    assert staying is not None, "it was just opened"
    locked = accounts.lock(s, [leaving, staying])
    states = accounts.states(s, list(locked.values()))
    place = rules.place(ctx)
    stays, leaves = ledger.merge(states[staying], states[leaving], at, new_id)
    cause = Cause("merge_in", place.id, place.zone, ctx.scope.actor, at)
    write(ctx, [Change(locked[leaving], cause, leaves), Change(locked[staying], cause, stays)])
    for origin in accounts.lineage(s, leaving):
        _MOVE_LOTS(s, id=leaving, kept=staying, origin=origin)
    _MOVE_REWARDS(s, id=leaving, kept=staying)
    _MERGED(s, id=leaving, kept=staying)
    issuing.issue_automatic(ctx, staying, rules.programme(ctx), place, at)
    return -sum(entry.points for entry in leaves.entries if entry.kind == "merge_out")
