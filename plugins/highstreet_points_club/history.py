"""Reading an account: balance, what comes next, what lapses, and its whole story."""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from highstreet.sdk import Ctx, Invalid, ScopedSession, Shop, Statement, new_id, own
from highstreet.sdk import gettext as _
from highstreet_points_club import accounts, gains, issuing, ledger, rules
from highstreet_points_club.issuing import Issued
from highstreet_points_club.lasting import last_day_before
from highstreet_points_club.programme import Programme, RewardRule

SOON = timedelta(days=60)
"""How far ahead points that lapse are told."""

_TYPES: dict[str, type] = {
    "id": UUID,
    "expires_at": datetime,
    "activates_at": datetime,
    "at_store_id": UUID,
    "occurred_at": datetime,
    "recorded_at": datetime,
    "business_date": date,
    "reverses_id": UUID,
    "purchase_id": UUID,
    "idle": bool,
}
_ACCOUNT = Statement(
    f"SELECT a.balance, a.idle_at FROM points_club_account AS a WHERE a.id = :id AND {own('a')}",
    returns="row",
    types={"idle_at": datetime},
)
# One row for each day on which points begin or end: few, however many lots there are.
_LOTS = Statement(
    "SELECT l.activates_at, l.expires_at, l.idle, SUM(l.remaining) AS points"
    " FROM points_club_lot AS l"
    # Both conditions: SQLite takes the index of open lots only for the words it was made with.
    f" WHERE l.account_id = :id AND l.remaining <> 0 AND l.remaining > 0 AND {own('l')}"
    " GROUP BY l.activates_at, l.expires_at, l.idle ORDER BY l.expires_at",
    types=_TYPES,
)
_COLUMNS = (
    "e.id, e.seq, e.kind, e.points, e.at_store_id, e.occurred_at, e.recorded_at, e.amount_minor,"
    " e.purchase_id, e.reverses_id, e.actor_kind, w.name AS reward, w.status, n.text AS reason"
)
_JOINS = (
    " LEFT JOIN points_club_reward AS w ON w.brand_id = e.brand_id"
    f" AND w.id = CASE WHEN e.reverses_id IS NULL THEN e.id ELSE e.reverses_id END AND {own('w')}"
    " LEFT JOIN points_club_reason AS n ON n.brand_id = e.brand_id AND n.entry_id = e.id"
    f" AND {own('n')}"
)
_NEWEST = Statement(
    f"SELECT {_COLUMNS} FROM points_club_entry AS e{_JOINS}"
    f" WHERE e.account_id = :account_id AND e.seq < :before AND {own('e')}"
    " ORDER BY e.seq DESC LIMIT :most",
    types=_TYPES,
)
_ALL = Statement(
    f"SELECT {_COLUMNS} FROM points_club_entry AS e{_JOINS}"
    f" WHERE e.account_id = :account_id AND {own('e')} ORDER BY e.seq",
    types=_TYPES,
)
_LAST = 2**62


class Lapsing(NamedTuple):
    """Points that are gone after the day `last_day` (the store's).

    unless_visit: they stay if the member comes before.
    """

    points: int
    last_day: date
    unless_visit: bool = False


class Balance(Struct, frozen=True):
    """A member's points.

    balance: all of them, below zero after a return of spent points. spendable: can be used now.
    pending: count but can't be used yet. held: locked by rewards that wait to be handed over, no
    longer in the balance. next_reward: the cheapest that is not yet within reach, `missing` points
    away. lapsing: what goes within 60 days, soonest first. rewards: those that wait.
    """

    balance: int
    spendable: int
    pending: int
    held: int
    next_reward: RewardRule | None
    missing: int
    lapsing: tuple[Lapsing, ...]
    rewards: tuple[Issued, ...]
    programme: Programme

    @property
    def within_reach(self) -> tuple[RewardRule, ...]:
        """Rewards that the member can ask for now."""
        return tuple(
            rule
            for rule in self.programme.rewards
            if not rule.automatic and rule.points <= self.spendable
        )


class Line(Struct, frozen=True):
    """One line of a member's story. `balance` is the one after it (statement only, else None).

    store: its name, None where the reader may not know (another store's) or it was nobody's deed.
    reward: the name of the reward that it is about. amount_minor: paid (or given back, below zero).
    campaigns: head office's that gave of the points (or of what a return took back), by name.
    """

    id: UUID
    kind: str
    points: int
    at: datetime
    store_id: UUID | None
    store: str | None
    amount_minor: int | None
    purchase_id: UUID | None
    reward: str | None
    status: str | None
    reason: str | None
    balance: int | None = None
    campaigns: tuple[tuple[str, int], ...] = ()


def balance(ctx: Ctx, customer_id: UUID) -> Balance:
    """A customer's points now; all zero without an account."""
    s = ctx.s
    programme = rules.programme(ctx)
    zone = rules.place(ctx).zone
    account_id = accounts.of_customer(s, customer_id)
    if account_id is None:
        return _balance(programme, 0, 0, 0, (), ())
    at = ctx.now()
    waiting = tuple(issuing.open_of(s, account_id))
    ended = [one for one in waiting if not one.automatic and not one.usable(at)]
    if ended:
        total, idle_at, lots = _without(s, account_id, ended, at)
    else:
        total, idle_at = _ACCOUNT(s, id=account_id)
        lots = _LOTS(s, id=account_id)
    spendable = pending = expired = 0
    lapsing: dict[tuple[date, bool], int] = {}
    for activates_at, expires_at, idle, points in lots:
        points = int(points)
        unless_visit = idle and idle_at is not None and (expires_at is None or idle_at < expires_at)
        if unless_visit:
            expires_at = idle_at
        if expires_at is not None and expires_at <= at:
            expired += points  # gone, though the sweep has not come by
            continue
        if activates_at is not None and activates_at > at:
            pending += points
        else:
            spendable += points
        if expires_at is not None and expires_at <= at + SOON:
            key = (last_day_before(expires_at, zone), unless_visit)
            lapsing[key] = lapsing.get(key, 0) + points
    return _balance(
        programme,
        total - expired,
        spendable,
        pending,
        tuple(Lapsing(points, *key) for key, points in sorted(lapsing.items())),
        tuple(one for one in waiting if one.usable(at)),
    )


