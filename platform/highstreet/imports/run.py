"""Runs an import from end to end: surveys the file, resumes where a killed run stopped, reports."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

from highstreet.host import state
from highstreet.i18n import gettext as _
from highstreet.imports import mapping as mappings
from highstreet.imports import reading, values
from highstreet.imports.customers import CustomerRows
from highstreet.imports.errors import ErrorsFile, Refusal
from highstreet.imports.mapping import FileMapping, Kind
from highstreet.imports.models import Import
from highstreet.imports.purchases import PurchaseRows
from highstreet.imports.reading import Record, RecordStream, Survey
from highstreet.imports.rows import Written
from highstreet.imports.shops import Shops, open_stores
from highstreet.imports.values import RowError
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Conflict, Invalid
from highstreet_tenants.ids import new_id
from highstreet_tenants.models import Brand
from highstreet_tenants.scopes import SYSTEM, Actor, Scope
from highstreet_tenants.sessions import ScopedSession, Tenancy

#: Rows of one transaction. More save little time and cost memory; a killed run repeats one chunk.
CHUNK = 5_000

#: Different reasons of refused rows that a report counts; the errors file holds them all.
MOST_REASONS = 20


class Rows(Protocol):
    """What a kind of file knows of its rows."""

    def read(self, record: Record) -> Any:
        """One record as a row; raises RowError."""

    def write(self, s: ScopedSession, chunk: Sequence[Any]) -> Written:
        """Write a chunk in the session's transaction."""


@dataclass(slots=True)
class Report:
    """What an import did. Counts are of the whole file, parts done by a killed run included.

    ``created`` new purchases or customers, ``known`` rows that were there already, ``refused``
    rows in ``errors_file``, ``customers`` people made on the way, ``resumed_at`` the record at
    which a killed run was taken up.
    """

    kind: str
    file: str
    encoding: str
    delimiter: str
    columns: dict[str, str]
    dry_run: bool = False
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


class _Undone(Exception):
    """Rolls a dry run back."""


