"""Rows of many customers, each under the record that stands today: merges followed in one join."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from highstreet.customers.models import Customer
from highstreet_tenants.base import table_alias
from highstreet_tenants.scopes import Scope


def joined(scope: Scope, rows: Any) -> tuple[Any, sa.ColumnElement[Any]]:
    """What to select from, and the id of the record that stands, for a table (or an alias of one)
    that has a customer_id. The scope of `rows` itself stays to be said, in WHERE."""
    gone = table_alias(Customer)
    source = rows.outerjoin(
        gone,
        sa.and_(
            gone.c.brand_id == rows.c.brand_id,
            gone.c.id == rows.c.customer_id,
            gone.c.merged_into.is_not(None),
            *scope.owns(gone),
        ),
    )
    stands = sa.func.coalesce(gone.c.merged_into, rows.c.customer_id, type_=sa.Uuid())
    # A type of its own, or SQLite makes no index on it and joins the rest to it by a loop.
    return source, sa.cast(stands, sa.Uuid())
