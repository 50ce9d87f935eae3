"""How pieces take part when customers merge, are exported or erased."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet.mailings.models import Mailing, Piece
from highstreet_tenants.sessions import ScopedSession


class MailingsPart:
    """Pieces stay under the id they were meant for; reading follows merges."""

    name = "mailings"

    def export(self, s: ScopedSession, ids: list[UUID]) -> list[dict[str, Any]]:
        """What was meant for them and what became of it, oldest first."""
        rows = s.execute(
            sa.select(Piece, Mailing.name, Mailing.purpose, Mailing.channel)
            .join(
                Mailing,
                sa.and_(Mailing.brand_id == Piece.brand_id, Mailing.id == Piece.mailing_id),
            )
            .where(Piece.customer_id.in_(ids), *s.scope.owns(Mailing))
            .order_by(Piece.id)
        )
        return [
            {
                "mailing": name,
                "purpose": purpose,
                "channel": channel,
                "state": piece.state,
                "reason": piece.reason,
                "address": piece.lines if channel == "post" else piece.reached_at,
                "code": piece.code,
                "sent_at": piece.sent_at.isoformat() if piece.sent_at else None,
            }
            for piece, name, purpose, channel in rows
        ]

    def merge(self, s: ScopedSession, keep_id: UUID, gone_id: UUID) -> dict[str, Any]:
        """Nothing: what was meant for either is found through the record that they became."""
        return {}

    def unmerge(self, s: ScopedSession, kept: list[UUID], back: list[UUID]) -> dict[str, int]:
        """Nothing: each piece says for whom it was meant."""
        return {}

    def erase(self, s: ScopedSession, ids: list[UUID]) -> dict[str, int]:
        """What has not gone out goes to nobody; what has is counted on, without its address."""
        theirs = Piece.customer_id.in_(ids)
        held = s.execute(
            sa.update(Piece)
            .where(theirs, Piece.state == "ready")
            .values(
                state="withheld",
                reason="erased",
                late=True,
                unit=None,
                reached_at=None,
                lines=None,
                code=None,
            )
            .execution_options(synchronize_session=False)
        )
        blanked = s.execute(
            sa.update(Piece)
            .where(theirs)
            .values(reached_at=None, lines=None, household_id=None)
            .execution_options(synchronize_session=False)
        )
        return {
            "withheld": int(getattr(held, "rowcount", 0)),
            "pieces": int(getattr(blanked, "rowcount", 0)),
        }
