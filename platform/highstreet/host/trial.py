"""Trying in a process of its own what importing a tool does to a process.

`os._exit` and a crash in C can be caught by nobody in the same process. So a tool that is new, or
whose files have changed, is imported in a child first; what came of it is kept by the files' names,
times and sizes. All others cost a start no more than looking at those.

What a tool imports in turn is not looked at: after a change beneath it, it is tried by the start
itself, and then `--safe-mode` starts.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import highstreet
from highstreet.host import importing, manifest
from highstreet.host.candidates import Candidate
from highstreet.host.manifest import BadManifestError

FILE = "tried_tools.json"
"""In the instance's folder: package → {"key": of its files, "why": how it ended the process, or
nothing}."""

_TRYING = "_HIGHSTREET_TRYING"
"""Set for the child: a tool may start the application where it is imported."""

LIMIT = importing.LIMIT + 15
"""Seconds after which even an import that holds the interpreter's lock is ended."""


def deadly(folder: Path, candidates: Iterable[Candidate]) -> dict[str, str]:
    """Packages whose import ends the process, with how. Highstreet's own are not tried, nor any
    where the folder (the instance's) can't keep what came of it."""
    if _TRYING in os.environ or not os.access(folder, os.W_OK):
        return {}
    keys = {one.package: key for one in candidates if not one.ours and (key := _key(one.package))}
    kept = _read(folder / FILE)
    new = [package for package, key in keys.items() if kept.get(package, {}).get("key") != key]
    if new:
        kept |= {package: {"key": keys[package], "why": why} for package, why in _try(new)}
        _write(folder / FILE, {name: one for name, one in kept.items() if name in keys})
    return {name: kept[name]["why"] for name in keys if kept.get(name, {}).get("why")}


def _key(package: str) -> str:
    """What the files of a package look like; empty where they can't be found."""
    made = hashlib.sha256(f"{sys.version} {highstreet.__version__}".encode())
    try:
        folder = manifest.find(package).parent
        for path, found in sorted(_files(folder)):
            made.update(f"{path}\0{found.st_mtime_ns}\0{found.st_size}\n".encode())
    except (BadManifestError, OSError):
        return ""
    return made.hexdigest()


def _files(folder: str | Path) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                if entry.name != "__pycache__":
                    yield from _files(entry.path)
            else:
                yield entry.path, entry.stat()


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return found if all(isinstance(one, dict) for one in found.values()) else {}
    except (OSError, ValueError, AttributeError):
        return {}


def _write(path: Path, kept: Mapping[str, Any]) -> None:
    with suppress(OSError):  # then they are tried again at the next start
        beside = path.with_name(f"{path.name}.{os.getpid()}")
        beside.write_text(json.dumps(kept, indent=1), encoding="utf-8")
        beside.replace(path)


def _try(packages: list[str]) -> Iterator[tuple[str, str]]:
    """(package, how it ended the process or nothing), as far as that could be found out."""
    import subprocess  # few starts need it

    left = list(packages)
    while left:
        child = subprocess.run(
            [sys.executable, "-P", "-m", "highstreet.host.trial"],
            input=json.dumps(left),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | {_TRYING: "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            start_new_session=True,
            check=False,
        )
        ended = time.time()
        told = [line.split() for line in child.stdout.splitlines()]
        fine = [words[1] for words in told if words[0] == "fine"]
        begun = [words for words in told if words[0] == "begun" and words[1] not in fine]
        yield from ((package, "") for package in fine)
        if not begun:
            return  # all are done, or it is not the tools that keep a child from running
        _word, culprit, at = begun[0]
        yield culprit, _how(child.returncode, ended - float(at))
        left = left[left.index(culprit) + 1 :]


def _how(code: int, seconds: float) -> str:
    if seconds >= LIMIT:
        return f"it takes longer than {LIMIT:g} s"
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def main() -> None:
    """Import what is named on standard input, one after another, and tell of each."""
    import faulthandler

    packages = json.loads(sys.stdin.read())
    told = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a tool prints is no message to the parent
    importing.load("highstreet.sdk")
    for package in packages:
        print("begun", package, time.time(), file=told, flush=True)
        faulthandler.dump_traceback_later(LIMIT, exit=True)  # by a thread that needs no lock
        with suppress(BaseException):  # the start says better what it raises
            importing.load(package)
        faulthandler.cancel_dump_traceback_later()
        print("fine", package, file=told, flush=True)
    told.close()
    os._exit(0)  # threads that a tool has started keep nobody


if __name__ == "__main__":
    main()
