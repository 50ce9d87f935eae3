"""Runs an import from end to end: surveys the file, resumes where a killed run stopped, reports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from highstreet.imports import marks, opening
from highstreet.imports.columns import Kind
from highstreet.imports.errors import ErrorsFile, Refusal, Tally
from highstreet.imports.feeding import Besides, Feed, Progress, Unit
from highstreet.imports.mapping import FileMapping
from highstreet.imports.models import Import
from highstreet.imports.opening import Beside, Opened
from highstreet.imports.rows import Written, refuse
from highstreet.imports.scratch import Scratch
from highstreet.imports.shops import open_stores
from highstreet.imports.values import RowError
from highstreet_tenants.clock import now
from highstreet_tenants.models import Brand
from highstreet_tenants.scopes import SYSTEM, Actor, Scope
from highstreet_tenants.sessions import Tenancy
from highstreet_tenants.trail import record

#: Rows of one transaction. More save little time and cost memory; a killed run repeats one chunk.
CHUNK = 5_000

#: So many times as many lines of receipts may be in one transaction.
LINES = 5

#: Different reasons of refused rows that a report counts; the errors file holds them all.
MOST_REASONS = 20


class Report(Struct):
    """What an import did. Counts are of the whole file, parts done by a killed run included.

    ``records`` rows of the file, ``created`` new purchases or customers, ``known`` those that were
    there already, ``refused`` rows in ``errors_file``, ``customers`` people made on the way,
    ``resumed_at`` the record at which a killed run was taken up. Of a workbook ``sheet`` was read;
    ``unread`` sheets hold something, too. ``beside`` tells of files of lines and products.
    """

    kind: str
    file: str
    encoding: str
    delimiter: str
    columns: dict[str, str]
    dry_run: bool = False
    sheet: str = ""
    unread: list[str] = field(default_factory=list)
    records: int = 0
    created: int = 0
    known: int = 0
    refused: int = 0
    customers: int = 0
    stores_opened: int = 0
    resumed_at: int = 0
    seconds: float = 0.0
    errors_file: str | None = None
    reasons: dict[str, int] = field(default_factory=dict)
    beside: list[Besides] = field(default_factory=list)


class _Undone(Exception):
    """Rolls a dry run back."""


def run(
    tenancy: Tenancy,
    brand: Brand,
    kind: Kind,
    path: Path,
    *,
    mapping: FileMapping | None = None,
    beside: Beside | None = None,
    dry_run: bool = False,
    create_stores: bool = False,
    chunk: int = CHUNK,
    actor: Actor = SYSTEM,
    progress: Progress | None = None,
) -> Report:
    """Take in the file ``path`` for ``brand``, with what lies ``beside`` it.

    Each chunk of rows is one transaction together with the mark how far the file is done; a file
    whose last run was killed goes on behind that mark. ``dry_run`` does everything and takes it
    back. ``create_stores`` opens a store for each number that is unknown. ``progress`` gets the
    bytes read and the bytes there are. Raises Invalid for a file or mapping that can't be read,
    Conflict for a file that somebody else imports or changes meanwhile.
    """
    began = now()
    scope = Scope.operator(brand.id, actor)
    with marks.alone(path), Scratch() as scratch:
        opened = opening.survey(kind, path, mapping or FileMapping(), beside or Beside())
        report = _report(kind, opened, dry_run)
        custom = opening.find_fields(tenancy, scope, opened)
        shops, planned = opening.find_stores(
            tenancy, scope, brand, opened, create=create_stores, dry_run=dry_run
        )
        report.stores_opened = len(planned)
        mark = marks.begin(
            tenancy, scope, kind, opened.main.found, opened.how(), actor, dry_run=dry_run
        )
        report.resumed_at = mark.records
        feed = Feed(opened, shops, scratch, custom=custom, dry_run=dry_run, progress=progress)
        with feed:
            _Job(tenancy, scope, opened, feed, mark, report, chunk, planned).work()
    for name in ("records", "created", "known", "refused", "customers"):
        setattr(report, name, getattr(mark, name))
    report.seconds = round((now() - began).total_seconds(), 2)
    return report


def _report(kind: Kind, opened: Opened, dry_run: bool) -> Report:
    found = opened.main.found
    return Report(
        kind,
        str(found.path),
        found.encoding,
        found.delimiter,
        {
            **{name: found.header[place] for name, place in opened.main.columns.items()},
            **{f"fields.{key}": found.header[place] for key, place in opened.main.custom.items()},
        },
        dry_run,
        found.sheet,
        list(found.unread),
    )


def _counts(kind: str, mark: Import) -> dict[str, Any]:
    counted = ("records", "created", "known", "refused", "customers")
    return {"kind": kind} | {name: getattr(mark, name) for name in counted}


class _Job(Struct):
    """One run of one file, at work. ``planned``: stores that a dry run opens for each chunk."""

    tenancy: Tenancy
    scope: Scope
    opened: Opened
    feed: Feed
    mark: Import
    report: Report
    chunk: int
    planned: Sequence[Mapping[str, Any]]
    tally: Tally = field(default_factory=lambda: Tally(MOST_REASONS))

    def work(self) -> None:
        """Take the units behind the mark and write them chunk by chunk."""
        mark, found, report = self.mark, self.opened.main.found, self.report
        errors = ErrorsFile(found.path, found.header, size=mark.error_bytes)
        units = iter(self.feed)
        done = 0
        while done < mark.records:
            done += len(next(units).parts)
        for batch in self._batches(units):
            found.check_unchanged()
            self._write(batch, errors)
            self.feed.moved()
        found.check_unchanged()
        report.beside = self.feed.finish()
        report.reasons = self.tally.counts
        mark.finished_at = now()
        if report.dry_run:
            return
        with self.tenancy.session(self.scope, write=True) as s:
            marks.keep(s, mark)
            record(
                s, "import.run", "file", name=found.path.name, details=_counts(report.kind, mark)
            )
        if mark.refused:
            report.errors_file = str(errors.path)
        errors.settle()

    def _batches(self, units: Iterator[Unit]) -> Iterator[list[Unit]]:
        batch: list[Unit] = []
        lines = 0
        for unit in units:
            batch.append(unit)
            lines += len(getattr(unit, "lines", ()))
            if len(batch) >= self.chunk or lines >= self.chunk * LINES:
                yield batch
                batch, lines = [], 0
        if batch:
            yield batch

    def _write(self, batch: Sequence[Unit], errors: ErrorsFile) -> None:
        rows, refused = self._read(batch)
        try:
            with self.tenancy.session(self.scope, write=True) as s:
                marks.take_turns(s)
                if self.report.dry_run and self.planned:
                    open_stores(s, self.planned)
                written = self.feed.rows.write(s, rows)
                refused += written.refused
                refused.sort(key=lambda one: one.line)
                self._count(sum(len(unit.parts) for unit in batch), written, refused)
                if self.report.dry_run:
                    raise _Undone
                errors.add(refused)
                self.mark.error_bytes = errors.size
                marks.keep(s, self.mark)
        except _Undone:
            pass

    def _read(self, batch: Sequence[Unit]) -> tuple[list[Any], list[Refusal]]:
        rows: list[Any] = []
        refused: list[Refusal] = []
        read = self.feed.rows.read
        for unit in batch:
            try:
                rows.append(read(unit))
            except RowError as error:
                refused += refuse(unit.parts, str(error))
        return rows, refused

    def _count(self, records: int, written: Written, refused: Iterable[Refusal]) -> None:
        mark = self.mark
        mark.records += records
        mark.created += written.created
        mark.known += written.known
        mark.customers += written.customers
        for one in refused:
            mark.refused += 1
            self.tally.add(one.reason)


__all__ = ["CHUNK", "Beside", "Report", "run"]
