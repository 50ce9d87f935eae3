"""One event under way on one account: the only place where an account's parts are changed."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from highstreet_points_club.state import (
    AccountState,
    Allocation,
    Entry,
    Hold,
    Kind,
    Lapse,
    Lot,
    Mint,
    Step,
    burn_order,
    end_of,
    is_spendable,
)


class Work:
    """Collects what an event does to `state` at `at`; `step` gives it.

    `at` counts from the account's latest event on (`self.at`); entries of the event itself keep
    the time that was said (`self.said`).
    """

    def __init__(self, state: AccountState, at: datetime, mint: Mint) -> None:
        self.start = state
        self.said = at
        self.at = state.effective(at)
        self.mint = mint
        self.balance = state.balance
        self.debt = state.debt
        self.seq = state.seq
        self.idle_at = state.idle_at
        self.lots = {lot.id: lot for lot in state.lots}
        self.holds: Sequence[Hold] = state.holds
        self.entries: list[Entry] = []
        self.made: list[UUID] = []
        self.allocations: list[Allocation] = []

    def enter(
        self,
        kind: Kind,
        points: int,
        *,
        at: datetime | None = None,
        reverses_id: UUID | None = None,
    ) -> Entry:
        """Book an entry, of the event's moment unless it says its own."""
        entry = Entry(
            self.mint(), self.start.id, self.seq + 1, kind, points, at or self.at, reverses_id
        )
        self.book(entry)
        return entry

    def book(self, entry: Entry) -> None:
        """Count an entry in."""
        self.seq = entry.seq
        self.balance += entry.points
        self.entries.append(entry)

    def add(self, entry: Entry, lot: Lot) -> None:
        """Book an entry together with the lot that it makes."""
        self.book(entry)
        self.lots[lot.id] = lot
        self.made.append(lot.id)

    def allocate(self, entry: Entry, lot_id: UUID, points: int) -> None:
        """Put points into a lot, or (below zero) take them out."""
        if not points:
            return
        lot = self.lots[lot_id]
        if lot.points < 0:
            self.debt -= points
        self.lots[lot_id] = lot._replace(remaining=lot.remaining + points)
        self.allocations.append(Allocation(self.mint(), entry.id, lot_id, points))

    def spendable(self) -> int:
        """Points that may be spent now."""
        return sum(
            lot.remaining for lot in self.lots.values() if is_spendable(lot, self.at, self.idle_at)
        )

    def lapse(self) -> None:
        """Book what expired; one entry for the lots that expired together.

        Once the idle ones have ended, the day is over and done with: what a reward gives back to
        them afterwards stays until the next visit sets another.
        """
        due: dict[datetime, list[Lot]] = {}
        for lot in self.lots.values():
            end = end_of(lot, self.idle_at)
            if lot.remaining > 0 and end is not None and end <= self.at:
                due.setdefault(end, []).append(lot)
        if self.idle_at is not None and self.idle_at <= self.at:
            self.idle_at = None
        for moment in sorted(due):
            entry = self.enter("expire", -sum(lot.remaining for lot in due[moment]), at=moment)
            for lot in due[moment]:
                self.allocate(entry, lot.id, -lot.remaining)

    def revive(self, lapses: Iterable[Lapse]) -> None:
        """Put what is said to have lapsed back into its lots; debts are paid from it."""
        for one in lapses:
            entry = self.enter("revive", sum(p for _, p in one.parts), reverses_id=one.id)
            for lot_id, points in one.parts:
                self.allocate(entry, lot_id, points)
            self.settle(entry)

    def spend(self, kind: Kind, points: int) -> Hold:
        """Take spendable points, of which there are enough, for a reward."""
        entry = self.enter(kind, -points)
        ready = [lot for lot in self.lots.values() if is_spendable(lot, self.at, self.idle_at)]
        made = Hold(entry.id, points, tuple(self._draw(entry, ready, points)))
        if kind == "hold":
            self.holds = (*self.holds, made)
        return made

    def take(
        self,
        kind: Kind,
        points: int,
        store_id: UUID | None,
        reverses_id: UUID | None = None,
    ) -> None:
        """Take `points` whether they are there or not."""
        while self.holds and self.open_points() < points:
            self.put_back("release", self.holds[-1])
        entry = self.enter(kind, -points, at=self.said, reverses_id=reverses_id)
        mine = [lot for lot in self.lots.values() if lot.remaining > 0]
        mine.sort(
            key=lambda lot: (
                lot.id != reverses_id,
                lot.activates_at is not None and lot.activates_at > self.at,
                *burn_order(lot, self.idle_at),
            )
        )
        short = points + sum(part[1] for part in self._draw(entry, mine, points, ordered=True))
        if short:
            self.debt += short
            owed = Lot(entry.id, -short, -short, self.at, store_id=store_id)
            self.lots[owed.id] = owed
            self.made.append(owed.id)
        self.lapse()

    def put_back(self, kind: Kind, spent: Hold) -> Entry:
        """Return spent points to the lots they came from."""
        self.holds = tuple(h for h in self.holds if h.id != spent.id)
        entry = self.enter(kind, spent.points, reverses_id=spent.id)
        for lot_id, points in spent.parts:
            self.allocate(entry, lot_id, -points)
        return entry

    def settle(self, entry: Entry) -> None:
        """Pay debts from open lots, and from holds (newest first) when those do not reach."""
        while self.debt:
            ready = [lot for lot in self.lots.values() if lot.remaining > 0]
            paid = -sum(p for _, p in self._draw(entry, ready, min(self.debt, self.open_points())))
            for lot in [lot for lot in self.lots.values() if lot.remaining < 0]:
                part = min(paid, -lot.remaining)
                self.allocate(entry, lot.id, part)
                paid -= part
            if not self.debt or not self.holds:
                return
            entry = self.put_back("release", self.holds[-1])

    def open_points(self) -> int:
        """Points in open lots, active or not."""
        return sum(lot.remaining for lot in self.lots.values() if lot.remaining > 0)

    def _draw(
        self, entry: Entry, lots: Iterable[Lot], points: int, *, ordered: bool = False
    ) -> list[tuple[UUID, int]]:
        """Take up to `points` from `lots`; gives (lot, points below zero) for each."""
        drawn = []
        for lot in lots if ordered else sorted(lots, key=self._order):
            if not points:
                break
            part = min(points, lot.remaining)
            self.allocate(entry, lot.id, -part)
            drawn.append((lot.id, -part))
            points -= part
        return drawn

    def _order(self, lot: Lot) -> tuple[datetime, datetime]:
        return burn_order(lot, self.idle_at)

    def step(self) -> Step:
        """What the event came to."""
        kept = {lot_id for one in self.holds for lot_id, _ in one.parts}
        state = AccountState(
            self.start.id,
            self.balance,
            self.seq,
            self.at if self.entries else self.start.last_at,
            tuple(lot for lot in self.lots.values() if lot.remaining or lot.id in kept),
            tuple(self.holds),
            self.debt,
            self.idle_at,
        )
        return Step(
            state,
            tuple(self.entries),
            tuple(self.lots[made] for made in self.made),
            tuple(self.allocations),
        )
