"""A year of purchases goes in: 155,848 baskets of 2,469 households in 457 stores, with points.

Asked, on PostgreSQL: at least 0.3 of the pace of COPY + INSERT … SELECT of the same rows into the
same tables; under 300 MB; linear in rows. Ours is the command `highstreet import` on the file as it
came (packed CSV, local times, dollars), stores and customers made on the way. The floor gets the
finished rows in PostgreSQL's own binary form.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from benchmarks import brands, club, databases, measure
from benchmarks.measure import Figure
from highstreet.app import house_of
from highstreet.host import policy, settings
from highstreet.house import House
from highstreet_tenants.base import Base
from highstreet_tenants.control import CONTROL_TABLES
from highstreet_tenants.scopes import Scope

#: Where the data set lies; its folder holds baskets.csv.gz.
DATA = Path(
    os.environ.get("HIGHSTREET_BENCH_DATA")
    or Path(__file__).parents[2] / "shared" / "data" / "complete_journey"
)
ROUNDS = 2
MOST_MB = 300.0
QUICK_ROWS = 20_000


# The peak is read inside: what a parent sees of a child counts the parent's own, before exec.
_COMMAND = """
import resource, sys
from pathlib import Path
from highstreet.cli import main
try:
    main(sys.argv[2:])
finally:
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(int(l.split()[1]) for l in status.read_text().splitlines() if "VmHWM" in l)
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    Path(sys.argv[1]).write_text(str(peak))
"""


@dataclass(frozen=True, slots=True)
class _Done:
    """One run of the import. megabytes: the most that its process held."""

    rows: int
    seconds: float
    megabytes: float


def run() -> list[Figure]:
    """Import the whole and the half, and pour the whole's rows in raw, in turn."""
    if not (DATA / "baskets.csv.gz").is_file():
        return measure.skipped(
            "import_year", f"no baskets.csv.gz in {DATA}: set HIGHSTREET_BENCH_DATA"
        )
    if not databases.postgresql_answers():
        return measure.skipped("import_year", "no PostgreSQL server answers")
    whole: list[_Done] = []
    half: list[_Done] = []
    floor: list[float] = []
    with tempfile.TemporaryDirectory(prefix="hs_bench_") as folder:
        full, part = _files(Path(folder))
        for _round in range(ROUNDS):
            half.append(_import(part)[0])
            done, seconds = _import(full, pour=True)
            whole.append(done)
            floor.append(seconds)
    times = {
        "whole": min(one.seconds for one in whole),
        "half": min(one.seconds for one in half),
        "floor": min(floor),
    }
    rows = whole[0].rows
    most = max(one.megabytes for one in whole)
    each = {"whole": times["whole"] / rows, "half": times["half"] / half[0].rows}
    return [
        measure.rate(
            f"import of {rows:,} baskets with points", times, ours="whole", floor="floor",
            count=rows, at_least=0.3, note="floor: COPY + INSERT … SELECT of the finished rows",
        ),
        Figure("import, memory", most, None, "MB", None, ("<=", MOST_MB), of="value"),
        Figure(
            "import, a row of the whole against one of the half", each["whole"] * 1e6,
            each["half"] * 1e6, "µs", each["whole"] / each["half"], ("<=", 1.2), "linear in rows",
        ),
    ]  # fmt: skip


