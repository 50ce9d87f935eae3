"""Reads a sheet of an XLSX workbook as records: values as they were meant, within strict limits.

openpyxl reads the sheet in a stream. Texts that cells share, and styles, it holds in memory, so
their size is looked at before it may unpack them.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from itertools import repeat
from math import isfinite
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from highstreet.i18n import gettext as _
from highstreet.imports.survey import Hints, Record, Survey
from highstreet_tenants.errors import Invalid

MOST_ROWS = 1_048_576
"""Rows of a sheet (Microsoft, Excel specifications and limits)."""

MOST_BYTES = 2 << 30
"""Bytes of all parts of a workbook when unpacked."""

MOST_HELD = 128 << 20
"""Bytes of a part that is held in memory: shared texts, styles."""

MOST_PARTS = 10_000

MOST_RATIO = 200
"""How small a part beyond MOST_HELD may be packed; sheets of real rows reach a fifth of it."""

_STREAMED = ("xl/worksheets/", "xl/media/", "xl/pivotCache/", "xl/drawings/", "xl/embeddings/")
_BROKEN = (
    zipfile.BadZipFile,
    InvalidFileException,
    NotImplementedError,  # zipfile: an unknown way of packing
    ParseError,
    KeyError,
    ValueError,
    IndexError,
    TypeError,
    AttributeError,
)


def look_at(path: Path, hints: Hints, stamp: tuple[int, ...]) -> Survey:
    """The survey of a workbook, header and sample left out. Raises Invalid."""
    digest = sha256()
    with path.open("rb") as raw:
        while block := raw.read(1 << 20):
            digest.update(block)
    _check_parts(path)
    with _opened(path) as book:
        sheets = {one.title: one for one in book.worksheets}
        if hints.sheet is not None and hints.sheet not in sheets:
            raise Invalid(
                _(
                    "%(path)s has no sheet “%(sheet)s”; it has: %(known)s.",
                    path=path,
                    sheet=hints.sheet,
                    known=", ".join(sheets),
                )
            )
        filled = [name for name, sheet in sheets.items() if _has_rows(sheet)]
        if not filled:
            raise Invalid(_("%(path)s is empty.", path=path))
        name = hints.sheet or filled[0]
        formulas = _has_formulas(sheets[name])
    return Survey(
        path=path,
        sha256=digest.hexdigest(),
        size=path.stat().st_size,
        stamp=stamp,
        encoding="xlsx",
        skip=hints.header - 1 if hints.header else 0,
        sheet=name,
        formulas=formulas,
        unread=tuple(one for one in filled if one != name),
        hints=hints,
    )


def _check_parts(path: Path) -> None:
    """Raise Invalid for an archive that is no workbook, or a bomb.

    zipfile unpacks no more of a part than its entry declares, so the declared sizes bind.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except _BROKEN as error:
        raise _unreadable(path, error) from error
    names = {part.filename for part in parts}
    if "[Content_Types].xml" not in names:
        raise Invalid(
            _(
                "%(path)s is an archive, but no .xlsx workbook. Unpack it, or save the table as "
                "CSV or .xlsx.",
                path=path,
            )
        )
    total = sum(part.file_size for part in parts)
    bomb = (
        len(parts) > MOST_PARTS
        or total > MOST_BYTES
        or any(
            part.file_size > MOST_HELD
            and (
                not part.filename.startswith(_STREAMED)
                or part.file_size > MOST_RATIO * part.compress_size
            )
            for part in parts
        )
    )
    if bomb:
        raise Invalid(
            _(
                "%(path)s would unpack to %(size)s MB, too much for a workbook. Save the sheet as "
                "CSV: that is read at any size.",
                path=path,
                size=f"{total >> 20:,}",
            )
        )


@contextmanager
def _opened(path: Path, *, values: bool = True) -> Iterator[Any]:
    """The workbook, with the values of formulas or with the formulas. Raises Invalid."""
    with catch_warnings():
        simplefilter("ignore")  # openpyxl's, of styles and extensions that it leaves out
        try:
            # A file, not its name: by its name openpyxl would judge what it is.
            with path.open("rb") as raw:
                book = load_workbook(raw, read_only=True, data_only=values, keep_links=False)
                yield book
        except _BROKEN as error:
            raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> Invalid:
    return Invalid(
        _(
            "%(path)s is damaged or no .xlsx workbook (%(reason)s). Open it in a spreadsheet and "
            "save it anew, or save the sheet as CSV.",
            path=path,
            reason=type(error).__name__,
        )
    )


