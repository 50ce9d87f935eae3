"""Runs the import of a tool's own file: reads it as any other, gates each row, lets the tool write.

Nothing is marked how far it got: the tool makes sure that a row which comes again changes nothing,
so a run that was killed is run once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct, field

from highstreet import host as hosts
from highstreet.customers.facts import EnrolIn
from highstreet.host import gating, guard, state
from highstreet.host.taking import WHO_AND_WHERE, ImportKind, ImportRow
from highstreet.i18n import gettext as _
from highstreet.imports import columns, marks, opening, people, reading, rows
from highstreet.imports.errors import ErrorsFile, Refusal
from highstreet.imports.feeding import Progress
from highstreet.imports.mapping import FileMapping
from highstreet.imports.people import Who
from highstreet.imports.run import MOST_REASONS, Report
from highstreet.imports.shops import Shops
from highstreet.imports.survey import Record, Survey
from highstreet.imports.toolrows import Row, ToolRows
from highstreet.imports.values import RowError
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Invalid, NotFound
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.scopes import SYSTEM, Actor, Scope
from highstreet_tenants.sessions import ScopedSession, Tenancy
from highstreet_tenants.trail import record

CHUNK = 2_000
"""Rows of one transaction."""


class _Undone(Exception):
    """Rolls a dry run back."""


def fields_of(kind: ImportKind) -> dict[str, tuple[str, ...]]:
    """All fields that a file of this kind can have, each with the names of its columns."""
    usual = columns.COLUMNS["customers"]
    own = {name: tuple(names) for name, names in kind.columns.items()}
    return own | {name: names for name, names in usual.items() if name in WHO_AND_WHERE}


def find(host: hosts.Host, name: str) -> tuple[str, ImportKind]:
    """The tool and its kind of file. Raises NotFound that lists those there are."""
    there = {
        kind.name: (tool, kind)
        for tool, loaded in host.plugins.items()
        for kind in loaded.plugin.imports
    }
    if name not in there:
        raise NotFound(
            _(
                "There is no file of the kind “%(name)s”; there are: %(known)s.",
                name=name,
                known=", ".join((*columns.KINDS, *sorted(there))),
            )
        )
    return there[name]


def run(
    tenancy: Tenancy,
    brand: Brand,
    tool: str,
    kind: ImportKind,
    path: Path,
    *,
    mapping: FileMapping | None = None,
    dry_run: bool = False,
    actor: Actor = SYSTEM,
    progress: Progress | None = None,
    chunk: int = CHUNK,
) -> Report:
    """Take in the file ``path`` for a tool. ``dry_run`` does everything and takes it back.

    Raises Invalid for a file or mapping that can't be read, ToolOff where the tool is on nowhere.
    """
    mapping = mapping or FileMapping()
    began = now()
    scope = Scope.operator(brand.id, actor)
    with marks.alone(path):
        found = reading.survey(path, mapping.hints())
        try:
            placed = columns.place_among(
                fields_of(kind),
                [(name,) for name in kind.needs],
                found.header,
                mapping.columns,
                ignore=mapping.ignore,
                defaults=mapping.defaults,
            )
        except Invalid as error:
            raise opening.elsewhere(found, error) from error
        report = Report(
            kind.name,
            str(path),
            found.encoding,
            found.delimiter,
            {name: found.header[where] for name, where in placed.items()},
            dry_run,
            found.sheet,
            list(found.unread),
        )
        with tenancy.session(scope) as s:
            _require(s, tool)
            shops = Shops(s, mapping.stores, zone=mapping.zone, pad=mapping.pad.get("store", 0))
            by_brand = s.customers == "brand"
        if not shops.currencies:
            raise Invalid(_("The brand has no stores yet. Make them with a blueprint."))
        read = ToolRows(kind, found, placed, mapping, shops, by_brand=by_brand).read
        job = _Job(tenancy, scope, tool, kind, found, read, mapping.create_customers, report)
        job.work(chunk, progress)
    report.seconds = round((now() - began).total_seconds(), 2)
    return report


def _require(s: ScopedSession, tool: str) -> None:
    """Raise ToolOff if the tool is on nowhere in the brand."""
    stores = list(s.scalars(sa.select(Store.id)))
    if not gating.stores_on(s, tool, stores):
        state.require(s, tool)


class _Job(Struct):
    """One run of one file, at work."""

    tenancy: Tenancy
    scope: Scope
    tool: str
    kind: ImportKind
    found: Survey
    read: Callable[[Record], Row]
    create: bool
    report: Report
    seen: dict[bytes, int] = field(default_factory=dict)

    def work(self, chunk: int, progress: Progress | None) -> None:
        """Take the records chunk by chunk."""
        found, report = self.found, self.report
        errors = ErrorsFile(found.path, found.header)
        with reading.open_records(found) as stream:
            records = iter(stream)
            next(records, None)  # the header
            while batch := list(islice(records, chunk)):
                found.check_unchanged()
                self._write(batch, errors)
                if progress is not None:
                    progress(stream.position(), found.size)
        if report.dry_run:
            return
        if report.refused:
            report.errors_file = str(errors.path)
        errors.settle()
        counted = ("records", "created", "known", "refused", "customers")
        details = {"kind": self.kind.name} | {name: getattr(report, name) for name in counted}
        with self.tenancy.session(self.scope, write=True) as s:
            record(s, "import.run", "file", name=found.path.name, details=details)

    def _write(self, batch: Sequence[Record], errors: ErrorsFile) -> None:
        refused: list[Refusal] = []
        there = [row for record in batch if (row := self._read(record, refused)) is not None]
        report = self.report
        try:
            with self.tenancy.session(self.scope, write=True) as s:
                there = list(self._allowed(s, there, refused))
                customers, created = self._customers(s, there, refused)
                there = [row for row in there if row.who in customers]
                given = [self._given(row, customers[row.who]) for row in there]
                done = self.kind.write(guard.make_ctx(s, self.tool, None), given) if given else None
                if done is not None:
                    report.created += done.created
                    report.known += done.known
                    refused += [
                        Refusal(there[place].record.line, words, there[place].record.fields)
                        for place, words in done.refused.items()
                    ]
                report.records += len(batch)
                report.customers += created
                self._count(refused)
                if report.dry_run:
                    raise _Undone
                errors.add(sorted(refused, key=lambda one: one.line))
        except _Undone:
            pass

    def _read(self, record: Record, refused: list[Refusal]) -> Row | None:
        try:
            row = self.read(record)
            mark = blake2b(row.key.encode(), digest_size=16).digest()
            first = self.seen.setdefault(mark, record.line) if self.kind.once else record.line
            if first != record.line:
                raise RowError(_("the same customer stands in line %(line)s already", line=first))
        except RowError as error:
            refused.append(Refusal(record.line, str(error), record.fields))
            return None
        return row

    def _allowed(
        self, s: ScopedSession, there: Sequence[Row], refused: list[Refusal]
    ) -> Iterator[Row]:
        """Rows of places where the tool is on; off means off here, too."""
        state.prime(s, {row.store_id for row in there if row.store_id is not None})
        for row in there:
            if state.is_on(s, self.tool, row.store_id):
                yield row
            else:
                why = state.explain(s, self.tool, row.store_id).reason
                refused.append(Refusal(row.record.line, why, row.record.fields))

    def _customers(
        self, s: ScopedSession, there: Sequence[Row], refused: list[Refusal]
    ) -> tuple[dict[Who, UUID], int]:
        """Whose rows they are; those who are unknown are taken on, unless the mapping says no."""
        found = people.find(s, {row.who for row in there})
        people.remember(s, {one: id_ for one, id_ in found.items() if isinstance(id_, UUID)})
        new = {
            row.who: _enrol(row, row.store_id)
            for row in there
            if self.create and row.who not in found and row.store_id is not None
        }
        taken = people.take_on(s, new)
        known = {who: id_ for who, id_ in found.items() if isinstance(id_, UUID)} | dict(taken.ids)
        for row in there:
            if row.who in known:
                continue
            words = taken.refused.get(row.who) or (
                _("this customer was erased")
                if row.who in found
                else _("nobody here has this number, card, phone or e-mail")
            )
            refused.append(Refusal(row.record.line, words, row.record.fields))
        return known, taken.created

    def _given(self, row: Row, customer_id: UUID) -> ImportRow:
        origin = _("%(file)s, row %(line)s", file=self.found.path.name, line=row.record.line)
        return ImportRow(customer_id, row.store_id, row.value, row.key, origin)

    def _count(self, refused: Sequence[Refusal]) -> None:
        report = self.report
        for one in refused:
            report.refused += 1
            if one.reason in report.reasons or len(report.reasons) < MOST_REASONS:
                report.reasons[one.reason] = report.reasons.get(one.reason, 0) + 1


def _enrol(row: Row, store_id: UUID) -> EnrolIn:
    who = row.who
    return EnrolIn(
        store_id=store_id,
        name=row.name or rows.member_name(who),
        phone=who.phone or None,
        email=who.email or None,
        card=who.card or None,
    )


__all__ = ["CHUNK", "fields_of", "find", "run"]
