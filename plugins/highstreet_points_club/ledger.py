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
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from highstreet_points_club.state import (
    AccountState,
    Allocation,
    Entry,
    Hold,
    Kind,
    Lapse,
    Lot,
    Mint,
    NotEnough,
    NotHeld,
    Step,
    after_visit,
)
from highstreet_points_club.work import Work

#: No event issues more automatic rewards than this; the rest follow with the next event.
MOST_AT_ONCE = 50

__all__ = [
    "AccountState",
    "Allocation",
    "Entry",
    "Hold",
    "Lapse",
    "Lot",
    "NotEnough",
    "NotHeld",
    "Step",
    "adjust",
    "after_visit",
    "burn",
    "due_back",
    "earn",
    "expire",
    "forfeit",
    "give_back",
    "hold",
    "issue_due",
    "merge",
    "note_return",
    "redeem",
    "release",
    "reverse_earn",
    "visit",
]


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
    idle_at: datetime | None = None,
    lapsed: Sequence[Lapse] = (),
    heard_at: datetime | None = None,
) -> Step:
    """Give `points` (above zero) as a new lot; a debt is paid from it first.

    A late upload keeps the time of its receipt, though what it leads to happens now; and so it
    does, heard of at `heard_at`, where a till's clock is ahead. idle_at: the
    member's idle points, these among them, stay until then; None: these are not idle ones. lapsed:
    idle points that were booked as gone after `at`; they come back where this visit had saved them
    (the state has their lots).
    """
    if points <= 0:
        raise ValueError("an earn gives points")
    when = _known(at, heard_at)
    away = _was_away(state, when)
    back = _in_time(lapsed, at, idle_at)
    work = Work(state, when, mint) if state.debt or away or back else None
    if work is not None:
        if away:
            work.lapse()
        work.revive(back)
    before = state if work is None else work
    entry = Entry(mint(), state.id, before.seq + 1, kind, points, at)
    lot = Lot(entry.id, points, points, at, activates_at, expires_at, store_id, idle_at is not None)
    ends = before.idle_at
    if idle_at is not None or kind == "earn":
        ends = after_visit(ends, idle_at)
    if work is None:  # the hot path: nothing else is looked at
        after = AccountState(
            state.id,
            state.balance + points,
            entry.seq,
            state.effective(when),
            (*state.lots, lot),
            state.holds,
            idle_at=ends,
        )
        return Step(after, (entry,), (lot,))
    work.idle_at = ends
    work.add(entry, lot)
    work.settle(entry)
    return work.step()


def visit(
    state: AccountState,
    at: datetime,
    mint: Mint,
    *,
    idle_at: datetime | None,
    lapsed: Sequence[Lapse] = (),
    heard_at: datetime | None = None,
) -> Step:
    """The member was here at `at`: idle points stay until `idle_at` (None: no day is set).

    Those of a member who stayed away too long have ended before. lapsed, heard_at: as with `earn`.
    """
    when = _known(at, heard_at)
    work = Work(state, when, mint)
    if _was_away(state, when):
        work.lapse()
    work.revive(_in_time(lapsed, at, idle_at))
    work.idle_at = after_visit(work.idle_at, idle_at)
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
    work = Work(state, at, mint)
    work.lapse()
    work.take("reverse_earn", points, store_id, earn_id)
    return work.step()


def note_return(state: AccountState, at: datetime, mint: Mint, *, earn_id: UUID) -> Step:
    """Goods came back whose points had lapsed: nothing is to be taken, and nothing comes back."""
    work = Work(state, at, mint)
    work.enter("reverse_earn", 0, at=work.said, reverses_id=earn_id)
    return work.step()


def adjust(
    state: AccountState,
    points: int,
    at: datetime,
    mint: Mint,
    *,
    expires_at: datetime | None = None,
    store_id: UUID | None = None,
    idle_at: datetime | None = None,
    kind: Kind = "adjust",
) -> Step:
    """Correct by hand: up like an earn, down like a reversal (it may leave a debt)."""
    if not points:
        raise ValueError("an adjustment moves points")
    if points > 0:
        return earn(
            state, points, at, mint,
            kind=kind, expires_at=expires_at, store_id=store_id, idle_at=idle_at,
        )  # fmt: skip
    work = Work(state, at, mint)
    work.lapse()
    work.take(kind, -points, store_id)
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
    work = Work(state, at, mint)
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
    work = Work(state, at, mint)
    work.lapse()
    work.settle(work.put_back("release", found))
    work.lapse()
    return work.step()


