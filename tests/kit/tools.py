"""Tools written out by the kit, installed as pip would, and pytest run on them by a stranger."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
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


def run_pytest(name: str, *more: object, cwd: Path, path: Path | None, fails: bool = False) -> str:
    """pytest with the kit, as an author runs it: without the plugins and settings of ours."""
    return run(
        *(sys.executable, "-m", "pytest", "--highstreet-plugin", name),
        *("-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:schemathesis", "-q", *more),
        cwd=cwd,
        path=path,
        fails=fails,
        PYTEST_ADDOPTS="",
    )
