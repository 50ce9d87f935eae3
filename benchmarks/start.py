"""What it costs to start: the help page of the command line, and the whole application.

Asked: `highstreet --help` under 0.5 s of CPU; the application at most 1.3 times the bare import of
what it uses. Each start is a process of its own; CPU seconds, for starting waits for nothing.

The floor imports, in one process, exactly the modules of others that a started application has
loaded, in their order: not what it only loads for some requests. Both sides are whole processes,
from birth to end, as `time` on a command line shows them. A process that holds a lot pays when it
ends, too, and ours less than the floor, for it does not look for garbage then; so the CPU seconds
until all is there, without the end, are told beside it.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.measure import Demand, Figure

ROUNDS = 9

_APP = """
from highstreet.app import create_app
create_app({{"instance": {folder!r}, "secret_key": "for benchmarks only"}}, faces={faces})
"""
# Whatever is there that is not ours, in the order in which it came.
_LIST = """
import json, sys
before = set(sys.modules)
{app}
ours = ("highstreet", "__editable__")
print(json.dumps([n for n in sys.modules if n not in before and not n.startswith(ours)]))
"""
# What each side says of itself when all is there.
_THERE = """
import time
there = time.process_time()
print(there)
"""
_BARE = """
import importlib, json
for name in json.loads({names!r}):
    try:
        importlib.import_module(name)
    except Exception:  # made at run time by its own package, which is there
        pass
"""


@dataclass(frozen=True, slots=True)
class _Cost:
    """One process: CPU seconds of all of it and until all was there, and megabytes at most."""

    seconds: float
    until_there: float
    megabytes: float


def run() -> list[Figure]:
    """Start each side in turn."""
    with tempfile.TemporaryDirectory(prefix="hs_bench_") as folder:
        sides = {"help": [_command(), "--help"], "nothing": [sys.executable, "-c", "pass"]}
        for faces in (True, False):
            app = _APP.format(folder=folder, faces=faces)
            sides[f"app {faces}"] = [sys.executable, "-c", app + _THERE]
            sides[f"bare {faces}"] = [sys.executable, "-c", _bare(app) + _THERE]
        costs: dict[str, list[_Cost]] = {name: [] for name in sides}
        for number in range(ROUNDS + 1):
            for name in sides if number % 2 else reversed(sides):
                cost = _cost(sides[name], folder)
                if number:  # the first writes the byte code
                    costs[name].append(cost)
    took = {name: statistics.median(c.seconds for c in costs[name]) for name in costs}
    there = {name: statistics.median(c.until_there for c in costs[name]) for name in costs}
    held = {name: statistics.median(c.megabytes for c in costs[name]) for name in costs}
    figures = [
        _figure("highstreet --help", took["help"], took["nothing"], "s CPU", ("<=", 0.5),
                note="floor: Python itself", of="value"),
    ]  # fmt: skip
    for faces, name in ((True, "application start"), (False, "application start without faces")):
        ours, floor = f"app {faces}", f"bare {faces}"
        figures += [
            _figure(name, took[ours], took[floor], "s CPU", ("<=", 1.3), note="whole processes"),
            _figure(f"{name}, until all is there", there[ours], there[floor], "s CPU"),
            _figure(f"{name}, memory", held[ours], held[floor], "MB"),
        ]
    return figures


def _figure(
    name: str,
    ours: float,
    floor: float,
    unit: str,
    demand: Demand | None = None,
    *,
    note: str = "",
    of: Literal["ratio", "value"] = "ratio",
) -> Figure:
    return Figure(name, ours, floor, unit, ours / floor, demand, note, of)


def _command() -> str:
    return str(Path(sys.executable).with_name("highstreet"))


def _bare(app: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _LIST.format(app=app)], capture_output=True, check=True, text=True
    )
    return _BARE.format(names=json.dumps(json.loads(done.stdout.splitlines()[-1])))


def _cost(command: Sequence[str], folder: str) -> _Cost:
    # As an installation runs, with byte code kept (away from the checkout).
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = f"{folder}/bytecode"
    said = Path(folder) / "said"
    with said.open("w") as file:
        child = subprocess.Popen(command, stdout=file, cwd=folder, env=environment)
        _pid, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{' '.join(command)[:200]} ended with {child.returncode}")
    seconds = usage.ru_utime + usage.ru_stime
    there = seconds
    if command[-1].endswith(_THERE):
        there = float(said.read_text().strip().rsplit("\n", 1)[-1])
    unit = 1024 if sys.platform == "linux" else 1024 * 1024  # kilobytes there, bytes on macOS
    return _Cost(seconds, there, usage.ru_maxrss / unit)
