"""Lists of customers for pages, the latest to join first, page by page."""

import base64
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import cast
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet.customers.facts import CustomerFact, Status
from highstreet.customers.models import Customer
from highstreet.i18n import gettext as _
from highstreet_tenants.errors import Invalid
from highstreet_tenants.models import Store
from highstreet_tenants.sessions import ScopedSession


class Page(Struct, frozen=True):
    """Customers; cursor: hand it to `newest` as `before` for earlier ones, None at the end."""

    customers: tuple[CustomerFact, ...]
    cursor: str | None = None


def newest(s: ScopedSession, *, before: str | None = None, limit: int = 50) -> Page:
    """The latest to join: at the scope's store, or in the whole club. At most `limit` (1–200).

    Raises Invalid for a cursor that is not one of ours.
    """
    limit = max(1, min(limit, 200))
    query = sa.select(Customer).where(Customer.status == "active")
    if s.store_id is not None:
        query = query.where(Customer.home_store_id == s.store_id)
    if before:
        query = query.where(sa.tuple_(Customer.joined_at, Customer.id) < sa.tuple_(*_read(before)))
    rows = s.scalars(
        query.order_by(Customer.joined_at.desc(), Customer.id.desc()).limit(limit + 1)
    ).all()
    facts = tuple(
        CustomerFact(
            row.id,
            row.name,
            row.store_id,
            row.home_store_id,
            row.language,
            row.joined_at,
            cast(Status, row.status),
        )
        for row in rows[:limit]
    )
    return Page(facts, _write(facts[-1]) if len(rows) > limit else None)


def count(s: ScopedSession) -> int:
    """How many customers joined at the scope's store, or are in the whole club."""
    query = sa.select(sa.func.count(Customer.id)).where(Customer.status == "active")
    if s.store_id is not None:
        query = query.where(Customer.home_store_id == s.store_id)
    return s.scalar(query) or 0


def store_names(s: ScopedSession, ids: Iterable[UUID | None]) -> dict[UUID | None, str]:
    """Names of stores by id."""
    wanted = {one for one in ids if one is not None}
    if not wanted:
        return {}
    rows = s.execute(sa.select(Store.id, Store.name).where(Store.id.in_(wanted)))
    return {row.id: row.name for row in rows}


def _write(fact: CustomerFact) -> str:
    text = f"{fact.joined_at.isoformat()} {fact.id.hex}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(cursor: str) -> tuple[datetime, UUID]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        at, one = text.split(" ")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError(at)
        return moment.astimezone(UTC), UUID(one)
    except (ValueError, OverflowError) as error:
        raise Invalid(_("This page does not exist. Go back to the first one.")) from error
