"""What each customer bought, as one derived table: sums, first and last, and classes of five.

Classes (recency, frequency, money) put all who ever bought in order and cut the order in fifths.
Who has the same value is in the same class, the lowest that any of them would be in, whatever the
order of the rows: class = 1 + (rank − 1) · 5 / n in whole numbers, rank as SQL's RANK.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from highstreet.customers import standing
from highstreet.customers.models import Measure
from highstreet_tenants.base import table_alias
from highstreet_tenants.scopes import Scope

CLASSES = ("recency", "frequency", "money")
COLUMNS = ("purchases", "spent_minor", "first_at", "last_at")


def of(scope: Scope, *, classes: bool) -> Any:
    """A select of customer_id (of the record that stands, merges followed) and COLUMNS, with
    CLASSES if asked; a row for each who ever bought within the scope."""
    measure = table_alias(Measure)
    source, customer = standing.joined(scope, measure)
    found = (
        sa.select(
            customer.label("customer_id"),
            sa.cast(sa.func.sum(measure.c.purchases), sa.BigInteger()).label("purchases"),
            sa.cast(sa.func.sum(measure.c.spent_minor), sa.BigInteger()).label("spent_minor"),
            sa.func.min(measure.c.first_at, type_=Measure.first_at.type).label("first_at"),
            sa.func.max(measure.c.last_at, type_=Measure.last_at.type).label("last_at"),
        )
        .select_from(source)
        .where(*scope.owns(measure))
        .group_by(customer)
    )
    if not classes:
        return found
    sums = found.subquery("sums")
    many = sa.func.count().over()
    return sa.select(
        *(sums.c[name] for name in ("customer_id", *COLUMNS)),
        *(
            (1 + (sa.func.rank().over(order_by=by) - 1) * 5 // many).label(name)
            for name, by in zip(
                CLASSES,
                (sums.c.last_at, sums.c.purchases, sums.c.spent_minor),
                strict=True,
            )
        ),
    )
