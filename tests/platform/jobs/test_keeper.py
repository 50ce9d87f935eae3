"""A job that hangs is killed with its process; nothing of it is done, and all other jobs go on."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from redis import Redis

from highstreet.jobs import JobHandler
from highstreet.jobs.keeper import Keeper

from .conftest import until

CHILD = Path(__file__).with_name("kept_child.py")


@contextmanager
def kept(url: str, redis: str = "") -> Iterator[SimpleNamespace]:
    """A keeper at work in a thread."""
    keeper = Keeper({"url": url, "redis": redis}, command=[sys.executable, str(CHILD)], grace=0.2)
    stop, ended = threading.Event(), []
    thread = threading.Thread(target=lambda: ended.append(keeper.keep(stop)))
    thread.start()
    try:
        yield SimpleNamespace(keeper=keeper, stop=stop, ended=ended)
    finally:
        stop.set()
        thread.join(90)
        assert not thread.is_alive()


@pytest.mark.parametrize(
    ("database_module", "through_redis"),
    [("sqlite", False), ("postgresql", True)],
    indirect=["database_module"],
)
def test_jobs_that_hang_or_crash_are_noted_and_the_others_are_done(
    work: Any, through_redis: bool, request: pytest.FixtureRequest
) -> None:
    redis = request.getfixturevalue("redis_url") if through_redis else ""
    if redis:
        Redis.from_url(redis).flushall()  # our own server, see the fixture
    loop = work.enqueue("test.loop", store=0)
    in_c = work.enqueue("test.c", store=1, max_attempts=1)
    crash = work.enqueue("test.crash", store=2)
    fine = [work.enqueue("test.fine", store=n) for n in range(3)]
    with kept(work.database.url, redis) as at:
        until(lambda: all(work.row(one).status == "done" for one in fine), "the fine ones", 120)
        until(lambda: all(work.row(one).error for one in (loop, in_c, crash)), "all noted", 120)
        child = at.keeper._child
        at.stop.set()
        until(lambda: at.ended == [0], "the keeper ends", 90)
        assert child.poll() == 0, "a child that was told to end has ended well"
    for one in (loop, in_c):
        assert "It ran longer than 1 s and was killed." in work.row(one).error
    assert "The process in which it ran ended." in work.row(crash).error
    assert work.row(in_c).status == "failed", "it had one try"
    for one in (loop, crash):
        row = work.row(one)
        assert (row.status, row.attempts, row.lease_token) == ("queued", 1, None), "again later"
    assert sorted(job for job, _store in work.effects()) == sorted(one.hex for one in fine)


@pytest.mark.parametrize("database_module", ["sqlite"], indirect=True)
def test_a_child_that_is_killed_is_replaced_and_ends_once_it_is_alone(work: Any) -> None:
    with kept(work.database.url) as at:
        child = until(lambda: at.keeper._child, "a child", 60)
        until(lambda: work.lives(child.pid), "it signs on", 60)
        os.kill(child.pid, signal.SIGKILL)
        other = until(lambda: at.keeper._child is not child and at.keeper._child, "another", 60)
        until(lambda: work.lives(other.pid), "it signs on", 60)
        other.stdin.close()  # as if the keeper had gone
        until(lambda: other.poll() == 0, "it ends", 60)


def test_one_that_can_not_begin_is_told(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("import sys\nsys.exit(2)\n")
    keeper = Keeper({}, command=[sys.executable, str(broken)])
    assert keeper.keep(threading.Event()) == 2


def test_no_job_may_take_longer_than_an_hour() -> None:
    with pytest.raises(ValueError, match="max_seconds"):
        JobHandler("test.endless", lambda _s, _payload: None, max_seconds=10**9)