def give_back(state: AccountState, spent: Hold, at: datetime, mint: Mint) -> Step:
    """Undo a redeemed reward: its points return to their lots, once.

    The caller makes sure of "once" and hands in a state whose lots include those of `spent`.
    """
    work = Work(state, at, mint)
    work.lapse()
    work.settle(work.put_back("reverse_burn", spent))
    work.lapse()
    return work.step()


def expire(state: AccountState, at: datetime, mint: Mint) -> Step:
    """Book the lots that expired by `at`."""
    work = Work(state, at, mint)
    work.lapse()
    return work.step()


def forfeit(state: AccountState, at: datetime, mint: Mint) -> Step:
    """Bring an account to nothing (its member is erased): holds end, points and debts go."""
    work = Work(replace(state, holds=()), at, mint)
    work.lapse()
    work.idle_at = None
    if work.balance:
        entry = work.enter("forfeit", -work.balance)
        for lot in list(work.lots.values()):
            work.allocate(entry, lot.id, -lot.remaining)
    return work.step()


def merge(kept: AccountState, gone: AccountState, at: datetime, mint: Mint) -> tuple[Step, Step]:
    """Move all of `gone` to `kept`: lots and holds change hands as they are, then debts are paid.

    Gives the step of `kept` and the step of `gone`. The lots keep their ids, expiry and store; of
    two days on which idle ones end the later counts.
    """
    if kept.id == gone.id:
        raise ValueError("an account cannot be merged with itself")
    leaving = Work(gone, at, mint)
    leaving.lapse()
    moved = leaving.balance
    out = leaving.enter("merge_out", -moved)
    left = leaving.step()
    before = left.state
    staying = Work(kept, before.effective(at), mint)
    staying.lapse()
    entry = staying.enter("merge_in", moved, reverses_id=out.id)
    staying.idle_at = _longer_idle(staying, before)
    staying.lots.update({lot.id: lot for lot in before.lots})
    staying.holds = sorted((*staying.holds, *before.holds), key=lambda h: h.id.int)
    staying.debt += before.debt
    staying.settle(entry)
    staying.lapse()
    emptied = replace(before, lots=(), holds=(), debt=0, idle_at=None)
    return staying.step(), left._replace(state=emptied)


def due_back(earned: int, reversed_before: int, lapsed: int, still_earns: int) -> int:
    """Points to take back so that a purchase keeps what the rest of it earns; never below zero.

    `lapsed` of its points expired unspent: they are gone already and are not asked for again.
    """
    return max(0, earned - reversed_before - lapsed - still_earns)


def _was_away(state: AccountState, at: datetime) -> bool:
    """Whether idle points had ended by `at`; a late upload from before may still save them."""
    return state.idle_at is not None and state.idle_at <= at


def _known(at: datetime, heard_at: datetime | None) -> datetime:
    """When an event counts that was heard of at `heard_at`: not before it has happened."""
    return at if heard_at is None else min(at, heard_at)


def _in_time(
    lapsed: Sequence[Lapse], at: datetime, stays_until: datetime | None
) -> tuple[Lapse, ...]:
    """Those lapses that a visit at `at` had prevented, had it been known: it was before them, and
    what it promised goes beyond them."""
    if stays_until is None:
        return ()
    return tuple(one for one in lapsed if at < one.at < stays_until)


def _longer_idle(staying: Work, leaving: AccountState) -> datetime | None:
    """When the idle points of two accounts that become one end; one without any has no say."""
    sides = ((staying.lots.values(), staying.idle_at), (leaving.lots, leaving.idle_at))
    ends = [idle_at for lots, idle_at in sides if any(lot.idle for lot in lots)]
    dated = [end for end in ends if end is not None]
    return max(dated) if dated and len(dated) == len(ends) else None


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
    work = Work(state, at, mint)
    work.lapse()
    spendable = work.spendable()
    if points > spendable:
        raise NotEnough(points, spendable)
    made = work.spend(kind, points)
    return work.step(), made
