"""How messages take part when customers merge, are exported or erased."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet.email import endings
from highstreet.email.models import QUEUED, STOPPED, EmailMessage, EmailPiece
from highstreet_tenants.clock import now
from highstreet_tenants.sessions import ScopedSession


class EmailPart:
    """A message stays with the record that it was written to; reading follows merges."""

    name = "email"

    def export(self, s: ScopedSession, ids: list[UUID]) -> list[dict[str, Any]]:
        """Every message: to which address, what it said, what became of it; oldest first."""
        rows = s.execute(
            sa.select(EmailMessage, EmailPiece.subject, EmailPiece.text)
            .join(
                EmailPiece,
                sa.and_(
                    EmailPiece.brand_id == EmailMessage.brand_id,
                    EmailPiece.id == EmailMessage.piece_id,
                ),
            )
            .where(EmailMessage.customer_id.in_(ids))
            .order_by(EmailMessage.id)
        )
        return [
            {
                "kind": row.kind,
                "purpose": row.purpose,
                "address": row.address,
                "name": row.called,
                "subject": subject,
                "text": text,
                "filled_in": row.fills,
                "state": row.state,
                "queued_at": row.created_at.isoformat(),
                "ended_at": row.ended_at.isoformat() if row.ended_at else None,
            }
            for row, subject, text in rows
        ]

    def merge(self, s: ScopedSession, keep_id: UUID, gone_id: UUID) -> dict[str, Any]:
        """Nothing moves: what waits goes to the address that it was written for."""
        return {}

    def unmerge(self, s: ScopedSession, kept: list[UUID], back: list[UUID]) -> dict[str, int]:
        """Messages are with the record that they were written to; gives how many."""
        query = sa.select(sa.func.count(EmailMessage.id)).where(EmailMessage.customer_id.in_(back))
        return {"messages": int(s.scalar(query) or 0)}

    def erase(self, s: ScopedSession, ids: list[UUID]) -> dict[str, int]:
        """Forget addresses, names and what was filled in; what waits is not sent any more. That
        something was sent stays, so that counts stay right."""
        endings.tell(s, endings.waiting_of(s, ids))
        result = s.execute(
            sa.update(EmailMessage)
            .where(EmailMessage.customer_id.in_(ids))
            .values(
                address="",
                called="",
                fills={},
                answer="",
                key=None,
                state=sa.case((EmailMessage.state == QUEUED, STOPPED), else_=EmailMessage.state),
                ended_at=sa.func.coalesce(EmailMessage.ended_at, now()),
            )
        )
        return {"messages": int(getattr(result, "rowcount", 0))}
