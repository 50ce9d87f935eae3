"""The ledger's arithmetic: what each event does to one account. Pure, integers only.

An account's points lie in lots. An entry moves points and says why; it is never changed. A lot
starts with the points that its entry gave it and changes only through allocations, so that

    entry.points     = the lot it made + its allocations      (merges move whole lots instead)
    lot.remaining    = lot.points + its allocations
    account.balance  = Σ its entries = Σ its lots' remaining points

hold at every moment. An entry makes at most one lot, which bears its id; a hold bears the id of
the entry that took its points. A negative balance is a lot too, with points below zero (a debt);
while there is one, no other lot is open and nothing is held. Points that a reward holds have left
their lots: redeeming it moves nothing more, releasing it puts them back into the very same lots.

Every function takes a state and gives a `Step`: the new state and the rows to write. Times are
aware UTC. `mint` makes ids, so that a replay of the same events can make the same ones.
Rows are tuples, not dataclasses: an import makes hundreds of thousands, and a frozen dataclass
takes five times as long to build.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal, NamedTuple
from uuid import UUID

Kind = Literal[
    "earn", "reverse_earn", "burn", "reverse_burn", "hold", "release", "expire", "adjust",
    "opening", "forfeit", "merge_out", "merge_in",
]  # fmt: skip
Mint = Callable[[], UUID]

_NEVER = datetime.max.replace(tzinfo=UTC)
#: No event issues more automatic rewards than this; the rest follow with the next event.
MOST_AT_ONCE = 50


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
    and so owes what they buy.
    """

    id: UUID
    points: int
    remaining: int
    earned_at: datetime
    activates_at: datetime | None = None
    expires_at: datetime | None = None
    store_id: UUID | None = None


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


@dataclass(frozen=True, slots=True)
class AccountState:
    """An account at one moment.

    `lots` are the open ones in the order they were made, and those that a hold came from; an
    account without debt may be handed to `earn` without them. `holds` are oldest first.
    `last_at`: the latest event; what a late upload leads to (a reward) never happens before it.
    """

    id: UUID
    balance: int = 0
    seq: int = 0
    last_at: datetime | None = None
    lots: tuple[Lot, ...] = ()
    holds: tuple[Hold, ...] = ()
    debt: int = 0

    def spendable(self, at: datetime) -> int:
        """Points that may be spent at `at`: no debt, active, not lapsed, not held."""
        return sum(lot.remaining for lot in self.lots if is_spendable(lot, at))

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


def is_spendable(lot: Lot, at: datetime) -> bool:
    """Whether the lot's points may be spent at `at`."""
    return (
        lot.remaining > 0
        and (lot.activates_at is None or lot.activates_at <= at)
        and (lot.expires_at is None or lot.expires_at > at)
    )


def burn_order(lot: Lot) -> tuple[datetime, datetime]:
    """Soonest-expiring first, then oldest; what never expires last."""
    return (lot.expires_at or _NEVER, lot.earned_at)


def earn(
    state: AccountState,
    points: int,
    at: datetime,
    mint: Mint,
    *,
    kind: Kind = "earn",
    activates_at: datetime | None = None,
    expires_at: datetime | None = None,
    store_id: UUID | None = None,
) -> Step:
    """Give `points` (above zero) as a new lot; a debt is paid from it first.

    A late upload keeps the time of its receipt, though what it leads to happens now.
    """
    if points <= 0:
        raise ValueError("an earn gives points")
    entry = Entry(mint(), state.id, state.seq + 1, kind, points, at)
    lot = Lot(entry.id, points, points, at, activates_at, expires_at, store_id)
    if not state.debt:  # the hot path: nothing else is looked at
        after = AccountState(
            state.id,
            state.balance + points,
            entry.seq,
            state.effective(at),
            (*state.lots, lot),
            state.holds,
        )
        return Step(after, (entry,), (lot,))
    work = _Work(state, at, mint)
    work.add(entry, lot)
    work.settle(entry)
    return work.step()


def reverse_earn(
    state: AccountState,
    points: int,
    at: datetime,
    mint: Mint,
    *,
    earn_id: UUID,
    left: int,
    store_id: UUID | None = None,
) -> Step:
    """Take back `points` of the earn entry `earn_id`, of which `left` are not yet taken back.

    Its own lot gives first, then the others in burn order, then what rewards hold (newest first:
    a reward that is no longer earned goes), and what is still missing becomes a debt.
    """
    if not 0 < points <= left:
        raise ValueError(f"{points} points to take back, {left} left of what was earned")
    work = _Work(state, at, mint)
    work.lapse()
    work.take("reverse_earn", points, store_id, earn_id)
    return work.step()


