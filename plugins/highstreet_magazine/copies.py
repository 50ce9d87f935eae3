"""How many copies each printed piece is, frozen when people are worked out; and what becomes of
them as an issue goes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa

from highstreet.sdk import Ctx, EntryIn, bulk, new_id
from highstreet.sdk import lazy_gettext as _l
from highstreet_magazine import issues, publications
from highstreet_magazine.models import Copy, Issue, Publication, Run, Subscription
from highstreet_magazine.names import EMAIL, NAME, PRINT

_TABLE = cast(sa.Table, Copy.__table__)
_CHUNK = 2000
_SENT = ("sent", "returned")
#: Whose wish for several copies still counts: somebody at their door gets the piece.
_SHARED = ("household", "other_edition")
_AGAIN = timedelta(minutes=5)
TOLD = {
    PRINT: _l("%(issue)s sent by post"),
    EMAIL: _l("%(issue)s sent by e-mail"),
}


class _Meant:
    """Copies as they are counted, by run and place: [home store, copies]."""

    def __init__(self) -> None:
        self.rows: dict[tuple[UUID, int], list[Any]] = {}
        self.doors: dict[UUID, tuple[UUID, int]] = {}


def count(ctx: Ctx, publication: Publication, runs: Sequence[Run]) -> None:
    """Write down the copies of each printed piece: as many as anybody at that door wants most."""
    meant = _Meant()
    for run in runs:
        if run.form != PRINT:
            continue
        for pieces in _chunks(ctx, run.mailing_id):
            wanted = _several(ctx, publication, [one.customer_id for one in pieces])
            going = [one for one in pieces if one.state == "ready"]
            homes = ctx.customers.homes(one.customer_id for one in going)
            for one in going:
                key = (run.id, one.place)
                meant.rows[key] = [homes.get(one.customer_id), wanted.get(one.customer_id, 1)]
                if one.household_id is not None:
                    meant.doors[one.household_id] = key
            for one in pieces:
                if one.reason in _SHARED and one.customer_id in wanted and one.household_id:
                    row = meant.rows[meant.doors[one.household_id]]
                    row[1] = max(row[1], wanted[one.customer_id])
    rows = (
        {
            "id": new_id(),
            "run_id": run_id,
            "place": place,
            "home_store_id": home,
            "copies": copies,
        }
        for (run_id, place), (home, copies) in meant.rows.items()
    )
    for chunk in bulk.chunks(rows, 10_000):
        bulk.insert(ctx.s, _TABLE, chunk)


def of_places(ctx: Ctx, run_id: UUID, first: int, last: int) -> Mapping[int, int]:
    """How many copies the pieces from one place to another are, by place."""
    rows = ctx.s.execute(
        sa.select(Copy.place, Copy.copies).where(
            Copy.run_id == run_id, Copy.place.between(first, last)
        )
    )
    return {row[0]: row[1] for row in rows}


def trim(ctx: Ctx, issue_id: UUID) -> int:
    """Let go of the copies that were withheld at the release; gives how many pieces these are."""
    gone = 0
    for run in issues.runs(ctx, issue_id):
        if run.form != PRINT:
            continue
        for pieces in _chunks(ctx, run.mailing_id, late=True):
            done = ctx.s.execute(
                sa.delete(Copy)
                .where(Copy.run_id == run.id, Copy.place.in_([one.place for one in pieces]))
                .execution_options(synchronize_session=False)
            )
            gone += int(getattr(done, "rowcount", 0))
    return gone


def follow(ctx: Ctx, row: Issue) -> None:
    """See that a job looks whether all of it has gone out."""
    ctx.jobs.enqueue("magazine.follow", {"issue": str(row.id)}, subject=str(row.number))


def followed(ctx: Ctx, payload: Mapping[str, Any]) -> None:
    """Look whether all has gone out: then copies that did not go are let go of, and the members'
    stories say what was sent, a chunk of them in each turn."""
    row = issues.get(ctx, UUID(str(payload["issue"])), lock=True)
    if row.told or row.state not in ("released", "stopped"):
        return
    state = issues.standing(ctx, row)
    if state == "paused":
        return  # whoever resumes it has it followed again
    if state == "running":
        ctx.jobs.enqueue("magazine.follow", dict(payload), run_at=ctx.now() + _AGAIN)
        return
    runs = issues.runs(ctx, row.id)
    place, after = int(payload.get("run", 0)), int(payload.get("after", -1))
    if (place, after) == (0, -1):
        trim(ctx, row.id)
    while place < len(runs) and ctx.settings()["story"]:
        pieces = ctx.mailings.pieces(runs[place].mailing_id, after=after, most=_CHUNK, late=False)
        if not pieces:
            place, after = place + 1, -1
            continue
        _tell(ctx, row, runs[place], pieces)
        rest = {"issue": str(row.id), "run": place, "after": pieces[-1].place}
        ctx.jobs.enqueue("magazine.follow", rest, subject=str(row.number))
        return
    row.told = True


def _tell(ctx: Ctx, row: Issue, run: Run, pieces: Sequence[Any]) -> None:
    sent = [one for one in pieces if one.state in _SENT]
    roots = ctx.customers.roots(one.customer_id for one in sent)
    name = issues.named(ctx, row, publications.get(ctx, row.publication_id))
    ctx.timeline.write_many(
        [
            EntryIn(
                roots[one.customer_id].id,
                f"{NAME}-sent",
                TOLD[run.form],
                one.sent_at or ctx.now(),
                roots[one.customer_id].store_id,
                {"issue": name},
                ref_id=row.id,
            )
            for one in sent
            if one.customer_id in roots
        ]
    )


def _several(ctx: Ctx, publication: Publication, ids: Sequence[UUID]) -> dict[UUID, int]:
    """Whoever of them wants more than one copy."""
    rows = ctx.s.execute(
        sa.select(Subscription.customer_id, Subscription.copies).where(
            Subscription.publication_id == publication.id,
            Subscription.form == PRINT,
            Subscription.copies > 1,
            Subscription.customer_id.in_(ids),
        )
    )
    return {row[0]: row[1] for row in rows}


def _chunks(ctx: Ctx, mailing_id: UUID, late: bool | None = None) -> Iterator[Sequence[Any]]:
    after = -1
    while pieces := ctx.mailings.pieces(mailing_id, after=after, most=_CHUNK, late=late):
        yield pieces
        after = pieces[-1].place
