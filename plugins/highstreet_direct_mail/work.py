"""Work that comes round by itself: each morning the standing orders of a place, one by one."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from highstreet.sdk import JobHandler, Periodic, ScopedSession, ctx_of
from highstreet_direct_mail import triggers

NAME = "direct_mail"
MORNING = f"{NAME}.morning"
OFFICE_MORNING = f"{NAME}.office_morning"
ORDER = f"{NAME}.order"


def _morning(s: ScopedSession, payload: Mapping[str, Any]) -> None:
    """Order a run of each standing order that is on; a job of its own, for each may be long."""
    ctx = ctx_of(s, NAME)
    day = str(payload["subject"])
    for one in triggers.listed(ctx, active=True):
        ctx.jobs.enqueue(
            ORDER,
            {"trigger": one.id.hex, "subject": day},
            unique_key=f"{ORDER}:{one.id.hex}:{day}",
        )


def _order(s: ScopedSession, payload: Mapping[str, Any]) -> None:
    if trigger := payload.get("trigger"):
        ctx = ctx_of(s, NAME)
        order = triggers.get(ctx, UUID(str(trigger)))
        triggers.run(ctx, order.id, date.fromisoformat(str(payload["subject"])))


JOBS = (
    JobHandler(MORNING, _morning, plugin=NAME),
    JobHandler(OFFICE_MORNING, _morning, plugin=NAME),
    JobHandler(ORDER, _order, plugin=NAME, max_seconds=600),
)
PERIODIC = (
    Periodic(MORNING, every="day", at="07:00", scope="store"),
    Periodic(OFFICE_MORNING, every="day", at="07:00", scope="brand"),
)
