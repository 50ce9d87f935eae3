"""Redis as transport: a relay hands ids of due rows to RQ, and RQ's worker claims the same rows.

Nothing lives in Redis but ids, so losing Redis loses nothing: a row stays queued until somebody has
claimed it, and the relay looks every few seconds whether the ids it handed over are still there.
Only a bounded window of ids is in Redis at any time, handed over in turn between stores, so one
store's long queue does not stand before another's reminder.
"""

import logging
import random
import signal
import threading
from collections.abc import Callable
from datetime import timedelta
from types import FrameType
from uuid import UUID, uuid4

import sqlalchemy as sa
from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import RedisError
from redis.retry import Retry as RedisRetry
from rq import Queue, Retry, SimpleWorker
from rq.exceptions import DuplicateJobError
from rq.serializers import JSONSerializer

from highstreet.jobs.claim import FIRST, pick
from highstreet.jobs.heartbeat import heartbeat
from highstreet.jobs.models import job_table
from highstreet.jobs.runner import Runner, describe
from highstreet.jobs.tidy import idle, tidy
from highstreet_tenants.clock import now
from highstreet_tenants.sessions import Tenancy

log = logging.getLogger(__name__)

QUEUE = "highstreet"
WINDOW = 64
"""Ids in Redis at one time. More would not make workers faster, only turns longer."""

RECHECK = timedelta(seconds=5)
"""An id that was handed over this long ago and is neither waiting in Redis nor claimed is lost."""

ENTRY = "highstreet.jobs.rq_transport.run_row"
_job = job_table


def connect(redis_url: str) -> Redis:
    """A connection that tries thrice before it gives up."""
    return Redis.from_url(redis_url, retry=RedisRetry(ExponentialBackoff(cap=1.0, base=0.1), 3))


class Relay:
    """Hands ids over. Any number of relays may work on one database; one thread uses each."""

    def __init__(
        self,
        tenancy: Tenancy,
        connection: Redis,
        *,
        window: int = WINDOW,
        recheck: timedelta = RECHECK,
        queue_name: str = QUEUE,
    ) -> None:
        self._tenancy = tenancy
        self._queue = Queue(queue_name, connection=connection, serializer=JSONSerializer)
        self._window = window
        self._recheck = recheck
        self._served = uuid4()

    def turn(self) -> int:
        """Fill the window up and hand lost ids over again; gives the number of ids handed.

        Raises RedisError if Redis is away; the ids are then handed over at a later turn.
        """
        with self._tenancy.control() as c:
            if idle(c):
                return 0
            handed = _job.c.handed_at.is_not(None)
            in_flight = int(c.scalar(sa.select(sa.func.count()).where(handed)) or 0)
            stale = c.scalars(
                sa.select(_job.c.id).where(_job.c.handed_at < now() - self._recheck).limit(1)
            ).first()
        tidy(self._tenancy)
        handings = self._take(self._window - in_flight)
        if stale is not None:
            handings += self._take_again()
        # After the commit: while Redis is slow, nobody waits for a lock of ours. An id that does
        # not get there is found missing at a later turn.
        for job_id, handing in handings:
            self._push(job_id, handing)
        return len(handings)

    def _take(self, count: int) -> list[tuple[UUID, int]]:
        """Note the next `count` ids, in turn between lanes, as handed over."""
        taken: list[tuple[UUID, int]] = []
        if count <= 0:
            return taken
        with self._tenancy.control(write=True) as c:
            chosen = pick(c.get_bind().dialect.name, unhanded=True)
            hand = (
                sa.update(_job)
                .where(_job.c.id == chosen, _job.c.lane.is_not(None))
                .values(handed_at=sa.bindparam("at"), handings=_job.c.handings + 1)
                .returning(_job.c.id, _job.c.lane, _job.c.handings)
            )
            while len(taken) < count:
                row = c.execute(hand, {"at": now(), "after": self._served}).first()
                if row is not None:
                    taken.append((row.id, row.handings))
                    self._served = row.lane
                elif self._served != FIRST:
                    self._served = FIRST
                else:
                    break
        return taken

    def _take_again(self) -> list[tuple[UUID, int]]:
        """Look at ids handed over a while ago; gives those that are gone from Redis."""
        waiting = {entry.rpartition("-")[0] for entry in self._queue.get_job_ids()}
        at = now()
        gone: list[tuple[UUID, int]] = []
        with self._tenancy.control(write=True) as c:
            found = (
                sa.select(_job.c.id, _job.c.handings)
                .where(_job.c.handed_at < at - self._recheck, _job.c.lane.is_not(None))
                .order_by(_job.c.lane, _job.c.run_at)
            )
            if c.get_bind().dialect.name == "postgresql":
                found = found.with_for_update(skip_locked=True)
            for row in c.execute(found).all():
                lost = row.id.hex not in waiting
                c.execute(
                    sa.update(_job)
                    .where(_job.c.id == row.id)
                    .values(handed_at=at, handings=row.handings + lost)
                )
                if lost:
                    gone.append((row.id, row.handings + 1))
        return gone

    def _push(self, job_id: UUID, handing: int) -> None:
        # Each handing has an id of its own: what RQ still believes about an earlier one (started by
        # a worker that is dead, say) must not keep the row from being handed over again.
        try:
            self._queue.enqueue(
                ENTRY,
                job_id.hex,
                job_id=f"{job_id.hex}-{handing}",
                unique=True,
                retry=Retry(max=3),
                job_timeout=-1,
                result_ttl=0,
                failure_ttl=3600,
                description=job_id.hex,
            )
        except DuplicateJobError:
            log.debug("job %s is in Redis already", job_id)

    def run_forever(self, stop: threading.Event, upkeep: Callable[[], object]) -> None:
        """Relay until `stop` is set; a database or a Redis that is away is waited for."""
        while not stop.is_set():
            try:
                upkeep()
                handed = self.turn()
            except Exception as error:
                log.error("no jobs can be handed over now: %s", describe(error))
                stop.wait(random.uniform(1.0, 3.0))
                continue
            stop.wait(0.02 if handed else 0.25)


