"""How addresses take part when customers merge, are exported or erased."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet.addresses import joining, service
from highstreet.addresses.models import Address
from highstreet.customers import queries as customers
from highstreet.customers.models import Merge
from highstreet_tenants.clock import now
from highstreet_tenants.sessions import ScopedSession


class AddressesPart:
    """Two records that become one keep one current address; the past stays where it was written."""

    name = "addresses"

    def export(self, s: ScopedSession, ids: list[UUID]) -> list[dict[str, Any]]:
        """Every address, the oldest first, and whether others of the household are known."""
        rows = s.scalars(
            sa.select(Address)
            .where(Address.customer_id.in_(ids))
            .order_by(Address.valid_from, Address.id)
        )
        return [
            {
                "recipient": row.recipient,
                "lines": row.lines,
                "country": row.country,
                "street": row.street,
                "dependent_locality": row.dependent_locality,
                "city": row.city,
                "area": row.area,
                "postal_code": row.postal_code,
                "sorting_code": row.sorting_code,
                "state": row.state,
                "source": row.source,
                "from": row.valid_from.isoformat(),
                "until": row.valid_to.isoformat() if row.valid_to else None,
            }
            for row in rows
        ]

    def merge(self, s: ScopedSession, keep_id: UUID, gone_id: UUID) -> dict[str, Any]:
        """The kept record's address holds; where it has none, the other's moves to it."""
        theirs = _current(s, gone_id)
        if theirs is None:
            return {}
        undo = {"address": str(theirs.id)}
        if _current(s, keep_id) is None:
            service.house(s, theirs, customers.record(s, keep_id))
        else:
            household, theirs.household_id, theirs.valid_to = theirs.household_id, None, now()
            s.flush()
            joining.drop_empty(s, [household])
        return undo

    def unmerge(self, s: ScopedSession, kept: list[UUID], back: list[UUID]) -> dict[str, int]:
        """What was the gone record's current address is that again, if it is still there."""
        undo = s.scalar(
            sa.select(Merge.undo).where(Merge.gone_id == back[0], Merge.undone_at.is_(None))
        )
        written = ((undo or {}).get("rooms", {}).get(self.name) or {}).get("address")
        row = s.scalar(sa.select(Address).where(Address.id == UUID(written))) if written else None
        if row is None or row.customer_id not in {*kept, *back}:
            return {"addresses": 0}
        service.house(s, row, customers.record(s, back[0]))
        return {"addresses": 1}

    def erase(self, s: ScopedSession, ids: list[UUID]) -> dict[str, int]:
        """Delete every address, and each household that nobody is left in."""
        of_them = Address.customer_id.in_(ids)
        households = list(s.scalars(sa.select(Address.household_id).where(of_them)))
        result = s.execute(sa.delete(Address).where(of_them))
        emptied = joining.drop_empty(s, households)
        return {"addresses": int(getattr(result, "rowcount", 0)), "households": emptied}


def _current(s: ScopedSession, customer_id: UUID) -> Address | None:
    return s.scalar(
        sa.select(Address).where(Address.customer_id == customer_id, Address.valid_to.is_(None))
    )
