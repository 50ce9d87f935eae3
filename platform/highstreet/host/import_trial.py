"""Trying imports: a process that has loaded what tools stand on, and a copy of it for each tool."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from tempfile import TemporaryFile
from time import monotonic, sleep
from typing import IO

from highstreet.host import harm, importing
from highstreet.host.trial import TRYING

LIMIT = importing.LIMIT + 10
"""Seconds after which even an import that holds the interpreter's lock is ended."""

MEMORY = 1 << 30
"""Bytes that an import may take."""

AT_ONCE = 8
"""So many are tried side by side: ten that hang cost a start half a minute, once."""


def tried(packages: list[str]) -> dict[str, str]:
    """By package how its import ends or harms the process, or nothing. Packages are missing where
    no copies of a process can be made (Windows)."""
    if not hasattr(os, "fork"):
        return {}
    child = subprocess.run(
        [sys.executable, "-P", "-m", "highstreet.host.import_trial", *packages],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {TRYING: "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        check=False,
    )
    try:
        found: dict[str, str] = json.loads(child.stdout)
    except ValueError:  # it is not the tools that keep a child from running
        return {}
    return found


def main(packages: list[str]) -> None:
    """Try each package in a copy of this process, and print what came of them."""
    importing.load("highstreet.sdk")
    found: dict[str, str] = {}
    for start in range(0, len(packages), AT_ONCE):
        some = [_Copy(package) for package in packages[start : start + AT_ONCE]]
        found |= {one.package: one.outcome() for one in some}
    print(json.dumps(found))


class _Copy:
    """One package on trial. What it does to its process is not laid at the next one's door."""

    def __init__(self, package: str) -> None:
        self.package = package
        self._told = TemporaryFile()  # noqa: SIM115 - closed with the outcome
        self._began = monotonic()
        self._pid = os.fork()
        if not self._pid:
            try:
                _try(package, self._told)
            finally:
                os._exit(1)

    def outcome(self) -> str:
        """What came of it; waits for the end, and ends whatever it has started besides."""
        status = self._wait()
        seconds = monotonic() - self._began
        with suppress(OSError):  # nothing is left of it
            os.killpg(self._pid, signal.SIGKILL)
        if status is None:
            _pid, status = os.waitpid(self._pid, 0)
        self._told.seek(0)
        said = self._told.read().decode("utf-8", "replace")
        self._told.close()
        if said != "begun":
            return said
        return f"it takes longer than {LIMIT:g} s" if seconds >= LIMIT else _how(status)

    def _wait(self) -> int | None:
        # Its own clock ends it before; a tool that stopped that clock is ended from here.
        while monotonic() < self._began + LIMIT + 5:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                return status
            sleep(0.005)
        return None


def _how(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"it ends it (exit code {code})"
    try:
        return f"it ends it ({signal.Signals(-code).name})"
    except ValueError:
        return f"it ends it (signal {-code})"


def _try(package: str, told: IO[bytes]) -> None:
    """Import a package, and write down what came of it: nothing is well."""
    import faulthandler

    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    before = harm.Before()
    os.write(told.fileno(), b"begun")
    faulthandler.dump_traceback_later(LIMIT, exit=True)  # by a thread that needs no lock
    _bound_memory()
    said = ""
    try:
        importing.load(package)
    except importing.TooLong as error:
        said = str(error)
    except MemoryError:
        said = f"it takes more than {MEMORY >> 20} MB of memory"
    except BaseException:
        pass
    said = said or before.harmed()
    os.ftruncate(told.fileno(), 0)
    os.lseek(told.fileno(), 0, os.SEEK_SET)
    os.write(told.fileno(), said.encode())
    os._exit(0)  # threads that a tool has started keep nobody


def _bound_memory() -> None:
    with suppress(ImportError, OSError, ValueError):  # not everywhere
        import resource

        with open("/proc/self/statm", encoding="ascii") as file:
            now = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main(sys.argv[1:])
