"""What happened to customers since a moment, for a tool that was away: see `host.missed`."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from highstreet.customers.models import Customer, Erasure, Merge
from highstreet.host.spec import Missing
from highstreet_tenants.sessions import ScopedSession


def merges(s: ScopedSession, since: datetime) -> Iterator[Missing]:
    """Merges that still hold, as `customers_merged` would have heard of them."""
    rows = s.execute(
        sa.select(Merge.at, Merge.keep_id, Merge.gone_id, Customer.home_store_id)
        .join(Customer, Customer.id == Merge.keep_id)
        .where(Merge.at >= since, Merge.undone_at.is_(None))
    )
    for row in rows.all():
        yield Missing(
            row.at, row.home_store_id, {"kept": str(row.keep_id), "gone": str(row.gone_id)}
        )


def erasures(s: ScopedSession, since: datetime) -> Iterator[Missing]:
    """People who were erased, as `erase_customer` would have heard of them."""
    rows = s.execute(
        sa.select(Erasure.at, Erasure.customer_id, Customer.home_store_id)
        .join(Customer, Customer.id == Erasure.customer_id)
        .where(Erasure.at >= since)
    )
    for row in rows.all():
        yield Missing(row.at, row.home_store_id, {"customer": str(row.customer_id)})


def holds(s: ScopedSession, kept: UUID, gone: UUID) -> bool:
    """Whether `gone` is still part of `kept`, also where the person was erased since."""
    return (
        s.scalar(
            sa.select(Merge.id).where(
                Merge.gone_id == gone, Merge.keep_id == kept, Merge.undone_at.is_(None)
            )
        )
        is not None
    )
