"""Who was contacted when, for the caps: written with each send, in its transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa

from highstreet.consent.facts import ContactFact
from highstreet.consent.models import Contact
from highstreet.customers import anchors
from highstreet.customers import queries as customers
from highstreet_tenants import bulk
from highstreet_tenants.ids import new_id
from highstreet_tenants.sessions import ScopedSession

_TABLE = cast(sa.Table, Contact.__table__)


def note(
    s: ScopedSession,
    customer_ids: Iterable[UUID],
    *,
    channel: str,
    purpose: str,
    used_for: str,
    at: datetime,
) -> int:
    """Write down that customers were contacted by this place; gives how many rows are new.

    Once for each customer, channel and use, however often it is called.
    """
    known = anchors.roots(s, customer_ids)
    rows: list[dict[str, Any]] = [
        {
            "id": new_id(),
            "store_id": owner,
            "customer_id": customer_id,
            "channel": channel,
            "purpose": purpose,
            "sender_id": s.store_id,
            "used_for": used_for,
            "at": at,
        }
        for customer_id, owner in {root.id: root.store_id for root in known.values()}.items()
    ]
    return bulk.insert(s, _TABLE, rows, ignore_conflicts=True) if rows else 0


def forget(s: ScopedSession, customer_ids: Iterable[UUID], *, channel: str, used_for: str) -> None:
    """Take back that customers were contacted: what was to reach them never left, or was refused.
    A merged record's contacts are found under it and under the one that it became."""
    asked = set(customer_ids)
    ids = sorted(asked | {root.id for root in anchors.roots(s, asked).values()})
    s.execute(
        sa.delete(Contact)
        .where(
            Contact.customer_id.in_(ids),
            Contact.channel == channel,
            Contact.used_for == used_for,
            *s.scope.owns(Contact),
        )
        .execution_options(synchronize_session=False)
    )


def latest(s: ScopedSession, customer_id: UUID, most: int = 5) -> list[ContactFact]:
    """When somebody was contacted last (merges followed), the newest first. Raises NotFound."""
    ids = customers.lineage(s, customers.get(s, customer_id).id)
    query = (
        sa.select(Contact)
        .where(Contact.customer_id.in_(ids))
        .order_by(Contact.at.desc(), Contact.id.desc())
        .limit(most)
    )
    return [
        ContactFact(one.channel, one.purpose, one.sender_id, one.used_for, one.at)
        for one in s.scalars(query)
    ]
