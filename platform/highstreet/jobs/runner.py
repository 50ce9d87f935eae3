"""Running jobs: the handler's effects and the job's `done` are one transaction, or none of it."""

import logging
import os
import random
import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import timedelta
from time import monotonic
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import orm

from highstreet.i18n import gettext as _
from highstreet.jobs.claim import TAKEN, Claimed, Claimer
from highstreet.jobs.heartbeat import heartbeat
from highstreet.jobs.keeper import Killed
from highstreet.jobs.lease import LeaseLost, RunningJob, renewed
from highstreet.jobs.models import (
    DONE,
    EXPIRED,
    FAILED,
    QUEUED,
    RUNNING,
    SKIPPED,
    job_table,
)
from highstreet.jobs.queue import LANE, RELEASED
from highstreet.jobs.registry import Errand, JobError, JobHandler, JobRegistry, Run
from highstreet.jobs.tidy import idle, tidy
from highstreet_tenants.clock import now
from highstreet_tenants.errors import HighstreetError
from highstreet_tenants.failures import FAILURES
from highstreet_tenants.ids import new_id
from highstreet_tenants.models import Brand
from highstreet_tenants.scopes import Actor, Scope
from highstreet_tenants.sessions import ScopedSession, Tenancy
from highstreet_tenants.statements import Statement, own

log = logging.getLogger(__name__)

Guard = Callable[[ScopedSession, Claimed], str]
"""Says "run" or "skip:<reason>" for a tool's job, in the job's own scope, just before it runs."""

BACKOFF_FIRST = 15.0
BACKOFF_MOST = 6 * 3600.0
"""Seconds before the second try, four times as many before each further one, up to the most."""

ABSENT = timedelta(hours=1)
"""How long a job waits whose handler is not installed; until it is, or somebody cancels it."""

_job = job_table
_READ = Statement(
    f"SELECT payload FROM core_job_payload WHERE id = :id AND {own('core_job_payload')}",
    returns="value",
    types={"payload": dict},
)
_CLEAR = Statement(
    f"DELETE FROM core_job_payload WHERE id = :id AND {own('core_job_payload')}", returns="none"
)
_END = Statement(
    "UPDATE core_job SET status = :status, finished_at = :at, error = :why, lane = NULL,"
    " lease_until = NULL, leased_by = NULL, lease_token = NULL, handed_at = NULL,"
    " progress_done = :done, progress_total = :total"
    " WHERE id = :id AND lease_token = :token AND status = 'running'",
    returns="count",
)


def backoff(attempts: int, jitter: Callable[[], float] = random.random) -> timedelta:
    """How long to wait after the failure of attempt number `attempts`: 15 s, 1 min, 4 min, 16 min …

    up to 6 h, each a quarter more or less, so that jobs that failed together come back apart.
    """
    seconds = min(BACKOFF_MOST, BACKOFF_FIRST * 4.0 ** min(attempts - 1, 20))
    return timedelta(seconds=seconds * (0.75 + 0.5 * jitter()))


def always(_s: ScopedSession, _claimed: Claimed) -> str:
    """A guard that lets everything run; for a house without tools."""
    return "run"


