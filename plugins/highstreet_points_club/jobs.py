"""Work that comes round by itself."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from highstreet.sdk import JobHandler, Periodic, ScopedSession, ctx_of
from highstreet_points_club import gifts, lapse, notices
from highstreet_points_club.rules import NAME

SWEEP = f"{NAME}.sweep"
BIRTHDAYS = f"{NAME}.birthdays"
LAPSING = f"{NAME}.lapsing"


def _sweep(s: ScopedSession, payload: Mapping[str, Any]) -> None:
    ctx = ctx_of(s, NAME)
    if lapse.sweep(ctx).more:
        # In pieces, so that tills are not kept waiting; the next piece follows at once.
        ctx.jobs.enqueue(SWEEP, {"subject": payload.get("subject", "")})


def _birthdays(s: ScopedSession, payload: Mapping[str, Any]) -> None:
    ctx = ctx_of(s, NAME)
    behind = payload.get("behind")
    last = gifts.birthdays(ctx, UUID(behind) if behind else None)
    if last is not None:
        ctx.jobs.enqueue(BIRTHDAYS, {"subject": payload.get("subject", ""), "behind": last.hex})


def _lapsing(s: ScopedSession, payload: Mapping[str, Any]) -> None:
    ctx = ctx_of(s, NAME)
    behind = payload.get("behind")
    last = notices.lapsing(ctx, UUID(behind) if behind else None)
    if last is not None:
        ctx.jobs.enqueue(LAPSING, {"subject": payload.get("subject", ""), "behind": last.hex})


JOBS = (
    JobHandler(SWEEP, _sweep, plugin=NAME, winddown=True),
    JobHandler(BIRTHDAYS, _birthdays, plugin=NAME),
    JobHandler(LAPSING, _lapsing, plugin=NAME),
)
PERIODIC = (
    Periodic(SWEEP, every="day", at="02:30", scope="store"),
    Periodic(BIRTHDAYS, every="day", at="06:00", scope="store"),
    Periodic(LAPSING, every="day", at="09:00", scope="store"),
)
