"""What a store owes its members: points it gave that are not yet spent."""

from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from highstreet.sdk import Ctx, Statement, own

_OPEN_SQL = (
    "SELECT l.at_store_id, SUM(CASE WHEN l.remaining > 0 AND (l.activates_at IS NULL"
    " OR l.activates_at <= :at) THEN l.remaining ELSE 0 END) AS active,"
    " SUM(CASE WHEN l.remaining > 0 AND l.activates_at > :at THEN l.remaining ELSE 0 END)"
    " AS pending,"
    " -SUM(CASE WHEN l.remaining < 0 THEN l.remaining ELSE 0 END) AS owed,"
    " COUNT(DISTINCT l.account_id) AS members FROM points_club_lot AS l"
    " JOIN points_club_account AS a ON a.brand_id = l.brand_id AND a.id = l.account_id"
    " WHERE l.remaining <> 0 AND (l.expires_at IS NULL OR l.expires_at > :at)"
    " AND (NOT l.idle OR a.idle_at IS NULL OR a.idle_at > :at)"
    f" AND {own('l')} AND {own('a')}{{only}} GROUP BY l.at_store_id"
)
_HELD_SQL = (
    "SELECT l.at_store_id, -SUM(p.points) AS points FROM points_club_reward AS w"
    " JOIN points_club_allocation AS p ON p.brand_id = w.brand_id AND p.entry_id = w.id"
    " JOIN points_club_lot AS l ON l.brand_id = p.brand_id AND l.id = p.lot_id"
    f" WHERE w.status = 'issued' AND {own('w')} AND {own('p')} AND {own('l')}{{only}}"
    " GROUP BY l.at_store_id"
)
_ONE_STORE = " AND l.at_store_id = :at_store"
_TYPES: dict[str, type] = {"at_store_id": UUID}
_OPEN, _OPEN_HERE = (
    Statement(_OPEN_SQL.format(only=only), types=_TYPES) for only in ("", _ONE_STORE)
)
_HELD, _HELD_HERE = (
    Statement(_HELD_SQL.format(only=only), types=_TYPES) for only in ("", _ONE_STORE)
)

# By the days on which lots end, and (where any do) by those on which their members have stayed away
# too long; a lot to which both happen counts for its own. Each reads its stretch of an index.
_LOTS_END = (
    "SELECT l.account_id, l.remaining FROM points_club_lot AS l"
    " JOIN points_club_account AS a ON a.brand_id = l.brand_id AND a.id = l.account_id"
    " WHERE l.at_store_id = :at_store AND l.remaining <> 0 AND l.remaining > 0"
    " AND l.expires_at > :at AND l.expires_at <= :until"
    " AND (NOT l.idle OR a.idle_at IS NULL OR a.idle_at > :at)"
    f" AND {own('l')} AND {own('a')}"
)
_MEMBERS_AWAY = (
    "SELECT m.account_id, m.remaining FROM points_club_account AS b"
    " JOIN points_club_lot AS m ON m.brand_id = b.brand_id AND m.account_id = b.id"
    " WHERE b.idle_at > :at AND b.idle_at <= :until AND m.at_store_id = :at_store AND m.idle"
    " AND m.remaining <> 0 AND m.remaining > 0 AND (m.expires_at IS NULL OR m.expires_at > :until)"
    f" AND {own('b')} AND {own('m')}"
)
_LAPSING, _LAPSING_OR_AWAY = (
    Statement(
        f"SELECT COUNT(DISTINCT x.account_id), SUM(x.remaining) FROM ({lots}) AS x", returns="row"
    )
    for lots in (_LOTS_END, f"{_LOTS_END} UNION ALL {_MEMBERS_AWAY}")
)
_ANY_AWAY = Statement(
    "SELECT 1 FROM points_club_account AS a"
    f" WHERE a.idle_at > :at AND a.idle_at <= :until AND {own('a')} LIMIT 1",
    returns="value",
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
    s, at, own_store = ctx.s, ctx.now(), ctx.scope.store_id
    if own_store is None:
        standing, waiting = _OPEN(s, at=at), _HELD(s)
    else:
        standing = _OPEN_HERE(s, at=at, at_store=own_store)
        waiting = _HELD_HERE(s, at_store=own_store)
    held = {row[0]: int(row[1]) for row in waiting}
    found = {
        row[0]: Liability(
            row[0], int(row[1]), int(row[2]), held.get(row[0], 0), int(row[3]), int(row[4])
        )
        for row in standing
    }
    for store_id, points in held.items():
        found.setdefault(store_id, Liability(store_id, 0, 0, points, 0, 0))
    return sorted(found.values(), key=lambda line: -line.points)


def lapsing(ctx: Ctx, within: timedelta) -> tuple[int, int]:
    """How many members lose points of this store soon, and how many points; none at head office.

    Those of members who stay away are among them, though a visit would save theirs.
    """
    at_store = ctx.store_id
    if at_store is None:
        return 0, 0
    s, at = ctx.s, ctx.now()
    until = at + within
    counted = _LAPSING if _ANY_AWAY(s, at=at, until=until) is None else _LAPSING_OR_AWAY
    members, points = counted(s, at_store=at_store, at=at, until=until)
    return int(members), int(points or 0)
