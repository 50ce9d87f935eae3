"""The club in sums over stores, for head office: never a person, and nothing of fewer than five.

Each figure counts the people that it is about, for a store with many members may have handed a
reward to one. The brand's sum is on no page, but follows from its sales; so a store that is hidden
is not hidden alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, tzinfo
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet.sdk import Scope, ScopedSession, aggregates, bought
from highstreet_points_club.lasting import morning
from highstreet_points_club.models import Account, Allocation, Entry, Lot, Reward
from highstreet_points_club.rules import NAME

OWED = f"{NAME}.owed"
GIVEN = f"{NAME}.given"
WAITING = f"{NAME}.waiting"
HANDED_OVER = f"{NAME}.handed_over"
_KEYS = ("store_id",)


def _select(*columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return sa.select(*columns)


@aggregates.aggregate(OWED, people="people", keys=_KEYS, across="store_id")
def _owed(scope: Scope, *, at: datetime) -> sa.Select[Any]:
    """Points of each store that members can still spend, now or later."""
    return (
        _select(
            Lot.at_store_id.label("store_id"),
            sa.func.count(Lot.account_id.distinct()).label("people"),
            sa.func.sum(Lot.remaining).label("points"),
        )
        .join(Account, sa.and_(Account.brand_id == Lot.brand_id, Account.id == Lot.account_id))
        .where(
            *scope.owns(Lot),
            *scope.owns(Account),
            Lot.remaining > 0,
            sa.or_(Lot.expires_at.is_(None), Lot.expires_at > at),
            sa.or_(~Lot.idle, Account.idle_at.is_(None), Account.idle_at > at),
        )
        .group_by(Lot.at_store_id)
    )


@aggregates.aggregate(GIVEN, people="people", keys=_KEYS, across="store_id")
def _given(scope: Scope, *, first: date, last: date) -> sa.Select[Any]:
    """Points that each store gave for purchases from `first` to `last` (business dates)."""
    # By purchases, for they are found by day.
    receipts = bought.table
    return (
        _select(
            receipts.c.store_id,
            sa.func.count(Entry.account_id.distinct()).label("people"),
            sa.func.sum(Entry.points).label("points"),
        )
        .select_from(receipts)
        .join(
            Entry,
            sa.and_(
                Entry.brand_id == receipts.c.brand_id,
                Entry.purchase_id == receipts.c.id,
                Entry.kind == "earn",
            ),
        )
        .where(
            *scope.owns(receipts),
            *scope.owns(Entry),
            receipts.c.business_date.between(first, last),
        )
        .group_by(receipts.c.store_id)
    )


@aggregates.aggregate(HANDED_OVER, people="people", keys=_KEYS, across="store_id")
def _handed_over(scope: Scope, *, since: datetime, until: datetime) -> sa.Select[Any]:
    """Rewards that each store handed over from `since` to `until` (UTC) and did not take back."""
    return (
        _select(
            Reward.redeemed_store_id.label("store_id"),
            sa.func.count(Reward.account_id.distinct()).label("people"),
            sa.func.count().label("rewards"),
        )
        .where(
            *scope.owns(Reward),
            Reward.status == "redeemed",
            Reward.redeemed_at >= since,
            Reward.redeemed_at < until,
        )
        .group_by(Reward.redeemed_store_id)
    )


@aggregates.aggregate(WAITING, people="people", keys=_KEYS, across="store_id")
def _waiting(scope: Scope, *, at: datetime, currency: str) -> sa.Select[Any]:
    """Rewards that wait to be handed over, by the store that gave their points; a reward with
    points of several is in each. minor: that store's share of what those in `currency` are worth.
    """
    share = Reward.value_minor * -Allocation.points / sa.cast(Reward.points, sa.Float())
    return (
        _select(
            Lot.at_store_id.label("store_id"),
            sa.func.count(Reward.account_id.distinct()).label("people"),
            sa.func.count(Reward.id.distinct()).label("rewards"),
            sa.func.sum(sa.case((Reward.currency == currency, share), else_=0)).label("minor"),
        )
        .select_from(Reward)
        .join(
            Allocation,
            sa.and_(Allocation.brand_id == Reward.brand_id, Allocation.entry_id == Reward.id),
        )
        .join(Lot, sa.and_(Lot.brand_id == Allocation.brand_id, Lot.id == Allocation.lot_id))
        .where(
            *scope.owns(Reward),
            *scope.owns(Allocation),
            *scope.owns(Lot),
            Reward.status == "issued",
            sa.or_(Reward.ends_at.is_(None), Reward.ends_at > at),
        )
        .group_by(Lot.at_store_id)
    )


class Open(NamedTuple):
    """What a store still owes: of how many members how much. many is None where that is about
    fewer than five of them. minor: what rewards are worth."""

    many: int | None
    people: int | None
    minor: int | None = None


class Sums(Struct):
    """One store in sums; a figure is None where it is about fewer than five people.

    members: with points to spend. points: theirs. given, rewards: in the period.
    """

    store_id: UUID | None
    members: int | None = 0
    points: int | None = 0
    given: int | None = 0
    rewards: int | None = 0


class Span(NamedTuple):
    """Days from `first` to `last`, as they are in `zone`; points are counted as they stand `at`."""

    first: date
    last: date
    zone: tzinfo
    at: datetime

    @property
    def since(self) -> datetime:
        """Its first moment (UTC)."""
        return morning(self.first, 0, self.zone)

    @property
    def until(self) -> datetime:
        """The first moment after it (UTC)."""
        return morning(self.last, 1, self.zone)


def by_store(s: ScopedSession, span: Span) -> dict[UUID | None, Sums]:
    """All stores that have anything to tell.

    In a session of `open_totals` small cells are left out; one that reaches the members anyway gets
    every figure.
    """
    found: dict[UUID | None, Sums] = {}

    def cells(name: str, **arguments: Any) -> Iterator[tuple[Sums, Mapping[Any, Any]]]:
        for cell in _cells(s, name, arguments):
            yield found.setdefault(cell["store_id"], Sums(cell["store_id"])), cell

    for sums, cell in cells(OWED, at=span.at):
        sums.members, sums.points = _whole(cell["people"]), _whole(cell["points"])
    for sums, cell in cells(GIVEN, first=span.first, last=span.last):
        sums.given = _whole(cell["points"])
    for sums, cell in cells(HANDED_OVER, since=span.since, until=span.until):
        sums.rewards = _whole(cell["rewards"])
    return found


def open_points(s: ScopedSession, store_id: UUID, at: datetime) -> Open | None:
    """Points of one store that members can still spend, now or later; None where there are none."""
    cell = _cell_of(s, store_id, OWED, {"at": at})
    return None if cell is None else Open(_whole(cell["points"]), _whole(cell["people"]))


def waiting(s: ScopedSession, store_id: UUID, at: datetime, currency: str) -> Open | None:
    """Rewards with points of one store that wait to be handed over; None where there are none."""
    cell = _cell_of(s, store_id, WAITING, {"at": at, "currency": currency})
    if cell is None:
        return None
    minor = None if cell["minor"] is None else round(cell["minor"])
    return Open(_whole(cell["rewards"]), _whole(cell["people"]), minor)


def _cell_of(
    s: ScopedSession, store_id: UUID, name: str, arguments: Mapping[str, Any]
) -> Mapping[Any, Any] | None:
    # The cells of all stores, for which of them are hidden hangs on the others.
    cells = _cells(s, name, arguments)
    return next((cell for cell in cells if cell["store_id"] == store_id), None)


def _cells(
    s: ScopedSession, name: str, arguments: Mapping[str, Any]
) -> Sequence[Mapping[Any, Any]]:
    if s.scope.reach == "aggregate":
        return aggregates.run(s, name, **arguments)
    query = aggregates.registry[name].query
    return s.execute(query(s.scope, **arguments)).mappings().all()


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)
