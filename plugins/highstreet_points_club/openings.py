"""Points that members bring from an earlier programme, out of a file: their opening balances.

Each row goes in once, for the card (or number, phone, e-mail) that it names: a file that is taken
in twice, or under another name, brings nothing twice. The ledger says from which file and row a
balance came.
"""

from collections.abc import Sequence
from datetime import date, datetime
from hashlib import blake2b
from typing import Any, NamedTuple
from uuid import UUID

from highstreet.sdk import (
    Cells,
    Ctx,
    ImportDone,
    ImportKind,
    ImportRow,
    Invalid,
    Statement,
    new_id,
    own,
)
from highstreet.sdk import gettext as _
from highstreet.sdk import lazy_gettext as _l
from highstreet_points_club import accounts, ledger, rules, story
from highstreet_points_club.accounts import Locked
from highstreet_points_club.lasting import morning
from highstreet_points_club.rules import NAME
from highstreet_points_club.state import AccountState, Step
from highstreet_points_club.writing import Cause, Change, write

MOST = 10_000_000
"""Points: more in one balance is a wrong column."""

_KNOWN = Statement(
    "SELECT e.idem_key, e.points FROM points_club_entry AS e"
    f" WHERE e.idem_key IN (SELECT value FROM json_each(:keys)) AND {own('e')}",
    postgresql="SELECT e.idem_key, e.points FROM points_club_entry AS e"
    f" WHERE e.idem_key = ANY(:keys) AND {own('e')}",
)
_ORIGIN = Statement(
    "INSERT INTO points_club_reason (brand_id, id, store_id, entry_id, text, by)"
    " VALUES (:brand_id, :id, :owner_store_id, :entry_id, :text, :by)",
    returns="none",
)


class Opening(NamedTuple):
    """One row: points (below zero: a debt), and the last day they are good; None: by the programme
    that applies when they come.
    """

    points: int
    last_day: date | None = None


class _Brought(NamedTuple):
    account: Locked
    row: ImportRow
    step: Step


def read(cells: Cells) -> Opening:
    """A row of a file of balances. Raises Invalid."""
    points = cells.whole("points")
    if points is None:
        raise Invalid(_("the row says no points"))
    if abs(points) > MOST:
        raise Invalid(_("%(points)s points are beyond %(most)s", points=points, most=MOST))
    return Opening(points, cells.day("expires_on"))


def bring(ctx: Ctx, balances: Sequence[ImportRow]) -> ImportDone:
    """Write opening balances. A row's store is the one that owes the points; without it, nobody.

    Automatic rewards that these points reach come with the next purchase.
    """
    s, at = ctx.s, ctx.now()
    keys = [_key(row) for row in balances]
    before = {key: int(points) for key, points in _KNOWN(s, keys=keys)}
    refused: dict[int, str] = {}
    due: list[tuple[int, ImportRow]] = []
    for place, (row, key) in enumerate(zip(balances, keys, strict=True)):
        words = _refusal(ctx, row, before.get(key), at)
        if words:
            refused[place] = words
        elif row.value.points and key not in before:
            due.append((place, row))
    brought = _step_all(ctx, [row for _place, row in due], at)
    write(
        ctx,
        [Change(one.account, _cause(ctx, one.row, at), one.step) for one in brought],
    )
    _tell(ctx, brought, at)
    return ImportDone(len(due), len(balances) - len(due) - len(refused), refused)


def _refusal(ctx: Ctx, row: ImportRow, before: int | None, at: datetime) -> str:
    """Why a row can't go in; empty if it can, or was there before."""
    points, last_day = row.value
    if before is not None and before != points:
        return _(
            "%(before)s points were brought for this customer before; correct the difference by"
            " hand",
            before=before,
        )
    if before is None and last_day is not None and _end(ctx, row, last_day) <= at:
        return _("these points ended on %(day)s", day=last_day.isoformat())
    return ""


def _step_all(ctx: Ctx, due: Sequence[ImportRow], at: datetime) -> list[_Brought]:
    """What each row does to its account, in their order; accounts are opened and locked."""
    if not due:
        return []
    s = ctx.s
    owners = ctx.customers.roots(row.customer_id for row in due)
    accounts.open_many(s, sorted(set(owners.values()), key=lambda pair: pair[0]), at)
    locked = accounts.lock_of(s, {root for root, _owner in owners.values()})
    states = accounts.states(s, list(locked.values()))
    brought = []
    for row in due:
        account = locked[owners[row.customer_id][0]]
        step = _step(ctx, states[account.id], row, at)
        states[account.id] = step.state
        brought.append(_Brought(account, row, step))
    return brought


def _step(ctx: Ctx, state: AccountState, row: ImportRow, at: datetime) -> Step:
    points, last_day = row.value
    if points < 0:
        return ledger.adjust(state, points, at, new_id, kind="opening", store_id=row.store_id)
    programme, zone = rules.programme(ctx, row.store_id), rules.place(ctx, row.store_id).zone
    return ledger.earn(
        state,
        points,
        at,
        new_id,
        kind="opening",
        expires_at=rules.expires_at(programme, at, zone)
        if last_day is None
        else _end(ctx, row, last_day),
        store_id=row.store_id,
        idle_at=rules.idle_at(programme, at, zone),
    )


def _end(ctx: Ctx, row: ImportRow, last_day: date) -> datetime:
    return morning(last_day, 1, rules.place(ctx, row.store_id).zone)


def _key(row: ImportRow) -> str:
    """By the card or number that the row names: a person may bring what two cards collected."""
    return f"opening:{blake2b(row.key.encode(), digest_size=20).hexdigest()}"


def _cause(ctx: Ctx, row: ImportRow, at: datetime) -> Cause:
    zone = rules.place(ctx, row.store_id).zone
    return Cause("opening", row.store_id, zone, ctx.scope.actor, at, key=_key(row))


def _tell(ctx: Ctx, brought: Sequence[_Brought], at: datetime) -> None:
    """Where each balance came from, on the ledger and in the member's story."""
    by = ctx.scope.actor.name[:120]
    reasons: list[dict[str, Any]] = []
    events = []
    for account, row, step in brought:
        entry_id: UUID = next(one.id for one in step.entries if one.kind == "opening")
        reasons.append(
            {
                "id": new_id(),
                "owner_store_id": account.owner_id,
                "entry_id": entry_id,
                "text": row.origin[-200:],
                "by": by,
            }
        )
        events.append(
            story.Event(
                account, row.store_id, "points-opening",
                _l("Points brought from an earlier programme: %(points)s"), at, entry_id,
                {"points": row.value.points},
            )
        )  # fmt: skip
    _ORIGIN.many(ctx.s, reasons)
    story.tell_many(ctx, events)


BALANCES = ImportKind(
    name=f"{NAME}.balances",
    title=_l("Points that members bring from an earlier programme"),
    columns={
        "points": ("points", "balance", "points_balance", "point_balance"),
        "expires_on": ("expires_on", "expires", "expiry", "expiry_date", "valid_until"),
    },
    needs=("points",),
    days=("expires_on",),
    read=read,
    write=bring,
)
