"""What an import works on, one unit after another: rows of the file, or receipts put together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import islice
from typing import Any, Protocol

from msgspec import Struct

from highstreet.customers.facts import FieldFact
from highstreet.imports import receipts
from highstreet.imports.customers import CustomerRows
from highstreet.imports.errors import ErrorsFile, Refusal
from highstreet.imports.lines import LineRows, ProductRows
from highstreet.imports.opening import Opened, Table
from highstreet.imports.purchases import PurchaseRows
from highstreet.imports.reading import open_records, told
from highstreet.imports.rows import Written
from highstreet.imports.scratch import Scratch
from highstreet.imports.shops import Shops
from highstreet.imports.survey import Record, Records
from highstreet_tenants.sessions import ScopedSession

Progress = Callable[[int, int], None]
"""Hears how many bytes of all files were read, and how many there are."""


class Unit(Protocol):
    """What goes in or is refused as a whole: a row of the file, or several that are one receipt."""

    @property
    def parts(self) -> tuple[Record, ...]:
        """The rows of the file that it takes up."""


class Rows(Protocol):
    """What a kind of file knows of its rows."""

    def read(self, unit: Any) -> Any:
        """One unit as a row; raises RowError."""

    def write(self, s: ScopedSession, chunk: Sequence[Any]) -> Written:
        """Write a chunk in the session's transaction."""


class Besides(Struct):
    """What came of a file of lines or products: its rows that can't be read, and where they are.

    ``unused`` rows of lines belong to receipts that are not in the file; the first is
    ``first_unused``.
    """

    file: str
    refused: int = 0
    errors_file: str | None = None
    unused: int = 0
    first_unused: int = 0


class Feed:
    """The units of one import, in the order of its file; a context manager.

    Entered, it first keeps the lines and products in ``scratch``; ``rows`` reads and writes units.
    """

    def __init__(
        self,
        opened: Opened,
        shops: Shops,
        scratch: Scratch,
        *,
        custom: Mapping[str, tuple[int, FieldFact]] | None = None,
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> None:
        self._opened = opened
        self._scratch = scratch
        self._dry_run = dry_run
        self._progress = progress
        self._open = ExitStack()
        self._stream: Records | None = None
        self._before = 0  # bytes of the files that are done with
        self._total = sum(table.found.size for table in opened.tables)
        self.beside: list[Besides] = []
        self._lines = self._line_rows(shops)
        main, mapping = opened.main, opened.mapping
        if opened.shape == "customers":
            self.rows: Rows = CustomerRows(main.found, main.columns, mapping, shops, custom)
        else:
            self._purchases = PurchaseRows(
                main.found, main.columns, mapping, shops, self._lines, by_line=opened.by_line
            )
            self.rows = self._purchases

    def _line_rows(self, shops: Shops) -> LineRows | None:
        table = self._opened.main if self._opened.by_line else self._opened.lines
        if table is None:
            return None
        return LineRows(table.found, table.columns, self._opened.mapping, shops)

    def __enter__(self) -> Feed:
        opened = self._opened
        if opened.products is not None:
            table = opened.products
            self._keep(
                table,
                lambda refuse: receipts.keep_products(
                    table.found,
                    ProductRows(table.found, table.columns),
                    self._scratch,
                    refuse=refuse,
                    moved=self._moved,
                ),
            )
        lines = self._lines
        if lines is not None and opened.lines is not None:
            found = opened.lines.found
            self._keep(
                opened.lines,
                lambda refuse: receipts.keep_lines(
                    found, lines, self._scratch, refuse=refuse, moved=self._moved
                ),
            )
        if lines is not None and opened.by_line:
            receipts.keep_lines(
                opened.main.found,
                lines,
                self._scratch,
                refuse=_nothing,
                moved=self._moved,
                name=self._purchases.name,
            )
        else:
            self._open.enter_context(told(opened.main.found.path))
            self._stream = self._open.enter_context(open_records(opened.main.found))
        return self

    def _keep(self, table: Table, work: Callable[[receipts.Refuse], None]) -> None:
        """Let ``work`` keep a file that lies beside, and set its bad rows aside."""
        done = Besides(str(table.found.path))
        errors = ErrorsFile(table.found.path, table.found.header)

        def refuse(rows: Sequence[Refusal]) -> None:
            done.refused += len(rows)
            if not self._dry_run:
                errors.add(rows)

        with told(table.found.path):
            work(refuse)
        if not self._dry_run and (path := errors.settle()):
            done.errors_file = str(path)
        self._before += table.found.size
        self.beside.append(done)

    def __exit__(self, *args: Any) -> bool | None:
        return self._open.__exit__(*args)

    def __iter__(self) -> Iterator[Unit]:
        if self._stream is None:
            return receipts.by_line(self._purchases.name, self._scratch)
        records = islice(self._stream, 1, None)  # behind the header
        if self._opened.shape == "customers":
            return records
        found = receipts.one_each(records, self._purchases.name, self._scratch)
        return receipts.with_lines(found, self._lines, self._scratch) if self._lines else found

    def moved(self) -> None:
        """Tell how far it is."""
        if self._stream is not None:
            self._moved(self._stream.position())

    def _moved(self, position: int) -> None:
        if self._progress is not None:
            self._progress(self._before + position, self._total)

    def finish(self) -> list[Besides]:
        """All units were taken: what came of the files beside."""
        if self._opened.lines is not None:
            self.beside[-1].unused, self.beside[-1].first_unused = self._scratch.left_over()
        return self.beside


def _nothing(_rows: Sequence[Refusal]) -> None:
    """Rows of a file by line are refused with their receipts."""


__all__ = ["Besides", "Feed", "Progress", "Rows", "Unit"]