class Runner:
    """Claims jobs and runs them, one at a time. Use it from one thread.

    `guard` is asked for jobs of tools, except those that wind down obligations. `upkeep` is called
    about every second by `run_forever`: the scheduler's turn, for one. `pause` is what it waits
    when there is nothing to do, in seconds.
    """

    def __init__(
        self,
        tenancy: Tenancy,
        registry: JobRegistry,
        guard: Guard = always,
        *,
        upkeep: Callable[[], object] = lambda: None,
        pause: float = 0.5,
        kind: str = "runner",
    ) -> None:
        self.id = new_id()
        self.kind = kind
        self.tenancy = tenancy
        self.registry = registry
        self.upkeep = upkeep
        self._guard = guard
        self._pause = pause
        self._claimer = Claimer(tenancy, registry, self.id)
        #: Told of each job and how many seconds it may take, and with None that it is over.
        self.watch: Callable[[Claimed | None, float], object] = lambda _job, _seconds: None

    def run_one(self) -> str | None:
        """Run the next due job and give the status it ended with ("queued": it will be tried
        again, "lost": another worker has it), or None if nothing is due."""
        claimed = self.claim()
        return None if claimed is None else self.run_claimed(claimed)

    def claim(self) -> Claimed | None:
        """Lease the next due job, for `run_claimed`; None if nothing is due."""
        claimed = self._claimer.next()
        if claimed is None and tidy(self.tenancy):
            claimed = self._claimer.next()
        return claimed

    def run_row(self, job_id: UUID) -> str | None:
        """Run that job if it is due and free; else None. This is how a Redis worker comes in."""
        claimed = self._claimer.this(job_id)
        return None if claimed is None else self.run_claimed(claimed)

    def run_forever(self, stop: threading.Event) -> None:
        """Run jobs until `stop` is set; a job under way is finished first.

        A database that is away is waited for. On SQLite it rests after each job for as long as the
        job took (2 to 100 ms): SQLite hands its write lock to whoever asks first, and a till that
        waits for it asks only now and then.
        """
        sqlite = self.tenancy.engine.dialect.name == "sqlite"
        checked = 0.0
        with heartbeat(self.tenancy, self.id, self.kind):
            while not stop.is_set():
                begun = monotonic()
                try:
                    if begun - checked >= 1.0:
                        checked = begun
                        self.upkeep()
                        if not self._idle():
                            tidy(self.tenancy)
                    ran = None if self._idle() else self.run_one()
                except Exception as error:  # a database that is away, most likely: never give up
                    log.error("no jobs can be run now: %s", describe(error))
                    stop.wait(2.0)
                    continue
                if ran is None:
                    stop.wait(self._pause)
                elif sqlite:
                    stop.wait(min(max(monotonic() - begun, 0.002), 0.1))

    def _idle(self) -> bool:
        with self.tenancy.control() as c:
            return idle(c)

    def run_claimed(self, claimed: Claimed) -> str:
        """Run a job that `Claimer` leased to us; gives the status as `run_one` does."""
        running = RunningJob(claimed)
        try:
            handler = self.registry.get(claimed.name)
            self.watch(claimed, handler.max_seconds)
            with renewed(self.tenancy, running, handler):
                return self._run(claimed, running, handler)
        except LeaseLost:
            log.info("job %s (%s) was cancelled or taken over", claimed.id, claimed.name)
            return "lost"
        except FAILURES as error:
            return self._failed(claimed, error)
        except BaseException:
            self._give_back(claimed)
            raise
        finally:
            self.watch(None, 0.0)

    def was_killed(self, killed: Killed) -> Claimed | None:
        """Record that a job's process was killed under it, or crashed; gives the job, unless
        somebody has cancelled it or taken it over meanwhile."""
        with self.tenancy.control() as c:
            row = c.execute(
                sa.select(
                    *(_job.c[name] for name in (*TAKEN, "plugin", "not_after", "lease_until"))
                ).where(
                    _job.c.id == killed.job,
                    _job.c.lease_token == killed.token,
                    _job.c.status == RUNNING,
                )
            ).first()
        if row is None:
            return None
        claimed = Claimed(**row._mapping, token=killed.token)
        if killed.seconds is None:
            words = _("The process in which it ran ended.")
        else:
            words = _("It ran longer than %(time)s s and was killed.", time=round(killed.seconds))
        self._failed(claimed, JobError(words))
        return claimed

    def _run(self, claimed: Claimed, running: RunningJob, handler: JobHandler) -> str:
        scope = self.scope_of(claimed)
        seconds = handler.max_seconds  # or its last statement would outlive a job that is killed
        with self.tenancy.session(scope, write=True, seconds=seconds) as s:
            s.info["job"] = running
            at = now()
            # Waiting for SQLite's write lock takes time; what came due meanwhile must not pass.
            if claimed.not_after is not None and claimed.not_after <= at:
                return self._end(s, running, EXPIRED)
            if at >= claimed.lease_until:
                raise LeaseLost(_("The job was cancelled or taken over by another worker."))
            if handler.plugin is not None and not handler.winddown:
                answer = self._guard(s, claimed)
                if answer != "run":
                    return self._end(s, running, SKIPPED, answer.removeprefix("skip:").strip())
            payload = self._read_payload(s, claimed)
            if not handler.outside:
                cast(Run, handler.run)(s, payload)
                s.flush()
                return self._end(s, running, DONE)
        ending = cast(Errand, handler.run)(_Trip(self.tenancy, scope, running), payload)
        with self.tenancy.session(scope, write=True) as s:
            self._end(s, running, DONE)
            if ending is not None:
                ending(s)
            return DONE

    def scope_of(self, claimed: Claimed) -> Scope:
        """The store or brand in which a job works."""
        actor = Actor("job", claimed.id, claimed.name)
        if claimed.store_id is not None:
            return Scope.store(claimed.brand_id, claimed.store_id, actor)
        with self.tenancy.control() as c:
            return Scope.brand(c.get_one(Brand, claimed.brand_id), actor)

    def _read_payload(self, s: ScopedSession, claimed: Claimed) -> Mapping[str, Any]:
        found = _READ(s, id=claimed.id)
        payload = dict(found or {})
        if claimed.subject is not None:
            payload.setdefault("subject", claimed.subject)
        return payload

    def _end(self, s: ScopedSession, running: RunningJob, status: str, why: str = "") -> str:
        """End the job in the handler's own transaction. Raises LeaseLost if it is not ours now."""
        claimed = running.claimed
        ours = _END(
            s,
            id=claimed.id,
            token=claimed.token,
            status=status,
            at=now(),
            why=why[:400] or None,
            done=running.done,
            total=running.total,
        )
        if not ours:
            raise LeaseLost(_("The job was cancelled or taken over by another worker."))
        if status == DONE:
            _CLEAR(s, id=claimed.id)
        return status

    def _failed(self, claimed: Claimed, error: BaseException) -> str:
        """Record the failure in a transaction of its own, and when to try again."""
        words = describe(error)
        log.error("job %s (%s), attempt %s: %s", claimed.id, claimed.name, claimed.attempts, words)
        at = now()
        again = claimed.attempts < claimed.max_attempts
        wait = backoff(claimed.attempts)
        if isinstance(error, JobError):
            again = again and error.again
            wait = max(wait, error.after)
        values: dict[str, Any] = {"status": QUEUED, "run_at": at + wait}
        if claimed.name not in self.registry:
            # No fault of the job's: its tool may be left out by safe mode, or be deployed later.
            values = {"status": QUEUED, "run_at": at + ABSENT, "attempts": claimed.attempts - 1}
        elif not again:
            values = {"status": FAILED, "finished_at": at}
        with self.tenancy.control(write=True) as c:
            return _record(c, claimed, RELEASED | values | {"error": words})

    def _give_back(self, claimed: Claimed) -> None:
        """The process is told to end: leave the job to another, and do not count this attempt."""
        with self.tenancy.control(write=True) as c:
            _record(
                c,
                claimed,
                RELEASED | {"status": QUEUED, "lane": LANE, "attempts": claimed.attempts - 1},
            )


