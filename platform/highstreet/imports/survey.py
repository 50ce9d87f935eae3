"""What is known of a file before and while its records are read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from highstreet.i18n import gettext as _
from highstreet_tenants.errors import Conflict

SAMPLE_ROWS = 2_000


class Hints(Struct, frozen=True):
    """What a mapping says about a file itself.

    ``header``: the line with the columns' names, counted from 1. ``decimal`` and ``date`` tell how
    to write the numbers and dates of a workbook, which has no notation of its own, so that they are
    read by the same rule as texts.
    """

    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    header: int | None = None
    decimal: str = "."
    date: str = ""


class Survey(Struct, frozen=True):
    """What a look through the whole file found.

    ``size`` is the number of bytes on disk, ``sample`` up to :data:`SAMPLE_ROWS` first records;
    ``sheet`` is the workbook's sheet, or empty for a text file, which then has ``encoding`` and
    ``delimiter``; ``skip`` lines or rows stand in front of the header; ``unread`` names sheets that
    hold something, too.
    """

    path: Path
    sha256: str
    size: int
    stamp: tuple[int, ...]
    encoding: str
    delimiter: str = ""
    skip: int = 0
    packed: bool = False
    sheet: str = ""
    formulas: bool = False
    unread: tuple[str, ...] = ()
    hints: Hints = Hints()
    header: tuple[str, ...] = ()
    sample: tuple[tuple[str, ...], ...] = ()

    def check_unchanged(self) -> None:
        """Raise Conflict if somebody wrote to the file since it was surveyed."""
        if stamp(self.path) != self.stamp:
            raise Conflict(
                _(
                    "%(path)s was changed while it was read. What was taken in so far stays; run "
                    "the import again when the file is complete.",
                    path=self.path,
                )
            )


class Record(Struct, frozen=True):
    """One record: the number of its first line in the file, its fields, or why it is unreadable."""

    line: int
    fields: list[str]
    problem: str | None = None

    @property
    def parts(self) -> tuple[Record, ...]:
        """The rows of the file that it consists of: itself."""
        return (self,)


class Records(Protocol):
    """An open file of records, the header first."""

    def __iter__(self) -> Iterator[Record]: ...

    def position(self) -> int:
        """Bytes of the file on disk read so far, about."""


def stamp(path: Path) -> tuple[int, ...]:
    """What changes whenever somebody writes to a file: its inode, size and times."""
    try:
        seen = path.stat()
    except FileNotFoundError:
        return ()
    return seen.st_ino, seen.st_size, seen.st_mtime_ns
