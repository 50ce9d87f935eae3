"""Letting a mailing out: piece by piece in chunks, each asked at the gate once more, each once.

A chunk is one transaction: its pieces are asked, handed to the carrier and written down as sent,
and the next chunk's job is written with them. Whatever is killed when, a piece has one state, and
what is left to do is told by the rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet import jobs
from highstreet.consent import contacts, gate
from highstreet.customers import standing
from highstreet.customers.models import Customer
from highstreet.i18n import gettext as _
from highstreet.jobs import handler
from highstreet.mailings import carriers, drafting, queries, selecting
from highstreet.mailings.facts import MailingFact
from highstreet.mailings.models import Mailing, Piece
from highstreet_tenants import bulk
from highstreet_tenants.base import table_alias
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Conflict
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.sets import by_sets
from highstreet_tenants.trail import record

#: A worker that is killed in it counts as one, too; after these somebody resumes it.
_ATTEMPTS = 20
#: Pieces that one statement changes.
_AT_ONCE = 5_000
#: How soon quiet hours are looked at again.
_LATER = timedelta(minutes=10)


def release(s: ScopedSession, mailing_id: UUID) -> MailingFact:
    """Let an approved mailing go out, from now on. Raises NotFound, Conflict where it is not
    approved, or its content was edited since."""
    row = queries.row(s, mailing_id, lock=True)
    if row.status != "approved":
        raise Conflict(_("A mailing is approved before it is released."))
    drafting.refuse_edited(s, row)
    row.status, row.released_at = "running", now()
    _order(s, row)
    s.flush()
    record(s, "mailing.released", "mailing", row.id, row.name)
    return queries.fact(row)


def pause(s: ScopedSession, mailing_id: UUID) -> None:
    """Hand nothing more over until it is resumed. Raises NotFound, Conflict unless it runs."""
    row = queries.row(s, mailing_id, lock=True)
    if row.status != "running":
        raise Conflict(_("It does not run."))
    row.status = "paused"
    _call_back(s, row, for_good=False)
    s.flush()
    record(s, "mailing.paused", "mailing", row.id, row.name)


def resume(s: ScopedSession, mailing_id: UUID) -> None:
    """Go on where it was paused, or where its job gave up. Raises NotFound, Conflict unless it is
    paused or runs."""
    row = queries.row(s, mailing_id, lock=True)
    if row.status not in ("paused", "running"):
        raise Conflict(_("It is not paused."))
    row.status = "running"
    _order(s, row)
    s.flush()
    record(s, "mailing.resumed", "mailing", row.id, row.name)


def stop(s: ScopedSession, mailing_id: UUID) -> None:
    """Hand nothing over any more, for good; what was sent stays sent. Raises NotFound, Conflict."""
    row = queries.row(s, mailing_id, lock=True)
    if row.status not in ("approved", "running", "paused"):
        raise Conflict(_("Only what is approved, runs or is paused can be stopped."))
    _call_back(s, row, for_good=True)
    _withhold_rest(s, row, "stopped")
    row.status, row.ended_at = "stopped", now()
    s.flush()
    record(s, "mailing.stopped", "mailing", row.id, row.name)


def go_on(s: ScopedSession, mailing_id: UUID) -> int:
    """Hand over the next chunk of a running mailing, and order the one after it; gives how many
    pieces are left. Nothing is done for one that does not run, and in quiet hours it is looked at
    again later. Raises NotFound."""
    row = queries.row(s, mailing_id, lock=True)
    if row.status != "running":
        return 0
    at = now()
    if row.not_after is not None and at > row.not_after:
        _withhold_rest(s, row, "too_late")
        _finish(s, row)
        return 0
    carrier = carriers.of(row.channel)
    if carrier.disturbs and gate.is_quiet(s, row.channel):
        _order(s, row, at + _LATER)
        return _left(s, row)
    chunk = list(
        s.scalars(
            sa.select(Piece)
            .where(Piece.mailing_id == row.id, Piece.state == "ready")
            .order_by(Piece.place)
            .limit(carrier.chunk)
        )
    )
    if chunk:
        _hand_over(s, row, carrier, chunk, at)
    left = _left(s, row)
    if left:
        _order(s, row, at)
    else:
        _finish(s, row)
    return left


def settle(s: ScopedSession, mailing_id: UUID) -> None:
    """Finish a running mailing of which nothing is left to do; its carrier asks. Raises
    NotFound."""
    row = queries.row(s, mailing_id, lock=True)
    if row.status == "running" and not _left(s, row):
        _finish(s, row)


def ended(s: ScopedSession, ids: Sequence[UUID], state: str, reason: str | None) -> None:
    """Write down of pieces that were sent what became of them otherwise: "returned", "failed" or
    "withheld" (late) for a reason. But for what came back nobody was contacted by them."""
    some = sa.and_(Piece.id.in_(ids), Piece.state == "sent", *s.scope.owns(Piece))
    values: dict[str, Any] = {"state": state, "reason": reason}
    if state == "withheld":
        values |= {"late": True, "unit": None, "sent_at": None}
    if state != "returned":
        _not_contacted(s, some)
    s.execute(
        sa.update(Piece).where(some).values(**values).execution_options(synchronize_session=False)
    )


def _finish(s: ScopedSession, row: Mailing) -> None:
    """Nothing is ready any more. What its carrier still has may be stopped, so it runs on."""
    s.flush()
    if not carriers.of(row.channel).holds(s, queries.fact(row)):
        row.status, row.ended_at = "finished", now()
        s.flush()


def _call_back(s: ScopedSession, row: Mailing, *, for_good: bool) -> None:
    """What its carrier has not let out yet is ready again."""
    back = carriers.of(row.channel).call_back(s, queries.fact(row), for_good=for_good)
    for ids in bulk.chunks(back, _AT_ONCE):
        some = sa.and_(Piece.id.in_(ids), Piece.state == "sent", *s.scope.owns(Piece))
        _not_contacted(s, some)
        s.execute(
            sa.update(Piece)
            .where(some)
            .values(state="ready", sent_at=None, batch=None)
            .execution_options(synchronize_session=False)
        )


def _not_contacted(s: ScopedSession, some: sa.ColumnElement[bool]) -> None:
    """Take back that these pieces' people were contacted by them."""
    rows = s.execute(
        sa.select(Piece.mailing_id, Piece.customer_id, Mailing.channel)
        .join(Mailing, sa.and_(Mailing.brand_id == Piece.brand_id, Mailing.id == Piece.mailing_id))
        .where(some, *s.scope.owns(Mailing))
    ).all()
    for mailing_id, channel in {(row.mailing_id, row.channel) for row in rows}:
        people = [row.customer_id for row in rows if row.mailing_id == mailing_id]
        contacts.forget(s, people, channel=channel, used_for=selecting.used_for(mailing_id))


