"""How links to a member's own page take part when customers merge, are exported or erased."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet.members.models import MemberLink
from highstreet_tenants.sessions import ScopedSession


class MemberLinksPart:
    """A link leads to the record it was made for, and from there to the one that took its place."""

    name = "member_links"

    def export(self, s: ScopedSession, ids: list[UUID]) -> list[dict[str, Any]]:
        """When links were made and end; what they open is in the rest of the export."""
        rows = s.scalars(sa.select(MemberLink).where(*_of(s, ids)).order_by(MemberLink.created_at))
        return [
            {
                "made_at": row.created_at.isoformat(),
                "ends_at": row.expires_at.isoformat(),
                "ended_early_at": row.revoked_at.isoformat() if row.revoked_at else None,
            }
            for row in rows
        ]

    def merge(self, s: ScopedSession, keep_id: UUID, gone_id: UUID) -> dict[str, Any]:
        """Nothing moves: opening a link follows merges."""
        return {}

    def unmerge(self, s: ScopedSession, kept: list[UUID], back: list[UUID]) -> dict[str, int]:
        """Links go back with the record that they were made for; gives how many."""
        query = sa.select(sa.func.count(MemberLink.id)).where(*_of(s, back))
        return {"links": int(s.scalar(query) or 0)}

    def erase(self, s: ScopedSession, ids: list[UUID]) -> dict[str, int]:
        """Delete them, in the same transaction: none may open a page for a moment longer."""
        result = s.execute(sa.delete(MemberLink).where(*_of(s, ids)))
        return {"links": int(getattr(result, "rowcount", 0))}


def _of(s: ScopedSession, ids: list[UUID]) -> tuple[sa.ColumnElement[bool], ...]:
    return MemberLink.brand_id == s.brand_id, MemberLink.customer_id.in_(ids)
