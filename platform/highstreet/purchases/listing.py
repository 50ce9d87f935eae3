"""A store's purchases page by page, the latest first; without their lines."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from highstreet.customers import queries as customers
from highstreet.purchases.facts import PurchaseFact
from highstreet.purchases.queries import COLUMNS, TYPES, fact_of
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement, own

# business_date leads the order because the store's index does; within a store it follows
# occurred_at, so the order is that of time. The days only narrow the stretch of the index.
_PLACE = (
    " AND p.business_date BETWEEN :first_day AND :last_day"
    " AND p.occurred_at >= :since AND p.occurred_at < :until"
    " AND (p.business_date, p.occurred_at, p.id) < (:day, :at, :id)"
)
_ORDER = " ORDER BY p.business_date DESC, p.occurred_at DESC, p.id DESC LIMIT :most"
_OF_STORE = Statement(
    f"SELECT {COLUMNS} FROM core_purchase AS p WHERE p.store_id = :at_store AND {own('p')}"
    f"{_PLACE}{_ORDER}",
    types=TYPES,
)
_OF_CUSTOMER = (
    f"SELECT {COLUMNS} FROM core_purchase AS p WHERE p.store_id = :at_store AND {own('p')}"
    f" AND p.customer_id {{}}{_PLACE}{_ORDER}"
)
_OF_CUSTOMERS = Statement(
    _OF_CUSTOMER.format("IN (SELECT value FROM json_each(:ids))"),
    postgresql=_OF_CUSTOMER.format("= ANY(:ids)"),
    types=TYPES,
)
EARLIEST = datetime(1, 1, 3, tzinfo=UTC)
LATEST = datetime(9999, 12, 29, tzinfo=UTC)
_DAY = timedelta(days=1)

#: A place in the order: the day, moment and id of the last row that was shown.
Place = tuple[date, datetime, UUID]
_TOP: Place = (date.max, datetime.max.replace(tzinfo=UTC), UUID(int=2**128 - 1))


def place_of(purchase: PurchaseFact) -> Place:
    """Where a purchase stands in the order."""
    return purchase.business_date, purchase.occurred_at, purchase.id


def of_store(
    s: ScopedSession,
    store_id: UUID,
    *,
    customer_id: UUID | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    after: Place | None = None,
    limit: int = 50,
) -> list[PurchaseFact]:
    """Up to `limit` purchases of a store, the latest first, beginning after `after`.

    `since` is the earliest moment, `until` the first that no longer counts (aware). With
    `customer_id`, only that customer's, those of merged records too. Raises NotFound for an
    unknown customer.
    """
    since, until = max(since or EARLIEST, EARLIEST), min(until or LATEST, LATEST)
    day, at, last = after or _TOP
    binds: dict[str, Any] = {
        "at_store": store_id,
        "first_day": since.date() - _DAY,
        "last_day": until.date() + _DAY,
        "since": since,
        "until": until,
        "day": day,
        "at": at,
        "id": last,
        "most": limit,
    }
    rows: Sequence[Any]
    if customer_id is None:
        rows = _OF_STORE(s, **binds)
    else:
        ids = customers.lineage(s, customers.get(s, customer_id).id)
        rows = _OF_CUSTOMERS(s, ids=ids, **binds)
    return [fact_of(row) for row in rows]
