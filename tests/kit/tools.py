"""Tools written out by the kit, installed as pip would, and pytest run on them by a stranger."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from . import forks

ROOT = Path(__file__).parents[2]
#: Of pytest's plugins, those that are here for our own tests.
OTHERS = ("cacheprovider", "xdist", "schemathesis", "hypothesispytest")
ROOTS = [str(ROOT / name) for name in ("platform", "tenants", "plugins", "migrations")]


def install(source: Path, target: Path) -> None:
    """Install a distribution into a folder of its own."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run(*pip, "--no-deps", "--no-build-isolation", "--no-index", "--target", target, source)


def run(
    *command: object, cwd: Path | None = None, path: Path | None = None, fails: bool = False,
    **env: str,
) -> str:  # fmt: skip
    """What a command prints. path: where a tool is installed. fails: it is to fail."""
    before = [str(path)] if path else []
    done = subprocess.run(
        [str(one) for one in command],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*before, *ROOTS]), **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    printed = done.stdout + done.stderr
    assert (done.returncode != 0) is fails, printed[-8000:]
    return printed


def run_pytest(
    name: str, *more: object, cwd: Path, path: Path | None, fails: bool = False, **env: str
) -> str:
    """pytest with the kit, as an author runs it: without the plugins and settings of ours."""
    before = [str(path)] if path else []
    code, printed = forks.run(
        [
            *("--highstreet-plugin", name),
            *(
                f"-pno:{one}"
                for one in ("cacheprovider", "xdist", "schemathesis", "hypothesispytest")
            ),
            *("-q", *map(str, more)),
        ],
        cwd,
        {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([*before, *ROOTS]),
            "PYTEST_ADDOPTS": "",
            **env,
        },
    )
    assert (code != 0) is fails, printed[-8000:]
    return printed


def put(source: Path, site: Path, *, name: str, package: str) -> None:
    """What pip would make of a written tool, without the time that pip takes."""
    shutil.copytree(source / package, site / package)
    info = site / f"{package}-0.1.0.dist-info"
    info.mkdir()
    distribution = package.replace("_", "-")
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text(f"[highstreet.plugins]\n{name} = {package}\n")
