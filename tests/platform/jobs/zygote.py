"""Run as a program: forks a job process for each line on standard input, and prints its id.

Forking from a process that has imported everything makes a new runner in milliseconds, so a test
can kill many. It opens no database before it forks.
"""

import os
import signal
import sys
import threading
import time
from typing import Any

import sqlalchemy as sa

import highstreet_schema  # noqa: F401 - every table that the models point at
from highstreet.jobs import JobHandler, JobRegistry, Runner, Upkeep
from highstreet_tenants.sessions import Tenancy

WORK_SECONDS = 0.02


def note(s: Any, _payload: Any) -> None:
    """Write the effect first and be busy after, so that a kill falls between it and the commit."""
    s.execute(
        sa.text("INSERT INTO jobstest_effect VALUES (:job, :store)"),
        {"job": s.info["job"].id.hex, "store": s.scope.store_id.hex},
    )
    time.sleep(WORK_SECONDS)


def make_runner() -> Runner:
    """The house of this process."""
    tenancy = Tenancy(sa.create_engine(sys.argv[1]))
    registry = JobRegistry(JobHandler("test.note", note, lease_seconds=1))
    return Runner(tenancy, registry, pause=0.02, upkeep=Upkeep(tenancy, registry))


def run() -> None:
    """Be a runner, or with a Redis URL a worker, until SIGTERM."""
    redis_url = sys.argv[2]
    if redis_url:
        from datetime import timedelta

        from highstreet.jobs.rq_transport import work

        work(redis_url, make_runner, window=16, recheck=timedelta(seconds=0.5))
        return
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    make_runner().run_forever(stop)


def main() -> None:
    """Fork on demand; children are nobody's concern once they are dead."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            sys.stdin.close()
            try:
                run()
            finally:
                os._exit(0)
        print(pid, flush=True)


if __name__ == "__main__":
    main()
