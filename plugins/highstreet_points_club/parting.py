"""Two accounts that were merged part again: whether they can exactly, and what that does. Pure.

Lots know where they come from: a lot bears the id of the entry that made it, and entries never
change accounts. So what is left of the lots that came with the other account goes back with it,
and the lots that the kept account made itself, before or since, stay. That is exact as long as no
event since the merge took points of both sorts as if they were one.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from highstreet_points_club.state import AccountState, Entry, Hold, Mint, Step
from highstreet_points_club.work import Work

#: What takes back, or gives back, an earlier entry of the same account.
_REVERSALS = ("release", "reverse_burn", "unmerge_out")
#: What may happen to the other account's own points, as if it had been alone.
_THEIR_OWN = ("reverse_earn", "release", "reverse_burn")


class StillOwed(Exception):
    """Points that were owed when the two merged are held by rewards: they would have to end."""


class Since(NamedTuple):
    """An entry of the kept account, later than the merge. moved: lot → points that it put there."""

    entry: Entry
    moved: Mapping[UUID, int]

    @property
    def made_lot(self) -> bool:
        """Whether it made a lot of its own: an earn's, or a debt's."""
        return self.entry.points != sum(self.moved.values())


def mixed(since: Sequence[Since], theirs: Collection[UUID]) -> Iterator[Since]:
    """Entries that keep the two apart no longer, in order. `theirs`: entries that came along.

    What was taken and put back exactly counts for nothing. Lots expire each by itself. A return of
    what the other bought, or a reward of theirs given back, is theirs, if it moved only their
    points: it would have done the same without the merge.
    """
    undone = _undone(since)
    for one in since:
        if one.entry.kind == "expire" or one.entry.id in undone:
            continue
        about_them = one.entry.reverses_id in theirs
        if not about_them and not any(lot in theirs for lot in one.moved):
            continue
        alone = all(lot in theirs for lot in one.moved) and not one.made_lot
        if not (about_them and alone and one.entry.kind in _THEIR_OWN):
            yield one


def _undone(since: Sequence[Since]) -> set[UUID]:
    """Pairs of entries of which the second took back to the point what the first had done."""
    before = {one.entry.id: one for one in since}
    found: set[UUID] = set()
    for one in since:
        first = before.get(one.entry.reverses_id) if one.entry.reverses_id else None
        if (
            first is not None
            and one.entry.kind in _REVERSALS
            and {lot: -points for lot, points in one.moved.items()} == dict(first.moved)
        ):
            found |= {one.entry.id, first.entry.id}
    return found


def unmerge(
    kept: AccountState,
    gone: AccountState,
    theirs: Collection[UUID],
    merged: Hold,
    at: datetime,
    mint: Mint,
) -> tuple[Step, Step]:
    """Give `gone` back what is left of the lots and holds in `theirs`; the rest stays with `kept`.

    merged: the entry by which the points came, with what it paid then of either's debts: those
    debts are open again, and their points back. `kept` must hold the lots of that. Of the day on
    which idle points end both keep the one that holds now, for nothing that was promised gets
    shorter. Gives the step of `kept` and the step of `gone`. Raises StillOwed.
    """
    paid = dict(merged.parts)
    leaving = Work(kept, at, mint)
    leaving.lapse()
    moved = sum(
        lot.remaining - paid.get(lot.id, 0) for lot in leaving.lots.values() if lot.id in theirs
    )
    out = leaving.enter("unmerge_out", -moved, reverses_id=merged.id)
    for lot_id, points in merged.parts:
        leaving.allocate(out, lot_id, -points)
    lots = {lot_id: lot for lot_id, lot in leaving.lots.items() if lot_id in theirs}
    holds = tuple(one for one in leaving.holds if one.id in theirs)
    debt = -sum(lot.remaining for lot in lots.values() if lot.remaining < 0)
    leaving.lots = {lot_id: lot for lot_id, lot in leaving.lots.items() if lot_id not in theirs}
    leaving.holds = tuple(one for one in leaving.holds if one.id not in theirs)
    leaving.debt -= debt
    if leaving.holds and leaving.debt > leaving.open_points():
        raise StillOwed
    leaving.settle(out)
    leaving.lapse()
    stays = leaving.step()
    arriving = Work(replace(gone, idle_at=stays.state.idle_at), leaving.at, mint)
    entry = arriving.enter("unmerge_in", moved, reverses_id=out.id)
    arriving.lots.update(lots)
    arriving.holds = holds
    arriving.debt += debt
    arriving.settle(entry)
    arriving.lapse()
    return stays, arriving.step()
