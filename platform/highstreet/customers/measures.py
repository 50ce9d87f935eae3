"""What customers bought, summed up, as fields by name: how often, how much, since when, last when.

In a store of a brand's club these are of what was bought there; in head office of all stores. Kept
by `purchases.measuring`, a row for each store and each record that it was bought under, so that
whoever was merged is counted with the record that took their place.
"""

from __future__ import annotations

from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from highstreet.customers.models import Customer, Measure
from highstreet.host.customer_fields import CustomerField
from highstreet.i18n import lazy_gettext as _l

_MEASURE = cast(sa.Table, Measure.__table__)


def _of(what: sa.ColumnElement[Any]) -> Any:
    """A customer's id, and something over the rows of all records that they go by."""

    def query(place: Any) -> sa.Select[*tuple[Any, ...]]:
        gone = aliased(Customer)
        records = sa.select(gone.id).where(
            gone.brand_id == Customer.brand_id,
            gone.merged_into == Customer.id,
            *place.scope.owns(sa.inspect(gone).selectable),
        )
        theirs = sa.or_(
            Measure.customer_id == Customer.id,
            Measure.customer_id.in_(records.correlate(Customer)),
        )
        found = (
            sa.select(what)
            .where(Measure.brand_id == Customer.brand_id, theirs, *place.scope.owns(_MEASURE))
            .correlate(Customer)
            .scalar_subquery()
        )
        return sa.select(Customer.id, found)

    return query


FIELDS = (
    CustomerField(
        "customer.purchases",
        _l("Purchases"),
        "number",
        _of(sa.cast(sa.func.sum(Measure.purchases), sa.BigInteger())),
        help=_l("How often they bought."),
    ),
    CustomerField(
        "customer.spent",
        _l("Spent"),
        "money",
        _of(sa.cast(sa.func.sum(Measure.spent_minor), sa.BigInteger())),
        help=_l("All that they paid, less what they got back."),
    ),
    CustomerField(
        "customer.first_purchase_at",
        _l("First purchase"),
        "moment",
        _of(sa.func.min(Measure.first_at, type_=Measure.first_at.type)),
    ),
    CustomerField(
        "customer.last_purchase_at",
        _l("Last purchase"),
        "moment",
        _of(sa.func.max(Measure.last_at, type_=Measure.last_at.type)),
    ),
)
