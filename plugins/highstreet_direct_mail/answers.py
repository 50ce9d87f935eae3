"""Codes that come back: at a till, each once, and undone where it was a mistake."""

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from highstreet.sdk import (
    Conflict,
    Ctx,
    business_date,
    format_day,
)
from highstreet.sdk import gettext as _
from highstreet.sdk import lazy_gettext as _l
from highstreet_direct_mail import scanning
from highstreet_direct_mail.models import ANSWERED, Posting, Scan

#: Pieces of a customer that the till looks through.
_NEWEST = 5


class Answered(NamedTuple):
    """A code that was taken. customer_id: whom the piece was meant for, None if they are erased."""

    scan: Scan
    job: Posting
    customer_id: UUID | None


def last_day(ctx: Ctx, job: Posting, sent_at: datetime) -> date:
    """The last of this place's days on which a code of the job counts."""
    return business_date(sent_at, ctx.store().zone) + timedelta(days=job.response_days)


def redeem(ctx: Ctx, code: str, pos_ref: str | None = None) -> Answered:
    """Take a code at this store's till. pos_ref: the receipt that it stands beside; else the
    customer's latest purchase here today, if there is one.

    Raises NotFound for a code or receipt that is not here, Conflict for one that was used, never
    sent, or has ended, with the day.
    """
    place = ctx.store()
    if place.store_id is None:
        raise Conflict(_("Codes are taken in a store."))
    piece = ctx.mailings.piece(code)
    job = scanning.job_of(ctx, piece.mailing_id)
    if piece.state not in ("sent", "returned") or piece.sent_at is None:
        raise Conflict(_("This piece was never sent."))
    until = last_day(ctx, job, piece.sent_at)
    day = business_date(ctx.now(), place.zone)
    if day > until:
        raise Conflict(_("Its offer ended on %(day)s.", day=format_day(until, place)))
    customer_id = scanning.whose(ctx, piece.customer_id)
    purchase_id = _purchase(ctx, customer_id, pos_ref, day)
    scan = scanning.write(ctx, ANSWERED, piece.code, job, customer_id, purchase_id)
    if scan is None:
        raise _used(ctx, piece.code)
    if customer_id is not None:
        title = _l("Answered the mailing “%(name)s”")
        _tell(ctx, customer_id, "mail-answered", title, job, scan)
    return Answered(scan, job, customer_id)


def undo(ctx: Ctx, scan_id: UUID) -> Answered:
    """It was a mistake: the code counts no more, and may be taken again. Done twice it stays done.
    Raises NotFound for what was not taken in this store."""
    scan = scanning.one(ctx, ANSWERED, scan_id)
    job = scanning.job(ctx, scan.posting_id)
    if scan.undone_at is None:
        scan.undone_at = ctx.now()
        scan.actor_id = ctx.scope.actor.id
        ctx.s.flush()
        if scan.customer_id is not None:
            title = _l("Answer to the mailing “%(name)s” taken back")
            _tell(ctx, scan.customer_id, "mail-answer-undone", title, job, scan)
    return Answered(scan, job, scan.customer_id)


def _purchase(ctx: Ctx, customer_id: UUID | None, pos_ref: str | None, day: date) -> UUID | None:
    if pos_ref and ctx.store_id is not None:
        return ctx.purchases.by_ref(ctx.store_id, pos_ref).id
    if customer_id is None:
        return None
    latest = ctx.purchases.of_customer(customer_id, limit=5)
    return next(
        (one.id for one in latest if (one.store_id, one.business_date) == (ctx.store_id, day)),
        None,
    )


def _used(ctx: Ctx, code: str | None) -> Conflict:
    before = ctx.s.scalar(
        sa.select(Scan).where(Scan.code == code, Scan.kind == ANSWERED, Scan.undone_at.is_(None))
    )
    if before is None:
        return Conflict(_("This code was used already."))
    when = format_day(before.day, ctx.store())
    if before.at_store_id in (None, ctx.store_id):
        return Conflict(_("This code was used already, on %(day)s.", day=when))
    where = ctx.shops([before.at_store_id])[before.at_store_id].name
    return Conflict(
        _("This code was used already, on %(day)s in %(store)s.", day=when, store=where)
    )


def _tell(ctx: Ctx, customer_id: UUID, kind: str, title: Any, job: Posting, scan: Scan) -> None:
    ctx.timeline.write(
        customer_id, kind, title, occurred_at=ctx.now(), data={"name": job.name}, ref_id=scan.id
    )


def open_for(ctx: Ctx, customer_id: UUID) -> list[tuple[Posting, date]]:
    """Jobs whose piece went to a customer and may still be answered, with the last day: of their
    newest few."""
    pieces = [
        one
        for one in ctx.mailings.of_customer(customer_id, most=_NEWEST)
        if one.state == "sent" and one.sent_at is not None
    ]
    if not pieces:
        return []
    meant = sa.select(Posting).where(Posting.mailing_id.in_([one.mailing_id for one in pieces]))
    jobs = {one.mailing_id: one for one in ctx.s.scalars(meant)}
    taken = scanning.counted(ctx, ANSWERED, [one.code for one in pieces])
    today = business_date(ctx.now(), ctx.store().zone)
    found = []
    for piece in pieces:
        job = jobs.get(piece.mailing_id)
        if job is None or piece.code in taken or piece.sent_at is None:
            continue
        until = last_day(ctx, job, piece.sent_at)
        if until >= today:
            found.append((job, until))
    return found
