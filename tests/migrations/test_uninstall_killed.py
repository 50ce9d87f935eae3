"""kill -9 of `highstreet plugins uninstall` at any moment: the tool is whole, or its export is."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from highstreet.house import House
from highstreet_migrations import archive, runner

from .conftest import NAME, Town, balance, rows

KILLS = 2
MEMBERS = 1_000


@pytest.fixture
def full(house: House) -> Town:
    """A club with some thousand rows, so that there is a middle to be killed in."""
    town = Town(house)
    for store in (0, 1):
        with town.at(house, store) as s:
            for number in range(MEMBERS // 2):
                town.buy(s, town.join(s, f"Member {number}"))
    return town


class Command:
    """``highstreet plugins`` on the test's installation, in processes of its own."""

    def __init__(self, urls: tuple[str, str], instance: Path) -> None:
        self.instance = instance
        kept = {name: v for name, v in os.environ.items() if not name.startswith("HIGHSTREET_")}
        self.env = kept | {
            "HIGHSTREET_OWNER_DATABASE_URL": urls[0],
            "HIGHSTREET_DATABASE_URL": urls[1],
        }

    def start(self, *words: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [
                *(sys.executable, "-c", "from highstreet.cli import main; main()"),
                *("--instance", str(self.instance), "plugins", *words),
            ],
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str) -> str:
        process = self.start(*words)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        return out

    def uninstall(self, folder: Path) -> "subprocess.Popen[str]":
        return self.start("uninstall", NAME, "--to", str(folder), "--yes")


@contextmanager
def _both(process: "subprocess.Popen[str]") -> Iterator[list[int]]:
    """The process and those that it has started; at the end all are over."""
    seen: list[int] = []
    yield seen
    process.communicate()
    for pid in seen:
        for _turn in range(500):
            if not _runs(pid):
                break
            time.sleep(0.02)
        assert not _runs(pid), "the kernel kills it with its parent"


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def children(pid: int) -> list[int]:
    try:
        said = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(one) for one in said.split()]


def await_(moment: str, folder: Path, process: "subprocess.Popen[str]") -> None:
    """Until the run has come so far, or is over."""
    part = archive.part_of(folder)
    while process.poll() is None:
        if {
            "child": lambda: children(process.pid),
            "part": part.exists,
            "whole": (part / archive.MANIFEST).exists,
            "named": folder.exists,
        }[moment]():
            return
        time.sleep(0.001)


def killed(command: Command, folder: Path, moment: str, wait: float, whom: str) -> bool:
    """Whether a run was killed as long after a moment, itself or the process that it keeps."""
    process = command.uninstall(folder)
    with _both(process) as seen:
        await_(moment, folder, process)
        time.sleep(wait)
        seen += children(process.pid)
        target = process.pid if whom == "command" else (seen or [0])[0]
        if not target or process.poll() is not None:
            return False
        try:
            os.kill(target, signal.SIGKILL)
        except ProcessLookupError:
            return False
    return process.returncode != 0


def whole_export(folder: Path) -> dict[str, int] | None:
    """How many rows an export has, which stands under its name or is about to get it."""
    for path in (folder, archive.part_of(folder)):
        if (path / archive.MANIFEST).exists():
            return archive.contents_of(path).rows()
    return None


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_killed_at_any_moment_it_is_run_again_and_finishes(
    house: House, full: Town, urls: Any, tmp_path: Path
) -> None:
    before = rows(urls[0], house)
    counted = {table: len(found) for table, found in before.items()}
    command = Command(urls, tmp_path)
    dice = Random(f"{urls[0].split(':')[0]} 9")
    moments = ["child", "part", "part", "whole", "whole", "whole", "named"]
    hit: list[str] = []
    for turn in range(KILLS):
        folder = tmp_path / f"club{turn}"
        moment = moments[turn % len(moments)]
        wait = dice.uniform(0, {"child": 0.6, "part": 0.2, "whole": 0.1, "named": 0.02}[moment])
        if killed(command, folder, moment, wait, dice.choice(("command", "command", "kept"))):
            hit.append(moment)
        there = whole_tool(urls[0], counted)
        export = whole_export(folder)
        assert there or export == counted, (moment, wait)
        if folder.exists():
            assert not there and export == counted, "the name says that the tool is gone"

        if not (folder.exists() and not there and turn % 2):
            assert "points_club_entry" in command.run(
                *("uninstall", NAME, "--to", str(folder), "--yes")
            )
        assert not archive.part_of(folder).exists()
        assert archive.contents_of(folder).rows() == counted
        assert not whole_tool(urls[0], counted)
        command.run("reinstall", NAME, str(folder))
        assert rows(urls[0], house) == before
    assert len(hit) >= KILLS // 2, "it was too quick to be killed"


def whole_tool(url: str, counted: dict[str, int]) -> bool:
    """Whether all its tables are there with all their rows; otherwise none of them is."""
    engine = runner.owner_engine(url)
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            there = set(sa.inspect(connection).get_table_names())
            if f"{NAME}_alembic_version" not in there:
                assert not there & counted.keys()
                return False
            for table, wanted in counted.items():
                query = sa.select(sa.func.count()).select_from(sa.table(table))
                assert connection.scalar(query) == wanted
            return True
    finally:
        engine.dispose()


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["commit", "settle"])
def test_a_reinstall_that_was_killed_is_run_again(
    house: House, town: Town, urls: Any, bare: Any, tmp_path: Path, moment: str
) -> None:
    """After its rows came back, and before what was missed meanwhile was done."""
    with town.at(house) as s:
        ann = town.join(s, "Ann")
        ref = town.buy(s, ann)
        town.buy(s, ann)
    folder = tmp_path / "club"
    command = Command(urls, tmp_path)
    command.run("uninstall", NAME, "--to", str(folder), "--yes")
    with town.at(bare()) as s:
        town.bring_back(s, ref)
    where = {
        "commit": "from highstreet.host import missed as m; name = 'catch_up'",
        "settle": "from highstreet.host import retry as m; name = 'settle'",
    }[moment]
    script = (
        f"import os\n{where}\nsetattr(m, name, lambda *_a: os.kill(os.getpid(), 9))\n"
        "from highstreet.cli import main; main()"
    )
    stopped = subprocess.run(
        [
            *(sys.executable, "-c", script, "--instance", str(tmp_path)),
            *("plugins", "reinstall", NAME, str(folder)),
        ],
        env=command.env,
        check=False,
    )
    assert stopped.returncode == -signal.SIGKILL
    command.run("reinstall", NAME, str(folder))
    command.start("reinstall", NAME, str(folder)).communicate(timeout=120)  # it is over: refused
    assert balance(house, town, ann) == 10, "once, neither never nor twice"
