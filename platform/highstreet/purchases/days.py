"""A store's purchases over some days, one after the other: for sums that SQL can't make."""

from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID

from highstreet.purchases import queries
from highstreet.purchases.facts import PurchaseFact
from highstreet.purchases.queries import COLUMNS, TYPES, fact_of
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement, own

#: Purchases whose lines are read in one go.
_CHUNK = 1000
_ONE_DAY = timedelta(days=1)

# Day by day: the index finds them, and no more than a day is sorted and held.
_OF_DAY = (
    f"SELECT {COLUMNS} FROM core_purchase AS p WHERE p.store_id = :at_store"
    f" AND p.business_date = :day{{only}} AND {own('p')}"
    " ORDER BY p.occurred_at DESC, p.id DESC LIMIT :most"
)
_ALL, _OF_MEMBERS = (
    Statement(_OF_DAY.format(only=only), types=TYPES)
    for only in ("", " AND p.customer_id IS NOT NULL")
)


def of_days(
    s: ScopedSession,
    store_id: UUID,
    first: date,
    last: date,
    *,
    members: bool = False,
    lines: bool = True,
    limit: int | None = None,
) -> Iterator[PurchaseFact]:
    """A store's purchases from `first` to `last` (business dates), the latest first.

    members: only those of customers. lines: False leaves lines out, which saves most of the work.
    limit: so many at most. To be read while the session lasts.
    """
    wanted = _OF_MEMBERS if members else _ALL
    left = limit
    day = last
    while day >= first and (left is None or left > 0):
        rows = wanted(s, at_store=store_id, day=day, most=2**31 if left is None else left)
        for start in range(0, len(rows), _CHUNK):
            part = rows[start : start + _CHUNK]
            yield from queries.with_lines(s, part) if lines else map(fact_of, part)
        if left is not None:
            left -= len(rows)
        day -= _ONE_DAY
