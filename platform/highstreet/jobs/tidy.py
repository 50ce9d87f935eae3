"""Keeping the queue in order: work falls due, leases lapse, last moments pass, old rows go.

Each step handles a bounded batch through an index of its own, so it costs what has changed, not
what is stored. Any number of processes may tidy at once.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import orm

from highstreet.i18n import gettext as _
from highstreet.jobs.models import (
    EXPIRED,
    FAILED,
    PERISHABLE,
    QUEUED,
    WAITING,
    beat_table,
    job_table,
    payload_table,
)
from highstreet.jobs.queue import LANE, RELEASED
from highstreet_tenants.base import UTCDateTime
from highstreet_tenants.clock import now
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import Tenancy

BATCH = 2000
KEEP = timedelta(days=30)
"""How long ended jobs stay for the jobs page; with them goes what is left of their payloads."""
SILENT = timedelta(days=1)

_job = job_table
_payload = payload_table
_waiting = sa.text(WAITING)
_perishable = sa.text(PERISHABLE)


_at = sa.bindparam("at", type_=UTCDateTime())
_ANYTHING = sa.select(
    sa.or_(
        sa.exists().where(_job.c.lane.is_not(None)),
        sa.exists().where(_waiting, _job.c.run_at <= _at),
        sa.exists().where(_job.c.lease_until < _at),
        sa.exists().where(_perishable, _job.c.not_after <= _at),
    )
)


class Tidied(Struct, frozen=True):
    """How many jobs fell due, came back from a dead worker, were given up, or came too late."""

    due: int = 0
    returned: int = 0
    given_up: int = 0
    late: int = 0

    def __bool__(self) -> bool:
        return bool(self.due or self.returned or self.given_up or self.late)


def idle(c: orm.Session) -> bool:
    """Whether there is nothing to claim and nothing to tidy; reads only, so it takes no lock."""
    return not c.scalar(_ANYTHING, {"at": now()})


def tidy(tenancy: Tenancy) -> Tidied:
    """One batch of each step."""
    at = now()
    with tenancy.control(write=True) as c:
        lapsed = _job.c.lease_until < at
        spent = _job.c.attempts >= _job.c.max_attempts
        words = _("Its worker stopped before the end, each time. Look for what stops it.")
        return Tidied(
            given_up=_change(
                c,
                lapsed,
                spent,
                order=_job.c.lease_until,
                values=RELEASED | {"status": FAILED, "error": words, "finished_at": at},
            ),
            returned=_change(
                c,
                lapsed,
                order=_job.c.lease_until,
                values=RELEASED | {"status": QUEUED, "lane": LANE},
            ),
            late=_change(
                c,
                _perishable,
                _job.c.not_after <= at,
                order=_job.c.not_after,
                values=RELEASED | {"status": EXPIRED, "finished_at": at},
            ),
            due=_change(
                c, _waiting, _job.c.run_at <= at, order=_job.c.run_at, values={"lane": LANE}
            ),
        )


def _change(
    c: orm.Session, *where: Any, order: sa.ColumnElement[datetime], values: dict[str, Any]
) -> int:
    batch = sa.select(_job.c.id).where(*where).order_by(order).limit(BATCH)
    if c.get_bind().dialect.name == "postgresql":
        batch = batch.with_for_update(skip_locked=True)
    changed = c.execute(
        sa.update(_job).where(_job.c.id.in_(batch.scalar_subquery())).values(**values)
    )
    return int(changed.rowcount)  # type: ignore[attr-defined]  # an UPDATE gives a CursorResult


def purge(tenancy: Tenancy, *, keep: timedelta = KEEP) -> int:
    """Delete up to a batch of jobs that ended longer than `keep` ago with what is left of their
    payloads, and runners silent for a day; gives the number of jobs."""
    at = now()
    beat = beat_table
    with tenancy.control() as c:
        silent = c.scalar(sa.select(sa.exists().where(beat.c.seen_at < at - SILENT)))
        rows = c.execute(
            sa.select(_job.c.brand_id, _job.c.id)
            .where(_job.c.finished_at < at - keep)
            .order_by(_job.c.finished_at)
            .limit(BATCH)
        ).all()
    if silent:
        with tenancy.control(write=True) as c:
            c.execute(sa.delete(beat).where(beat.c.seen_at < at - SILENT))
    by_brand: dict[UUID, list[UUID]] = {}
    for brand_id, job_id in rows:
        by_brand.setdefault(brand_id, []).append(job_id)
    for brand_id, ids in by_brand.items():
        with tenancy.session(Scope.operator(brand_id), write=True) as s:
            s.execute(sa.delete(_payload).where(_payload.c.id.in_(ids), *s.scope.owns(_payload)))
            # It may have been retried since we looked.
            s.execute(sa.delete(_job).where(_job.c.id.in_(ids), _job.c.finished_at < at - keep))
    return len(rows)
