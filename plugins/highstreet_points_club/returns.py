"""Taking back what a purchase earned, when goods come back.

The points of what is left are worked out anew by the rules that the purchase was reckoned by, and
the difference goes: three returns of a third each take back what one return of all takes.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from highstreet.sdk import Ctx, ReturnFact, Statement, new_id, own
from highstreet.sdk import lazy_gettext as _l
from highstreet_points_club import accounts, issuing, ledger, rewards, rules, story
from highstreet_points_club.programme import earned, left_of
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
    f" WHERE p.lot_id = :earn_id AND e.kind = 'expire' AND {own('p')} AND {own('e')}",
    returns="value",
)


@dataclass(frozen=True, slots=True)
class Reversed:
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
    given_back = _rewards_of(ctx, returned)
    if found is None:
        return None if not given_back else Reversed(0, 0, given_back)
    earn_id, account_id, points, rule_id, at_store_id = found
    place = rules.place(ctx, purchase.store_id)
    account = _lock_root(ctx, account_id)
    if account is None:
        return None
    at = _when(returned)
    state = accounts.states(s, [account])[account.id]
    # What has expired by now counts as lapsed, whether or not the nightly sweep came by.
    swept = ledger.expire(state, at, new_id)
    before = -int(_REVERSED(s, earn_id=earn_id))
    lapsed = -int(_LAPSED(s, earn_id=earn_id)) + sum(
        -one.points for one in swept.allocations if one.lot_id == earn_id
    )
    programme = rules.recorded(s, rule_id) if rule_id is not None else None
    still = 0
    if programme is not None:
        still = earned(programme, left_of(purchase), place.zone).points
    due = ledger.due_back(points, before, lapsed, still)
    cause = Cause(
        "reverse_earn", returned.store_id, place.zone, ctx.scope.actor, ctx.now(),
        purchase_id=purchase.id, amount_minor=-returned.amount_minor, rule_id=rule_id,
        key=f"return:{returned.id}",
    )  # fmt: skip
    changes = [Change(account.owner_id, cause, swept)] if swept.entries else []
    state = swept.state
    if due:
        step = ledger.reverse_earn(
            state, due, at, new_id, earn_id=earn_id, left=points - before, store_id=at_store_id
        )
        changes.append(Change(account.owner_id, cause, step))
        state = step.state
    write(s, changes)
    if due:
        _tell(ctx, account, returned, due, at)
    return Reversed(due, state.balance, given_back)


def _rewards_of(ctx: Ctx, returned: ReturnFact) -> tuple[str, ...]:
    purchase = returned.purchase
    if purchase.returned_minor < purchase.total_minor:
        return ()
    names = []
    for reward in issuing.redeemed_in(ctx.s, purchase.id):
        account = _lock_root(ctx, reward.account_id)
        if account is not None:
            rewards.take_back(ctx, account, reward, ctx.now())
            names.append(reward.name)
    return tuple(names)


def _lock_root(ctx: Ctx, account_id: UUID) -> accounts.Locked | None:
    """The account that holds these points now, locked; merges may go on until it is."""
    root = accounts.root(ctx.s, account_id)
    while root is not None:
        account = accounts.lock(ctx.s, [root]).get(root)
        again = accounts.root(ctx.s, root)
        if again == root:
            return account
        root = again
    return None


def _when(returned: ReturnFact) -> datetime:
    """A till's clock may say that goods came back before they were bought."""
    return max(returned.occurred_at, returned.purchase.occurred_at)


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
