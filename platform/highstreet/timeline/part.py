"""How the timeline takes part when customers merge, are exported or erased."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet.i18n import LazyText
from highstreet.timeline.models import TimelineEntry
from highstreet.timeline.service import write
from highstreet.timeline.words import say
from highstreet_tenants.sessions import ScopedSession


class TimelinePart:
    """Entries are read through all merged ids, shown in full, and deleted with the person."""

    name = "timeline"

    def export(self, s: ScopedSession, ids: list[UUID]) -> list[dict[str, Any]]:
        """Every entry, oldest first."""
        rows = s.scalars(
            sa.select(TimelineEntry)
            .where(TimelineEntry.customer_id.in_(ids))
            .order_by(TimelineEntry.occurred_at, TimelineEntry.id)
        )
        return [
            {
                "at": row.occurred_at.isoformat(),
                "kind": row.kind,
                "title": say(row.title, row.data),
                "data": row.data,
                "source": row.source,
                "store_id": str(row.store_id) if row.store_id else None,
            }
            for row in rows
        ]

    def merge(self, s: ScopedSession, keep_id: UUID, gone_id: UUID) -> dict[str, Any]:
        """Nothing moves: reading follows merges."""
        return {}

    def unmerge(self, s: ScopedSession, kept: list[UUID], back: list[UUID]) -> dict[str, int]:
        """Entries go back with the ids they were written under; later ones are the kept record's.

        Gives how many of those that the scope sees.
        """
        query = sa.select(sa.func.count(TimelineEntry.id))
        count = s.scalar(query.where(TimelineEntry.customer_id.in_(back)))
        return {"entries": int(count or 0)}

    def erase(self, s: ScopedSession, ids: list[UUID]) -> dict[str, int]:
        """Delete every entry: titles and data may say anything about the person."""
        result = s.execute(sa.delete(TimelineEntry).where(TimelineEntry.customer_id.in_(ids)))
        return {"entries": int(getattr(result, "rowcount", 0))}


def tell(
    s: ScopedSession,
    customer_id: UUID,
    kind: str,
    title: LazyText,
    *,
    occurred_at: datetime,
    data: dict[str, Any] | None = None,
) -> UUID:
    """What the room of customers does is the club's own story, seen in every store of it."""
    return write(s, customer_id, kind, title, occurred_at=occurred_at, data=data, store_id=None)
