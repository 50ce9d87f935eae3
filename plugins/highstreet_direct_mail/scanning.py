"""Reading pieces in: the one place that writes scans, whatever they mean."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from highstreet.sdk import Ctx, NotFound, business_date, new_id
from highstreet.sdk import gettext as _
from highstreet_direct_mail.models import Posting, Scan


def job_of(ctx: Ctx, mailing_id: UUID) -> Posting:
    """The job of a mailing: this place's, or head office's. Raises NotFound."""
    found = ctx.s.scalar(sa.select(Posting).where(Posting.mailing_id == mailing_id))
    if found is None:
        raise NotFound(_("There is no such mail job here."))
    return found


def job(ctx: Ctx, posting_id: UUID) -> Posting:
    """The job that a scan names. Raises NotFound."""
    found = ctx.s.scalar(sa.select(Posting).where(Posting.id == posting_id))
    if found is None:
        raise NotFound(_("There is no such mail job here."))
    return found


def whose(ctx: Ctx, customer_id: UUID) -> UUID | None:
    """Who a piece's customer is now; None if they are erased, or out of reach."""
    root = ctx.customers.roots([customer_id]).get(customer_id)
    if root is None or root.id not in ctx.customers.names([root.id]):
        return None
    return root.id


def write(
    ctx: Ctx, kind: str, code: str | None, of: Posting, customer_id: UUID | None,
    purchase_id: UUID | None = None,
) -> Scan | None:  # fmt: skip
    """Write that a piece was read in here; None where its code counts already.

    The database's unique index decides between two tills at the same moment.
    """
    if code is None or counts(ctx, kind, code):
        return None
    row = Scan(
        brand_id=ctx.scope.brand_id,
        id=new_id(),
        store_id=ctx.s.owner_store_id,
        kind=kind,
        code=code,
        posting_id=of.id,
        customer_id=customer_id,
        came_from=[],
        at_store_id=ctx.store_id,
        purchase_id=purchase_id,
        day=business_date(ctx.now(), ctx.store().zone),
        at=ctx.now(),
        actor_id=ctx.scope.actor.id,
    )
    try:
        with ctx.s.begin_nested():
            ctx.s.add(row)
            ctx.s.flush()
    except IntegrityError:
        return None
    return row


def counts(ctx: Ctx, kind: str, code: str | None) -> bool:
    """Whether a code was read in and counts."""
    return code in counted(ctx, kind, [code])


def counted(ctx: Ctx, kind: str, codes: Sequence[str | None]) -> set[str | None]:
    """Those of codes that were read in and count."""
    return set(
        ctx.s.scalars(
            sa.select(Scan.code).where(
                Scan.kind == kind, Scan.code.in_(codes), Scan.undone_at.is_(None)
            )
        )
    )


def one(ctx: Ctx, kind: str, scan_id: UUID) -> Scan:
    """What was read in at this place, locked. Raises NotFound."""
    found = ctx.s.scalar(
        sa.select(Scan)
        .where(Scan.id == scan_id, Scan.kind == kind, Scan.at_store_id == ctx.store_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound(_("Nothing of that was read in here."))
    return found


def lately(ctx: Ctx, kind: str, most: int = 20) -> Sequence[Scan]:
    """What was read in at this place, the latest first."""
    return ctx.s.scalars(
        sa.select(Scan)
        .where(Scan.kind == kind, Scan.at_store_id == ctx.store_id)
        .order_by(Scan.at.desc(), Scan.id.desc())
        .limit(most)
    ).all()
