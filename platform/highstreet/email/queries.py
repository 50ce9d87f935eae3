"""What stands in the outbox: counts by state, and what went wrong with the latest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet.email.models import (
    BOUNCED,
    FAILED,
    LATE,
    STATES,
    STOPPED,
    UNKNOWN,
    EmailMessage,
    EmailReport,
)
from highstreet_tenants.clock import now
from highstreet_tenants.sessions import ScopedSession

#: How far back counts of what has ended go.
WITHIN = timedelta(days=30)
#: States that somebody may have to look into.
TROUBLED = (FAILED, BOUNCED, UNKNOWN, LATE, STOPPED)


class Trouble(Struct, frozen=True):
    """A message that did not arrive, and why. place_id: the store that sent it."""

    id: UUID
    at: datetime
    state: str
    kind: str
    answer: str
    code: int | None
    place_id: UUID | None


def counts(s: ScopedSession) -> dict[str, int]:
    """Messages within reach by state, of the last thirty days."""
    rows = s.execute(
        sa.select(EmailMessage.state, sa.func.count())
        .where(EmailMessage.created_at >= now() - WITHIN)
        .group_by(EmailMessage.state)
    )
    return dict.fromkeys(STATES, 0) | {state: int(count) for state, count in rows}


def reports(s: ScopedSession) -> dict[str, int]:
    """What came back within reach, by kind, in the last thirty days."""
    rows = s.execute(
        sa.select(EmailReport.kind, sa.func.count())
        .where(EmailReport.at >= now() - WITHIN)
        .group_by(EmailReport.kind)
    )
    return {"hard": 0, "soft": 0, "complaint": 0} | {kind: int(count) for kind, count in rows}


def troubles(s: ScopedSession, limit: int = 20) -> Sequence[Trouble]:
    """The latest that did not arrive, newest first. It names nobody."""
    rows = s.scalars(
        sa.select(EmailMessage)
        .where(EmailMessage.state.in_(TROUBLED))
        .order_by(EmailMessage.id.desc())
        .limit(limit)
    )
    return [
        Trouble(
            row.id,
            row.ended_at or row.created_at,
            row.state,
            row.kind,
            row.answer,
            row.code,
            row.place_id,
        )
        for row in rows
    ]
