"""Tables of durable jobs. The row is the truth; whatever carries a job's id is only transport."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from highstreet_tenants.base import Base, StoreOwned
from highstreet_tenants.clock import now
from highstreet_tenants.ids import new_id

QUEUED, RUNNING, DONE = "queued", "running", "done"
FAILED, SKIPPED, EXPIRED, CANCELLED = "failed", "skipped", "expired", "cancelled"
STATUSES = (QUEUED, RUNNING, DONE, FAILED, SKIPPED, EXPIRED, CANCELLED)

# Conditions of partial indexes stand in queries word for word, never as bound values: neither
# database proves that a bound value implies an index's condition.
OPEN = "status IN ('queued', 'running')"
WAITING = "status = 'queued' AND lane IS NULL"
PERISHABLE = "status = 'queued' AND not_after IS NOT NULL"


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> sa.Index:
    condition = sa.text(where)
    return sa.Index(
        name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition
    )


class Job(Base):
    """A job's envelope. Control plane: it is read before a scope exists, so it holds no payload.

    `lane` is whose turn the job waits for: its store, or the brand for brand-wide work; null unless
    the job is due and waiting, so the index that claims use holds nothing else.
    `subject` says what the job is about in a few characters that are never customer data: a local
    day, a campaign's id. `lease_token` is new at each claim; who no longer holds it may not finish
    the job. `handed_at` and `handings` belong to the transport: when, and how many times, the id
    was last given to Redis. `error` names what went wrong, without anyone's data.
    """

    __tablename__ = "core_job"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    brand_id: Mapped[UUID] = mapped_column(sa.ForeignKey("core_brand.id"))
    store_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    name: Mapped[str] = mapped_column(sa.String(80))
    plugin: Mapped[str | None] = mapped_column(sa.String(60), default=None)
    subject: Mapped[str | None] = mapped_column(sa.String(60), default=None)
    status: Mapped[str] = mapped_column(sa.String(9), default=QUEUED)
    lane: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    run_at: Mapped[datetime] = mapped_column(default=now)
    not_after: Mapped[datetime | None] = mapped_column(default=None)
    attempts: Mapped[int] = mapped_column(default=0)
    max_attempts: Mapped[int] = mapped_column(default=5)
    lease_until: Mapped[datetime | None] = mapped_column(default=None)
    leased_by: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    lease_token: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    unique_key: Mapped[str | None] = mapped_column(sa.String(240), default=None)
    handed_at: Mapped[datetime | None] = mapped_column(default=None)
    handings: Mapped[int] = mapped_column(default=0)
    enqueued_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime | None] = mapped_column(default=None)
    finished_at: Mapped[datetime | None] = mapped_column(default=None)
    error: Mapped[str | None] = mapped_column(sa.String(400), default=None)
    progress_done: Mapped[int] = mapped_column(default=0)
    progress_total: Mapped[int | None] = mapped_column(default=None)

    __table_args__ = (
        sa.ForeignKeyConstraint(["brand_id", "store_id"], ["core_store.brand_id", "core_store.id"]),
        sa.CheckConstraint(f"status IN {STATUSES!r}", name="status"),
        sa.UniqueConstraint("brand_id", "id"),
        sa.Index("ix_core_job_status", "brand_id", "status", "id"),
        sa.Index("ix_core_job_store", "store_id", "id"),
        _partial("ix_core_job_lane", "lane", "run_at", "id", where="lane IS NOT NULL"),
        _partial("ix_core_job_waiting", "run_at", where=WAITING),
        _partial("ix_core_job_perishable", "not_after", where=PERISHABLE),
        _partial("ix_core_job_lease", "lease_until", where="lease_until IS NOT NULL"),
        _partial("ix_core_job_handed", "handed_at", where="handed_at IS NOT NULL"),
        _partial("ix_core_job_finished", "finished_at", where="finished_at IS NOT NULL"),
        _partial(
            "uq_core_job_key",
            "brand_id",
            "unique_key",
            where=f"unique_key IS NOT NULL AND {OPEN}",
            unique=True,
        ),
    )


class JobPayload(StoreOwned, Base):
    """What a job works on. Tenant-owned: read only in the job's own scope, deleted once it is done.

    `id` is the job's (no foreign key: tenants' tables do not point into the control plane). A job
    with an empty payload has no row here.
    """

    __tablename__ = "core_job_payload"
    __personal__ = True

    payload: Mapped[dict[str, Any]] = mapped_column(sa.JSON())


class ScheduleMark(Base):
    """The latest turn of a periodic job that was fired for a lane (a store, or the brand).

    One row per lane and job, moved forward only, so a turn fires once whoever asks: `slot` is a
    local day ("2026-03-29") or, for hourly work, a UTC minute ("2026-03-29T01:15Z").
    """

    __tablename__ = "core_schedule_mark"

    brand_id: Mapped[UUID] = mapped_column(sa.ForeignKey("core_brand.id"), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    lane: Mapped[UUID] = mapped_column(sa.Uuid(), primary_key=True)
    slot: Mapped[str] = mapped_column(sa.String(20))
    fired_at: Mapped[datetime] = mapped_column(default=now)


class RunnerBeat(Base):
    """A sign of life of a process that runs jobs; `/readyz` asks for a fresh one."""

    __tablename__ = "core_runner"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(10))
    host: Mapped[str] = mapped_column(sa.String(120))
    pid: Mapped[int] = mapped_column()
    started_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now, index=True)


# The same tables for Core statements; SQLAlchemy types `__table__` more loosely than it is.
job_table = cast(sa.Table, Job.__table__)
payload_table = cast(sa.Table, JobPayload.__table__)
mark_table = cast(sa.Table, ScheduleMark.__table__)
beat_table = cast(sa.Table, RunnerBeat.__table__)
