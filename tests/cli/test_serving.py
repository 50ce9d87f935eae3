"""``highstreet run`` serves, runs jobs, and ends when it is told to."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from .conftest import Call


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server in a process of its own, on a free port, and its address."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("HIGHSTREET_")}
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from highstreet.cli import main; main()",
            "--instance",
            str(tmp_path),
            "run",
            "--port",
            "0",
        ],
        env=env,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    found = None
    for line in process.stderr:
        if found := re.search(r"listens on (\S+)", line):
            break
    assert found, "it never listened"
    yield process, found[1]
    process.kill()
    process.wait()


def children(pid: int) -> list[int]:
    """Processes that a process, or a thread of it, has started."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for one in lists for child in one.read_text().split()]


def is_dead(pid: int) -> bool:
    """Whether a process only waits for somebody to ask what became of it."""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"


def until(true: Callable[[], Any], what: str, seconds: float = 30.0) -> Any:
    """Ask until something comes of it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := true():
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what}")


def test_it_answers_and_ends_on_sigterm(served: tuple[subprocess.Popen[str], str]) -> None:
    process, address = served
    with urllib.request.urlopen(f"{address}/healthz", timeout=20) as answer:
        assert answer.status == 200
    (runner,) = until(lambda: children(process.pid), "jobs run in a child")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0
    assert not Path(f"/proc/{runner}").exists()


def test_idle_connections_shut_nobody_out(served: tuple[subprocess.Popen[str], str]) -> None:
    """Every browser keeps six open: forty of them must not fill the house."""
    host, port = served[1].removeprefix("http://").split(":")
    with ExitStack() as open_ones:
        for _each in range(240):
            open_ones.enter_context(socket.create_connection((host, int(port)), timeout=20))
        with urllib.request.urlopen(f"{served[1]}/healthz", timeout=20) as answer:
            assert answer.status == 200


def test_who_is_killed_leaves_no_runner_behind(served: tuple[subprocess.Popen[str], str]) -> None:
    (runner,) = until(lambda: children(served[0].pid), "jobs run in a child")
    served[0].kill()
    served[0].wait()
    until(lambda: not Path(f"/proc/{runner}").exists() or is_dead(runner), "it is gone")


def test_a_port_that_is_taken_is_told(
    call: Call, served: tuple[subprocess.Popen[str], str]
) -> None:
    port = served[1].rsplit(":", 1)[1]
    done = call("run", "--port", port, "--no-runner")
    assert done.code == 2
    assert "--port" in done.err


def test_a_demo_whose_port_is_taken_neither_builds_nor_throws_away(
    call: Call, served: tuple[subprocess.Popen[str], str], instance: Path
) -> None:
    database = instance / "highstreet.db"
    call("migrate")
    before = database.stat().st_ino
    done = call("demo", "--reset", "--port", served[1].rsplit(":", 1)[1])
    assert (done.code, done.out) == (2, "")
    assert "--port" in done.err
    assert database.stat().st_ino == before
