"""A card that is swiped for strangers: more purchases of one member in a day than are usual.

Counted are purchases that earned, on the store's business date, whichever of the member's cards was
used. The programme says how many are usual, and whether those beyond earn.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

from highstreet.sdk import Ctx, PurchaseFact, ScopedSession, Statement, bought, own
from highstreet_points_club import accounts
from highstreet_points_club.programme import Programme

#: How far back unusual days are listed, and how many of them.
_DAYS, _MOST_LISTED = timedelta(days=30), 20

_COUNT = (
    "SELECT e.account_id, e.business_date, COUNT(*) AS times FROM points_club_entry AS e"
    " WHERE {any} AND e.kind = 'earn' AND e.business_date >= :first AND e.business_date <= :last"
    f" AND {own('e')} GROUP BY e.account_id, e.business_date"
)
_TIMES = Statement(
    _COUNT.format(any="e.account_id IN (SELECT value FROM json_each(:ids))"),
    postgresql=_COUNT.format(any="e.account_id = ANY(:ids)"),
    types={"account_id": UUID, "business_date": date},
)
_MINE = Statement(
    "SELECT 1 FROM points_club_entry AS e"
    f" WHERE e.purchase_id = :purchase_id AND e.kind = 'earn' AND {own('e')}",
    returns="value",
)
# By purchases, for they are found by store and day.
_UNUSUAL = Statement(
    "SELECT p.customer_id, p.business_date, COUNT(*) AS times"
    f" FROM {bought('p')} WHERE p.store_id = :at_store AND p.business_date >= :first"
    f" AND p.customer_id IS NOT NULL AND p.returned_minor < p.total_minor AND {own('p')}"
    " GROUP BY p.customer_id, p.business_date HAVING COUNT(*) > :usual"
    " ORDER BY p.business_date DESC, times DESC, p.customer_id LIMIT :most",
    types={"customer_id": UUID, "business_date": date},
)

Times = dict[tuple[UUID, date], int]


class Often(NamedTuple):
    """The `times`th purchase of a member in a day, which is more than usual. blocked: no points."""

    times: int
    blocked: bool


class UnusualDay(NamedTuple):
    """A day on which a member bought more often than is usual."""

    customer_id: UUID
    on: date
    times: int
    name: str


def of_purchase(ctx: Ctx, programme: Programme, purchase: PurchaseFact) -> Often | None:
    """What a purchase is that may be about to earn; None for a usual one, or one that has earned.

    Locks the member's account where the programme asks, so that of two at once one is the later.
    """
    if not programme.often_most or purchase.customer_id is None:
        return None
    s = ctx.s
    root = ctx.customers.roots([purchase.customer_id])[purchase.customer_id]
    for account in accounts.lock_of(s, [root.id]).values():
        if _MINE(s, purchase_id=purchase.id) is not None:
            return None
        day = purchase.business_date
        return judge(programme, times(s, [account.id], day, day).get((account.id, day), 0))
    return None


def of_basket(ctx: Ctx, programme: Programme, customer_id: UUID, day: date) -> Often | None:
    """What a purchase would be that is not made yet."""
    account_id = accounts.of_customer(ctx.s, customer_id) if programme.often_most else None
    if account_id is None:
        return None
    return judge(programme, times(ctx.s, [account_id], day, day).get((account_id, day), 0))


def times(s: ScopedSession, ids: Iterable[UUID], first: date, last: date) -> Times:
    """How often each account earned on each of the days, with what others did that were merged into
    it; days without are left out."""
    now = accounts.lineages(s, ids)
    found: Times = {}
    for account_id, day, many in _TIMES(s, ids=list(now), first=first, last=last):
        key = (now[account_id], day)
        found[key] = found.get(key, 0) + int(many)
    return found


def stopped(s: ScopedSession, wanted: Sequence[tuple[UUID, date, Programme, int]]) -> set[int]:
    """Places of those (account, day, programme, points) that earn nothing, being one too many.

    They are in the order in which they are to be counted; the accounts are locked.
    """
    days = [day for _account, day, programme, _points in wanted if programme.often_blocks]
    if not days:
        return set()
    counted = times(s, {account for account, *_rest in wanted}, min(days), max(days))
    found = set()
    for place, (account, day, programme, points) in enumerate(wanted):
        if not points:
            continue
        before = counted.get((account, day), 0)
        often = judge(programme, before)
        if often is not None and often.blocked:
            found.add(place)
        else:
            counted[account, day] = before + 1
    return found


def judge(programme: Programme, before: int) -> Often | None:
    """What a purchase is after `before` others on its day; None for a usual one."""
    if not programme.often_most or before < programme.often_most:
        return None
    return Often(before + 1, programme.often_blocks)


def unusual(ctx: Ctx, programme: Programme, today: date) -> list[UnusualDay]:
    """Members who bought here more often than usual on one of the last 30 days, newest first."""
    at_store = ctx.store_id
    if not programme.often_most or at_store is None:
        return []
    rows = _UNUSUAL(
        ctx.s, at_store=at_store, first=today - _DAYS, usual=programme.often_most, most=_MOST_LISTED
    )
    names = ctx.customers.names(row[0] for row in rows)
    return [UnusualDay(who, day, int(many), names[who]) for who, day, many in rows if who in names]
