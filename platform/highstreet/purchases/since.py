"""What happened to purchases since a moment, for a tool that was away: see `host.missed`."""

from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa

from highstreet.host.spec import Missing
from highstreet.purchases.models import Return
from highstreet_tenants.sessions import ScopedSession


def returns(s: ScopedSession, since: datetime) -> Iterator[Missing]:
    """Returns, as `purchase_returned` would have heard of them."""
    rows = s.execute(
        sa.select(Return.id, Return.store_id, Return.recorded_at).where(Return.recorded_at >= since)
    )
    for row in rows.all():
        yield Missing(row.recorded_at, row.store_id, {"id": str(row.id)})