def _files(folder: Path) -> tuple[Path, Path]:
    """The whole file and its first half; copies, for refused rows are written beside them."""
    full, part = folder / "whole.csv.gz", folder / "half.csv.gz"
    with gzip.open(DATA / "baskets.csv.gz", "rt", newline="") as source:
        rows = list(csv.reader(source))
    if measure.quick():
        rows = rows[: QUICK_ROWS + 1]
    for path, count in ((full, len(rows) - 1), (part, (len(rows) - 1) // 2)):
        with gzip.open(path, "wt", newline="") as target:
            csv.writer(target).writerows(rows[: count + 1])
    return full, part


def _import(file: Path, *, pour: bool = False) -> tuple[_Done, float]:
    """Import into a database of its own; with `pour` also give the seconds of the floor."""
    with _prepared() as (house, brand_id):
        done = _command(house, file)
        if not pour:
            return done, 0.0
        rows = _taken_out(house, brand_id)
    with _prepared(brand_id) as (house, _same):
        return done, _poured(house, brand_id, rows)


@contextmanager
def _prepared(brand_id: UUID | None = None) -> Iterator[tuple[House, UUID]]:
    """A database with a brand and its points club, and no store yet."""
    with databases.installation("postgresql") as app:
        house = house_of(app)
        brand = brands.found_brand(house.tenancy, stores=0, brand_id=brand_id)
        with house.tenancy.session(Scope.brand(brand.row), write=True) as s:
            policy.set_policy(s, club.CLUB, "required")
            settings.put(s, club.CLUB, club.PROGRAMME)
        yield house, brand.id


def _command(house: House, file: Path) -> _Done:
    """`highstreet import purchases` in a process of its own."""
    peak = file.with_name("peak")
    command = [
        sys.executable, "-c", _COMMAND, str(peak), "import", "purchases", str(file),
        "--brand", "bench", "--create-stores", "--json",
    ]  # fmt: skip
    names = ("database_url", "owner_database_url", "instance", "secret_key")
    environment = os.environ | {f"HIGHSTREET_{n.upper()}": str(house.config[n]) for n in names}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=file.parent)
    if done.returncode:
        raise RuntimeError(f"the import ended with {done.returncode}: {done.stderr[-500:]}")
    report: dict[str, Any] = json.loads(done.stdout)
    if report["created"] != report["records"] or not report["records"]:
        raise AssertionError(f"not every basket went in: {report}")
    return _Done(report["records"], report["seconds"], int(peak.read_text()) / 1024)


def _tables() -> list[sa.Table]:
    """Tables of brands' rows, parents first. Kept apart: what the preparation itself wrote."""
    return [
        table
        for table in Base.metadata.sorted_tables
        if ("brand_id" in table.c and table.name not in CONTROL_TABLES)
        or table.name == "core_store"
    ]


def _taken_out(house: House, brand_id: UUID) -> list[tuple[str, list[str], bytes]]:
    """Each table's rows as COPY gives them: (table, columns, bytes)."""
    import psycopg

    rows = []
    with psycopg.connect(_dsn(house.config["owner_database_url"])) as connection:
        for table in _tables():
            columns = [column.name for column in table.columns]
            names = ", ".join(columns)
            query = f"SELECT {names} FROM {table.name} WHERE brand_id = '{brand_id}'"
            with connection.cursor().copy(f"COPY ({query}) TO STDOUT (FORMAT BINARY)") as out:
                rows.append((table.name, columns, b"".join(out)))
    return rows


def _poured(house: House, brand_id: UUID, rows: list[tuple[str, list[str], bytes]]) -> float:
    """Seconds that the rows take by COPY into temporary tables and INSERT … SELECT."""
    import psycopg

    with psycopg.connect(_dsn(house.config["database_url"])) as connection:
        connection.execute("SELECT set_config('hs.brand', %s, false)", [str(brand_id)])
        connection.execute("SELECT set_config('hs.stores', 'all', false)")
        connection.commit()

        def pour() -> None:
            for table, columns, data in rows:
                names = ", ".join(columns)
                connection.execute(
                    f"CREATE TEMP TABLE poured ON COMMIT DROP AS SELECT {names} FROM {table}"
                    " WITH NO DATA"
                )
                with connection.cursor().copy(
                    f"COPY poured ({names}) FROM STDIN (FORMAT BINARY)"
                ) as into:
                    into.write(data)
                connection.execute(
                    f"INSERT INTO {table} ({names}) SELECT {names} FROM poured"
                    " ON CONFLICT DO NOTHING"
                )
                connection.execute("DROP TABLE poured")
            connection.commit()

        return measure.seconds(pour)


def _dsn(url: str) -> str:
    return sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
