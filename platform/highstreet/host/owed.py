"""What a tool still owes: its part in a writing hook that failed, or came while it stood still.

The business fact stood; the tool's part is written down with the facts' ids. `handing` gives what
is due to jobs wherever the tool works (again), and `retry` does it. So nothing that a tool owes is
lost by its being paused, switched off or broken by an update, nor by a process that is killed.
"""

import logging
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

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

#: So many parts are done by one job.
CHUNK = 200
#: After this long what was given to a job and is still owed is given to another: the job was
#: cancelled, say. That both may be at it does no harm, for a part is locked while it is done.
HANDED = timedelta(hours=1)
FIRST, MOST = timedelta(seconds=15), timedelta(days=1)


class Debt(Struct, frozen=True):
    """What a tool owes in a place through one hook. store_id: None for head office.

    since: of the oldest part; next_try: of the first that is due (UTC); tries: of the part tried
    most often, the first try included.
    """

    plugin: str
    store_id: UUID | None
    hook: str
    parts: int
    since: datetime
    next_try: datetime
    tries: int


def backoff(tries: int) -> timedelta:
    """How long after try number `tries` the next one comes: 15 s, 1 min, 4 min … up to a day.

    It goes on for ever: whatever was wrong may be put right by the tool's next version.
    """
    times: int = 4 ** min(max(tries - 1, 0), 20)
    return min(MOST, FIRST * times)


def note(
    s: ScopedSession,
    hook: Hook,
    plugin: str,
    store_id: UUID | None,
    arguments: Mapping[str, Any],
    *,
    tried: bool = False,
) -> None:
    """Write down that a tool's part is still to be done. tried: it failed just now.

    Nothing can be kept of a hook without a `retry` codec, or whose codec fails: that is logged.
    """
    if hook.retry is None:
        return
    try:
        written = hook.retry.dump(s, arguments)
    except CAUGHT:
        log.exception("the part of %s in %s can't be kept for later", plugin, hook.name)
        return
    write(s, hook.name, plugin, store_id, written, tried=tried)


def write(
    s: ScopedSession,
    hook: str,
    plugin: str,
    store_id: UUID | None,
    arguments: Mapping[str, Any],
    *,
    tried: bool = False,
) -> None:
    """Write a part down. arguments: as the hook's retry codec wrote them."""
    reachable = store_id == s.scope.store_id or s.scope.reaches_stores(personal=True)
    at = clock.now()
    s.execute(
        sa.insert(TABLE).values(
            brand_id=s.scope.brand_id,
            id=new_id(),
            store_id=store_id if reachable else None,
            node_id=store_id or s.scope.brand_id,
            plugin=plugin,
            hook=hook,
            arguments=dict(arguments),
            tries=1 if tried else 0,
            owed_at=at,
            due_at=at + backoff(1) if tried else at,
        )
    )


def hand(
    s: ScopedSession,
    plugin: str,
    store_id: UUID | None,
    hooks: Collection[str] | None = None,
    *,
    everything: bool = False,
) -> int:
    """Give the parts of a tool in a place that are due to jobs; gives how many parts.

    hooks: only these. everything: also what was to be tried later.
    """
    reachable = store_id in (None, s.scope.store_id) or s.scope.reaches_stores(personal=True)
    if "jobs" not in s.info or not reachable:
        return 0  # a script's house; or head office, from whom it is hidden: `handing` sees it
    at = clock.now()
    where = unsettled(s, plugin, store_id)
    if everything:
        s.execute(sa.update(TABLE).where(*where, TABLE.c.due_at > at).values(due_at=at))
    if hooks is not None:
        where += (TABLE.c.hook.in_(hooks),)
    due = (
        sa.select(TABLE.c.id, TABLE.c.tries)
        .where(*where, TABLE.c.due_at <= at)
        .order_by(TABLE.c.owed_at, TABLE.c.id)
        .limit(CHUNK)
        .with_for_update(skip_locked=True)
    )
    handed = 0
    while rows := s.execute(due).all():
        enqueue(s, plugin, store_id, [row.id for row in rows])
        for tries in {row.tries for row in rows}:
            ids = [row.id for row in rows if row.tries == tries]
            s.execute(
                sa.update(TABLE)
                .where(*s.scope.owns(TABLE), TABLE.c.id.in_(ids))
                .values(tries=tries + 1, due_at=at + max(HANDED, backoff(tries + 1)))
            )
        handed += len(rows)
    return handed


def enqueue(s: ScopedSession, plugin: str, store_id: UUID | None, ids: Collection[UUID]) -> None:
    """Queue the job that does these parts."""
    node = s.scope.store_id if store_id is None else store_id
    jobs.enqueue(s, JOB, {"ids": [one.hex for one in ids]}, subject=plugin, store_id=node)


def count(s: ScopedSession, plugin: str, store_id: UUID | None = None) -> int:
    """How many parts a tool still owes in a place."""
    return int(
        s.scalar(
            sa.select(sa.func.count()).select_from(TABLE).where(*unsettled(s, plugin, store_id))
        )
        or 0
    )


def debts(s: ScopedSession, plugin: str | None = None, store_id: UUID | None = None) -> list[Debt]:
    """What is owed within reach, the oldest first; of one tool, in one store."""
    node = s.scope.store_id if store_id is None else store_id
    where = [*s.scope.owns(TABLE), TABLE.c.outcome.is_(None)]
    if plugin is not None:
        where.append(TABLE.c.plugin == plugin)
    if node is not None:
        where.append(TABLE.c.node_id == node)
    since = sa.func.min(TABLE.c.owed_at)
    rows = s.execute(
        sa.select(
            TABLE.c.plugin,
            TABLE.c.node_id,
            TABLE.c.hook,
            sa.func.count().label("parts"),
            since.label("since"),
            sa.func.min(TABLE.c.due_at).label("next_try"),
            sa.func.max(TABLE.c.tries).label("tries"),
        )
        .where(*where)
        .group_by(TABLE.c.plugin, TABLE.c.node_id, TABLE.c.hook)
        .order_by(since)
    )
    return [
        Debt(
            row.plugin,
            None if row.node_id == s.scope.brand_id else row.node_id,
            row.hook,
            row.parts,
            row.since,
            row.next_try,
            row.tries,
        )
        for row in rows
    ]


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
