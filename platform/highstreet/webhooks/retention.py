"""How long deliveries are kept, and what an erasure leaves of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from highstreet import jobs
from highstreet.host import state
from highstreet.jobs import handler
from highstreet_tenants.clock import now
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement, own

#: So long deliveries are shown and can be sent again.
KEPT_FOR = timedelta(days=30)

_PURGE = Statement(
    f"DELETE FROM core_webhook_delivery AS d WHERE d.created_at < :before AND {own('d')}",
    returns="count",
)
_FORGET = tuple(
    Statement(
        f"DELETE FROM {table} AS d WHERE d.body LIKE :mention AND {own('d')}", returns="count"
    )
    for table in ("core_webhook_delivery", "core_webhook_event")
)


def purge(s: ScopedSession) -> int:
    """Delete the deliveries within the scope that are too old; gives how many."""
    return int(_PURGE(s, before=now() - KEPT_FOR))


def forget(s: ScopedSession, ids: Sequence[UUID]) -> int:
    """Delete what names a customer, by any of their ids; gives how much.

    Payloads hold ids alone, and these lead nowhere once somebody is erased; all the same nothing
    that is about them is kept, or sent later. Called before `customer.erased` is written down.
    """
    return sum(int(one(s, mention=f"%{mark}%")) for mark in ids for one in _FORGET)


@handler("core.webhooks.purge", max_seconds=600)
def purge_job(s: ScopedSession, _payload: Mapping[str, Any]) -> None:
    """Deliveries of a day, once all of them are too old."""
    purge(s)


def order(s: ScopedSession) -> None:
    """See that what is delivered today is deleted in time: a job per place and day on which
    anything was."""
    memory = state.memory(s)
    today = now().date()
    if memory.get(("webhooks.purge", today)) is None:
        memory["webhooks.purge", today] = True
        midnight = datetime.combine(today + timedelta(days=1), time(), UTC)
        jobs.enqueue(
            s,
            purge_job.name,
            run_at=midnight + KEPT_FOR + timedelta(minutes=1),
            unique_key=f"{purge_job.name}:{today.isoformat()}",
        )
