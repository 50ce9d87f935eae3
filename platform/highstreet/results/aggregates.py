"""Registered grouped queries for head office: sums over stores, never a person.

Run them with `aggregates.run`; a cell of fewer than five customers comes back without figures, and
so does another one where the rest would tell of it.
"""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from highstreet.addresses.models import Address
from highstreet.customers.models import Customer
from highstreet.purchases.models import Purchase
from highstreet_tenants import draws
from highstreet_tenants.aggregates import SMALLEST_CELL, aggregate
from highstreet_tenants.scopes import Scope

BY_STORE = "results.by_store"
BY_WEEK = "results.by_week"
MEMBERS = "results.members"
SPAN = "results.span"
HELD_OUT = "results.held_out"


def _measures() -> tuple[sa.ColumnElement[Any], ...]:
    net = Purchase.total_minor - Purchase.returned_minor
    known = Purchase.customer_id.is_not(None)
    return (
        sa.func.count(Purchase.customer_id.distinct()).label("people"),
        sa.func.count(Purchase.customer_id).label("member_visits"),
        sa.func.count().label("visits"),
        sa.func.coalesce(sa.func.sum(sa.case((known, net))), 0).label("member_minor"),
        sa.func.coalesce(sa.func.sum(net), 0).label("minor"),
    )


@aggregate(BY_STORE, people="people", keys=("store_id", "currency"), across="store_id")
def by_store(scope: Scope, *, first: date, last: date) -> sa.Select[Any]:
    """Visits and sales of each store and currency from `first` to `last` (business dates)."""
    return (
        sa.select(Purchase.store_id, Purchase.currency, *_measures())
        .where(*scope.owns(Purchase), Purchase.business_date.between(first, last))
        .group_by(Purchase.store_id, Purchase.currency)
    )


@aggregate(BY_WEEK, people="people", keys=("week", "currency"), across="week")
def by_week(scope: Scope, *, weeks: tuple[tuple[date, date], ...]) -> sa.Select[Any]:
    """Visits and sales of the brand in each of `weeks` ((first, last) business dates)."""
    week = sa.case(
        *(
            (Purchase.business_date.between(first, last), number)
            for number, (first, last) in enumerate(weeks)
        )
    ).label("week")
    return (
        sa.select(week, Purchase.currency, *_measures())
        .where(
            *scope.owns(Purchase),
            Purchase.business_date.between(weeks[0][0], weeks[-1][1]),
        )
        .group_by(week, Purchase.currency)
    )


@aggregate(MEMBERS, people="people", keys=())
def members(scope: Scope, *, since: datetime) -> sa.Select[Any]:
    """How many customers there are, and how many of them joined since a moment (UTC)."""
    return sa.select(
        sa.func.count().label("people"),
        sa.func.coalesce(sa.func.sum(sa.case((Customer.joined_at >= since, 1))), 0).label("joined"),
    ).where(*scope.owns(Customer), Customer.status == "active")


@aggregate(SPAN, people="people")
def span(scope: Scope) -> sa.Select[Any]:
    """The last business date on which the brand sold anything; people: who bought, up to five."""
    known = (*scope.owns(Purchase), Purchase.customer_id.is_not(None))
    # Whether there are enough is all that is asked: to count everybody would read every purchase.
    few = sa.select(Purchase.customer_id).where(*known).distinct().limit(SMALLEST_CELL).subquery()
    return sa.select(
        sa.select(sa.func.count()).select_from(few).scalar_subquery().label("people"),
        sa.func.max(Purchase.business_date).label("last"),
    ).where(*scope.owns(Purchase))


@aggregate(HELD_OUT, people="people", keys=("held",), across="held")
def held_out(scope: Scope, *, seed: str, share: int) -> sa.Select[Any]:
    """How many customers, of how many households (who has none is one), a draw holds out and how
    many it does not. share: hundredths of a percent."""
    unit: sa.ColumnElement[Any] = sa.func.coalesce(Address.household_id, Customer.id)
    held = sa.case((draws.Drawn(seed, unit) < share, 1), else_=0).label("held")
    home = sa.and_(
        Address.customer_id == Customer.id, Address.valid_to.is_(None), *scope.owns(Address)
    )
    return (
        sa.select(
            held,
            sa.func.count().label("people"),
            sa.func.count(unit.distinct()).label("households"),
        )
        .select_from(Customer)
        .outerjoin(Address, home)
        .where(*scope.owns(Customer), Customer.status == "active")
        .group_by(held)
    )
