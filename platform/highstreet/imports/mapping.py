"""The mapping: how a stranger's file is to be read, from TOML or found by the column names."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate
from msgspec import Struct, field

from highstreet.host.spelling import meant, suggest
from highstreet.i18n import gettext as _
from highstreet.imports.columns import COLUMNS, Shape
from highstreet.imports.survey import Hints
from highstreet_tenants import clock
from highstreet_tenants.cards import refuse_payment_cards
from highstreet_tenants.errors import HighstreetError, Invalid

#: What strptime understands behind a "%".
_DIRECTIVES = frozenset("aAwdbBmyYHIpMSfzZjUWcxXGuV%")
_YEARS = frozenset("yYcxG")

DATE_ORDERS = ("auto", "year-first", "day-first", "month-first")


class FileMapping(Struct, frozen=True):
    """A checked mapping. ``columns`` holds only what the author named: our field → their column.

    ``lines`` and ``products`` do the same for the files of lines and products, ``fields`` for the
    brand's own fields of its customers.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, str] = field(default_factory=dict)
    products: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    file: Mapping[str, Any] = field(default_factory=dict)
    lines_file: Mapping[str, Any] = field(default_factory=dict)
    products_file: Mapping[str, Any] = field(default_factory=dict)
    date: str = "auto"
    decimal: str = "auto"
    thousands: str = ""
    zone: str | None = None
    defaults: Mapping[str, str] = field(default_factory=dict)
    stores: Mapping[str, str] = field(default_factory=dict)
    pad: Mapping[str, int] = field(default_factory=dict)
    create_customers: bool = True
    add_up: bool = True
    largest: str = "100000"

    def hints(self, table: str = "file") -> Hints:
        """What is said of the file itself, or of that of lines or products (``lines_file`` …)."""
        return Hints(
            **getattr(self, table),
            decimal="," if self.decimal == "," else ".",
            date=self.date,
        )


class _Strict(Schema):
    class Meta:
        unknown = RAISE


class _FileSchema(_Strict):
    encoding = fields.String()
    delimiter = fields.String(
        validate=[validate.Length(equal=1), validate.NoneOf(['"', "\r", "\n"])]
    )
    sheet = fields.String()
    header = fields.Integer(strict=True, validate=validate.Range(min=1, max=1_000))


class _FormatSchema(_Strict):
    date = fields.String()
    decimal = fields.String(validate=validate.OneOf([".", ",", "auto"]))
    thousands = fields.String(validate=validate.OneOf(["", ",", ".", " ", "'", "’"]))
    zone = fields.String()
    largest = fields.Integer(strict=True, validate=validate.Range(min=1, max=10**9))
    pad = fields.Dict(
        keys=fields.String(validate=validate.OneOf(["card", "ref", "store", "pos_ref", "phone"])),
        values=fields.Integer(strict=True, validate=validate.Range(min=1, max=40)),
    )


class _CustomersSchema(_Strict):
    create = fields.Boolean()


class _ReceiptsSchema(_Strict):
    add_up = fields.Boolean()


def _texts() -> fields.Dict:
    return fields.Dict(keys=fields.String(), values=fields.String())


class MappingSchema(_Strict):
    """A mapping file. Every table and key is optional; an unknown one is an error."""

    file = fields.Nested(_FileSchema)
    lines_file = fields.Nested(_FileSchema)
    products_file = fields.Nested(_FileSchema)
    columns = _texts()
    lines = _texts()
    products = _texts()
    fields_ = fields.Dict(
        keys=fields.String(), values=fields.String(), data_key="fields", attribute="fields"
    )
    ignore = fields.List(fields.String())
    format = fields.Nested(_FormatSchema)
    defaults = _texts()
    stores = _texts()
    customers = fields.Nested(_CustomersSchema)
    receipts = fields.Nested(_ReceiptsSchema)

    @post_load
    def build(self, data: dict[str, Any], **_kw: object) -> FileMapping:
        """The mapping out of the nested tables."""
        formats = data.get("format", {})
        return FileMapping(
            columns=data.get("columns", {}),
            lines=data.get("lines", {}),
            products=data.get("products", {}),
            fields=data.get("fields", {}),
            ignore=tuple(data.get("ignore", ())),
            file=data.get("file", {}),
            lines_file=data.get("lines_file", {}),
            products_file=data.get("products_file", {}),
            date=formats.get("date", "auto"),
            decimal=formats.get("decimal", "auto"),
            thousands=formats.get("thousands", ""),
            zone=formats.get("zone"),
            defaults=data.get("defaults", {}),
            stores=data.get("stores", {}),
            pad=formats.get("pad", {}),
            create_customers=data.get("customers", {}).get("create", True),
            add_up=data.get("receipts", {}).get("add_up", True),
            largest=str(formats.get("largest", 100_000)),
        )


