"""A third party's tool: its own distribution, installed by pip, found through its entry point."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TESTS = HERE.parents[1]
ROOT = TESTS.parent
SOURCE = TESTS / "distributions" / "highstreet_house_notes"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """PYTHONPATH with the tool as pip installs it, and with the house."""
    folder = tmp_path_factory.mktemp("house-notes")
    target = folder / "site"
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--no-deps", "--no-build-isolation", "--no-index"),
            *("--target", str(target), str(_copy(folder))),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    roots = [TESTS, *(ROOT / name for name in ("platform", "tenants", "plugins", "migrations"))]
    return os.pathsep.join(map(str, (target, *roots)))


@pytest.mark.slow
def test_a_tool_from_a_distribution_of_its_own_works_end_to_end(tmp_path: Path, path: str) -> None:
    done = subprocess.run(
        [sys.executable, "-P", str(HERE / "house_notes_day.py"), str(tmp_path / "instance")],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    seen = json.loads(done.stdout.splitlines()[-1])
    assert Path(seen.pop("from")).is_relative_to(path.split(os.pathsep)[0])
    assert seen == {
        "quarantined": {},
        "distribution": "highstreet-house-notes 1.0.0",
        "moved": ["house_notes: house_notes_0001"],
        "again": [],
        "differences": [],
        "off": [404, True],
        "on": [200, 1],
        "nav": True,
        "stranger": 303,
        "state": "off",
        "off_again": 404,
        "left": [],
    }


@pytest.mark.slow
def test_a_strangers_tool_takes_part_in_the_demo(tmp_path: Path, path: str) -> None:
    """Its [demo] switches it on, the replay reaches demo_day, the report tells its brand_sums."""
    command = "from highstreet.cli import main; main()"
    done = subprocess.run(
        [
            *(sys.executable, "-P", "-c", command, "--instance", str(tmp_path)),
            *("demo", "--no-serve", "--json"),
        ],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for brand in json.loads(done.stdout)["brands"]:
        notes = brand["tools"]["house_notes"]
        # each store's first members came in one set, and each store had its day
        assert notes == {"stores": 12, "notes_written": 24}
        assert brand["tools"]["points_club"]["points_earned"] == brand["points_earned"] > 1_000


def _copy(tmp_path: Path) -> Path:
    """The sources, copied: building leaves files behind, and not in the checkout."""
    import shutil

    return Path(shutil.copytree(SOURCE, tmp_path / "source"))
