"""Run as a program by a keeper: jobs that hang or crash, and one that does neither."""

import json
import os
import re
import signal
import sys
import threading
from typing import Any

import sqlalchemy as sa

import highstreet_schema  # noqa: F401 - every table that the models point at
from highstreet.jobs import JobHandler, JobRegistry, Runner, keeper
from highstreet_tenants.sessions import Tenancy


def note(s: Any, _payload: Any) -> None:
    """The effect that must not outlive a killed job."""
    s.execute(
        sa.text("INSERT INTO jobstest_effect VALUES (:job, :store)"),
        {"job": s.info["job"].id.hex, "store": s.scope.store_id.hex},
    )


def loop(s: Any, payload: Any) -> None:
    """Goes round for ever."""
    note(s, payload)
    while True:
        pass


def in_c(s: Any, payload: Any) -> None:
    """Never comes back from C, and holds the interpreter's lock meanwhile."""
    note(s, payload)
    re.match(r"(a+)+$", "a" * 60 + "b")


def crash(s: Any, payload: Any) -> None:
    """Takes the process with it."""
    note(s, payload)
    os.kill(os.getpid(), signal.SIGSEGV)


def main() -> None:
    said = json.loads(sys.stdin.readline())
    told = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    keeper.when_alone(sys.stdin, lambda: os.kill(os.getpid(), signal.SIGTERM))
    tenancy = Tenancy(sa.create_engine(said["url"]))
    runs = {"test.loop": loop, "test.c": in_c, "test.crash": crash, "test.fine": note}
    registry = JobRegistry(
        *(JobHandler(name, run, lease_seconds=1, max_seconds=1) for name, run in runs.items())
    )
    runner = Runner(tenancy, registry, pause=0.02)
    runner.watch = keeper.Teller(told)
    if (killed := keeper.killed_in(said)) is not None:
        runner.was_killed(killed)
    if said["redis"]:
        from highstreet.jobs.rq_transport import work

        work(said["redis"], lambda: runner)
        return
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    runner.run_forever(stop)


if __name__ == "__main__":
    main()
