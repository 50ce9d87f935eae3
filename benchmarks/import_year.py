"""A year of purchases goes in: 155,848 baskets of 2,469 households in 457 stores, with points.

Asked, on PostgreSQL: at least 0.3 of the pace of COPY + INSERT … SELECT of the same rows into the
same tables; under 300 MB; linear in rows (10,000 of the last quarter take at most 1.3 times as long
as of the first). Ours is the command `highstreet import` on the file as it came (packed CSV, local
times, dollars), stores and customers made on the way. The floor gets the finished rows in
PostgreSQL's own binary form.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
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

ROUNDS = 2
MOST_MB = 300.0
QUICK_ROWS = 40_000
QUARTERS = 4


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
    """One run of the import. megabytes: the most that its process held; marks: see _marks."""

    rows: int
    seconds: float
    megabytes: float
    marks: Sequence[tuple[float, int]]


def run() -> list[Figure]:
    """Import the whole and parts of it, and pour the whole's rows in raw, in turn."""
    data = _data()
    if not databases.postgresql_answers():
        return measure.skipped("import_year", "no PostgreSQL server answers")
    whole: list[_Done] = []
    floor: list[float] = []
    with tempfile.TemporaryDirectory(prefix="hs_bench_") as folder:
        files = _files(data, Path(folder))
        parts = [_import(file)[0] for file in files[:-1]]
        for _round in range(ROUNDS):
            done, seconds = _import(files[-1], pour=True)
            whole.append(done)
            floor.append(seconds)
    rows = whole[0].rows
    times = {"whole": min(one.seconds for one in whole), "floor": min(floor)}
    quarters = [min(each) for each in zip(*map(_quarters, whole), strict=True)]
    said = ", ".join(f"{seconds:.2f}" for seconds in quarters)
    totals = ", ".join(f"{one.rows:,} rows in {one.seconds:.1f} s" for one in [*parts, whole[-1]])
    return [
        measure.rate(
            f"import of {rows:,} baskets with points", times, ours="whole", floor="floor",
            count=rows, at_least=0.3, note="floor: COPY + INSERT … SELECT of the finished rows",
        ),
        Figure(
            "import, memory", max(one.megabytes for one in whole), None, "MB", None,
            ("<=", MOST_MB), of="value",
        ),
        Figure(
            "import, 10,000 rows in the last quarter against the first", quarters[-1], quarters[0],
            "s", quarters[-1] / quarters[0], ("<=", 1.3),
            f"linear in rows: {said} s for 10,000 in each quarter; {totals}",
        ),
    ]  # fmt: skip


def _data() -> Path:
    """The year's file. Raises LeftOutError if nobody has said where it lies."""
    folder = os.environ.get("HIGHSTREET_BENCH_DATA", "")
    file = Path(folder) / "baskets.csv.gz"
    if not folder or not file.is_file():
        measure.skipped(
            "import_year",
            f"{f'no {file}' if folder else 'no data'}; name the folder that holds baskets.csv.gz of"
            " The Complete Journey with --data or HIGHSTREET_BENCH_DATA",
        )
    return file


def _files(data: Path, folder: Path) -> list[Path]:
    """The first quarter, the first half and the whole: copies, for refused rows go beside them."""
    with gzip.open(data, "rt", newline="") as source:
        head, *rows = csv.reader(source)
    if measure.quick():
        rows = rows[:QUICK_ROWS]
    files = []
    for share in (4, 2, 1):
        files.append(folder / f"part_{share}.csv.gz")
        with gzip.open(files[-1], "wt", newline="") as target:
            csv.writer(target).writerows([head, *rows[: len(rows) // share]])
    return files


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
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
        cwd=file.parent,
    ) as child:  # fmt: skip
        marks = _marks(house, child)
        out, err = child.communicate()
    if child.returncode:
        raise RuntimeError(f"the import ended with {child.returncode}: {err[-500:]}")
    report: dict[str, Any] = json.loads(out)
    if report["created"] != report["records"] or not report["records"]:
        raise AssertionError(f"not every basket went in: {report}")
    megabytes = int(peak.read_text()) / 1024
    rows = report["records"]
    return _Done(rows, report["seconds"], megabytes, marks)


def _marks(house: House, child: subprocess.Popen[str]) -> list[tuple[float, int]]:
    """(seconds by the clock, rows that are in) whenever a chunk is committed, until it ends."""
    marks: list[tuple[float, int]] = []
    engine = sa.create_engine(
        house.config["owner_database_url"], isolation_level="AUTOCOMMIT"
    )  # past row-level security
    with engine.connect() as connection:
        ended = False
        while not ended:
            time.sleep(0.05)
            ended = child.poll() is not None  # looked at before the rows: so the last are seen
            rows = connection.exec_driver_sql("SELECT max(records) FROM core_import").scalar() or 0
            if rows and (not marks or rows > marks[-1][1]):
                marks.append((time.perf_counter(), rows))
    engine.dispose()
    return marks


def _quarters(done: _Done) -> tuple[float, ...]:
    """Seconds for 10,000 rows in each quarter, from the first chunk to the last.

    What comes before the first chunk (the start, the first look at the file) is in none.
    """
    marks, rows, first = done.marks, done.rows, done.marks[0][1]
    bounds = [first + (rows - first) * number / QUARTERS for number in range(QUARTERS + 1)]
    at = [_when(marks, bound) for bound in bounds]
    each = (rows - first) / QUARTERS
    return tuple((late - early) / each * 10_000 for early, late in pairwise(at))


def _when(marks: Sequence[tuple[float, int]], rows: float) -> float:
    """When so many rows were in, as if they went in evenly between two marks."""
    for (early, few), (late, many) in pairwise(marks):
        if few <= rows <= many:
            return early + (late - early) * (rows - few) / (many - few)
    return marks[-1][0]


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
