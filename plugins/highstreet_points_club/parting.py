"""Two accounts that were merged part again: whether they can exactly, and what that does. Pure.

Lots know where they come from: a lot bears the id of the entry that made it, and entries never
change accounts. So what is left of the lots that came with the other account goes back with it,
and the lots that the kept account made itself, before or since, stay. That is exact as long as no
event since the merge took points of both sorts as if they were one.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace

from highstreet_points_club.state import AccountState, Entry, Hold, Mint, Step
from highstreet_points_club.work import Work

#: What takes back, or gives back, an earlier entry of the same account.
_REVERSALS = ("release", "reverse_burn", "unmerge_out")
#: What may happen to the other account's own points, as if it had been alone.
_THEIR_OWN = ("reverse_earn", "release", "reverse_burn")


class StillOwed(Exception):
    """Points that were owed when the two merged are held by rewards: they would have to end."""


class Since(NamedTuple):
    """An entry of the kept account, the merge or later. moved: lot → points that it put there."""

    entry: Entry
    moved: Mapping[UUID, int]

    @property
    def made_lot(self) -> bool:
        """Whether it made a lot of its own: an earn's, or a debt's."""
        return self.entry.points != sum(self.moved.values())


def mixed(merge: Since, since: Sequence[Since], theirs: Collection[UUID]) -> Iterator[Since]:
    """Entries that keep the two apart no longer, in order.

    merge: the entry by which the points came; since: those after it; theirs: entries that came
    along. What was taken and put back exactly counts for nothing. Lots expire each by itself. A
    return of what the other bought, or a reward of theirs given back, is theirs, if it moved only
    their points and the merge had paid no debt with or for them: then it would have done the same
    alone.
    """
    undone = _undone(since, theirs)
    for one in since:
        if one.entry.kind == "expire" or one.entry.id in undone or _revives(one):
            continue
        if not _about(one, theirs) and not _touches(one, theirs):
            continue
        alone = all(lot in theirs for lot in one.moved) and not one.made_lot
        alone = alone and not _touches(merge, theirs)
        if not (_about(one, theirs) and alone and one.entry.kind in _THEIR_OWN):
            yield one


def _revives(one: Since) -> bool:
    """Whether it put lapsed points back, each into its lot, and paid no debt with them."""
    return one.entry.kind == "revive" and all(points > 0 for points in one.moved.values())


def _about(one: Since, theirs: Collection[UUID]) -> bool:
    return one.entry.reverses_id in theirs


def _touches(one: Since, theirs: Collection[UUID]) -> bool:
    return any(lot in theirs for lot in one.moved)


def _undone(since: Sequence[Since], theirs: Collection[UUID]) -> set[UUID]:
    """Pairs of entries of which the second took back to the point what the first had done.

    Not where the first had taken their points and something about them happened meanwhile: that
    had to make do with other lots of theirs than it would have found without the merge.
    """
    place = {one.entry.id: number for number, one in enumerate(since)}
    found: set[UUID] = set()
    for number, one in enumerate(since):
        before = place.get(one.entry.reverses_id) if one.entry.reverses_id else None
        if before is None or one.entry.kind not in _REVERSALS:
            continue
        first = since[before]
        exactly = {lot: -points for lot, points in one.moved.items()} == dict(first.moved)
        meanwhile = any(_about(between, theirs) for between in since[before + 1 : number])
        if exactly and not (meanwhile and _touches(first, theirs)):
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
