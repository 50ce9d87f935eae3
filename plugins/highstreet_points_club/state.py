"""What the ledger's arithmetic works on: lots, entries, allocations, holds, and an account's state.

Rows are tuples: an import makes hundreds of thousands, and they go to the driver as they are.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal, NamedTuple
from uuid import UUID

from msgspec import Struct

Kind = Literal[
    "earn", "reverse_earn", "burn", "reverse_burn", "hold", "release", "expire", "adjust",
    "revive", "opening", "welcome", "birthday", "forfeit", "merge_out", "merge_in", "unmerge_out",
    "unmerge_in",
]  # fmt: skip
Mint = Callable[[], UUID]

_NEVER = datetime.max.replace(tzinfo=UTC)


class NotEnough(Exception):
    """`wanted` points were to be spent, `spendable` are there."""

    def __init__(self, wanted: int, spendable: int) -> None:
        super().__init__(f"{wanted} points wanted, {spendable} spendable")
        self.wanted = wanted
        self.spendable = spendable


class NotHeld(Exception):
    """The hold is not open: redeemed, released or never made."""


class Lot(NamedTuple):
    """Points that came together: `points` at first (below zero: a debt), `remaining` now.

    `id`: that of the entry which made it. `activates_at`: not spendable before (None: at once).
    `expires_at`: not spendable from then on (None: never). `store_id`: the store that gave them
    and so owes what they buy. `idle`: they end with the account's `idle_at`, too.
    """

    id: UUID
    points: int
    remaining: int
    earned_at: datetime
    activates_at: datetime | None = None
    expires_at: datetime | None = None
    store_id: UUID | None = None
    idle: bool = False


class Entry(NamedTuple):
    """One line of an account. `reverses_id`: the entry that it takes back, in whole or in part."""

    id: UUID
    account_id: UUID
    seq: int
    kind: Kind
    points: int
    at: datetime
    reverses_id: UUID | None = None


class Allocation(NamedTuple):
    """`points` that an entry puts into (above zero) or takes out of a lot made earlier."""

    id: UUID
    entry_id: UUID
    lot_id: UUID
    points: int


class Hold(NamedTuple):
    """Points that entry `id` took for a reward, and the lots they came from."""

    id: UUID
    points: int
    parts: tuple[tuple[UUID, int], ...]


class Lapse(NamedTuple):
    """Idle points that entry `id` booked as gone at `at`, and the lots they were in."""

    id: UUID
    at: datetime
    parts: tuple[tuple[UUID, int], ...]


class AccountState(Struct, frozen=True):
    """An account at one moment.

    `lots` are the open ones in the order they were made, and those that a hold came from; an
    account without debt may be handed to `earn` without them. `holds` are oldest first.
    `last_at`: the latest event; what a late upload leads to (a reward) never happens before it.
    `idle_at`: when `idle` lots end unless the member comes before (None: no day is set).
    """

    id: UUID
    balance: int = 0
    seq: int = 0
    last_at: datetime | None = None
    lots: tuple[Lot, ...] = ()
    holds: tuple[Hold, ...] = ()
    debt: int = 0
    idle_at: datetime | None = None

    def spendable(self, at: datetime) -> int:
        """Points that may be spent at `at`: no debt, active, not lapsed, not held."""
        return sum(lot.remaining for lot in self.lots if is_spendable(lot, at, self.idle_at))

    def pending(self, at: datetime) -> int:
        """Points that become active after `at`."""
        return sum(
            lot.remaining
            for lot in self.lots
            if lot.remaining > 0 and lot.activates_at is not None and lot.activates_at > at
        )

    def held(self) -> int:
        """Points locked by issued rewards; they are no longer in the balance."""
        return sum(hold.points for hold in self.holds)

    def effective(self, at: datetime) -> datetime:
        """When an event of `at` counts: never before what is booked already."""
        return at if self.last_at is None or at > self.last_at else self.last_at

    def faults(self) -> list[str]:
        """What contradicts the invariants of this module; empty for a sound account."""
        open_lots = sum(lot.remaining for lot in self.lots)
        owed = -sum(lot.remaining for lot in self.lots if lot.remaining < 0)
        found = []
        if open_lots != self.balance:
            found.append(f"lots hold {open_lots}, the balance is {self.balance}")
        if owed != self.debt:
            found.append(f"debt lots hold {owed}, the debt is {self.debt}")
        if owed and (self.holds or any(lot.remaining > 0 for lot in self.lots)):
            found.append("points are open or held beside a debt")
        for lot in self.lots:
            if not min(lot.points, 0) <= lot.remaining <= max(lot.points, 0):
                found.append(f"lot {lot.id} of {lot.points} holds {lot.remaining}")
        return found


class Step(NamedTuple):
    """What an event did: the state after it and the rows to add."""

    state: AccountState
    entries: tuple[Entry, ...] = ()
    lots: tuple[Lot, ...] = ()
    allocations: tuple[Allocation, ...] = ()


def end_of(lot: Lot, idle_at: datetime | None) -> datetime | None:
    """When the lot's points are gone, in an account whose idle points end at `idle_at`."""
    if idle_at is None or not lot.idle:
        return lot.expires_at
    return idle_at if lot.expires_at is None else min(lot.expires_at, idle_at)


def is_spendable(lot: Lot, at: datetime, idle_at: datetime | None) -> bool:
    """Whether the lot's points may be spent at `at`."""
    if lot.remaining <= 0 or (lot.activates_at is not None and lot.activates_at > at):
        return False
    end = end_of(lot, idle_at)
    return end is None or end > at


def burn_order(lot: Lot, idle_at: datetime | None) -> tuple[datetime, datetime]:
    """Soonest-expiring first, then oldest; what never expires last."""
    return (end_of(lot, idle_at) or _NEVER, lot.earned_at)


def after_visit(idle_at: datetime | None, promised: datetime | None) -> datetime | None:
    """The account's `idle_at` after a visit that promised points until `promised` (None: always).

    Never earlier than what an earlier visit promised.
    """
    if idle_at is None or promised is None:
        return promised
    return max(idle_at, promised)
