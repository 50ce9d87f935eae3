"""What becomes of subscriptions when two records turn out to be one person's, and part again.

The stricter wish stays: who does not want it gets it no more. Else the later one. What either had
is kept with the row, so that parting gives each back what it had.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet.sdk import Ctx, CustomerFact, new_id
from highstreet_magazine.models import Subscription
from highstreet_magazine.names import NONE

Values = Mapping[str, Any]
_HELD = ("form", "copies", "since", "kept_on", "changed_at", "id")


def merge(ctx: Ctx, kept: CustomerFact, gone: CustomerFact) -> int:
    """Let `kept` have what holds of both; gives how many subscriptions came."""
    theirs = _rows(ctx, gone.id)
    ours = _rows(ctx, kept.id)
    for publication_id, row in theirs.items():
        before, came = ours.get(publication_id), _dump(row)
        note: dict[str, Any] = {
            "gone": str(gone.id),
            "theirs": {**came, "merged": row.merged},
            "kept": _dump(before) if before is not None else None,
        }
        ctx.s.delete(row)
        ctx.s.flush()
        if before is None:
            before = Subscription(
                brand_id=ctx.scope.brand_id,
                id=new_id(),
                store_id=kept.store_id,
                publication_id=publication_id,
                customer_id=kept.id,
                merged=[],
            )
            ctx.s.add(before)
        _load(before, _winner(note["kept"], came))
        before.merged = [*before.merged, note]
    ctx.s.flush()
    return len(theirs)


def unmerge(ctx: Ctx, kept: CustomerFact, gone: CustomerFact) -> int:
    """Give `gone` what it had, and `kept` what it had without it, unless it has chosen since; gives
    how many subscriptions went back."""
    back = 0
    for publication_id, row in _rows(ctx, kept.id).items():
        places = [n for n, note in enumerate(row.merged) if note["gone"] == str(gone.id)]
        if not places:
            continue
        place = places[-1]
        theirs = row.merged[place]["theirs"]
        left, notes = _without(row, place)
        if left is None:
            ctx.s.delete(row)
        else:
            _load(row, left)
            row.merged = notes
        ctx.s.flush()
        again = Subscription(
            brand_id=ctx.scope.brand_id,
            id=UUID(theirs["id"]),
            store_id=gone.store_id,
            publication_id=publication_id,
            customer_id=gone.id,
            merged=theirs["merged"],
        )
        _load(again, theirs)
        ctx.s.add(again)
        ctx.s.flush()
        back += 1
    return back


def _without(row: Subscription, place: int) -> tuple[Values | None, list[Any]]:
    """What the row holds without one of its merges (None: nothing), and the merges that are left.
    What was chosen by hand since stays as it is."""
    notes = [dict(note) for note in row.merged]
    gone = notes.pop(place)
    carried: Values | None = gone["kept"]
    result: Values | None = _winner(gone["kept"], gone["theirs"])
    for note in notes[place:]:
        if not _same(note["kept"], result):
            return _dump(row), notes
        result = _winner(note["kept"], note["theirs"])
        note["kept"] = carried
        carried = _winner(carried, note["theirs"])
    if _same(_dump(row), result):
        return carried, notes
    return _dump(row), notes


def _winner(one: Values | None, other: Values) -> Values:
    if one is None or one["form"] == NONE != other["form"]:
        return other if one is None else one
    if other["form"] == NONE != one["form"]:
        return other
    return max(one, other, key=lambda each: str(each["changed_at"]))


def _same(one: Values | None, other: Values | None) -> bool:
    if one is None or other is None:
        return one is other
    return all(one[name] == other[name] for name in _HELD if name != "id")


def _rows(ctx: Ctx, customer_id: UUID) -> dict[UUID, Subscription]:
    query = sa.select(Subscription).where(Subscription.customer_id == customer_id)
    return {row.publication_id: row for row in ctx.s.scalars(query)}


def _dump(row: Subscription) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "form": row.form,
        "copies": row.copies,
        "since": row.since.isoformat(),
        "kept_on": row.kept_on.isoformat() if row.kept_on else None,
        "changed_at": row.changed_at.isoformat(),
    }


def _load(row: Subscription, values: Values) -> None:
    row.form, row.copies = values["form"], values["copies"]
    row.since = date.fromisoformat(values["since"])
    row.kept_on = date.fromisoformat(values["kept_on"]) if values["kept_on"] else None
    row.changed_at = datetime.fromisoformat(values["changed_at"])
