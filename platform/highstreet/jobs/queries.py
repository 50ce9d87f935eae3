"""Reads for the jobs page, the command line and the health check."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import orm

from highstreet.i18n import gettext as _
from highstreet.jobs.models import beat_table, job_table
from highstreet_tenants.clock import now
from highstreet_tenants.errors import NotFound
from highstreet_tenants.sessions import ScopedSession

_job = job_table


class JobView(Struct, frozen=True):
    """A job as people may see it: the envelope, never the payload. Times are UTC."""

    id: UUID
    brand_id: UUID
    store_id: UUID | None
    name: str
    plugin: str | None
    subject: str | None
    status: str
    run_at: datetime
    not_after: datetime | None
    attempts: int
    max_attempts: int
    lease_until: datetime | None
    enqueued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None
    progress_done: int
    progress_total: int | None


_VIEW = tuple(_job.c[name] for name in JobView.__struct_fields__)


def reach(s: orm.Session) -> tuple[sa.ColumnElement[bool], ...]:
    """The jobs that this session may see: a store's own, a brand's, or, from a control session
    (operators only), all."""
    if not isinstance(s, ScopedSession):
        return ()
    own: tuple[sa.ColumnElement[bool], ...] = (_job.c.brand_id == s.scope.brand_id,)
    if s.scope.reach == "store":
        own += (_job.c.store_id == s.scope.store_id,)
    return own


def list_jobs(
    s: orm.Session,
    *,
    status: str | None = None,
    name: str | None = None,
    plugin: str | None = None,
    store_id: UUID | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> list[JobView]:
    """Newest first, at most `limit` (500); the next page begins `before` the last id shown."""
    asked: dict[str, Any] = {"status": status, "name": name, "plugin": plugin, "store_id": store_id}
    where = [_job.c[column] == value for column, value in asked.items() if value is not None]
    if before is not None:
        where.append(_job.c.id < before)
    rows = s.execute(
        sa.select(*_VIEW)
        .where(*reach(s), *where)
        .order_by(_job.c.id.desc())
        .limit(max(1, min(limit, 500)))
    )
    return [JobView(*row) for row in rows]


def detail(s: orm.Session, job_id: UUID) -> JobView:
    """One job. Raises NotFound."""
    row = s.execute(sa.select(*_VIEW).where(_job.c.id == job_id, *reach(s))).first()
    if row is None:
        raise NotFound(_("There is no such job."))
    return JobView(*row)


def counts(s: orm.Session) -> dict[str, int]:
    """How many jobs there are of each status that occurs (ended ones are kept for some weeks)."""
    rows = s.execute(
        sa.select(_job.c.status, sa.func.count()).where(*reach(s)).group_by(_job.c.status)
    )
    return {row.status: row[1] for row in rows}


class RunnerView(Struct, frozen=True):
    """A process that runs jobs."""

    id: UUID
    kind: str
    host: str
    pid: int
    started_at: datetime
    seen_at: datetime


def runners(c: orm.Session, *, within: timedelta = timedelta(seconds=60)) -> Sequence[RunnerView]:
    """Runners that gave a sign of life `within` that long; `c` is a control session."""
    beat = beat_table
    rows = c.execute(
        sa.select(*(beat.c[name] for name in RunnerView.__struct_fields__))
        .where(beat.c.seen_at >= now() - within)
        .order_by(beat.c.started_at)
    )
    return [RunnerView(*row) for row in rows]
