"""Holding on to a job while it runs: a lease that is renewed, or the news that it is lost."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic
from uuid import UUID

import sqlalchemy as sa

from highstreet.i18n import gettext as _
from highstreet.jobs.claim import Claimed
from highstreet.jobs.models import RUNNING, job_table
from highstreet.jobs.registry import JobHandler
from highstreet_tenants.clock import now
from highstreet_tenants.errors import HighstreetError
from highstreet_tenants.sessions import Tenancy

log = logging.getLogger(__name__)
_job = job_table


class LeaseLost(HighstreetError):
    """The job was cancelled, or its lease lapsed and another worker has it. All is rolled back."""

    type, status = "lease-lost", 409


class RunningJob:
    """What a handler finds in `s.info["job"]`: which job it is, and where to report progress."""

    def __init__(self, claimed: Claimed) -> None:
        self.claimed = claimed
        self.done = 0
        self.total: int | None = None
        self.lost = False

    @property
    def id(self) -> UUID:
        """The job's id: a good idempotency key for what leaves the house."""
        return self.claimed.id

    @property
    def subject(self) -> str | None:
        """What the job is about."""
        return self.claimed.subject

    @property
    def attempt(self) -> int:
        """1 at the first try."""
        return self.claimed.attempts

    def report(self, done: int, total: int | None = None) -> None:
        """Note the progress. Raises LeaseLost."""
        self.done, self.total = done, total
        if self.lost:
            raise LeaseLost(_("The job was cancelled or taken over by another worker."))


@contextmanager
def renewed(
    tenancy: Tenancy, running: RunningJob, handler: JobHandler, *, longest_pause: float = 5.0
) -> Iterator[None]:
    """Renew the lease from a thread of its own until the block ends, at most `max_seconds` long.

    On SQLite nothing is renewed (but for a job that works outside of the house): the job's own
    transaction holds the only write lock, so nobody can take the job over while it lives, and a
    renewal could only wait for it. The thread is told to
    stop but never waited for: on PostgreSQL it may wait for the very row that the job's transaction
    is about to commit, and a renewal after that finds no row with its token.
    """
    if tenancy.engine.dialect.name == "sqlite" and not handler.outside:
        yield
        return
    over = threading.Event()
    thread = threading.Thread(
        target=_renew,
        args=(tenancy, running, handler, over, min(handler.lease_seconds / 3, longest_pause)),
        name=f"lease-{running.id}",
        daemon=True,
    )
    thread.start()
    try:
        yield
    finally:
        over.set()


def _renew(
    tenancy: Tenancy,
    running: RunningJob,
    handler: JobHandler,
    over: threading.Event,
    pause: float,
) -> None:
    begun = monotonic()
    while not over.wait(pause):
        if monotonic() - begun > handler.max_seconds:
            log.warning("job %s runs longer than %s s", running.id, handler.max_seconds)
            return
        try:
            with tenancy.control(write=True) as c:
                held = c.execute(
                    sa.update(_job)
                    .where(
                        _job.c.id == running.id,
                        _job.c.lease_token == running.claimed.token,
                        _job.c.status == RUNNING,
                    )
                    .values(
                        lease_until=now() + timedelta(seconds=handler.lease_seconds),
                        progress_done=running.done,
                        progress_total=running.total,
                    )
                    .returning(_job.c.id)
                ).first()
        except sa.exc.SQLAlchemyError as error:
            log.warning("job %s: its lease was not renewed (%s)", running.id, type(error).__name__)
            continue
        if held is None:
            running.lost = True
            return