def _rows(sheet: Any) -> Iterator[tuple[Any, ...]]:
    """Every row of a sheet, whatever the size that it claims to have."""
    sheet.reset_dimensions()
    return sheet.iter_rows()  # type: ignore[no-any-return]  # openpyxl has no types


def _has_rows(sheet: Any) -> bool:
    for row, _place in zip(_rows(sheet), range(100), strict=False):
        if any(cell.value is not None for cell in row):
            return True
    return False


def _has_formulas(sheet: Any) -> bool:
    """Whether any cell of the sheet holds a formula, without making cells of it."""
    tail = b""
    with sheet._get_source() as source:
        while block := source.read(1 << 20):
            if b"<f>" in (joined := tail + block) or b"<f " in joined or b":f>" in joined:
                return True
            tail = block[-3:]
    return False


class SheetRecords:
    """The records of a surveyed sheet, the header first; a context manager."""

    def __init__(self, found: Survey) -> None:
        self._survey = found
        self._rows = MOST_ROWS
        self._line = 0

    def __enter__(self) -> SheetRecords:
        return self

    def __exit__(self, *args: object) -> None:
        pass

    def position(self) -> int:
        """Bytes of the file read so far, as if each row took as many."""
        return self._survey.size * min(self._line, self._rows) // self._rows

    def __iter__(self) -> Iterator[Record]:
        found = self._survey
        with _opened(found.path) as book:
            sheet = book[found.sheet]
            self._rows = sheet.max_row or MOST_ROWS
            rows = _rows(sheet)
            if not found.formulas:
                yield from self._records(rows, repeat(()))
                return
            # openpyxl gives a formula or its value, so a cell without a value needs both.
            with _opened(found.path, values=False) as behind:
                yield from self._records(rows, _rows(behind[found.sheet]))

    def _records(
        self, rows: Iterator[tuple[Any, ...]], formulas: Iterator[tuple[Any, ...]]
    ) -> Iterator[Record]:
        hints = self._survey.hints
        for line, (row, behind) in enumerate(zip(rows, formulas, strict=False), start=1):
            if line > MOST_ROWS:
                raise ValueError("more rows than a sheet can have")
            if line <= self._survey.skip or all(cell.value is None for cell in (behind or row)):
                continue
            fields = [_text(cell, hints) for cell in row]
            while fields and not fields[-1]:
                fields.pop()
            # Empty cells at the end are there or not, as the spreadsheet liked.
            fields += [""] * (len(self._survey.header) - len(fields))
            self._line = line
            yield Record(line, fields, _problem(line, row, behind))


def _problem(line: int, row: Sequence[Any], formulas: Sequence[Any]) -> str | None:
    for place, cell in enumerate(row):
        if cell.value is None:
            if place < len(formulas) and formulas[place].data_type == "f":
                return _(
                    "cell %(cell)s holds a formula without its value; open the file in a "
                    "spreadsheet and save it",
                    cell=f"{get_column_letter(place + 1)}{line}",
                )
        elif cell.data_type == "e":
            return _(
                "cell %(cell)s holds the error %(error)s",
                cell=f"{get_column_letter(place + 1)}{line}",
                error=str(cell.value)[:20],
            )
    return None


def _text(cell: Any, hints: Hints) -> str:
    """What a cell holds, in the notation of the mapping, as a CSV of the sheet would have it."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _number(value, cell.number_format, hints.decimal)
    if isinstance(value, datetime):
        if "%" in hints.date:
            return value.strftime(hints.date)
        dated = "h" not in cell.number_format.casefold() and value.time() == time()
        return value.date().isoformat() if dated else value.isoformat(timespec="seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return str(value)


def _number(value: float, number_format: str, decimal: str) -> str:
    """A number as text. Zeros that its format puts in front are part of it: 00412.

    A spreadsheet keeps fifteen digits; of a longer number the rest is gone, so it is written in
    the scientific form that is refused everywhere.
    """
    if abs(value) >= 10**15 or not isfinite(value):
        return f"{value:.5E}"
    if value == int(value):
        text = str(int(value))
        plain = number_format.strip('"')
        return text.rjust(len(plain), "0") if plain and set(plain) == {"0"} else text
    text = f"{value:.15g}"
    return text.replace(".", decimal)


__all__ = ["SheetRecords", "look_at"]
