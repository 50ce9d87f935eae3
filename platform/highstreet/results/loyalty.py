"""How a store's members come back, and how much hangs on a few of them.

Seen by the store's own people: nothing is hidden, and no name is told.
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet.customers.models import Customer
from highstreet.purchases.models import Purchase
from highstreet.results.periods import Period
from highstreet_tenants.sessions import ScopedSession

#: The share of members who are "the best".
TENTH = 0.1


class Repeat(Struct, frozen=True):
    """members: who bought in the period; again: who did so on two business days or more."""

    members: int
    again: int

    @property
    def rate(self) -> float | None:
        """The repeat-purchase rate in per cent, or None where nobody came."""
        return 100 * self.again / self.members if self.members else None


class Leaning(Struct, frozen=True):
    """How much of a period's sales (minor units) came from the best customers.

    members: who bought; the first of them, the `best` tenth (at least one), and all of them.
    """

    members: int
    best: int
    first_minor: int
    best_minor: int
    members_minor: int


def repeat(s: ScopedSession, store_id: UUID, period: Period) -> Repeat:
    """Who came again. Two receipts of one day are one visit; a merged record is one person."""
    person = _person()
    came = (
        _bought(s, store_id, period)
        .with_only_columns(sa.func.count(Purchase.business_date.distinct()).label("days"))
        .group_by(person)
        .subquery()
    )
    row = s.execute(
        sa.select(
            sa.func.count(), sa.func.coalesce(sa.func.sum(sa.case((came.c.days > 1, 1))), 0)
        ).select_from(came)
    ).one()
    return Repeat(int(row[0]), int(row[1]))


def leaning(s: ScopedSession, store_id: UUID, period: Period) -> Leaning:
    """How sales hang on the best customers; all zero where no member bought."""
    net = sa.func.sum(Purchase.total_minor - Purchase.returned_minor)
    spent = [
        int(value)
        for value in s.scalars(
            _bought(s, store_id, period)
            .with_only_columns(net)
            .group_by(_person())
            .having(net > 0)
            .order_by(net.desc())
        )
    ]
    best = max(1, round(len(spent) * TENTH)) if spent else 0
    return Leaning(len(spent), best, sum(spent[:1]), sum(spent[:best]), sum(spent))


def _person() -> sa.ColumnElement[UUID]:
    return sa.func.coalesce(Customer.merged_into, Customer.id)


def _bought(s: ScopedSession, store_id: UUID, period: Period) -> sa.Select[Any]:
    return (
        sa.select(Purchase.id)
        .join(
            Customer,
            sa.and_(Customer.brand_id == Purchase.brand_id, Customer.id == Purchase.customer_id),
        )
        .where(
            *s.scope.owns(Purchase),
            *s.scope.owns(Customer),
            Purchase.store_id == store_id,
            Purchase.business_date.between(period.first, period.last),
        )
    )
