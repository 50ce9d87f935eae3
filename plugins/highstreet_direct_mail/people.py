"""What becomes of scans when customers merge, ask what is held about them, or are erased."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet.sdk import Ctx
from highstreet_direct_mail.models import Posting, Scan


def of_customer(ctx: Ctx, customer_id: UUID) -> Sequence[Scan]:
    """All scans of pieces that were meant for somebody."""
    query = sa.select(Scan).where(Scan.customer_id == customer_id).order_by(Scan.at, Scan.id)
    return ctx.s.scalars(query).all()


def merge(ctx: Ctx, kept_id: UUID, gone_id: UUID) -> int:
    """Records became one: what was `gone`'s is `kept`'s, and remembers whose it was."""
    rows = of_customer(ctx, gone_id)
    for row in rows:
        row.customer_id, row.came_from = kept_id, [*row.came_from, str(gone_id)]
    return len(rows)


def unmerge(ctx: Ctx, kept_id: UUID, gone_id: UUID) -> int:
    """That is taken back: what came with `gone` goes back with it, what came since stays."""
    back = [row for row in of_customer(ctx, kept_id) if str(gone_id) in row.came_from]
    for row in back:
        row.customer_id = gone_id
        row.came_from = row.came_from[: row.came_from.index(str(gone_id))]
    return len(back)


def export(ctx: Ctx, customer_id: UUID) -> dict[str, Any]:
    """Everything that is held, as JSON-able values."""
    rows = of_customer(ctx, customer_id)
    jobs = ctx.s.scalars(sa.select(Posting).where(Posting.id.in_({one.posting_id for one in rows})))
    names = {one.id: one.name for one in jobs}
    return {
        "scans": [
            {
                "kind": one.kind,
                "mailing": names.get(one.posting_id, ""),
                "code": one.code,
                "day": one.day.isoformat(),
                "at": one.at.isoformat(),
                "store_id": str(one.at_store_id) if one.at_store_id else None,
                "purchase_id": str(one.purchase_id) if one.purchase_id else None,
                "undone_at": one.undone_at.isoformat() if one.undone_at else None,
                "came_from": list(one.came_from),
            }
            for one in rows
        ]
    }


def erase(ctx: Ctx, customer_id: UUID) -> int:
    """Cut scans off from somebody: that a code counted stays, whose it was does not."""
    rows = of_customer(ctx, customer_id)
    for row in rows:
        row.customer_id, row.came_from, row.purchase_id = None, [], None
    return len(rows)
