"""Reads tables as strangers make them: CSV in any common form, packed or not, or an XLSX sheet.

A file is surveyed once from end to end (digest, format, header); then its records are streamed, so
that memory does not depend on its size.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from pathlib import Path

from msgspec.structs import replace

from highstreet.i18n import gettext as _
from highstreet.imports.survey import SAMPLE_ROWS, Hints, Records, Survey, stamp
from highstreet_tenants.cards import looks_like_payment_card
from highstreet_tenants.errors import Invalid

_FOREIGN = (
    # What people hand in for a table, by its first bytes.
    (b"\xd0\xcf\x11\xe0", ".xls"),
    (b"%PDF", "PDF"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"Rar!", "RAR"),
    (b"7z\xbc\xaf", "7-Zip"),
    (b"PAR1", "Parquet"),
    (b"SQLite format", "SQLite"),
)


def survey(path: Path, hints: Hints | None = None) -> Survey:
    """Look through a file; what ``hints`` say is believed.

    Raises Invalid for a file that is missing, empty, damaged, no table, or without a header.
    """
    with told(path):
        return _survey(path, hints or Hints())


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Whatever goes wrong with reading a file is told with its name: raises Invalid."""
    try:
        yield
    except FileNotFoundError as error:
        raise Invalid(_("There is no file %(path)s.", path=path)) from error
    except OSError as error:  # gzip.BadGzipFile is one
        raise Invalid(
            _("%(path)s cannot be read: %(reason)s", path=path, reason=error.strerror or error)
        ) from error
    except (EOFError, zlib.error) as error:
        raise Invalid(
            _("%(path)s ends in the middle; copy it again from its source.", path=path)
        ) from error


def open_records(found: Survey) -> AbstractContextManager[Records]:
    """Open a surveyed file for reading its records."""
    if found.sheet:
        from highstreet.imports.workbooks import SheetRecords

        return SheetRecords(found)
    from highstreet.imports.delimited import TextRecords

    return TextRecords(found)


def _survey(path: Path, hints: Hints) -> Survey:
    if path.is_dir():
        raise Invalid(_("%(path)s is a folder; give one file.", path=path))
    if path.exists() and not path.is_file():
        # A pipe could not be read twice, and a run could not be resumed.
        raise Invalid(_("%(path)s is no plain file; save it as one first.", path=path))
    before = stamp(path)
    with path.open("rb") as raw:
        head = raw.read(16)
    for mark, name in _FOREIGN:
        if head.startswith(mark):
            raise Invalid(
                _(
                    "%(path)s is a file of the kind %(kind)s. Save it as CSV (gzip is fine) or as "
                    ".xlsx without a password.",
                    path=path,
                    kind=name,
                )
            )
    if head.startswith(b"PK\x03\x04"):
        from highstreet.imports.workbooks import look_at
    else:
        from highstreet.imports.delimited import look_at
    found = look_at(path, hints, before)
    with open_records(found) as stream:
        records = iter(stream)
        header = next(records, None)
        if header is None:
            raise _headless(path)
        if header.problem:
            raise Invalid(
                _("The first line of %(path)s: %(reason)s", path=path, reason=header.problem)
            )
        sample = tuple(
            tuple(record.fields) for record in islice(records, SAMPLE_ROWS) if not record.problem
        )
    # Spreadsheets break long names into lines, and a mark may stand before the first one.
    names = tuple(" ".join(name.replace("\ufeff", "").split()) for name in header.fields)
    _check_header(path, names)
    found = replace(found, header=names, sample=sample)
    found.check_unchanged()
    return found


def _headless(path: Path) -> Invalid:
    return Invalid(_("%(path)s has no line of column names.", path=path))


def _check_header(path: Path, names: tuple[str, ...]) -> None:
    named = [name for name in names if name]
    if not named:
        raise _headless(path)
    if any(len(name) >= 13 and looks_like_payment_card(name) for name in named):
        raise Invalid(
            _(
                "The first line of %(path)s holds what looks like a payment card number instead of "
                "column names. Take payment cards out and put names above the columns.",
                path=path,
            )
        )
    if not all(name.isprintable() for name in named):
        # Neither is it a table, nor may a terminal see such letters.
        raise Invalid(
            _("%(path)s is no table: its first line holds control characters.", path=path)
        )
    count = Counter(name.casefold() for name in named)
    twice = sorted({name for name in named if count[name.casefold()] > 1})
    if twice:
        raise Invalid(
            _(
                "%(path)s has two columns named %(names)s; rename one.",
                path=path,
                names=", ".join(twice[:20]),
            )
        )
