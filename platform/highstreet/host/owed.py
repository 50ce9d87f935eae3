"""What a tool still owes: its part in a writing hook that failed, or that came while it was paused.

The business fact stood; the tool's part is written down with the facts' ids and done later by a
job (`retry`), one at a time and in order. Pausing loses nothing: resuming starts the job.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa

from highstreet import jobs
from highstreet.host.guard import CAUGHT
from highstreet.host.models import PluginOwed
from highstreet.host.spec import Hook
from highstreet.jobs.models import SKIPPED, Job
from highstreet_tenants import clock
from highstreet_tenants.errors import Conflict
from highstreet_tenants.ids import new_id
from highstreet_tenants.sessions import ScopedSession

log = logging.getLogger("highstreet.host")

JOB = "host.retry_hook"
TABLE = cast(sa.Table, PluginOwed.__table__)


def note(
    s: ScopedSession,
    hook: Hook,
    plugin: str,
    store_id: UUID | None,
    arguments: Mapping[str, Any],
    *,
    soon: bool = False,
) -> None:
    """Write down that a tool's part is still to be done; soon: and try again by a job.

    Nothing can be kept of a hook without a `retry` codec, or whose codec fails: that is logged.
    """
    if hook.retry is None:
        return
    try:
        written = hook.retry.dump(s, arguments)
    except CAUGHT:
        log.exception("the part of %s in %s can't be kept for later", plugin, hook.name)
        return
    reachable = store_id == s.scope.store_id or s.scope.reaches_stores(personal=True)
    s.execute(
        sa.insert(TABLE).values(
            brand_id=s.scope.brand_id,
            id=new_id(),
            store_id=store_id if reachable else None,
            node_id=store_id or s.scope.brand_id,
            plugin=plugin,
            hook=hook.name,
            arguments=written,
            tries=1 if soon else 0,
            owed_at=clock.now(),
        )
    )
    if soon:
        start(s, plugin, store_id, tries=1)


def start(
    s: ScopedSession, plugin: str, store_id: UUID | None, *, tries: int = 0, follows: bool = False
) -> None:
    """Enqueue the job that settles what a tool owes in a place; later, the more it was tried.

    follows: from that very job, whose own unique key would swallow the next one.
    """
    if "jobs" not in s.info:
        return  # a house without jobs (a script); what is owed stays written down
    wait = timedelta(seconds=15 * 4 ** (tries - 1)) if tries else timedelta(0)
    jobs.enqueue(
        s,
        JOB,
        run_at=clock.now() + wait if tries else None,
        unique_key=None if follows else f"owed:{plugin}:{tries}",
        subject=plugin,
        store_id=store_id,
    )


def count(s: ScopedSession, plugin: str, store_id: UUID | None = None) -> int:
    """How many parts a tool still owes in a place."""
    return int(
        s.scalar(
            sa.select(sa.func.count()).select_from(TABLE).where(*unsettled(s, plugin, store_id))
        )
        or 0
    )


def unsettled(
    s: ScopedSession, plugin: str, store_id: UUID | None
) -> tuple[sa.ColumnElement[bool], ...]:
    """The where-clauses of what a tool owes in a place."""
    node = (s.scope.store_id if store_id is None else store_id) or s.scope.brand_id
    return (
        *s.scope.owns(TABLE),
        TABLE.c.plugin == plugin,
        TABLE.c.node_id == node,
        TABLE.c.outcome.is_(None),
    )


def requeue_skipped(
    s: ScopedSession, plugin: str, store_id: UUID | None, *, since: datetime
) -> int:
    """Queue again the tool's jobs that were skipped in a place since a moment; gives how many."""
    done = 0
    for job_id in s.scalars(
        sa.select(Job.id).where(
            Job.brand_id == s.scope.brand_id,
            Job.store_id == store_id if store_id is not None else Job.store_id.is_(None),
            Job.plugin == plugin,
            Job.status == SKIPPED,
            Job.finished_at >= since,
        )
    ).all():
        try:
            jobs.retry(s, job_id)
        except Conflict:
            continue  # its last moment has passed, or newer work of its kind is queued
        done += 1
    return done
