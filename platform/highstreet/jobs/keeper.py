"""Keeps a process that runs jobs: kills it when a job hangs, and starts another in its place.

A job may loop for ever or wait in C for something that never comes. No thread of the same process
can end it: it might hold the interpreter's lock, and on SQLite it holds the only write lock. So
jobs run in a child, which tells through a pipe what it has begun and how long that may take.
Nothing of a killed job was committed; the next child notes it at once, which frees it to be tried
again.

RQ has two penalties of its own, and neither does: in a worker that does not fork it is a signal,
which C code never sees and a tool may catch; in one that forks, at a quarter of the speed, it comes
a minute late and says nothing to the job's row. So an RQ worker is kept like any other.

The child lives no longer than its keeper: on Linux the kernel sees to that, elsewhere it ends when
the pipe from the keeper closes.
"""

import ctypes
import json
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import Any, TextIO
from uuid import UUID

from msgspec import Struct

from highstreet.jobs.claim import Claimed

log = logging.getLogger(__name__)

GRACE = 5.0
"""Seconds beyond a job's own time before its process is killed."""

PATIENCE = 60.0
"""Seconds that a job under way is waited for at the end."""

LONGEST_REST = 30.0
"""Seconds between two starts of a child that does not stay alive, at most."""

_PR_SET_PDEATHSIG = 1
"""From linux/prctl.h: the signal that a process gets when its parent dies."""

COMMAND = (sys.executable, "-P", "-m", "highstreet.cli.kept")


class Killed(Struct, frozen=True):
    """A job whose process ended under it. seconds: how long it was allowed; None: it was not
    killed, but crashed or was ended by somebody else."""

    job: UUID
    token: UUID
    seconds: float | None


class Keeper:
    """One child at a time. said: what the child is to know (settings), sent through the pipe."""

    def __init__(
        self, said: Mapping[str, Any], *, command: Sequence[str] = COMMAND, grace: float = GRACE
    ) -> None:
        self._said = dict(said)
        self._command = list(command)
        self._grace = grace
        self._child: subprocess.Popen[str] | None = None

    def keep(self, stop: threading.Event, *, insist: bool = False) -> int:
        """Keep children alive until `stop` is set, then let the job under way end.

        Gives 0, or the exit code of a first child that could not even begin, unless the keeper is
        to insist: then whatever it was about (a database that is away) may pass.
        """
        killed: dict[str, Any] | None = None
        rest = 0.5
        while not stop.is_set():
            begun = monotonic()
            child = self._start(killed)
            ready, ended = self._watch(child, stop)
            killed = ended if ready else killed  # one that could not begin has noted nothing
            if stop.is_set():
                break
            insist = insist or ready
            if not insist:
                return child.returncode or 1
            rest = 0.5 if monotonic() - begun > LONGEST_REST else min(LONGEST_REST, rest * 2)
            log.error("the process that runs jobs ended (code %s)", child.returncode)
            stop.wait(0.0 if ended else rest)
        return 0

    def hurry(self) -> None:
        """Told to stop a second time: the job under way is given back at once."""
        child = self._child
        if child is not None and child.poll() is None:
            child.terminate()

    def _start(self, killed: Mapping[str, Any] | None) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            text=True,
            # Ctrl-C goes to the whole group, and it is for the keeper to say when to stop.
            start_new_session=True,
        )
        self._child = child
        assert child.stdin is not None
        try:
            child.stdin.write(json.dumps({**self._said, "killed": killed}) + "\n")
            child.stdin.flush()
        except BrokenPipeError:
            log.error("the process that runs jobs did not begin")
        return child

    def _watch(
        self, child: subprocess.Popen[str], stop: threading.Event
    ) -> tuple[bool, dict[str, Any] | None]:
        """(whether it ever began, the job that ended with it)."""
        assert child.stdout is not None and child.stdin is not None
        lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(
            target=_read, args=(child.stdout, lines), name="job-keeper", daemon=True
        ).start()
        ready, doing, until, asked = False, None, float("inf"), 0.0
        try:
            while True:
                if stop.is_set() and not asked:
                    child.terminate()
                    asked = monotonic()
                try:
                    line = lines.get(timeout=max(0.0, min(until - monotonic(), 0.2)))
                except queue.Empty:
                    if asked and monotonic() - asked > PATIENCE:
                        log.error("a job does not end; it is left, and done again later")
                        _kill(child)
                        asked = float("inf")
                    elif monotonic() >= until and doing is not None:
                        log.error(
                            "job %s ran longer than %g s: its process is killed",
                            doing["job"],
                            doing["seconds"],
                        )
                        _kill(child)
                        doing["over"], until = True, float("inf")
                    continue
                if not line:
                    child.wait()
                    break
                told = json.loads(line)
                ready = True
                doing = told if told.get("job") else None
                until = monotonic() + told["seconds"] + self._grace if doing else float("inf")
        finally:
            _kill(child)
            child.wait()
            child.stdin.close()
            child.stdout.close()
        if doing is not None and not doing.pop("over", False):
            doing["seconds"] = None
        return ready, doing


def _kill(child: subprocess.Popen[str]) -> None:
    """Kill a child with whatever programs its job has started."""
    if child.poll() is not None:
        return
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except (AttributeError, ProcessLookupError, PermissionError):  # no groups here, or it is over
        child.kill()


def _read(stream: TextIO, lines: "queue.SimpleQueue[str]") -> None:
    try:
        for line in stream:
            lines.put(line)
    except (OSError, ValueError):  # it is closed under us at the end
        pass
    lines.put("")


class Teller:
    """The child's side: says what it has begun. The stream is the pipe to the keeper."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._tell({"job": None})  # it is alive and has its house

    def __call__(self, claimed: Claimed | None, seconds: float) -> None:
        """`Runner`'s `watch`."""
        if claimed is None:
            self._tell({"job": None})
        else:
            told = {"job": claimed.id.hex, "token": claimed.token.hex, "seconds": seconds}
            self._tell(told)

    def _tell(self, told: Mapping[str, Any]) -> None:
        try:
            self._stream.write(json.dumps(told) + "\n")
            self._stream.flush()
        except (BrokenPipeError, ValueError):
            log.debug("nobody keeps this process any more")


def killed_in(said: Mapping[str, Any]) -> Killed | None:
    """What the keeper says of the child before this one."""
    told = said.get("killed")
    if not told:
        return None
    return Killed(UUID(told["job"]), UUID(told["token"]), told["seconds"])


def when_alone(stream: TextIO, then: Callable[[], object]) -> None:
    """Call `then` once the keeper is gone, however it went.

    On Linux the kernel kills this process then: no thread of a job that hangs in C gets to run.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    def wait() -> None:
        while stream.read(1):
            pass
        then()

    threading.Thread(target=wait, name="job-kept", daemon=True).start()
