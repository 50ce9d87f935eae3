"""How suppressions and contacts take part when customers merge, are exported or erased."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet.consent.models import Contact, ContactSuppression
from highstreet.customers import queries as customers
from highstreet_tenants.ids import new_id
from highstreet_tenants.sessions import ScopedSession


class ContactPart:
    """Rows stay under the id they were written with; reading follows merges."""

    name = "contacts"

    def export(self, s: ScopedSession, ids: list[UUID]) -> dict[str, Any]:
        """What stands or stood against contacting them, and when they were; oldest first."""
        stops = s.scalars(
            sa.select(ContactSuppression)
            .where(ContactSuppression.customer_id.in_(ids))
            .order_by(ContactSuppression.at, ContactSuppression.id)
        )
        contacts = s.scalars(
            sa.select(Contact).where(Contact.customer_id.in_(ids)).order_by(Contact.at, Contact.id)
        )
        return {
            "suppressions": [
                {
                    "reason": one.reason,
                    "channel": one.channel,
                    "address": one.address,
                    "source": one.source,
                    "at": one.at.isoformat(),
                    "until": one.until.isoformat() if one.until else None,
                    "lifted_at": one.lifted_at.isoformat() if one.lifted_at else None,
                }
                for one in stops
            ],
            "contacts": [
                {
                    "channel": one.channel,
                    "purpose": one.purpose,
                    "for": one.used_for,
                    "at": one.at.isoformat(),
                }
                for one in contacts
            ],
        }

    def merge(self, s: ScopedSession, keep_id: UUID, gone_id: UUID) -> dict[str, Any]:
        """Nothing: what stands against either record stands against what they became."""
        return {}

    def unmerge(self, s: ScopedSession, kept: list[UUID], back: list[UUID]) -> dict[str, int]:
        """What stands against the one stands against both: nobody can tell whose it is."""
        found = list(
            s.scalars(
                sa.select(ContactSuppression).where(
                    ContactSuppression.customer_id.in_([*kept, *back]),
                    ContactSuppression.lifted_at.is_(None),
                )
            )
        )
        written = 0
        for side in (kept, back):
            there = {_key(one) for one in found if one.customer_id in side}
            for one in found:
                if _key(one) not in there:
                    there.add(_key(one))
                    s.add(_copied(s, one, side[0]))
                    written += 1
        s.flush()
        return {"suppressions": written}

    def erase(self, s: ScopedSession, ids: list[UUID]) -> dict[str, int]:
        """Delete both: who is no customer is contacted by nobody."""
        gone = {}
        for name, table in (("suppressions", ContactSuppression), ("contacts", Contact)):
            result = s.execute(sa.delete(table).where(table.customer_id.in_(ids)))
            gone[name] = int(getattr(result, "rowcount", 0))
        return gone


def _key(one: ContactSuppression) -> tuple[str, str | None, UUID | None]:
    return one.reason, one.address, one.address_id


def _copied(s: ScopedSession, one: ContactSuppression, customer_id: UUID) -> ContactSuppression:
    return ContactSuppression(
        brand_id=s.brand_id,
        id=new_id(),
        store_id=customers.record(s, customer_id).store_id,
        customer_id=customer_id,
        reason=one.reason,
        channel=one.channel,
        address=one.address,
        address_id=one.address_id,
        source="unmerge",
        actor_kind=s.scope.actor.kind,
        actor_id=s.scope.actor.id,
        at=one.at,
        until=one.until,
    )
