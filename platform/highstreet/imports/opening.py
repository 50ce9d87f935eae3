"""Opens all that an import consists of: the file, what lies beside it, and the stores they name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from msgspec.structs import asdict
from sqlalchemy.exc import IntegrityError

from highstreet.customers.facts import FieldFact
from highstreet.i18n import gettext as _
from highstreet.imports import answers, columns, reading
from highstreet.imports.columns import Kind, Shape
from highstreet.imports.mapping import FileMapping
from highstreet.imports.shops import Shops, open_stores, plan_stores
from highstreet.imports.survey import Survey
from highstreet_tenants.errors import Invalid
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import ScopedSession, Tenancy


class Beside(Struct, frozen=True):
    """Where the lines of receipts are: in the file itself, a row for each (``by_line``), or in the
    file ``lines``. ``products`` says in which department a product is."""

    by_line: bool = False
    lines: Path | None = None
    products: Path | None = None


class Table(Struct, frozen=True):
    """A surveyed file and where its fields stand."""

    found: Survey
    columns: dict[str, int]
    custom: dict[str, int] = field(default_factory=dict)
    """Where the brand's own fields stand."""


class Opened(Struct, frozen=True):
    """The files of one import, surveyed."""

    shape: Shape
    mapping: FileMapping
    main: Table
    lines: Table | None = None
    products: Table | None = None

    @property
    def by_line(self) -> bool:
        """Whether each row of the file is a line of a receipt."""
        return self.shape == "by-line"

    @property
    def tables(self) -> tuple[Table, ...]:
        """All of them."""
        return tuple(one for one in (self.main, self.lines, self.products) if one is not None)

    def how(self) -> dict[str, Any]:
        """All that decides what the bytes of the file mean."""
        return {
            "mapping": asdict(self.mapping),
            "shape": self.shape,
            "beside": [one.found.sha256 for one in self.tables[1:]],
        }


def shape_of(kind: Kind, beside: Beside) -> Shape:
    """What a row of the file is. Raises Invalid for options that contradict each other."""
    if kind != "purchases" and beside != Beside():
        raise Invalid(_("Lines and products belong to purchases, not to %(kind)s.", kind=kind))
    if beside.by_line and beside.lines is not None:
        raise Invalid(_("The lines are in the file itself, or in another: not both."))
    if beside.products is not None and not beside.by_line and beside.lines is None:
        raise Invalid(
            _("Products tell the departments of lines; say where the lines are: --lines FILE.")
        )
    return "by-line" if beside.by_line else kind


def survey(kind: Kind, path: Path, mapping: FileMapping, beside: Beside) -> Opened:
    """Look through all files of an import. Raises Invalid for one that can't be read."""
    shape = shape_of(kind, beside)
    found = reading.survey(path, mapping.hints())
    try:
        placed = columns.place(
            shape, found.header, mapping.columns, ignore=mapping.ignore, defaults=mapping.defaults
        )
        own = columns.locate(found.header, mapping.fields)
    except Invalid as error:
        raise elsewhere(found, error) from error
    main = Table(found, placed, own)
    return Opened(
        shape,
        mapping,
        main,
        _beside("lines", beside.lines, mapping.lines, mapping),
        _beside("products", beside.products, mapping.products, mapping),
    )


def elsewhere(found: Survey, error: Invalid) -> Invalid:
    """An error about a file's columns, with where else they may be."""
    words = error.detail
    if found.unread:
        words += " " + _(
            "This is the sheet “%(sheet)s”; there are also: %(others)s. A mapping may name "
            "another: [file] sheet.",
            sheet=found.sheet,
            others=", ".join(f"“{name}”" for name in found.unread),
        )
    elif len(found.header) == 1:
        words += " " + _(
            "It is one column. If the names stand further down, a mapping says in which line: "
            "[file] header = 3; if something else parts the columns, [file] delimiter."
        )
    return Invalid(words)


def _beside(
    shape: Shape, path: Path | None, named: Mapping[str, str], mapping: FileMapping
) -> Table | None:
    if path is None:
        return None
    found = reading.survey(path, mapping.hints(f"{shape}_file"))
    try:
        return Table(found, columns.place(shape, found.header, named))
    except Invalid as error:
        raise elsewhere(found, error) from error


def find_fields(tenancy: Tenancy, scope: Scope, opened: Opened) -> dict[str, tuple[int, FieldFact]]:
    """Where each of the brand's own fields stands that the mapping names.

    Raises Invalid for one that the brand has not.
    """
    with tenancy.session(scope) as s:
        found = answers.of_brand(s, opened.mapping.fields)
    return {key: (opened.main.custom[key], fact) for key, fact in found.items()}


def find_stores(
    tenancy: Tenancy, scope: Scope, brand: Brand, opened: Opened, *, create: bool, dry_run: bool
) -> tuple[Shops, list[dict[str, Any]]]:
    """The stores, and facts of those that are new: with ``create`` each unknown number gets one.

    A dry run opens none, but knows them. Raises Invalid for a brand without stores.
    """
    with tenancy.session(scope) as s:
        shops = _shops(s, opened)
    planned = plan_stores(brand, shops.missing(_numbers(opened)), shops.slugs) if create else []
    if planned and dry_run:
        shops.include(Store(**facts) for facts in planned)
    elif planned:
        shops, planned = _open(tenancy, scope, opened, planned)
    if not shops.currencies:
        raise Invalid(
            _("The brand has no stores yet. Make them with a blueprint, or add --create-stores.")
        )
    return shops, planned


def _open(
    tenancy: Tenancy, scope: Scope, opened: Opened, planned: list[dict[str, Any]]
) -> tuple[Shops, list[dict[str, Any]]]:
    """Open the planned stores, but for those that another import has opened meanwhile."""
    while True:
        try:
            with tenancy.session(scope, write=True) as s:
                there = _shops(s, opened)
                planned = [
                    one
                    for one in planned
                    if one["slug"] not in there.slugs and there.missing([one["code"]])
                ]
                open_stores(s, planned)
                return _shops(s, opened), planned
        except IntegrityError:
            continue  # at this very moment; now they are there to be seen


def _shops(s: ScopedSession, opened: Opened) -> Shops:
    mapping = opened.mapping
    return Shops(s, mapping.stores, zone=mapping.zone, pad=mapping.pad.get("store", 0))


def _numbers(opened: Opened) -> Iterator[str]:
    """What stands in the store's column, row by row."""
    place = opened.main.columns.get("store")
    default = opened.mapping.defaults.get("store")
    if place is None:
        if default:
            yield default
        return
    with reading.open_records(opened.main.found) as stream:
        for record in islice(stream, 1, None):
            if record.problem is None and len(record.fields) > place:
                yield record.fields[place] or default or ""


__all__ = [
    "Beside",
    "Opened",
    "Table",
    "elsewhere",
    "find_fields",
    "find_stores",
    "shape_of",
    "survey",
]
