"""What the till says of a member's visits to this store."""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet.customers import queries as customers
from highstreet.purchases.models import Purchase
from highstreet_tenants.sessions import ScopedSession


class Visits(Struct, frozen=True):
    """last: the newest purchase's moment (UTC). this_year: purchases since New Year."""

    last: datetime | None
    this_year: int


def visits(s: ScopedSession, customer_id: UUID, store_id: UUID, today: date) -> Visits:
    """A member's purchases at a store, those of merged records too. Raises NotFound."""
    fact = customers.get(s, customer_id)
    row = s.execute(
        sa.select(
            sa.func.max(Purchase.occurred_at),
            sa.func.coalesce(
                sa.func.sum(sa.case((Purchase.business_date >= date(today.year, 1, 1), 1))), 0
            ),
        ).where(
            Purchase.customer_id.in_(customers.lineage(s, fact.id)),
            Purchase.store_id == store_id,
        )
    ).one()
    return Visits(row[0], int(row[1]))
