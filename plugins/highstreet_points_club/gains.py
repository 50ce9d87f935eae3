"""What head office's campaigns gave, by entry: written with it, taken back with it, counted."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet.sdk import Ctx, Scope, ScopedSession, Statement, aggregates, own
from highstreet_points_club import accounts
from highstreet_points_club.models import Entry, Gain

COUNTS = "points_club.campaign"
#: Campaigns with the points of them.
Gains = tuple[tuple[UUID, int], ...]

_TYPES: dict[str, type] = {"campaign_id": UUID, "entry_id": UUID, "account_id": UUID}
_GIVEN = Statement(
    "SELECT g.campaign_id, g.points FROM points_club_gain AS g"
    f" WHERE g.entry_id = :earn_id AND {own('g')}",
    types=_TYPES,
)
_BACK = Statement(
    "SELECT g.campaign_id, g.points FROM points_club_entry AS e"
    " JOIN points_club_gain AS g ON g.brand_id = e.brand_id AND g.entry_id = e.id"
    f" WHERE e.reverses_id = :earn_id AND e.kind = 'reverse_earn' AND {own('e')} AND {own('g')}",
    types=_TYPES,
)
_OF = Statement(
    "SELECT g.entry_id, g.campaign_id, g.points FROM points_club_gain AS g"
    f" WHERE g.entry_id IN (SELECT value FROM json_each(:ids)) AND {own('g')} ORDER BY g.id",
    postgresql="SELECT g.entry_id, g.campaign_id, g.points FROM points_club_gain AS g"
    f" WHERE g.entry_id = ANY(:ids) AND {own('g')} ORDER BY g.id",
    types=_TYPES,
)
_KNOWN = "e.kind IN ('earn', 'opening')"
_OLD = Statement(
    "SELECT DISTINCT e.account_id FROM points_club_entry AS e WHERE e.account_id IN"
    f" (SELECT value FROM json_each(:ids)) AND {_KNOWN} AND {own('e')}",
    postgresql="SELECT DISTINCT e.account_id FROM points_club_entry AS e"
    f" WHERE e.account_id = ANY(:ids) AND {_KNOWN} AND {own('e')}",
    types=_TYPES,
)


def new_among(s: ScopedSession, ids: Iterable[UUID]) -> set[UUID]:
    """Those of these accounts whose members, with all records that became one, never earned on a
    purchase and brought no points along. Lock them first, where the answer is to hold."""
    now = accounts.lineages(s, ids)
    old = {now[row[0]] for row in _OLD(s, ids=list(now))}
    return set(now.values()) - old


def is_new(ctx: Ctx, customer_id: UUID) -> bool:
    """Whether a member has never earned. In a writing session the account is opened and locked, so
    that of two first purchases at the same moment one is."""
    s = ctx.s
    root = ctx.customers.roots([customer_id]).get(customer_id)
    if root is None:
        return False
    if not s.writing:
        account_id = accounts.of_customer(s, root.id)
        return account_id is None or bool(new_among(s, [account_id]))
    accounts.open_many(s, [(root.id, root.store_id)], ctx.now())
    locked = accounts.lock_of(s, [root.id])
    return any(not one.seq or new_among(s, [one.id]) for one in locked.values())


def taken_back(s: ScopedSession, earn_id: UUID, still: Gains, most: int) -> Gains:
    """What campaigns gave an entry and a return takes back (below zero), `most` points in all.

    still: what they give for what is left of the purchase.
    """
    given = dict(_GIVEN(s, earn_id=earn_id))
    if not given and not still:
        return ()
    for campaign_id, points in _BACK(s, earn_id=earn_id):
        given[campaign_id] = given.get(campaign_id, 0) + points
    left = dict(still)
    found = []
    for campaign_id in dict.fromkeys((*given, *left)):
        change = left.get(campaign_id, 0) - given.get(campaign_id, 0)
        if change < 0:
            change = -min(-change, most)
            most += change
        if change:
            found.append((campaign_id, change))
    return tuple(found)


def of_entries(ctx: Ctx, ids: Iterable[UUID]) -> Mapping[UUID, list[tuple[str, int]]]:
    """For each of these entries that campaigns had a part in: (campaign by name, points)."""
    wanted = sorted(set(ids))
    rows = _OF(ctx.s, ids=wanted) if wanted else []
    names = ctx.campaigns.names(row[1] for row in rows) if rows else {}
    found: dict[UUID, list[tuple[str, int]]] = {}
    for entry_id, campaign_id, points in rows:
        found.setdefault(entry_id, []).append((names.get(campaign_id, ""), points))
    return found


@aggregates.aggregate(COUNTS, people="people", keys=("store_id",), across="store_id")
def _counted(scope: Scope, *, campaign_id: UUID) -> sa.Select[Any]:
    """What a campaign gave in each store: purchases, members, points without those taken back."""
    earned = Entry.kind == "earn"
    columns: tuple[sa.ColumnElement[Any], ...] = (
        Gain.at_store_id.label("store_id"),
        sa.func.count(sa.case((earned, Entry.account_id)).distinct()).label("people"),
        sa.func.count(sa.case((earned, Entry.id))).label("purchases"),
        sa.func.sum(Gain.points).label("points"),
    )
    return (
        sa.select(*columns)
        .join(Entry, sa.and_(Entry.brand_id == Gain.brand_id, Entry.id == Gain.entry_id))
        .where(*scope.owns(Gain), *scope.owns(Entry), Gain.campaign_id == campaign_id)
        .group_by(Gain.at_store_id)
    )
