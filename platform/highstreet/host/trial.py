"""Trying in a process of its own what importing a tool does to a process.

`os._exit` and a crash in C can be caught by nobody in the same process, and a tool that takes all
memory, closes standard output, or puts something of its own in the place of what Highstreet stands
on, harms everybody. So a tool that is new, or whose files have changed, is imported in a child
first; what came of it is kept by the files' names, times and sizes. All others cost a start no more
than looking at those.

What a tool imports in turn is not looked at: after a change beneath it, it is tried by the start
itself, and then `--safe-mode` starts.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import highstreet
from highstreet.host import manifest
from highstreet.host.candidates import Candidate
from highstreet.host.manifest import BadManifestError

TRYING = "_HIGHSTREET_TRYING"
"""Set for the child: a tool may start the application where it is imported."""

FILE = "tried_tools.json"
"""In the instance's folder: package → {"key": of its files, "why": how it ended the process, or
nothing}."""


def deadly(folder: Path, candidates: Iterable[Candidate]) -> dict[str, str]:
    """Packages whose import ends or harms the process, with how. Highstreet's own are not tried,
    nor any where the folder (the instance's) can't keep what came of it."""
    if TRYING in os.environ or not os.access(folder, os.W_OK):
        return {}
    keys = {one.package: key for one in candidates if not one.ours and (key := _key(one.package))}
    kept = _read(folder / FILE)
    new = [package for package, key in keys.items() if kept.get(package, {}).get("key") != key]
    if new:
        from highstreet.host import import_trial  # few starts need it

        told = import_trial.tried(new)
        kept |= {package: {"key": keys[package], "why": why} for package, why in told.items()}
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