def adjust(
    state: AccountState,
    points: int,
    at: datetime,
    mint: Mint,
    *,
    expires_at: datetime | None = None,
    store_id: UUID | None = None,
) -> Step:
    """Correct by hand: up like an earn, down like a reversal (it may leave a debt)."""
    if not points:
        raise ValueError("an adjustment moves points")
    if points > 0:
        return earn(
            state, points, at, mint, kind="adjust", expires_at=expires_at, store_id=store_id
        )
    work = _Work(state, at, mint)
    work.lapse()
    work.take("adjust", -points, store_id)
    return work.step()


def burn(state: AccountState, points: int, at: datetime, mint: Mint) -> tuple[Step, Hold]:
    """Spend `points` at once. Raises NotEnough. Gives also what `give_back` needs to undo it."""
    return _spend(state, points, at, mint, "burn")


def hold(state: AccountState, points: int, at: datetime, mint: Mint) -> tuple[Step, Hold]:
    """Lock `points` for a reward until it is redeemed or released. Raises NotEnough."""
    return _spend(state, points, at, mint, "hold")


def issue_due(
    state: AccountState, points: int, at: datetime, mint: Mint
) -> tuple[Step, list[Hold]]:
    """Hold `points` for an automatic reward as often as they are there: 20 at 10 each give two."""
    work = _Work(state, at, mint)
    made: list[Hold] = []
    if state.balance >= points:
        work.lapse()
        while len(made) < MOST_AT_ONCE and work.spendable() >= points:
            made.append(work.spend("hold", points))
    return work.step(), made


def redeem(state: AccountState, hold_id: UUID) -> AccountState:
    """The held points are spent for good. No points move. Raises NotHeld."""
    _held(state, hold_id)
    return replace(state, holds=tuple(h for h in state.holds if h.id != hold_id))


def release(state: AccountState, hold_id: UUID, at: datetime, mint: Mint) -> Step:
    """Put held points back into their lots; those that expired meanwhile lapse. Raises NotHeld."""
    found = _held(state, hold_id)
    work = _Work(state, at, mint)
    work.lapse()
    work.settle(work.put_back("release", found))
    work.lapse()
    return work.step()


def give_back(state: AccountState, spent: Hold, at: datetime, mint: Mint) -> Step:
    """Undo a redeemed reward: its points return to their lots, once.

    The caller makes sure of "once" and hands in a state whose lots include those of `spent`.
    """
    work = _Work(state, at, mint)
    work.lapse()
    work.settle(work.put_back("reverse_burn", spent))
    work.lapse()
    return work.step()


def expire(state: AccountState, at: datetime, mint: Mint) -> Step:
    """Book the lots that expired by `at`."""
    work = _Work(state, at, mint)
    work.lapse()
    return work.step()


def forfeit(state: AccountState, at: datetime, mint: Mint) -> Step:
    """Bring an account to nothing (its member is erased): holds end, points and debts go."""
    work = _Work(replace(state, holds=()), at, mint)
    work.lapse()
    if work.balance:
        entry = work.enter("forfeit", -work.balance)
        for lot in list(work.lots.values()):
            work.allocate(entry, lot.id, -lot.remaining)
    return work.step()


def merge(kept: AccountState, gone: AccountState, at: datetime, mint: Mint) -> tuple[Step, Step]:
    """Move all of `gone` to `kept`: lots and holds change hands as they are, then debts are paid.

    Gives the step of `kept` and the step of `gone`. The lots keep their ids, expiry and store.
    """
    if kept.id == gone.id:
        raise ValueError("an account cannot be merged with itself")
    leaving = _Work(gone, at, mint)
    leaving.lapse()
    moved = leaving.balance
    out = leaving.enter("merge_out", -moved)
    left = leaving.step()
    before = left.state
    staying = _Work(kept, before.effective(at), mint)
    staying.lapse()
    entry = staying.enter("merge_in", moved, reverses_id=out.id)
    staying.lots.update({lot.id: lot for lot in before.lots})
    staying.holds = sorted((*staying.holds, *before.holds), key=lambda h: h.id.int)
    staying.debt += before.debt
    staying.settle(entry)
    staying.lapse()
    emptied = replace(before, lots=(), holds=(), debt=0)
    return staying.step(), left._replace(state=emptied)