def _hand_over(
    s: ScopedSession, row: Mailing, carrier: carriers.Carrier, chunk: Sequence[Piece], at: datetime
) -> None:
    reasons = _asked_again(s, row, chunk[0].place, chunk[-1].place)
    going = []
    for piece in chunk:
        reason = reasons.get(piece.id, "not_a_customer")
        if reason is None:
            going.append(piece)
        else:
            piece.state, piece.reason, piece.late, piece.unit = "withheld", reason, True, None
    refused = carrier.hand_over(s, queries.fact(row), [queries.piece_fact(one) for one in going])
    batch = (
        s.scalar(sa.select(sa.func.max(Piece.batch)).where(Piece.mailing_id == row.id)) or 0
    ) + 1
    for piece in going:
        if piece.id in refused:
            piece.state, piece.reason = "failed", refused[piece.id]
        else:
            piece.state, piece.sent_at, piece.batch = "sent", at, batch
    s.flush()
    contacts.note(
        s,
        [piece.customer_id for piece in going if piece.state == "sent"],
        channel=row.channel,
        purpose=row.purpose,
        used_for=selecting.used_for(row.id),
        at=at,
    )


def _asked_again(s: ScopedSession, row: Mailing, first: int, last: int) -> dict[UUID, str | None]:
    """By the piece's id, the reason why it must not go out now, None where it may. Whoever is no
    customer any more is missing. An address that changed since is the old one's: it is not asked
    for anew, so a piece goes where it was approved to go, unless that is known to be wrong."""
    piece = table_alias(Piece)
    source, customer = standing.joined(s.scope, piece)
    meant = (
        sa.select(piece.c.id, customer.label("customer_id"))
        .select_from(source)
        .where(
            piece.c.mailing_id == row.id,
            piece.c.place.between(first, last),
            piece.c.state == "ready",
            *s.scope.owns(piece),
        )
        .cte("meant")
    )
    people = _standing_only(s, sa.select(meant.c.customer_id).distinct())
    told = gate.answers(s, people, selecting.asking(row)).cte("told")
    query = sa.select(meant.c.id, told.c.reason).join(
        told, told.c.customer_id == meant.c.customer_id
    )
    with by_sets(s):
        return {row.id: row.reason for row in s.execute(query)}


def _standing_only(s: ScopedSession, ids: Any) -> Any:
    person = table_alias(Customer)
    return sa.select(person.c.id).where(
        person.c.id.in_(ids), person.c.status == "active", *s.scope.owns(person)
    )


def _withhold_rest(s: ScopedSession, row: Mailing, reason: str) -> None:
    s.execute(
        sa.update(Piece)
        .where(Piece.mailing_id == row.id, Piece.state == "ready", *s.scope.owns(Piece))
        .values(state="withheld", reason=reason, late=True, unit=None)
        .execution_options(synchronize_session=False)
    )


def _left(s: ScopedSession, row: Mailing) -> int:
    return (
        s.scalar(
            sa.select(sa.func.count(Piece.id)).where(
                Piece.mailing_id == row.id, Piece.state == "ready"
            )
        )
        or 0
    )


def _order(s: ScopedSession, row: Mailing, run_at: datetime | None = None) -> None:
    """See that a job goes on with it; whoever starts it asks once, however often they press."""
    jobs.enqueue(
        s,
        "core.mailings.release",
        {"mailing": str(row.id)},
        run_at=run_at,
        # A job that orders the next one holds the key itself.
        unique_key=None if run_at else f"core.mailings.release:{row.id}",
        max_attempts=_ATTEMPTS,
        subject=str(row.number),
        store_id=row.store_id,
    )


@handler("core.mailings.release", max_seconds=600)
def release_job(s: ScopedSession, payload: Mapping[str, Any]) -> None:
    """The next chunk of a mailing that runs; one that was paused or stopped meanwhile rests."""
    go_on(s, UUID(str(payload["mailing"])))


JOBS = (release_job,)