class _Trip:
    """See `registry.Trip`."""

    def __init__(self, tenancy: Tenancy, scope: Scope, running: RunningJob) -> None:
        self._tenancy, self._scope, self._running = tenancy, scope, running

    @property
    def id(self) -> UUID:
        return self._running.id

    def session(self, *, write: bool = False) -> AbstractContextManager[ScopedSession]:
        return self._tenancy.session(self._scope, write=write)

    def report(self, done: int, total: int | None = None) -> None:
        self._running.report(done, total)


def _ours(claimed: Claimed) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        _job.c.id == claimed.id,
        _job.c.lease_token == claimed.token,
        _job.c.status == RUNNING,
    )


def _record(c: orm.Session, claimed: Claimed, values: dict[str, Any]) -> str:
    kept = c.execute(
        sa.update(_job).where(*_ours(claimed)).values(**values).returning(_job.c.status)
    ).scalar()
    return "lost" if kept is None else str(kept)


def describe(error: BaseException) -> str:
    """An error for the jobs page: its kind and place, never its message, which may hold a
    customer's data; except a JobError's, which promises not to."""
    if isinstance(error, JobError):
        return error.detail[:400]
    kind = error.type if isinstance(error, HighstreetError) else type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if "site-packages" not in f.filename] or frames
    if not own:
        return kind
    place = own[-1]
    path = "/".join(place.filename.rsplit(os.sep, 2)[-2:])
    return f"{kind} at {path}:{place.lineno} in {place.name}"[:400]
