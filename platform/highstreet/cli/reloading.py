"""``highstreet run --reload``: a server that starts anew with every change of a tool's files.

The server is a process of its own, and runs the jobs; this one only looks at files. A server that
does not come up is waited for: the next change starts another.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from types import FrameType

import click

from highstreet.host import manifest
from highstreet.host.manifest import BadManifestError
from highstreet.host.registry import GROUP
from highstreet.i18n import gettext as _

#: Seconds between two looks.
PAUSE = 0.5
#: What a tool is made of; what an editor leaves beside it is none of that.
SUFFIXES = frozenset({".py", ".toml", ".html", ".po", ".mo", ".css", ".js", ".svg", ".typ"})
COMMAND = (sys.executable, "-c", "from highstreet.cli import main; main()")

Seen = dict[Path, tuple[int, int]]


def folders() -> list[Path]:
    """Where the installed tools are, Highstreet's own too."""
    found = set()
    for point in entry_points(group=GROUP):
        try:
            found.add(manifest.find(point.value.split(":")[0].strip()).parent)
        except BadManifestError:
            continue  # `highstreet plugins list` says so
    return sorted(found)


def look(places: Sequence[Path]) -> Seen:
    """Each file of tools with its time of change and its size."""
    return {path: (found.st_mtime_ns, found.st_size) for path, found in _files(places)}


def _files(places: Sequence[Path]) -> Iterator[tuple[Path, os.stat_result]]:
    for place in places:
        for path in place.rglob("*"):
            if path.suffix in SUFFIXES and not path.name.startswith("."):
                try:
                    yield path, path.stat()
                except OSError:
                    continue  # it went between the two looks


def serve_anew(arguments: Sequence[str]) -> int:
    """Keep a server of these arguments running until told to stop; gives its last exit code."""
    ended: list[int] = []

    def end(number: int, _frame: FrameType | None) -> None:
        ended.append(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    places = folders()
    click.echo(_("Looking at %(places)s", places=", ".join(map(str, places)) or "—"), err=True)
    seen, server = look(places), subprocess.Popen([*COMMAND, *arguments])
    try:
        while not ended:
            time.sleep(PAUSE)
            now = look(places)
            if now == seen:
                continue
            time.sleep(PAUSE)
            if now != (now := look(places)):
                continue  # somebody is still writing
            changed = sorted(path for path in {*seen, *now} if seen.get(path) != now.get(path))
            click.echo(_("%(file)s changed: starting anew", file=changed[0].name), err=True)
            _stop(server)
            seen, server = now, subprocess.Popen([*COMMAND, *arguments])
    finally:
        code = _stop(server)
    return code


def _stop(server: subprocess.Popen[bytes]) -> int:
    """End it as an operator does: requests and the job under way are finished first."""
    if server.poll() is None:
        server.send_signal(signal.SIGTERM)
    return server.wait()
