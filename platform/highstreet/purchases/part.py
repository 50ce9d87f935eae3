"""How purchases take part when customers merge, are exported or erased."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet.purchases import queries
from highstreet.purchases.models import Purchase
from highstreet_tenants.sessions import ScopedSession


class PurchasesPart:
    """Purchases keep the id they were recorded under; a store's books are never rewritten."""

    name = "purchases"

    def export(self, s: ScopedSession, ids: list[UUID]) -> list[dict[str, Any]]:
        """Every purchase with its lines and returns, oldest first."""
        found = s.scalars(
            sa.select(Purchase.id)
            .where(Purchase.customer_id.in_(ids))
            .order_by(Purchase.occurred_at, Purchase.id)
        ).all()
        return [
            {
                "receipt": fact.pos_ref,
                "store_id": str(fact.store_id),
                "at": fact.occurred_at.isoformat(),
                "day": fact.business_date.isoformat(),
                "total_minor": fact.total_minor,
                "returned_minor": fact.returned_minor,
                "currency": fact.currency,
                "lines": [
                    {
                        "product": line.product,
                        "department": line.department,
                        "quantity": str(line.quantity),
                        "amount_minor": line.amount_minor,
                    }
                    for line in fact.lines
                ],
                "returns": [
                    {
                        "receipt": back.pos_ref,
                        "at": back.occurred_at.isoformat(),
                        "amount_minor": back.amount_minor,
                    }
                    for back in (queries.returns_of(s, fact.id) if fact.returned_minor else ())
                ],
            }
            for fact in queries.by_ids(s, found)
        ]

    def merge(self, s: ScopedSession, keep_id: UUID, gone_id: UUID) -> dict[str, Any]:
        """Nothing moves: reading follows merges."""
        return {}

    def unmerge(self, s: ScopedSession, kept: list[UUID], back: list[UUID]) -> dict[str, int]:
        """Purchases go back with the ids they were made under; later ones are the kept record's.

        Gives how many of those that the scope sees.
        """
        return {"purchases": _count(s, back)}

    def erase(self, s: ScopedSession, ids: list[UUID]) -> dict[str, int]:
        """Purchases stay, hung on a stub that names nobody; gives how many."""
        return {"kept_without_name": _count(s, ids)}


def _count(s: ScopedSession, ids: list[UUID]) -> int:
    query = sa.select(sa.func.count(Purchase.id)).where(Purchase.customer_id.in_(ids))
    return int(s.scalar(query) or 0)
