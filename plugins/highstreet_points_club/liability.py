"""What a store owes its members: points it gave that are not yet spent."""

from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from highstreet.sdk import Ctx, Statement, own

_OPEN = Statement(
    "SELECT l.at_store_id, SUM(CASE WHEN l.remaining > 0 AND (l.activates_at IS NULL"
    " OR l.activates_at <= :at) THEN l.remaining ELSE 0 END) AS active,"
    " SUM(CASE WHEN l.remaining > 0 AND l.activates_at > :at THEN l.remaining ELSE 0 END)"
    " AS pending,"
    " -SUM(CASE WHEN l.remaining < 0 THEN l.remaining ELSE 0 END) AS owed,"
    " COUNT(DISTINCT l.account_id) AS members FROM points_club_lot AS l"
    " JOIN points_club_account AS a ON a.brand_id = l.brand_id AND a.id = l.account_id"
    " WHERE l.remaining <> 0 AND (l.expires_at IS NULL OR l.expires_at > :at)"
    " AND (NOT l.idle OR a.idle_at IS NULL OR a.idle_at > :at)"
    f" AND {own('l')} AND {own('a')}"
    " GROUP BY l.at_store_id",
    types={"at_store_id": UUID},
)
_HELD = Statement(
    "SELECT l.at_store_id, -SUM(p.points) AS points FROM points_club_reward AS w"
    " JOIN points_club_allocation AS p ON p.brand_id = w.brand_id AND p.entry_id = w.id"
    " JOIN points_club_lot AS l ON l.brand_id = p.brand_id AND l.id = p.lot_id"
    f" WHERE w.status = 'issued' AND {own('w')} AND {own('p')} AND {own('l')}"
    " GROUP BY l.at_store_id",
    types={"at_store_id": UUID},
)

_LAPSING = Statement(
    "SELECT COUNT(DISTINCT l.account_id), SUM(l.remaining) FROM points_club_lot AS l"
    " JOIN points_club_account AS a ON a.brand_id = l.brand_id AND a.id = l.account_id"
    " WHERE l.at_store_id = :at_store AND l.remaining <> 0 AND l.remaining > 0"
    " AND (l.expires_at > :at AND l.expires_at <= :until"
    "  OR l.idle AND a.idle_at > :at AND a.idle_at <= :until)"
    " AND (l.expires_at IS NULL OR l.expires_at > :at)"
    " AND (NOT l.idle OR a.idle_at IS NULL OR a.idle_at > :at)"
    f" AND {own('l')} AND {own('a')}",
    returns="row",
)


class Liability(NamedTuple):
    """Points that a store gave and owes; None as store: nobody's (brought by head office).

    active, pending: in open lots. held: in rewards that wait to be handed over. owed: what members
    are below zero. members: how many have any of these in open lots.
    """

    store_id: UUID | None
    active: int
    pending: int
    held: int
    owed: int
    members: int

    @property
    def points(self) -> int:
        """All that may still be spent, less what members owe."""
        return self.active + self.pending + self.held - self.owed


def by_store(ctx: Ctx) -> list[Liability]:
    """The liability of each store, the largest first, as far as the scope reaches.

    A store that shares its members with others sees its own line only.
    """
    s = ctx.s
    at = ctx.now()
    held = {row[0]: int(row[1]) for row in _HELD(s)}
    found = {
        row[0]: Liability(
            row[0], int(row[1]), int(row[2]), held.get(row[0], 0), int(row[3]), int(row[4])
        )
        for row in _OPEN(s, at=at)
    }
    for store_id, points in held.items():
        found.setdefault(store_id, Liability(store_id, 0, 0, points, 0, 0))
    lines = sorted(found.values(), key=lambda line: -line.points)
    own_store = ctx.scope.store_id
    return [line for line in lines if own_store is None or line.store_id == own_store]


def lapsing(ctx: Ctx, within: timedelta) -> tuple[int, int]:
    """How many members lose points of this store soon, and how many points; none at head office.

    Those of members who stay away are among them, though a visit would save theirs.
    """
    at_store = ctx.store_id or ctx.scope.store_id
    if at_store is None:
        return 0, 0
    at = ctx.now()
    members, points = _LAPSING(ctx.s, at_store=at_store, at=at, until=at + within)
    return int(members), int(points or 0)
