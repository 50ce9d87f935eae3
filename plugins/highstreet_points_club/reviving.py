"""Points that lapsed because nobody knew yet that their member had been there.

A till that was offline sends a purchase days later. It was made in time, so the idle points that
were booked as lapsed meanwhile come back, into the lots that they were in. What lapsed of a
purchase of which goods were brought back after that stays lapsed: those points would be taken back
at once.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from msgspec.structs import replace

from highstreet.sdk import ScopedSession, Statement, own
from highstreet.sdk import lazy_gettext as _l
from highstreet_points_club import accounts, story
from highstreet_points_club.accounts import Locked
from highstreet_points_club.ledger import AccountState, Lapse, Lot, Step

_TYPES: dict[str, type] = {
    "id": UUID,
    "entry_id": UUID,
    "ended_at": datetime,
    "account_id": UUID,
    "earned_at": datetime,
    "activates_at": datetime,
    "expires_at": datetime,
    "at_store_id": UUID,
    "idle": bool,
}
_REVIVED = (
    "(SELECT COALESCE(SUM(q.points), 0) FROM points_club_entry AS r"
    " JOIN points_club_allocation AS q ON q.brand_id = r.brand_id AND q.entry_id = r.id"
    " WHERE r.reverses_id = e.id AND r.kind = 'revive' AND q.lot_id = p.lot_id AND q.points > 0"
    f" AND {own('r')} AND {own('q')})"
)
# The lots that an idle account's day ended, not their own last day.
_LAPSES_SQL = (
    "SELECT e.id AS entry_id, e.occurred_at AS ended_at,"
    f" -p.points - {_REVIVED} AS gone, l.account_id, l.id, l.points, l.remaining, l.earned_at,"
    " l.activates_at, l.expires_at, l.at_store_id, l.idle FROM points_club_entry AS e"
    " JOIN points_club_allocation AS p ON p.brand_id = e.brand_id AND p.entry_id = e.id"
    " JOIN points_club_lot AS l ON l.brand_id = p.brand_id AND l.id = p.lot_id"
    " WHERE e.account_id {any} AND e.kind = 'expire' AND e.occurred_at > :since AND l.idle"
    " AND (l.expires_at IS NULL OR l.expires_at > e.occurred_at) AND NOT EXISTS"
    " (SELECT 1 FROM points_club_entry AS b WHERE b.reverses_id = l.id AND b.kind = 'reverse_earn'"
    f" AND b.points = 0 AND {own('b')})"
    f" AND {own('e')} AND {own('p')} AND {own('l')} ORDER BY e.id, p.id"
)
_LAPSES = Statement(
    _LAPSES_SQL.format(any="IN (SELECT value FROM json_each(:ids))"),
    postgresql=_LAPSES_SQL.format(any="= ANY(:ids)"),
    types=_TYPES,
)


class Late(NamedTuple):
    """What may come back to an account, and the lots that it was in."""

    lapses: tuple[Lapse, ...] = ()
    lots: tuple[Lot, ...] = ()

    def into(self, state: AccountState) -> AccountState:
        """The state together with those lots."""
        if not self.lots:
            return state
        known = {lot.id for lot in state.lots}
        more = tuple(lot for lot in self.lots if lot.id not in known)
        return replace(state, lots=(*state.lots, *more))


NOTHING = Late()


def late_for(s: ScopedSession, account: Locked, at: datetime) -> Late:
    """What may come back to one account with a visit at `at`."""
    return late(s, [(account, at)]).get(account.id, NOTHING)


def late(s: ScopedSession, visits: Iterable[tuple[Locked, datetime]]) -> dict[UUID, Late]:
    """For each locked account that a visit comes late to: what lapsed since that visit.

    Costs nothing for visits that are not late. Whether they would have saved it, the ledger says.
    """
    since: dict[UUID, datetime] = {}
    for account, at in visits:
        if account.last_at is not None and at < account.last_at:
            since[account.id] = min(at, since.get(account.id, at))
    if not since:
        return {}
    ids = list(accounts.lineages(s, since))
    parts: dict[UUID, dict[UUID, list[Any]]] = {}
    lots: dict[UUID, dict[UUID, Lot]] = {}
    ends: dict[UUID, datetime] = {}
    for entry_id, at, gone, account_id, *lot in _LAPSES(s, ids=ids, since=min(since.values())):
        if gone > 0 and account_id in since and at > since[account_id]:
            made = Lot(*lot)
            ends[entry_id] = at
            lots.setdefault(account_id, {})[made.id] = made
            parts.setdefault(account_id, {}).setdefault(entry_id, []).append((made.id, int(gone)))
    return {
        account_id: Late(
            tuple(Lapse(entry, ends[entry], tuple(found)) for entry, found in of.items()),
            tuple(lots[account_id].values()),
        )
        for account_id, of in parts.items()
    }


def after(found: Late, before: AccountState, step: Step) -> Late:
    """What may come back once a step is done that is not yet written: without what it brought back,
    and with what it booked as gone itself."""
    back = {one.reverses_id for one in step.entries if one.kind == "revive"}
    ends = {one.id: one.at for one in step.entries if one.kind == "expire"}
    if not (back or ends):
        return found
    lots = {lot.id: lot for lot in (*found.lots, *before.lots, *step.lots)}
    parts: dict[UUID, list[tuple[UUID, int]]] = {}
    for allocation in step.allocations:
        at, lot = ends.get(allocation.entry_id), lots.get(allocation.lot_id)
        if at is not None and lot is not None and lot.idle and at != lot.expires_at:
            parts.setdefault(allocation.entry_id, []).append((lot.id, -allocation.points))
    lapses = [one for one in found.lapses if one.id not in back]
    lapses += [Lapse(entry, ends[entry], tuple(gone)) for entry, gone in parts.items()]
    open_now = {lot.id for lot in step.state.lots}
    closed = {lot for one in lapses for lot, _points in one.parts} - open_now
    return Late(tuple(lapses), tuple(lots[one]._replace(remaining=0) for one in sorted(closed)))


def told(account: Locked, store_id: UUID | None, step: Step) -> list[story.Event]:
    """What the member's story is to say of a step; nothing where nothing came back."""
    back = [one for one in step.entries if one.kind == "revive"]
    return [
        story.Event(
            account, store_id, "points-revived", _l("Points that had lapsed are back: %(points)s"),
            one.at, one.id, {"points": one.points},
        )
        for one in back
    ]  # fmt: skip