def load(
    path: Path | None, shape: Shape | str, fields: Collection[str] | None = None
) -> FileMapping:
    """Read a mapping file, or give the empty mapping without one.

    ``fields``: those of a tool's own file; ``shape`` is its name then.

    Raises Invalid for broken TOML, unknown keys, unknown fields and unusable values.
    """
    if path is None:
        return FileMapping()
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise Invalid(_("There is no mapping file %(path)s.", path=path)) from error
    except OSError as error:
        raise Invalid(
            _("%(path)s cannot be read: %(reason)s", path=path, reason=error.strerror)
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid(
            _("%(path)s is not valid TOML: %(reason)s", path=path, reason=error)
        ) from error
    return parse(written, shape, str(path), fields)


def parse(
    written: Mapping[str, Any],
    shape: Shape | str,
    name: str = "mapping",
    fields: Collection[str] | None = None,
) -> FileMapping:
    """Check a mapping already read from TOML; ``name`` stands in the messages. Raises Invalid."""
    refuse_payment_cards(written)
    try:
        mapping: FileMapping = MappingSchema().load(written)
    except ValidationError as error:
        told = suggest(MappingSchema(), error.messages)
        raise Invalid(_("%(path)s: %(reason)s", path=name, reason=_flat(told))) from error
    own: Collection[str] = COLUMNS[shape] if fields is None else fields  # type: ignore[index]  # a Shape
    tables: tuple[tuple[str, Mapping[str, str], str, Collection[str]], ...] = (
        ("columns", mapping.columns, shape, own),
        ("defaults", mapping.defaults, shape, own),
        ("lines", mapping.lines, "lines", COLUMNS["lines"]),
        ("products", mapping.products, "products", COLUMNS["products"]),
    )
    for table, keys, of, known in tables:
        for key in keys:
            if key not in known:
                raise Invalid(
                    _(
                        "%(path)s: [%(table)s] %(key)s is no field of %(kind)s. Fields: %(known)s.",
                        path=name,
                        table=table,
                        key=key,
                        kind=of,
                        known=", ".join(known),
                    )
                    + meant(key, known)
                )
    if mapping.fields and shape != "customers":
        raise Invalid(
            _(
                "%(path)s: [fields] belongs to customers, not to %(kind)s.",
                path=name,
                kind=shape,
            )
        )
    if mapping.thousands and mapping.thousands == mapping.decimal:
        raise Invalid(_("%(path)s: decimal and thousands must differ.", path=name))
    if mapping.zone is not None:
        try:
            clock.zone(mapping.zone)
        except HighstreetError as error:
            raise Invalid(
                _("%(path)s: %(reason)s", path=name, reason=f"format.zone: {error.detail}")
            ) from error
    if mapping.date not in DATE_ORDERS and not _is_pattern(mapping.date):
        raise Invalid(
            _(
                "%(path)s: date must be one of %(known)s, or a pattern such as "
                "%%d.%%m.%%Y %%H:%%M.",
                path=name,
                known=", ".join(DATE_ORDERS),
            )
        )
    return mapping


def _is_pattern(text: str) -> bool:
    """Whether a text is a pattern of strptime that tells the year."""
    directives = re.findall(r"%(.?)", text, re.DOTALL)
    return set(directives) <= _DIRECTIVES and not _YEARS.isdisjoint(directives)


def _flat(messages: Any, path: str = "") -> str:
    if isinstance(messages, dict) and messages and messages.keys() <= {"key", "value"}:
        # marshmallow's way to tell what is wrong with a key of a table, or with what it holds
        return "; ".join(_flat(inner, path) for inner in messages.values())
    if isinstance(messages, dict):
        return "; ".join(
            _flat(inner, f"{path}.{key}" if path else str(key)) for key, inner in messages.items()
        )
    return f"{path}: {' '.join(str(message) for message in messages)}"
