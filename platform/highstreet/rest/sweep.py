"""Throwing away kept answers: a day after they were given, and when a customer is erased."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet import jobs
from highstreet.customers import parts
from highstreet.customers.models import Identity
from highstreet.jobs import JobHandler, handler
from highstreet_tenants.clock import now
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement, own

KEPT_FOR = timedelta(hours=24)
#: Stores whose sweep of the day this process has ordered. Ordering twice does no harm.
_ordered: dict[UUID | None, date] = {}
_MOST_ORDERED = 50_000

_SWEEP = Statement(
    """
DELETE FROM core_idempotency WHERE core_idempotency.brand_id = :brand_id
  AND core_idempotency.store_id = :store_id AND core_idempotency.created_at < :expired
""",
    returns="count",
)
_FORGET = Statement(
    f"""
DELETE FROM core_idempotency WHERE {own("core_idempotency")}
  AND core_idempotency.body LIKE :mention
""",
    returns="count",
)
_MENTIONS = Statement(
    f"SELECT k.id FROM core_idempotency AS k WHERE {own('k')} AND k.body LIKE :mention"
)


def sweep(s: ScopedSession) -> int:
    """Delete the answers of the scope's store that are older than a day; gives how many."""
    return int(_SWEEP(s, expired=now() - KEPT_FOR))


def _marks(s: ScopedSession, ids: list[UUID]) -> list[str]:
    """What an answer that names the customer holds: an id, or a card's number alone."""
    cards = sa.select(Identity.value).where(Identity.kind == "card", Identity.customer_id.in_(ids))
    return [f"%{one}%" for one in ids] + [f'%"{number}"%' for number in s.scalars(cards)]


class KeptAnswers:
    """How kept answers take part when customers merge, are exported or erased."""

    name = "kept_answers"

    def export(self, s: ScopedSession, ids: list[UUID]) -> dict[str, int]:
        """How many there are: what they say of the customer is in the rest of the export."""
        found = {row[0] for one in _marks(s, ids) for row in _MENTIONS(s, mention=one)}
        return {"count": len(found)}

    def merge(self, s: ScopedSession, keep_id: UUID, gone_id: UUID) -> dict[str, Any]:
        """Nothing moves: an answer is what was answered then."""
        return {}

    def unmerge(self, s: ScopedSession, kept: list[UUID], back: list[UUID]) -> dict[str, int]:
        """Nothing goes back."""
        return {}

    def erase(self, s: ScopedSession, ids: list[UUID]) -> dict[str, int]:
        """Forget every answer that names the customer."""
        return {"answers": sum(int(_FORGET(s, mention=one)) for one in _marks(s, ids))}


parts.register(KeptAnswers())


@handler("core.idempotency.sweep", max_seconds=600)
def sweep_job(s: ScopedSession, _payload: Mapping[str, Any]) -> None:
    """A store's answers of a day, once they are all a day old."""
    sweep(s)


JOBS: tuple[JobHandler, ...] = (sweep_job,)


def order(s: ScopedSession) -> None:
    """See that today's answers of the session's store are swept when they are all a day old.

    A job per store and day on which its tills wrote something: the silent stores of a brand cost
    nothing, as a daily turn of each would.
    """
    today = now().date()
    if _ordered.get(s.store_id) == today:
        return
    midnight = datetime.combine(today + timedelta(days=1), time(), UTC)
    jobs.enqueue(
        s,
        sweep_job.name,
        run_at=midnight + KEPT_FOR + timedelta(minutes=1),
        unique_key=f"{sweep_job.name}:{today.isoformat()}",
    )
    if len(_ordered) >= _MOST_ORDERED:
        _ordered.clear()
    _ordered[s.store_id] = today
