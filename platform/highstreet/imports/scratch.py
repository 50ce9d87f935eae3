"""What a run must look up and memory may not hold: a private database on disk, gone with the run.

It is SQLite's own kind of temporary file, which spills to disk only when it outgrows its cache. So
receipts whose lines lie apart are put together, and repeats found, without sorting a file.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from highstreet.i18n import gettext as _
from highstreet.purchases.checks import MOST_LINES
from highstreet_tenants.errors import Unavailable

_SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -32000;
BEGIN;
CREATE TABLE seen (receipt TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID;
CREATE TABLE taken (receipt TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE product (code TEXT PRIMARY KEY, department TEXT, line INTEGER) WITHOUT ROWID;
CREATE TABLE row (line INTEGER PRIMARY KEY, receipt TEXT, product TEXT, fields TEXT, problem TEXT);
CREATE TABLE head (line INTEGER PRIMARY KEY, receipt TEXT);
"""
# CROSS JOIN makes SQLite begin with the receipts in their order and look each one's rows up.
_ROWS = (
    "SELECT row.receipt, row.line, row.fields, row.problem, product.department"
    " FROM {receipts} CROSS JOIN row ON row.receipt = {receipt}"
    " LEFT JOIN product ON product.code = row.product ORDER BY {order}, row.line"
)
_OF = _ROWS.format(receipts="json_each(?) AS asked", receipt="asked.value", order="asked.key")
_ALL = _ROWS.format(receipts="head", receipt="head.receipt", order="head.line")


class Kept(NamedTuple):
    """A row of lines: its line in the file, its fields or what is wrong with it, and the department
    of its product, None where the products do not say."""

    line: int
    fields: list[str]
    problem: str | None
    department: str | None


class Scratch:
    """The database of one run; a context manager. Raises Unavailable where the disk is full."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)

    def __enter__(self) -> Scratch:
        self._db.executescript(_SCHEMA)
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._db.close()
        if isinstance(error, sqlite3.Error):
            raise Unavailable(
                _(
                    "The import needs room for temporary files: %(reason)s. Make some, or name "
                    "another folder in TMPDIR. What was taken in so far stays.",
                    reason=error,
                )
            ) from error

    def before(self, receipts: Sequence[tuple[str, int]]) -> dict[str, int]:
        """Note receipts with their lines; of those noted before, where they stood."""
        asked = json.dumps([receipt for receipt, _line in receipts])
        there = dict(
            self._db.execute(
                "SELECT seen.receipt, seen.line FROM json_each(?) AS asked"
                " CROSS JOIN seen ON seen.receipt = asked.value",
                (asked,),
            )
        )
        self._db.executemany("INSERT INTO seen VALUES (?, ?) ON CONFLICT DO NOTHING", receipts)
        return there

    def keep_products(self, products: Iterable[tuple[str, str, int]]) -> None:
        """Keep codes with their departments and lines; of a code that comes twice the first."""
        self._db.executemany(
            "INSERT INTO product VALUES (?, ?, ?) ON CONFLICT DO NOTHING", products
        )

    def product(self, code: str) -> tuple[str, int] | None:
        """The department of a product, and the line that says so."""
        found: tuple[str, int] | None = self._db.execute(
            "SELECT department, line FROM product WHERE code = ?", (code,)
        ).fetchone()
        return found

    def keep_rows(self, rows: Iterable[tuple[int, str, str, Sequence[str], str | None]]) -> None:
        """Keep rows of lines: (line, receipt, product, fields, problem)."""
        self._db.executemany(
            "INSERT INTO row VALUES (?, ?, ?, ?, ?)",
            (
                (line, receipt, product, json.dumps(fields), problem)
                for line, receipt, product, fields, problem in rows
            ),
        )

    def put_together(self, *, heads: bool) -> None:
        """All rows are kept: find out which belong together, with ``heads`` also in which order."""
        self._db.execute("CREATE INDEX row_receipt ON row (receipt, line)")
        self._part_crowds(all_bad=heads)
        if heads:
            self._db.execute("INSERT INTO head SELECT MIN(line), receipt FROM row GROUP BY receipt")

    def _part_crowds(self, *, all_bad: bool) -> None:
        """A receipt of more lines than any real one is a wrong column, and may not fill memory."""
        problem = _("there are more than %(most)s lines of this receipt", most=MOST_LINES)
        crowds = self._db.execute(
            "SELECT receipt, MIN(line) FROM row GROUP BY receipt HAVING COUNT(*) > ?", (MOST_LINES,)
        ).fetchall()
        for receipt, first in crowds:
            self._db.execute("UPDATE row SET problem = ? WHERE line = ?", (problem, first))
            self._db.execute(
                "UPDATE row SET receipt = '?' || line, problem = ? WHERE receipt = ? AND line > ?",
                (problem if all_bad else None, receipt, first),
            )

    def take(self, receipts: Iterable[str]) -> dict[str, list[Kept]]:
        """The rows of some receipts, in the order of the file; note that they were asked for."""
        asked = list(dict.fromkeys(receipts))
        self._db.executemany(
            "INSERT INTO taken VALUES (?) ON CONFLICT DO NOTHING", ((one,) for one in asked)
        )
        return dict(_grouped(self._db.execute(_OF, (json.dumps(asked),))))

    def all_rows(self) -> Iterator[tuple[str, list[Kept]]]:
        """Every receipt with its rows, in the order of their first rows."""
        return _grouped(self._db.execute(_ALL))

    def left_over(self) -> tuple[int, int]:
        """How many rows belong to no receipt that was asked for, and where the first stands."""
        count, first = self._db.execute(
            "SELECT COUNT(*), MIN(line) FROM row WHERE NOT EXISTS"
            " (SELECT 1 FROM taken WHERE taken.receipt = row.receipt)"
        ).fetchone()
        return int(count), int(first or 0)


def _grouped(rows: Iterable[Sequence[str]]) -> Iterator[tuple[str, list[Kept]]]:
    for receipt, some in groupby(rows, key=lambda row: row[0]):
        yield (
            receipt,
            [
                Kept(int(line), json.loads(fields), problem, department)
                for _receipt, line, fields, problem, department in some
            ],
        )


__all__ = ["Kept", "Scratch"]
