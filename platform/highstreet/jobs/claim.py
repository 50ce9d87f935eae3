"""Taking a job: one atomic claim, in turn between stores, at a cost that the queue's length does
not change.

Fairness is a round: each claimer keeps the lane (store, or brand for brand-wide work) it served
last and takes the earliest job of the next lane in the order of ids. Every lane with due work is
served once a round, whether one job waits in it or 130,000. The index `ix_core_job_lane` holds due,
waiting jobs only, so a claim reads one entry of it.
"""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import orm

from highstreet.jobs.models import EXPIRED, RUNNING, job_table
from highstreet.jobs.queue import RELEASED
from highstreet.jobs.registry import JobRegistry
from highstreet_tenants.clock import now
from highstreet_tenants.sessions import Tenancy

LEASE = timedelta(seconds=60)
"""For a job whose handler is not installed here."""

FIRST = UUID(int=0)
_job = job_table
TAKEN = ("id", "brand_id", "store_id", "name", "subject", "attempts", "max_attempts")


class Claimed(Struct, frozen=True):
    """A job that this process holds. `token` proves it; `attempts` counts this one."""

    id: UUID
    brand_id: UUID
    store_id: UUID | None
    name: str
    plugin: str | None
    subject: str | None
    attempts: int
    max_attempts: int
    not_after: datetime | None
    token: UUID
    lease_until: datetime

    @property
    def lane(self) -> UUID:
        """Whose turn it was: the store, or the brand for brand-wide work."""
        return self.store_id or self.brand_id


@lru_cache
def pick(dialect: str, *, unhanded: bool = False) -> sa.ScalarSelect[UUID]:
    """The earliest due job of the first lane beyond `:after`; `unhanded`: not given to Redis."""
    found = (
        sa.select(_job.c.id)
        .where(_job.c.lane > sa.bindparam("after", type_=sa.Uuid()))
        .order_by(_job.c.lane, _job.c.run_at, _job.c.id)
        .limit(sa.literal_column("1"))
    )
    if unhanded:
        found = found.where(_job.c.handed_at.is_(None))
    if dialect == "postgresql":
        found = found.with_for_update(skip_locked=True)
    return found.scalar_subquery()


@lru_cache
def _claim(dialect: str, next_one: bool) -> sa.sql.dml.ReturningUpdate[Any]:
    """The claim of the next job or of job `:job`. Built once: building costs more than running."""
    which = pick(dialect) if next_one else sa.bindparam("job", type_=sa.Uuid())
    return (
        sa.update(_job)
        .where(_job.c.id == which, _job.c.lane.is_not(None))
        .values(
            lane=None,
            handed_at=None,
            status=RUNNING,
            attempts=_job.c.attempts + 1,
            started_at=sa.bindparam("at"),
            lease_until=sa.bindparam("until"),
            leased_by=sa.bindparam("runner"),
            lease_token=sa.bindparam("token"),
            progress_done=0,
            progress_total=None,
        )
        .returning(
            *(_job.c[n] for n in (*TAKEN, "plugin", "not_after", "lease_token", "started_at"))
        )
    )


class Claimer:
    """Claims for one process; it remembers whose turn is next. One thread uses it at a time."""

    def __init__(self, tenancy: Tenancy, registry: JobRegistry, runner_id: UUID) -> None:
        self._tenancy = tenancy
        self._registry = registry
        self._runner_id = runner_id
        # Many processes begin at different places, so together they go round all lanes.
        self._served = uuid4()

    def next(self) -> Claimed | None:
        """The next due job, now leased to this process, or None."""
        with self._tenancy.control(write=True) as c:
            while True:
                row = self._take(c, after=self._served)
                if row is None and self._served != FIRST:
                    self._served = FIRST
                    continue
                if row is None:
                    return None
                self._served = row.store_id or row.brand_id
                claimed = self._lease(c, row)
                if claimed is not None:
                    return claimed

    def this(self, job_id: UUID) -> Claimed | None:
        """That very job, if it is due and nobody has it."""
        with self._tenancy.control(write=True) as c:
            row = self._take(c, job=job_id)
            return None if row is None else self._lease(c, row)

    def _take(self, c: orm.Session, **which: UUID) -> Any:
        at = now()
        claim = _claim(c.get_bind().dialect.name, "after" in which)
        lease = {"at": at, "until": at + LEASE, "runner": self._runner_id, "token": uuid4()}
        return c.execute(claim, {**lease, **which}).first()

    def _lease(self, c: orm.Session, row: Any) -> Claimed | None:
        """The claim with its handler's own lease; None if its last moment has passed."""
        if row.not_after is not None and row.not_after <= row.started_at:
            c.execute(
                sa.update(_job)
                .where(_job.c.id == row.id)
                .values(
                    status=EXPIRED,
                    finished_at=row.started_at,
                    attempts=row.attempts - 1,
                    started_at=None,
                    **RELEASED,
                )
            )
            return None
        lease, plugin = LEASE, row.plugin
        if row.name in self._registry:
            handler = self._registry.get(row.name)
            lease, plugin = timedelta(seconds=handler.lease_seconds), handler.plugin
        until = row.started_at + lease
        if lease != LEASE:
            c.execute(sa.update(_job).where(_job.c.id == row.id).values(lease_until=until))
        return Claimed(
            **{name: getattr(row, name) for name in TAKEN},
            plugin=plugin,
            not_after=row.not_after,
            token=row.lease_token,
            lease_until=until,
        )
