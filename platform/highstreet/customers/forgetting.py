"""Throwing away what taking a merge back would need, once that is not possible any more.

It names people, so it is kept no longer than it may be used.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

from highstreet import jobs
from highstreet.jobs import JobHandler, handler
from highstreet_tenants.clock import now
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement, own

#: So long after it was made a merge may be taken back.
WITHIN = timedelta(days=30)

_FORGET = Statement(
    "UPDATE core_customer_merge AS m SET undo = NULL"
    f" WHERE m.at < :before AND m.undo IS NOT NULL AND {own('m')}",
    returns="count",
)


def forget_merges(s: ScopedSession) -> int:
    """Forget how the merges within the scope that are too old were made; gives how many."""
    return int(_FORGET(s, before=now() - WITHIN))


@handler("core.customers.forget_merges", max_seconds=600)
def forget_job(s: ScopedSession, _payload: Mapping[str, Any]) -> None:
    """The merges of a day, once all of them are too old to be taken back."""
    forget_merges(s)


JOBS: tuple[JobHandler, ...] = (forget_job,)


def order(s: ScopedSession) -> None:
    """See that what is merged today is forgotten in time; a job per day on which anybody merged."""
    if "jobs" not in s.info:
        return  # a house without jobs (a script); it can't be taken back any longer all the same
    today = now().date()
    midnight = datetime.combine(today + timedelta(days=1), time(), UTC)
    jobs.enqueue(
        s,
        forget_job.name,
        run_at=midnight + WITHIN + timedelta(minutes=1),
        unique_key=f"{forget_job.name}:{today.isoformat()}",
    )