_runner: Runner | None = None


def run_row(job_id: str) -> None:
    """What RQ calls: run the row of that id, if it is still due and free. Never raises for a failed
    job: the row itself records that, and when it is tried again."""
    if _runner is None:
        raise RuntimeError("this is not a Highstreet worker: start one with `highstreet worker`")
    _runner.run_row(UUID(job_id))


class HouseWorker(SimpleWorker):
    """RQ's worker without a fork per job (167 jobs a second instead of 43)."""

    stop: threading.Event
    max_connection_wait_time = 5.0

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """A job under way is finished first."""
        self.stop.set()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]  # untyped in RQ

    def request_force_stop(self, signum: int, frame: FrameType | None) -> None:
        """Told again: the job under way is given back. Its own sys.exit() must look different."""
        try:
            super().request_force_stop(signum, frame)
        except SystemExit as end:
            raise KeyboardInterrupt from end


def work(
    redis_url: str,
    make_runner: Callable[[], Runner],
    *,
    window: int = WINDOW,
    recheck: timedelta = RECHECK,
    queue_name: str = QUEUE,
) -> None:
    """Be a worker until SIGTERM or SIGINT: relay ids from a thread, run jobs in this one.

    `make_runner` builds the house in this process. Two installations that share a Redis need two
    queue names. Only the main thread may call this (RQ sets signal handlers).
    """
    global _runner
    _runner = runner = make_runner()
    stop = threading.Event()
    HouseWorker.stop = stop
    for name in ("rq.worker", "rq.queue", "rq.job"):
        logging.getLogger(name).setLevel(logging.WARNING)
    relay = Relay(
        runner.tenancy, connect(redis_url), window=window, recheck=recheck, queue_name=queue_name
    )
    thread = threading.Thread(
        target=relay.run_forever, args=(stop, runner.upkeep), name="job-relay", daemon=True
    )
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    for number in before:
        signal.signal(number, lambda *_: stop.set())
    thread.start()
    try:
        with heartbeat(runner.tenancy, runner.id, "worker"):
            while not stop.is_set():
                try:
                    _work_once(redis_url, queue_name)
                except RedisError as error:
                    log.error("Redis does not answer: %s", describe(error))
                stop.wait(1.0)
    finally:
        stop.set()
        for number, was in before.items():
            signal.signal(number, was)
        thread.join(timeout=30)


def _work_once(redis_url: str, queue_name: str) -> None:
    """One life of an RQ worker. It ends on request, or when what it knew of itself in Redis is
    gone; then a new one is born."""
    connection = connect(redis_url)
    worker = HouseWorker(
        [queue_name],
        connection=connection,
        serializer=JSONSerializer,
        maintenance_interval=60,
        log_job_description=False,
    )
    worker.work(logging_level="WARNING")
