"""The file beside an import that holds the rows that did not go in, and why."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Sequence
from io import StringIO
from pathlib import Path

from msgspec import Struct

from highstreet.i18n import gettext as _
from highstreet.spreadsheet import plain
from highstreet_tenants.cards import mask_payment_cards
from highstreet_tenants.errors import Invalid

SUFFIX = ".errors.csv"


class Refusal(Struct, frozen=True):
    """One row that did not go in: its line in the file, the reason, its fields."""

    line: int
    reason: str
    fields: Sequence[str]


#: What may differ between rows that are refused for the same reason.
_OWN = re.compile(r"“[^”]*”|\d+(?:\.\d+)?|…")


class Tally:
    """How often rows were refused, reason by reason, for a reader: a few lines whatever happens."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._found: dict[str, tuple[str, int]] = {}

    def add(self, reason: str) -> None:
        """Count a reason; rows that differ only in their own numbers and texts count as one."""
        kind = _OWN.sub("…", reason)
        there = self._found.get(kind)
        if there is not None:
            said, count = there
            self._found[kind] = (said if said == reason else _shared(said, reason), count + 1)
        elif len(self._found) < self._most:
            self._found[kind] = (reason, 1)

    @property
    def counts(self) -> dict[str, int]:
        """Each reason and how often, the commonest first."""
        return dict(sorted(self._found.values(), key=lambda one: -one[1]))


def _shared(one: str, other: str) -> str:
    """Two reasons of a kind as one: what differs is left out."""
    theirs = iter(_OWN.findall(other))
    return _OWN.sub(lambda own: own[0] if next(theirs, "") == own[0] else "…", one)


def safe(cell: str) -> str:
    """The cell as a spreadsheet will show it and not run it; payment cards without their digits."""
    if len(cell) >= 13:
        cell = mask_payment_cards(cell)
    return plain(cell)


def errors_path(source: Path) -> Path:
    """Where the refused rows of a file go: beside it, or, where nobody may write, right here."""
    if source.is_relative_to("/dev") or source.is_relative_to("/proc"):
        source = source.resolve()  # standard input, and what file that is
    name = source.name + SUFFIX
    return source.with_name(name) if os.access(source.parent, os.W_OK) else Path(name).absolute()


class ErrorsFile:
    """``FILE.errors.csv``: made when the first row is refused, cut back when a run is resumed.

    Rows are written before the chunk they belong to is committed; ``size`` is kept with the
    commit, so whatever a killed run wrote beyond it is cut off and written again.
    """

    def __init__(self, source: Path, header: Sequence[str], *, size: int = 0) -> None:
        self.path = errors_path(source)
        self._header = header
        self.size = size
        self._started = False

    def add(self, refusals: Iterable[Refusal]) -> None:
        """Write rows out. Raises Invalid if the folder can't be written to."""
        rows = list(refusals)
        if not rows:
            return
        try:
            self._start()
            data = self._written(rows)
            with self.path.open("r+b") as file:
                file.seek(self.size)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise Invalid(
                _(
                    "The rows that were refused cannot be written to %(path)s: %(reason)s. Make "
                    "room, or run the command in a folder where you may write; it goes on.",
                    path=self.path,
                    reason=error.strerror,
                )
            ) from error
        self.size += len(data)

    def _written(self, rows: Sequence[Refusal]) -> bytes:
        text = StringIO()
        out = csv.writer(text, lineterminator="\r\n")
        if self.size == 0:
            out.writerow([_("line"), _("reason"), *(safe(name) for name in self._header)])
        for row in rows:
            out.writerow([row.line, safe(row.reason), *(safe(cell) for cell in row.fields)])
        # With the mark at its head, so that spreadsheets read the letters right.
        return text.getvalue().encode("utf-8-sig" if self.size == 0 else "utf-8", "replace")

    def _start(self) -> None:
        if self._started:
            return
        self._started = True
        with self.path.open("a+b") as file:
            if file.seek(0, os.SEEK_END) < self.size:
                self.size = 0  # somebody took it away meanwhile
            file.truncate(self.size)

    def settle(self) -> Path | None:
        """End of the import: the file if it holds rows; an old one of an earlier run is removed."""
        if self.size:
            self._start()
            return self.path
        self.path.unlink(missing_ok=True)
        return None