def run(
    tenancy: Tenancy,
    brand: Brand,
    kind: Kind,
    path: Path,
    *,
    mapping: FileMapping | None = None,
    dry_run: bool = False,
    create_stores: bool = False,
    chunk: int = CHUNK,
    actor: Actor = SYSTEM,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Take in the file ``path`` for ``brand``.

    Each chunk of rows is one transaction together with the mark how far the file is done; a file
    whose last run was killed goes on behind that mark. ``dry_run`` does everything and takes it
    back. ``create_stores`` opens a store for each number that is unknown. ``progress`` gets the
    bytes read and the bytes there are. Raises Invalid for a file or mapping that can't be read.
    """
    mapping = mapping or FileMapping()
    began = now()
    found = reading.survey(path, encoding=mapping.encoding, delimiter=mapping.delimiter)
    columns = mappings.place(mapping, kind, found.header)
    report = Report(
        kind,
        str(path),
        found.encoding,
        found.delimiter,
        {name: found.header[place] for name, place in columns.items()},
        dry_run,
    )
    scope = Scope.operator(brand.id, actor)
    if create_stores and not dry_run:
        report.stores_opened = _open_missing(tenancy, scope, brand, found, columns, mapping)
    with tenancy.session(scope) as s:
        shops = _shops(s, mapping)
    rows: Rows = (PurchaseRows if kind == "purchases" else CustomerRows)(
        found, columns, mapping, shops
    )
    with _alone(path):
        mark = _begin(tenancy, scope, kind, found, mapping, actor, dry_run=dry_run)
        report.resumed_at = mark.records
        _Job(tenancy, scope, found, rows, mark, report, dry_run, chunk, progress).work()
    for name in ("records", "created", "known", "refused", "customers"):
        setattr(report, name, getattr(mark, name))
    report.seconds = round((now() - began).total_seconds(), 2)
    return report


@dataclass(slots=True)
class _Job:
    """One run of one file, at work."""

    tenancy: Tenancy
    scope: Scope
    found: Survey
    rows: Rows
    mark: Import
    report: Report
    dry_run: bool
    chunk: int
    progress: Callable[[int, int], None] | None

    def work(self) -> None:
        """Stream the records behind the mark and write them chunk by chunk."""
        mark = self.mark
        errors = ErrorsFile(self.found.path, self.found.header, size=mark.error_bytes)
        with RecordStream(self.found) as stream:
            records = iter(stream)
            next(records, None)  # the header
            for _done in islice(records, mark.records):
                pass
            while batch := list(islice(records, self.chunk)):
                self._write(batch, errors)
                if self.progress is not None:
                    self.progress(stream.position(), self.found.size)
        mark.finished_at = now()
        if self.dry_run:
            return
        self._keep_mark_alone()
        if mark.refused:
            self.report.errors_file = str(errors.path)
        errors.settle()

    def _write(self, batch: Sequence[Record], errors: ErrorsFile) -> None:
        rows, refused = self._read(batch)
        try:
            with self.tenancy.session(self.scope, write=True) as s:
                written = self.rows.write(s, rows)
                refused += written.refused
                refused.sort(key=lambda one: one.line)
                self._count(len(batch), written, refused)
                if self.dry_run:
                    raise _Undone
                errors.add(refused)
                self.mark.error_bytes = errors.size
                _keep(s, self.mark)
        except _Undone:
            pass

    def _read(self, batch: Sequence[Record]) -> tuple[list[Any], list[Refusal]]:
        rows: list[Any] = []
        refused: list[Refusal] = []
        read = self.rows.read
        for record in batch:
            try:
                rows.append(read(record))
            except RowError as error:
                refused.append(Refusal(record.line, str(error), record.fields))
        return rows, refused

    def _count(self, records: int, written: Written, refused: Iterable[Refusal]) -> None:
        mark = self.mark
        mark.records += records
        mark.created += written.created
        mark.known += written.known
        mark.customers += written.customers
        for one in refused:
            mark.refused += 1
            reasons = self.report.reasons
            if one.reason in reasons or len(reasons) < MOST_REASONS:
                reasons[one.reason] = reasons.get(one.reason, 0) + 1

    def _keep_mark_alone(self) -> None:
        with self.tenancy.session(self.scope, write=True) as s:
            _keep(s, self.mark)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep a second run off the same file while this one works.

    The system lets go of the lock when a run dies. Where there is no flock nothing is kept off:
    rows would still go in once, but both runs would write the errors file. Raises Conflict.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Conflict(
                _("%(path)s is being imported by another process; let it finish.", path=path)
            ) from error
        yield


def _keep(s: ScopedSession, mark: Import) -> None:
    mark.updated_at = now()
    s.execute(
        sa.update(Import)
        .where(Import.id == mark.id)
        .values({name: getattr(mark, name) for name in _KEPT})
    )


_KEPT = (
    "updated_at",
    "finished_at",
    "records",
    "created",
    "known",
    "refused",
    "customers",
    "error_bytes",
)


def _begin(
    tenancy: Tenancy,
    scope: Scope,
    kind: Kind,
    found: Survey,
    mapping: FileMapping,
    actor: Actor,
    *,
    dry_run: bool,
) -> Import:
    """The mark of the file's unfinished run, or of a new one."""
    digest = sha256(json.dumps(asdict(mapping), sort_keys=True, default=dict).encode()).hexdigest()
    if dry_run:
        return _new_mark(scope, kind, found, digest, actor)
    with tenancy.session(scope, write=True) as s:
        mark = s.scalar(
            sa.select(Import)
            .where(
                Import.kind == kind,
                Import.sha256 == found.sha256,
                Import.mapping_sha256 == digest,
                Import.finished_at.is_(None),
            )
            .order_by(Import.started_at.desc())
            .limit(1)
        )
        if mark is None:
            mark = _new_mark(scope, kind, found, digest, actor)
            s.add(mark)
            s.flush()
        s.expunge(mark)
    return mark


def _new_mark(scope: Scope, kind: Kind, found: Survey, digest: str, actor: Actor) -> Import:
    at = now()
    return Import(
        brand_id=scope.brand_id,
        id=new_id(),
        kind=kind,
        file_name=found.path.name[:255],
        sha256=found.sha256,
        mapping_sha256=digest,
        actor=actor.name[:120],
        started_at=at,
        updated_at=at,
        records=0,
        created=0,
        known=0,
        refused=0,
        customers=0,
        error_bytes=0,
    )


def _shops(s: ScopedSession, mapping: FileMapping) -> Shops:
    shops = Shops(s, mapping.stores, zone=mapping.zone, pad=mapping.pad.get("store", 0))
    if not shops.currencies:
        raise Invalid(
            _("The brand has no stores yet. Make them with a blueprint, or add --create-stores.")
        )
    return shops


def _open_missing(
    tenancy: Tenancy,
    scope: Scope,
    brand: Brand,
    found: Survey,
    columns: dict[str, int],
    mapping: FileMapping,
) -> int:
    place = columns.get("store")
    if place is None:
        return 0
    with tenancy.session(scope, write=True) as s:
        shops = Shops(s, mapping.stores, pad=mapping.pad.get("store", 0))
        count = open_stores(s, brand, shops.missing(_numbers(found, place)))
        if count:
            state.touch(s)
    return count


def _numbers(found: Survey, place: int) -> Iterator[str]:
    """The store numbers that stand in the file, each once."""
    seen: set[str] = set()
    with RecordStream(found) as stream:
        for record in islice(stream, 1, None):
            if record.problem is not None or len(record.fields) <= place:
                continue
            written = record.fields[place]
            if written in seen:
                continue
            seen.add(written)
            try:
                number = values.number(written)
            except RowError:
                continue  # the row will say so
            if number:
                yield number


__all__ = ["CHUNK", "Report", "run"]