def due_back(earned: int, reversed_before: int, lapsed: int, still_earns: int) -> int:
    """Points to take back so that a purchase keeps what the rest of it earns; never below zero.

    `lapsed` of its points expired unspent: they are gone already and are not asked for again.
    """
    return max(0, earned - reversed_before - lapsed - still_earns)


def apply_all(steps: Iterable[Step]) -> Step:
    """Several steps of one account, in order, as one."""
    entries: list[Entry] = []
    lots: list[Lot] = []
    allocations: list[Allocation] = []
    state: AccountState | None = None
    for step in steps:
        state = step.state
        entries += step.entries
        lots += step.lots
        allocations += step.allocations
    if state is None:
        raise ValueError("no steps")
    return Step(state, tuple(entries), tuple(lots), tuple(allocations))


def _held(state: AccountState, hold_id: UUID) -> Hold:
    for one in state.holds:
        if one.id == hold_id:
            return one
    raise NotHeld(str(hold_id))


def _spend(
    state: AccountState, points: int, at: datetime, mint: Mint, kind: Kind
) -> tuple[Step, Hold]:
    if points <= 0:
        raise ValueError("spending takes points")
    work = _Work(state, at, mint)
    work.lapse()
    spendable = work.spendable()
    if points > spendable:
        raise NotEnough(points, spendable)
    made = work.spend(kind, points)
    return work.step(), made


class _Work:
    """One event under way: the only place where an account's parts are changed."""

    def __init__(self, state: AccountState, at: datetime, mint: Mint) -> None:
        self.start = state
        self.said = at
        self.at = state.effective(at)
        self.mint = mint
        self.balance = state.balance
        self.debt = state.debt
        self.seq = state.seq
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
        entry = Entry(
            self.mint(), self.start.id, self.seq + 1, kind, points, at or self.at, reverses_id
        )
        self.book(entry)
        return entry

    def book(self, entry: Entry) -> None:
        self.seq = entry.seq
        self.balance += entry.points
        self.entries.append(entry)

    def add(self, entry: Entry, lot: Lot) -> None:
        self.book(entry)
        self.lots[lot.id] = lot
        self.made.append(lot.id)

    def allocate(self, entry: Entry, lot_id: UUID, points: int) -> None:
        if not points:
            return
        lot = self.lots[lot_id]
        if lot.points < 0:
            self.debt -= points
        self.lots[lot_id] = lot._replace(remaining=lot.remaining + points)
        self.allocations.append(Allocation(self.mint(), entry.id, lot_id, points))

    def spendable(self) -> int:
        return sum(lot.remaining for lot in self.lots.values() if is_spendable(lot, self.at))

    def lapse(self) -> None:
        """Book what expired; one entry for the lots that expired together."""
        due: dict[datetime, list[Lot]] = {}
        for lot in self.lots.values():
            if lot.remaining > 0 and lot.expires_at is not None and lot.expires_at <= self.at:
                due.setdefault(lot.expires_at, []).append(lot)
        for moment in sorted(due):
            entry = self.enter("expire", -sum(lot.remaining for lot in due[moment]), at=moment)
            for lot in due[moment]:
                self.allocate(entry, lot.id, -lot.remaining)

    def spend(self, kind: Kind, points: int) -> Hold:
        entry = self.enter(kind, -points)
        ready = [lot for lot in self.lots.values() if is_spendable(lot, self.at)]
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
                *burn_order(lot),
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
        return sum(lot.remaining for lot in self.lots.values() if lot.remaining > 0)

    def _draw(
        self, entry: Entry, lots: Iterable[Lot], points: int, *, ordered: bool = False
    ) -> list[tuple[UUID, int]]:
        """Take up to `points` from `lots`; gives (lot, points below zero) for each."""
        drawn = []
        for lot in lots if ordered else sorted(lots, key=burn_order):
            if not points:
                break
            part = min(points, lot.remaining)
            self.allocate(entry, lot.id, -part)
            drawn.append((lot.id, -part))
            points -= part
        return drawn

    def step(self) -> Step:
        kept = {lot_id for one in self.holds for lot_id, _ in one.parts}
        state = AccountState(
            self.start.id,
            self.balance,
            self.seq,
            self.at if self.entries else self.start.last_at,
            tuple(lot for lot in self.lots.values() if lot.remaining or lot.id in kept),
            tuple(self.holds),
            self.debt,
        )
        return Step(
            state,
            tuple(self.entries),
            tuple(self.lots[made] for made in self.made),
            tuple(self.allocations),
        )
