"""Files for spreadsheets: CSV that shows what it holds and runs nothing of it."""

import csv
from collections.abc import Iterable
from decimal import Decimal
from io import StringIO

#: A spreadsheet runs a cell that begins with one of these (OWASP, CSV injection).
_RUNS = ("=", "+", "-", "@", "\t", "\r")


def plain(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would run it as a formula."""
    return f"'{text}" if text.startswith(_RUNS) else text


MARK = "\ufeff"
"""By it spreadsheets know UTF-8."""


def cells(row: Iterable[object]) -> list[object]:
    """A row as csv writes it: numbers bare, None empty, all else text and defused."""
    return [cell if _is_bare(cell) else plain(str(cell)) for cell in row]


def as_csv(rows: Iterable[Iterable[object]]) -> str:
    """The rows as a CSV file (RFC 4180), with the mark by which spreadsheets read UTF-8.

    Numbers stay numbers, below zero too; None is an empty cell; all else is text, and defused.
    """
    out = StringIO()
    sheet = csv.writer(out, lineterminator="\r\n")
    for row in rows:
        sheet.writerow(cells(row))
    return MARK + out.getvalue()


def _is_bare(cell: object) -> bool:
    return cell is None or isinstance(cell, int | float | Decimal)
