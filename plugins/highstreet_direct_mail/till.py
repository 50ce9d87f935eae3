"""What the till shows: the offer that a member has at home, and codes taken lately, with undo."""

from datetime import datetime, timedelta
from uuid import UUID

from flask import render_template
from markupsafe import Markup

from highstreet.sdk import (
    Ctx,
    CustomerFact,
    Deed,
    Deeds,
    Statement,
    address,
    current,
    format_day,
    own,
)
from highstreet.sdk import gettext as _
from highstreet_direct_mail import answers

UNDO_WITHIN = timedelta(hours=24)
_LATELY = Statement(
    "SELECT a.id, a.at, a.customer_id, a.undone_at, a.actor_id, j.name"
    " FROM direct_mail_scan AS a"
    " JOIN direct_mail_posting AS j ON j.brand_id = a.brand_id AND j.id = a.posting_id"
    " WHERE a.kind = 'answered' AND a.at_store_id = :at_store AND a.at >= :since"
    f" AND a.customer_id IS NOT NULL AND {own('a')} AND {own('j')}"
    " ORDER BY a.at DESC LIMIT :most",
    types={
        "id": UUID, "at": datetime, "customer_id": UUID, "undone_at": datetime, "actor_id": UUID,
    },
)  # fmt: skip


def deeds(ctx: Ctx, limit: int) -> Deeds:
    """Codes taken in this store lately."""
    if ctx.store_id is None:
        return Deeds()
    now = ctx.now()
    rows = _LATELY(ctx.s, at_store=ctx.store_id, since=now - 2 * UNDO_WITHIN, most=limit)
    return Deeds(
        own=[
            Deed(
                at=at,
                customer_id=customer_id,
                what=_("Code of “%(name)s” taken", name=name),
                undo_url=address(ctx, "undo_code", scan_id=scan_id)
                if undone_at is None and at >= now - UNDO_WITHIN
                else "",
                undone=undone_at is not None,
                by=by,
            )
            for scan_id, at, customer_id, undone_at, by, name in rows
        ]
    )


def member(ctx: Ctx, customer: CustomerFact) -> Markup | None:
    """The letter that the member in hand may answer, with a field for its code."""
    if ctx.store_id is None or not current.may("direct_mail.redeem"):
        return None
    found = answers.open_for(ctx, customer.id)
    if not found:
        return None
    place = ctx.store()
    return Markup(
        render_template(
            "direct_mail/_member.html",
            letters=[
                (job.offer or job.name, job.name, format_day(until, place)) for job, until in found
            ],
            action=address(ctx, "take_code"),
            customer=customer,
        )
    )
