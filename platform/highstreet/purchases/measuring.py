"""Keeping customers' measures up to date: what they bought in each store, summed up.

Each purchase, return and claim moves one row in its own transaction, so that whoever asks how
often, how much and how long ago reads a row or two, however much was bought. `check` derives all of
them from the purchases again.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from highstreet.purchases.facts import PurchaseFact
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement, own

_INSERT = (
    "INSERT INTO core_customer_measure AS m (brand_id, id, store_id, customer_id, purchases,"
    " spent_minor, currency, first_at, last_at)"
)
_ADD = (
    " ON CONFLICT (brand_id, customer_id, store_id) DO UPDATE"
    " SET purchases = m.purchases + excluded.purchases,"
    " spent_minor = m.spent_minor + excluded.spent_minor,"
    " first_at = CASE WHEN excluded.first_at < m.first_at THEN excluded.first_at"
    " ELSE m.first_at END,"
    " last_at = CASE WHEN excluded.last_at > m.last_at THEN excluded.last_at ELSE m.last_at END"
    f" WHERE {own('m')}"
)
# The row bears the id of the purchase that made it: an id more would cost a till more.
_ONE = Statement(
    f"{_INSERT} VALUES (:brand_id, :id, :owner_store_id, :customer_id, 1, :spent_minor, :currency,"
    f" :occurred_at, :occurred_at){_ADD}",
    returns="none",
)
_MANY_SQL = (
    f"{_INSERT} SELECT p.brand_id, {{first}}, p.store_id, p.customer_id, COUNT(*),"
    " SUM(p.total_minor - p.returned_minor), MIN(p.currency), MIN(p.occurred_at),"
    " MAX(p.occurred_at) FROM core_purchase AS p"
    f" WHERE p.id {{among}} AND p.customer_id IS NOT NULL AND {own('p')}"
    f" GROUP BY p.brand_id, p.store_id, p.customer_id{_ADD}"
)
_MANY = Statement(
    _MANY_SQL.format(first="MIN(p.id)", among="IN (SELECT value FROM json_each(:ids))"),
    postgresql=_MANY_SQL.format(first="CAST(MIN(CAST(p.id AS text)) AS uuid)", among="= ANY(:ids)"),
    returns="none",
)
_BACK = Statement(
    "UPDATE core_customer_measure AS m SET spent_minor = m.spent_minor - :amount_minor"
    f" WHERE m.customer_id = :customer_id AND m.store_id = :sold_at AND {own('m')}",
    returns="none",
)
_DERIVED = (
    "SELECT p.store_id, p.customer_id, COUNT(*) AS purchases,"
    " SUM(p.total_minor - p.returned_minor) AS spent_minor, MIN(p.occurred_at) AS first_at,"
    " MAX(p.occurred_at) AS last_at FROM core_purchase AS p"
    f" WHERE p.customer_id IS NOT NULL AND {own('p')} GROUP BY p.store_id, p.customer_id"
)
_WRONG = Statement(
    "SELECT d.customer_id, m.purchases, m.spent_minor, d.purchases, d.spent_minor"
    f" FROM ({_DERIVED}) AS d LEFT JOIN core_customer_measure AS m"
    f" ON m.store_id = d.store_id AND m.customer_id = d.customer_id AND {own('m')}"
    " WHERE m.id IS NULL OR m.purchases <> d.purchases OR m.spent_minor <> d.spent_minor"
    " OR m.first_at <> d.first_at OR m.last_at <> d.last_at",
    types={"customer_id": UUID},
)
_UNFOUNDED = Statement(
    "SELECT m.customer_id, m.purchases, m.spent_minor FROM core_customer_measure AS m"
    f" WHERE {own('m')} AND NOT EXISTS (SELECT 1 FROM core_purchase AS p"
    f" WHERE p.store_id = m.store_id AND p.customer_id = m.customer_id AND {own('p')})",
    types={"customer_id": UUID},
)
_COUNT = Statement(
    f"SELECT COUNT(*) FROM core_customer_measure AS m WHERE {own('m')}", returns="value"
)


class Off(NamedTuple):
    """A measure that is not what the purchases say: (purchases, minor units), None: no row."""

    customer_id: UUID
    kept: tuple[int, int] | None
    derived: tuple[int, int] | None


def bought(s: ScopedSession, fact: PurchaseFact) -> None:
    """A customer's purchase was recorded, or became theirs; what went back of it is left out."""
    _ONE(
        s,
        id=fact.id,
        owner_store_id=fact.store_id,
        customer_id=fact.customer_id,
        spent_minor=fact.total_minor - fact.returned_minor,
        currency=fact.currency,
        occurred_at=fact.occurred_at,
    )


def bought_many(s: ScopedSession, facts: Sequence[PurchaseFact]) -> None:
    """Purchases were just recorded, of many customers and stores."""
    ids = [one.id for one in facts if one.customer_id is not None]
    if ids:
        _MANY(s, ids=ids)


def brought_back(s: ScopedSession, purchase: PurchaseFact, amount_minor: int) -> None:
    """Money was given back for a customer's purchase."""
    _BACK(s, amount_minor=amount_minor, customer_id=purchase.customer_id, sold_at=purchase.store_id)


def check(s: ScopedSession) -> tuple[int, list[Off]]:
    """How many measures there are within reach, and those that the purchases don't bear out.

    Reads everything; for an operator's audit.
    """
    wrong = [
        Off(who, None if kept is None else (int(kept), int(spent)), (int(many), int(paid)))
        for who, kept, spent, many, paid in _WRONG(s)
    ]
    wrong += [Off(who, (int(kept), int(spent)), None) for who, kept, spent in _UNFOUNDED(s)]
    return int(_COUNT(s)), wrong
