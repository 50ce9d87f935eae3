"""``run --reload``: whatever a tool is made of, a change of it starts the server anew."""

import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from highstreet.cli import reloading


@pytest.mark.parametrize(
    "name", ("hooks.py", "plugin.toml", "templates/tool/page.html", "translations/messages.mo")
)
def test_a_change_of_any_of_its_files_is_seen(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    before = reloading.look([tmp_path])
    path.write_text("one")
    made = reloading.look([tmp_path])
    path.write_text("another")
    assert before != made != reloading.look([tmp_path])


def test_what_editors_and_python_leave_beside_it_is_not(tmp_path: Path) -> None:
    before = reloading.look([tmp_path])
    for name in (".hooks.py.swp", "hooks.pyc", "hooks.py~", ".#hooks.py"):
        (tmp_path / name).write_text("x")
    assert reloading.look([tmp_path]) == before


def test_every_installed_tool_is_looked_at() -> None:
    assert [path.name for path in reloading.folders()].count("highstreet_points_club") == 1


def until(lines: IO[str], pattern: str) -> str:
    for line in lines:
        if found := re.search(pattern, line):
            return found[0]
    raise AssertionError(f"it never said {pattern!r}")


@pytest.fixture
def tool(tmp_path: Path) -> Path:
    """A tool that is found, and that is broken."""
    package = tmp_path / "site" / "reload_me"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("1 / 0\n")
    (package / "plugin.toml").write_text(
        'name = "reload_me"\ntitle = "Reload me"\nsummary = "It is there to be changed."\n'
        'version = "1"\nrequires = "highstreet>=0.1"\n'
    )
    info = tmp_path / "site" / "reload_me-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: reload-me\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[highstreet.plugins]\nreload_me = reload_me\n")
    return package


@pytest.fixture
def server(tmp_path: Path, tool: Path) -> Iterator[subprocess.Popen[str]]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("HIGHSTREET_")}
    path = os.pathsep.join(filter(None, (str(tool.parent), env.get("PYTHONPATH"))))
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", "from highstreet.cli import main; main()"),
            *("--instance", str(tmp_path / "instance"), "run", "--port", "0", "--reload"),
        ],
        env=env | {"PYTHONPATH": path},
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.wait()


@pytest.mark.slow
def test_a_tool_that_is_mended_is_there_without_a_restart_by_hand(
    server: subprocess.Popen[str], tool: Path
) -> None:
    assert server.stderr is not None
    until(server.stderr, r"reload_me was not loaded \(import-error\)")
    first = until(server.stderr, r"http://\S+")
    (tool / "__init__.py").write_text(
        "from highstreet.sdk import Plugin\nplugin = Plugin('reload_me')\n"
    )
    until(server.stderr, r"__init__\.py changed: starting anew")
    second = until(server.stderr, r"http://\S+")
    with urllib.request.urlopen(f"{second}/healthz", timeout=20) as answer:
        assert answer.status == 200
    with pytest.raises(OSError):
        urllib.request.urlopen(f"{first}/healthz", timeout=5)
    server.send_signal(signal.SIGTERM)
    assert server.wait(timeout=60) == 0
    with pytest.raises(OSError):
        urllib.request.urlopen(f"{second}/healthz", timeout=5)
