"""The child in which a tool is imported for the first time, and who waits for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from tempfile import TemporaryFile
from time import monotonic
from typing import IO

from highstreet.host import harm, importing
from highstreet.host.trial import TRYING

LIMIT = importing.LIMIT + 10
"""Seconds after which even an import that holds the interpreter's lock is ended."""

MEMORY = 1 << 30
"""Bytes that an import may take."""

AT_ONCE = 8
"""So many are tried side by side: ten that hang cost a start half a minute, once."""


def tried(packages: list[str]) -> Iterator[tuple[str, str]]:
    """(package, how it ended or harmed the process, or nothing), as far as it could be found out.

    Each in a process of its own: what one does to its process is not laid at the next one's door.
    """
    for start in range(0, len(packages), AT_ONCE):
        some = packages[start : start + AT_ONCE]
        for package, child in [(one, _begin(one)) for one in some]:
            yield package, child.outcome()


class _Child:
    """One package on trial."""

    def __init__(self, process: subprocess.Popen[bytes], told: IO[bytes]) -> None:
        self._process, self._told = process, told
        self._began = monotonic()

    def outcome(self) -> str:
        """What came of it; waits for the end, and ends whatever it has started besides."""
        try:
            # Its own clock ends it before; a tool that stopped that clock is ended from here.
            code = self._process.wait(max(0.1, self._began + LIMIT + 5 - monotonic()))
        except subprocess.TimeoutExpired:
            code = None
        seconds = monotonic() - self._began
        _end_all(self._process)
        self._told.seek(0)
        said = self._told.read().decode("utf-8", "replace")
        self._told.close()
        if said.startswith("fine"):
            return ""
        if said.startswith("harm "):
            return said.removeprefix("harm ").strip()
        if not said:
            return ""  # it is not the tool that keeps a child from running
        if code is None or seconds >= LIMIT:
            return f"it takes longer than {LIMIT:g} s"
        return _how(code)


def _begin(package: str) -> _Child:
    told = TemporaryFile()  # noqa: SIM115 - closed with the outcome
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "highstreet.host.import_trial", package, str(told.fileno())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[told.fileno()],
        env=os.environ | {TRYING: "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,
    )
    return _Child(process, told)


def _end_all(process: subprocess.Popen[bytes]) -> None:
    with suppress(OSError):  # nothing is left of it
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def _how(code: int) -> str:
    if code >= 0:
        return f"it ends it (exit code {code})"
    try:
        return f"it ends it ({signal.Signals(-code).name})"
    except ValueError:
        return f"it ends it (signal {-code})"


def main(package: str, file: int) -> None:
    """Import a package and write into a file (its descriptor) what came of it."""
    import faulthandler

    importing.load("highstreet.sdk")
    before = harm.Before()
    os.ftruncate(file, 0)
    os.write(file, b"begun")
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
    os.lseek(file, 0, os.SEEK_SET)
    os.write(file, f"harm {said}".encode() if said else b"fine ")
    os._exit(0)  # threads that a tool has started keep nobody


def _bound_memory() -> None:
    with suppress(ImportError, OSError, ValueError):  # not everywhere
        import resource

        with open("/proc/self/statm", encoding="ascii") as file:
            now = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
