"""A house with nothing but jobs in it, a table for their effects, and processes to kill."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from highstreet.jobs import JobHandler, JobRegistry, Periodic, Runner, enqueue, enqueue_many
from highstreet.jobs.models import beat_table, job_table
from highstreet_tenants.scopes import Scope

ZYGOTE = Path(__file__).with_name("zygote.py")
# Not in the metadata: no tool owns it, and the schema's own tests must not meet it. No key, so that
# an effect that happens twice is seen twice.
EFFECTS = "CREATE TABLE IF NOT EXISTS jobstest_effect (job_id VARCHAR(32), store_id VARCHAR(32))"


def until(true: Callable[[], Any], what: str, seconds: float = 30.0) -> Any:
    """Poll until `true()` gives something; fail with `what` after the deadline."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = true()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"not within {seconds} s: {what}")


def effect(s: Any, _payload: Any) -> None:
    """Note the running job's id."""
    s.execute(
        sa.text("INSERT INTO jobstest_effect VALUES (:job, :store)"),
        {"job": s.info["job"].id.hex, "store": (s.scope.store_id or s.scope.brand_id).hex},
    )


@dataclass
class Work:
    """What the tests do with jobs, on one database with one brand of three stores."""

    database: Any
    brand: SimpleNamespace
    registry: JobRegistry = field(default_factory=JobRegistry)

    @property
    def tenancy(self) -> Any:
        return self.database.tenancy

    @property
    def sqlite(self) -> bool:
        return bool(self.database.kind == "sqlite")

    def scope(self, store: int | None = 0) -> Scope:
        if store is None:
            return Scope.operator(self.brand.id)
        return Scope.store(self.brand.id, self.brand.stores[store].id)

    def handle(self, name: str, run: Any = effect, **kw: Any) -> None:
        self.registry.add(JobHandler(name, run, **kw))

    def every(self, name: str, run: Any = effect, plugin: str | None = None, **kw: Any) -> None:
        self.registry.add(JobHandler(name, run, plugin=plugin), Periodic(name, **kw))

    def enqueue(self, name: str, payload: Any = None, *, store: int | None = 0, **kw: Any) -> UUID:
        with self.tenancy.session(self.scope(store), write=True) as s:
            return enqueue(s, name, payload, **kw)

    def notes(self, each: int) -> None:
        """Give each of the three stores `each` jobs for a zygote's children."""
        for store in range(3):
            with self.tenancy.session(self.scope(store), write=True) as s:
                enqueue_many(s, "test.note", [{"n": n} for n in range(each)], max_attempts=50)

    def runner(self, **kw: Any) -> Runner:
        return Runner(self.tenancy, self.registry, **{"pause": 0.02, **kw})

    def rows(self) -> list[Any]:
        with self.tenancy.control() as c:
            return list(c.execute(sa.select(job_table).order_by(job_table.c.id)))

    def row(self, job_id: UUID) -> Any:
        with self.tenancy.control() as c:
            return c.execute(sa.select(job_table).where(job_table.c.id == job_id)).one()

    def alter(self, job_id: UUID, **values: Any) -> None:
        with self.tenancy.control(write=True) as c:
            c.execute(sa.update(job_table).where(job_table.c.id == job_id).values(**values))

    def runs(self, pid: int) -> bool:
        """Whether the process is in the middle of a job."""
        with self.tenancy.control() as c:
            held = sa.select(job_table.c.id).join(
                beat_table, beat_table.c.id == job_table.c.leased_by
            )
            found = held.where(job_table.c.status == "running", beat_table.c.pid == pid)
            return c.execute(found).first() is not None

    def caught(self, pid: int) -> bool:
        """Whether the process is in the middle of a job. Work never runs out while this is asked: a
        worker that lost Redis may be a second in coming back, and another could do all the rest."""
        if all(row.status == "done" for row in self.rows()):
            self.notes(5)
        return self.runs(pid)

    def lives(self, pid: int) -> bool:
        """Whether the process has signed on and not signed off."""
        with self.tenancy.control() as c:
            found = sa.select(beat_table.c.id).where(beat_table.c.pid == pid)
            return c.execute(found).first() is not None

    def effects(self) -> list[tuple[str, str]]:
        with self.database.owner.connect() as c:
            return [tuple(row) for row in c.exec_driver_sql("SELECT * FROM jobstest_effect")]


@pytest.fixture
def work(database: Any) -> Iterator[Work]:
    """A brand whose stores own their customers, and the table of effects."""
    from highstreet.kit.brands import make_brand
    from highstreet.kit.databases import ROLE

    with database.owner.begin() as c:
        c.exec_driver_sql(EFFECTS)
        if database.kind == "postgresql":
            c.exec_driver_sql(f"GRANT ALL ON jobstest_effect TO {ROLE}")
    yield Work(database, make_brand(database.tenancy, "quarry", "store", stores=3))
    with database.owner.begin() as c:
        c.exec_driver_sql("DROP TABLE jobstest_effect")


class Zygote:
    """A process that has everything imported and forks runners on demand, ready to be killed."""

    def __init__(self, url: str, redis_url: str = "") -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(ZYGOTE), url, redis_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
        self.children: list[int] = []

    def spawn(self) -> int:
        """A new runner's process id."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write("spawn\n")
        self._process.stdin.flush()
        pid = int(self._process.stdout.readline())
        self.children.append(pid)
        return pid

    def kill(self, pid: int, number: int = signal.SIGKILL) -> None:
        """Send a signal and forget the child."""
        self.children.remove(pid)
        os.kill(pid, number)

    def end(self) -> None:
        for pid in list(self.children):
            self.kill(pid)
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)


@contextmanager
def zygote(url: str, redis_url: str = "") -> Iterator[Zygote]:
    """A zygote that ends with the block, its children with it."""
    made = Zygote(url, redis_url)
    try:
        yield made
    finally:
        made.end()
