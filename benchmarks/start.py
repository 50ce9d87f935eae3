"""What it costs to start: the help page of the command line, and the whole application.

Asked: `highstreet --help` under 0.5 s of CPU; the application at most 1.3 times the bare import of
what it uses. Each start is a process of its own; CPU seconds, for starting waits for nothing.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import Figure

ROUNDS = 7

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
_BARE = """
import importlib, json
for name in json.loads({names!r}):
    try:
        importlib.import_module(name)
    except Exception:  # made at run time by its own package, which is there
        pass
"""


def run() -> list[Figure]:
    """Start each side in turn."""
    with tempfile.TemporaryDirectory(prefix="hs_bench_") as folder:
        sides = {"help": [_command(), "--help"], "nothing": [sys.executable, "-c", "pass"]}
        for faces in (True, False):
            app = _APP.format(folder=folder, faces=faces)
            sides[f"app {faces}"] = [sys.executable, "-c", app]
            sides[f"bare {faces}"] = [sys.executable, "-c", _bare(app)]
        cpu: dict[str, list[float]] = {name: [] for name in sides}
        for number in range(ROUNDS + 1):
            for name in sides if number % 2 else reversed(sides):
                spent = _cpu_seconds(sides[name], folder)
                if number:  # the first writes the byte code
                    cpu[name].append(spent)
    took = {name: statistics.median(values) for name, values in cpu.items()}
    return [
        Figure(
            "highstreet --help", took["help"], took["nothing"], "s CPU",
            took["help"] / took["nothing"], ("<=", 0.5), "floor: Python itself", of="value",
        ),
        _start("application start", took["app True"], took["bare True"]),
        _start("application start without faces", took["app False"], took["bare False"]),
    ]  # fmt: skip


def _start(name: str, ours: float, floor: float) -> Figure:
    note = "floor: importing the same packages"
    return Figure(name, ours, floor, "s CPU", ours / floor, ("<=", 1.3), note)


def _command() -> str:
    return str(Path(sys.executable).with_name("highstreet"))


def _bare(app: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _LIST.format(app=app)], capture_output=True, check=True, text=True
    )
    return _BARE.format(names=json.dumps(json.loads(done.stdout.splitlines()[-1])))


def _cpu_seconds(command: Sequence[str], folder: str) -> float:
    # As an installation runs, with byte code kept (away from the checkout).
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = f"{folder}/bytecode"
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=folder, env=environment)
    _pid, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{' '.join(command)[:200]} ended with {child.returncode}")
    return usage.ru_utime + usage.ru_stime
