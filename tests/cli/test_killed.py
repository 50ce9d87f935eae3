"""kill -9 in the middle of an import: the next run goes on, and totals are as if never killed."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from highstreet.app import create_app, house_of
from highstreet.blueprints.apply import apply

ROWS = 17_000
STORES = 12
BRAND = """
[brand]
slug = "harbour-bakery"
name = "Harbour Bakery"
currency = "GBP"
locale = "en_GB"
zone = "Europe/London"
customers = "brand"

[tools.points_club]
policy = "required"


[tools.points_club.settings]
accruals = [{ mode = "spend", points = 1, per_minor = 100 }]
rewards = [{ key = "bun", name = "Bun", points = 200, automatic = true }]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Some seconds' worth of purchases; every thousandth row is wrong."""
    path = tmp_path / "till.csv"
    with path.open("w", encoding="utf-8") as out:
        out.write("basket_id,household_id,store_id,occurred_at,sales_value\n")
        for n in range(ROWS):
            store = 99 if n % 1000 == 999 else n % STORES + 1
            at = f"2024-{n * 12 // ROWS + 1:02d}-{n % 28 + 1:02d}T{n % 24:02d}:00:00"
            out.write(f"{n},{n % 700},{store},{at},{n % 50 + 1}.{n % 100:02d}\n")
    return path


def installation(folder: Path) -> Path:
    """A fresh installation with the brand; gives its database."""
    blueprint = folder / "brand.toml"
    stores = "".join(
        f'\n[[stores]]\nslug = "s{n}"\ncode = "{n}"\nname = "S {n}"\n' for n in range(1, STORES + 1)
    )
    folder.mkdir()
    blueprint.write_text(BRAND + stores, encoding="utf-8")
    app = create_app({"instance": str(folder)}, faces=False)
    house = house_of(app)
    with app.app_context():
        house.migrate()
        apply(house.tenancy, house.host, blueprint)
    house.engine.dispose()
    return folder / "highstreet.db"


def command(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    """``highstreet`` in a process of its own."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("HIGHSTREET_")}
    return subprocess.Popen(
        [
            *(sys.executable, "-c", "from highstreet.cli import main; main()"),
            *("--instance", str(folder), *words),
        ],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def start(folder: Path, file: Path) -> subprocess.Popen[bytes]:
    """``highstreet import`` in a process of its own."""
    return command(folder, "import", "purchases", str(file), "--brand", "harbour-bakery", "--json")


def done(database: Path) -> int:
    """How many rows of the file are dealt with."""
    with sqlite3.connect(database) as connection:
        row = connection.execute("SELECT MAX(records) FROM core_import").fetchone()
    return int(row[0] or 0)


def totals(database: Path) -> dict[str, object]:
    with sqlite3.connect(database) as connection:
        return {
            sql: connection.execute(sql).fetchone()
            for sql in (
                "SELECT COUNT(*), SUM(total_minor) FROM core_purchase",
                "SELECT COUNT(*) FROM core_customer",
                "SELECT COUNT(*), SUM(balance) FROM points_club_account",
                "SELECT COUNT(*), SUM(points) FROM points_club_entry",
                "SELECT COUNT(*) FROM points_club_reward",
                "SELECT COUNT(*) FROM core_timeline_entry WHERE kind = 'purchase'",
            )
        }


@pytest.mark.slow
def test_a_killed_import_ends_as_if_never_killed(tmp_path: Path, file: Path) -> None:
    import json

    whole = installation(tmp_path / "whole")
    process = start(whole.parent, file)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err.decode()
    expected = totals(whole)
    errors = file.with_name("till.csv.errors.csv")
    refused = errors.read_bytes()

    killed = installation(tmp_path / "killed")
    seen = 0
    for _kill in range(2):
        process = start(killed.parent, file)
        while process.poll() is None and done(killed) <= seen:
            time.sleep(0.02)
        time.sleep(0.15)  # into the middle of the next chunk
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.communicate()
        assert done(killed) > seen
        seen = done(killed)
    assert 0 < seen < ROWS, "the import was too quick to be killed"
    process = start(killed.parent, file)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err.decode()
    report = json.loads(out)
    assert report["resumed_at"] == seen
    assert (report["records"], report["refused"]) == (ROWS, ROWS // 1000)
    assert totals(killed) == expected
    assert errors.read_bytes() == refused


@pytest.mark.slow
def test_a_killed_apply_has_done_nothing_and_is_run_again(tmp_path: Path) -> None:
    """A brand of 1,500 stores, so that there is a middle to be killed in."""
    path = tmp_path / "brand.toml"
    stores = "".join(
        f'\n[[stores]]\nslug = "s{n}"\ncode = "{n}"\nname = "S {n}"\n' for n in range(1_500)
    )
    path.write_text(BRAND + stores, encoding="utf-8")
    folder = tmp_path / "instance"
    made = command(folder, "migrate")
    _out, err = made.communicate(timeout=120)
    assert made.returncode == 0, err.decode()
    database = folder / "highstreet.db"

    def rows() -> tuple[int, int]:
        with sqlite3.connect(database) as connection:
            return tuple(
                connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
                for table in ("core_brand", "core_store")
            )

    killed = 0
    for wait in (0.3, 0.6, 0.8, 1.0, 1.2, 1.4):
        process = command(folder, "brands", "apply", str(path))
        time.sleep(wait)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.communicate()
        assert rows() in ((0, 0), (1, 1_500))
    assert killed, "the apply was too quick to be killed"
    out, err = command(folder, "brands", "apply", str(path)).communicate(timeout=120)
    assert rows() == (1, 1_500), err.decode()
    out, _err = command(folder, "brands", "apply", str(path)).communicate(timeout=120)
    assert b"Nothing to change." in out
