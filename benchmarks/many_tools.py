"""What a hundred installed tools cost a start: `create_app` and the look at every tool's tables.

Asked: at most twice the start with none, the tools' own imports left out. The tools are what
`highstreet plugins new` writes, each with tables, settings, hooks, screens, operations and both
languages. Every start is a process of its own, on one SQLite database that is up to date. To leave
the tools' imports out, a third side starts with none and then imports what they bring, bare.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Figure
from highstreet.kit import scaffold

TOOLS = 100
ROUNDS = 7
_START = """
import json, sys, time
from highstreet.app import create_app, house_of
from highstreet.cli.base import be_ready
config = {{"instance": {folder!r}, "secret_key": "for benchmarks only", "safe_mode": {safe}}}
app = create_app(config)
be_ready(house_of(app))
"""
_THERE = """
there = time.process_time()
print(json.dumps({"seconds": there, "tools": sorted(house_of(app).host.plugins), "modules": [
    name for name in sys.modules if name.split(".")[0] in package_names]}))
"""
_IMPORT = """
import importlib
for name in json.loads({names!r}):
    importlib.import_module(name)
"""


def run() -> list[Figure]:
    """Install the tools where only these processes look, and start each side in turn."""
    with tempfile.TemporaryDirectory(prefix="hs_bench_") as name:
        folder = Path(name)
        packages = _install(folder / "site")
        _start(folder, packages, safe=False)  # sets the empty database up, writes the byte code
        there = _start(folder, packages, safe=False)
        if len(there["tools"]) < TOOLS:
            raise AssertionError(f"only {len(there['tools'])} tools started")
        more = _IMPORT.format(names=json.dumps(there["modules"]))
        times: dict[str, list[float]] = {"none": [], "hundred": [], "imports": []}
        for _round in range(ROUNDS):
            times["none"].append(_start(folder, packages, safe=True)["seconds"])
            times["hundred"].append(_start(folder, packages, safe=False)["seconds"])
            times["imports"].append(_start(folder, packages, safe=True, more=more)["seconds"])
    none, hundred, imports = (statistics.median(times[side]) for side in times)
    left = hundred - (imports - none)
    return [
        Figure(
            f"start with {TOOLS} tools, their imports left out",
            left,
            none,
            "s CPU",
            left / none,
            ("<=", 2.0),
            note=f"floor: the start with none; with the imports it is {hundred:.2f} s",
        )
    ]


def _install(site: Path) -> list[str]:
    packages = [scaffold.package_of(f"bench{number:03}") for number in range(TOOLS)]
    for package in packages:
        name = package.removeprefix("highstreet_")
        made = scaffold.write(name, site / "made")
        (made / package).rename(site / package)
        info = site / f"{package}-0.1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 0.1\n")
        (info / "entry_points.txt").write_text(f"[highstreet.plugins]\n{name} = {package}\n")
    return packages


def _start(folder: Path, packages: list[str], *, safe: bool, more: str = "") -> dict[str, object]:
    code = _START.format(folder=str(folder), safe=safe) + more
    code += f"package_names = frozenset({packages!r})\n" + _THERE
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"PYTHONPATH": str(folder / "site"), "PYTHONPYCACHEPREFIX": f"{folder}/bytecode"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=folder, env=environment
    )
    if done.returncode:
        raise RuntimeError(f"a start ended with {done.returncode}:\n{done.stderr[-2000:]}")
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found
