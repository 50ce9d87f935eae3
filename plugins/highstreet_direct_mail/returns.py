"""Post that came back: scanned piece by piece; nothing more goes to that address."""

from typing import NamedTuple
from uuid import UUID

from highstreet.sdk import Ctx
from highstreet.sdk import lazy_gettext as _l
from highstreet_direct_mail import scanning
from highstreet_direct_mail.models import RETURNED, Posting, Scan


class Back(NamedTuple):
    """A piece that came back. scan: None where it was scanned before."""

    code: str
    job: Posting
    scan: Scan | None


def came_back(ctx: Ctx, code: str) -> Back:
    """The post returned the piece that bears a code. Scanned twice it is the same. Raises NotFound,
    Conflict for what was never sent."""
    piece = ctx.mailings.came_back(code)
    job = scanning.job_of(ctx, piece.mailing_id)
    customer_id = scanning.whose(ctx, piece.customer_id)
    scan = scanning.write(ctx, RETURNED, piece.code, job, customer_id)
    if scan is not None and customer_id is not None:
        ctx.timeline.write(
            customer_id, "mail-returned", _l("The mailing “%(name)s” came back"),
            occurred_at=ctx.now(), data={"name": job.name}, ref_id=scan.id,
        )  # fmt: skip
    return Back(piece.code or code, job, scan)


def undo(ctx: Ctx, scan_id: UUID) -> Back:
    """It was another one that came back. Done twice it stays done. Raises NotFound."""
    scan = scanning.one(ctx, RETURNED, scan_id)
    job = scanning.job(ctx, scan.posting_id)
    if scan.undone_at is None:
        scan.undone_at = ctx.now()
        scan.actor_id = ctx.scope.actor.id
        ctx.s.flush()
        ctx.mailings.undo_came_back(scan.code)
    return Back(scan.code, job, scan)