def _without(
    s: ScopedSession, account_id: UUID, ended: Sequence[Issued], at: datetime
) -> tuple[int, datetime | None, list[tuple[Any, ...]]]:
    """Balance, idle_at and open lots as they are once ended holds are let go, which the next sweep,
    or the next till that asks for a reward, will write."""
    account = accounts.look(s, account_id)
    state = accounts.states(s, [account])[account_id]
    for one in ended:
        state = ledger.release(state, one.id, at, new_id).state
    lots = [lot for lot in state.lots if lot.remaining > 0]
    return (
        state.balance,
        state.idle_at,
        [(lot.activates_at, lot.expires_at, lot.idle, lot.remaining) for lot in lots],
    )


def _balance(
    programme: Programme,
    total: int,
    spendable: int,
    pending: int,
    lapsing: tuple[Lapsing, ...],
    waiting: tuple[Issued, ...],
) -> Balance:
    has = min(total, spendable)
    coming = next((rule for rule in programme.rewards if rule.points > has), None)
    return Balance(
        balance=total,
        spendable=spendable,
        pending=pending,
        held=issuing.sum_points(waiting),
        next_reward=coming,
        missing=coming.points - has if coming else 0,
        lapsing=lapsing,
        rewards=waiting,
        programme=programme,
    )


def page(
    ctx: Ctx, customer_id: UUID, *, before: str | None = None, limit: int = 50
) -> tuple[list[Line], str | None]:
    """A page of a member's story, newest first; gives also the `before` of the next page.

    Entries of accounts that were merged into this one are part of it. A store that shares its
    members with others learns of their entries the points, not where and for what. Raises Invalid
    for a `before` that is not one of ours.
    """
    s = ctx.s
    account_id = accounts.of_customer(s, customer_id)
    if account_id is None:
        return [], None
    limit = max(1, min(limit, 200))
    ids = accounts.lineage(s, account_id)
    places = _places(before, len(ids))
    stories = [
        [(row, which) for row in _NEWEST(s, account_id=one, before=places[which], most=limit + 1)]
        for which, one in enumerate(ids)
    ]
    merged = heapq.merge(*stories, key=_moment, reverse=True)
    found = [one for one, _n in zip(merged, range(limit + 1), strict=False)]
    for row, which in found[:limit]:
        places[which] = row[1]
    shops = _shops(ctx, (row for row, _which in found))
    given = gains.of_entries(ctx, (row[0] for row, _which in found[:limit]))
    lines = [_line(ctx, row, shops, given) for row, _which in found[:limit]]
    return lines, ".".join(map(str, places)) if len(found) > limit else None


def _places(before: str | None, many: int) -> list[int]:
    """For each account, below which `seq` the page begins."""
    places = [_LAST] * many
    if before is not None:
        parts = before.split(".")
        if len(parts) > many or not all(p.isascii() and p.isdigit() and len(p) < 20 for p in parts):
            raise Invalid(_("This page does not exist. Go back to the first one."))
        places[: len(parts)] = [min(int(part), _LAST) for part in parts]
    return places


def _moment(one: tuple[Any, int]) -> tuple[datetime, int]:
    return one[0][6], one[0][1]


def statement(
    ctx: Ctx, customer_id: UUID, *, since: datetime | None = None, until: datetime | None = None
) -> list[Line]:
    """A member's whole story, oldest first, with the balance after each line.

    since, until: lines from then (included) to then (not included); the balance counts from the
    first line ever all the same.
    """
    s = ctx.s
    account_id = accounts.of_customer(s, customer_id)
    if account_id is None:
        return []
    ids = accounts.lineage(s, account_id)
    stories = [[(row, 0) for row in _ALL(s, account_id=one)] for one in ids]
    shops = _shops(ctx, (row for story in stories for row, _which in story))
    given = gains.of_entries(ctx, (row[0] for story in stories for row, _which in story))
    found = []
    total = 0
    for row, _which in heapq.merge(*stories, key=_moment):
        line = _line(ctx, row, shops, given)
        total += line.points
        if (since is None or line.at >= since) and (until is None or line.at < until):
            found.append(replace(line, balance=total))
    return found


def _shops(ctx: Ctx, rows: Iterable[Sequence[Any]]) -> dict[UUID, Shop]:
    return ctx.shops(row[4] for row in rows if row[4] is not None)


def _line(
    ctx: Ctx,
    row: Sequence[Any],
    shops: Mapping[UUID, Shop],
    given: Mapping[UUID, Sequence[tuple[str, int]]],
) -> Line:
    (entry_id, _seq, kind, points, at_store_id, occurred_at, _recorded_at, amount, purchase_id,
     _reverses, _actor, reward, status, reason) = row  # fmt: skip
    mine = ctx.scope.store_id is None or at_store_id in (None, ctx.scope.store_id)
    return Line(
        entry_id,
        kind,
        points,
        occurred_at,
        at_store_id if mine else None,
        shops[at_store_id].name if mine and at_store_id in shops else None,
        amount if mine else None,
        purchase_id if mine else None,
        reward,
        status,
        reason if mine else None,
        campaigns=tuple(given.get(entry_id, ())) if mine else (),
    )
