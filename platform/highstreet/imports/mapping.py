"""The mapping: how a stranger's file is to be read, from TOML or found by the column names."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate

from highstreet.i18n import gettext as _
from highstreet_tenants.errors import Invalid

Kind = Literal["purchases", "customers"]
KINDS: tuple[Kind, ...] = ("purchases", "customers")

#: What each kind of file can hold, and the column names that are understood without a mapping.
COLUMNS: dict[Kind, dict[str, tuple[str, ...]]] = {
    "purchases": {
        "pos_ref": (
            "pos_ref",
            "basket_id",
            "receipt",
            "receipt_no",
            "receipt_number",
            "transaction",
            "transaction_id",
            "order_id",
        ),
        "store": ("store", "store_id", "store_code", "store_no", "shop", "branch"),
        "occurred_at": ("occurred_at", "datetime", "date_time", "timestamp", "sold_at"),
        "date": ("date", "day", "transaction_date", "purchase_date"),
        "time": ("time", "transaction_time"),
        "total": ("total", "sales_value", "amount", "total_amount"),
        "currency": ("currency",),
        "ref": ("ref", "household_id", "customer_id", "member_id", "customer"),
        "card": ("card", "card_number", "card_no", "club_card"),
        "phone": ("phone", "mobile", "telephone"),
        "email": ("email", "e-mail", "e_mail"),
        "name": ("name", "customer_name"),
    },
    "customers": {
        "name": ("name", "full_name", "customer_name"),
        "first_name": ("first_name", "given_name", "firstname"),
        "last_name": ("last_name", "family_name", "surname", "lastname"),
        "ref": ("ref", "household_id", "customer_id", "member_id", "customer"),
        "card": ("card", "card_number", "card_no", "club_card"),
        "phone": ("phone", "mobile", "telephone"),
        "email": ("email", "e-mail", "e_mail"),
        "language": ("language", "lang", "locale"),
        "birthday": ("birthday", "date_of_birth", "birth_date", "dob"),
        "joined": ("joined", "joined_at", "member_since", "created_at"),
        "store": ("store", "store_id", "store_code", "store_no", "home_store", "shop", "branch"),
    },
}

DATE_ORDERS = ("auto", "year-first", "day-first", "month-first")


@dataclass(frozen=True, slots=True)
class FileMapping:
    """A checked mapping. ``columns`` holds only what the author named: our field → their column."""

    columns: Mapping[str, str] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    encoding: str | None = None
    delimiter: str | None = None
    date: str = "auto"
    decimal: str = "auto"
    thousands: str = ""
    zone: str | None = None
    defaults: Mapping[str, str] = field(default_factory=dict)
    stores: Mapping[str, str] = field(default_factory=dict)
    pad: Mapping[str, int] = field(default_factory=dict)
    create_customers: bool = True
    largest: str = "100000"


class _FileSchema(Schema):
    class Meta:
        unknown = RAISE

    encoding = fields.String()
    delimiter = fields.String(validate=validate.Length(equal=1))


class _FormatSchema(Schema):
    class Meta:
        unknown = RAISE

    date = fields.String()
    decimal = fields.String(validate=validate.OneOf([".", ",", "auto"]))
    thousands = fields.String(validate=validate.OneOf(["", ",", ".", " ", "'", "’"]))
    zone = fields.String()
    largest = fields.Integer(strict=True, validate=validate.Range(min=1, max=10**9))
    pad = fields.Dict(
        keys=fields.String(validate=validate.OneOf(["card", "ref", "store", "pos_ref", "phone"])),
        values=fields.Integer(strict=True, validate=validate.Range(min=1, max=40)),
    )


class _CustomersSchema(Schema):
    class Meta:
        unknown = RAISE

    create = fields.Boolean()


class MappingSchema(Schema):
    """A mapping file. Every table and key is optional; an unknown one is an error."""

    class Meta:
        unknown = RAISE

    file = fields.Nested(_FileSchema)
    columns = fields.Dict(keys=fields.String(), values=fields.String())
    ignore = fields.List(fields.String())
    format = fields.Nested(_FormatSchema)
    defaults = fields.Dict(keys=fields.String(), values=fields.String())
    stores = fields.Dict(keys=fields.String(), values=fields.String())
    customers = fields.Nested(_CustomersSchema)

    @post_load
    def build(self, data: dict[str, Any], **_kw: object) -> FileMapping:
        """The dataclass out of the nested tables."""
        written = data.get("file", {})
        formats = data.get("format", {})
        return FileMapping(
            columns=data.get("columns", {}),
            ignore=tuple(data.get("ignore", ())),
            encoding=written.get("encoding"),
            delimiter=written.get("delimiter"),
            date=formats.get("date", "auto"),
            decimal=formats.get("decimal", "auto"),
            thousands=formats.get("thousands", ""),
            zone=formats.get("zone"),
            defaults=data.get("defaults", {}),
            stores=data.get("stores", {}),
            pad=formats.get("pad", {}),
            create_customers=data.get("customers", {}).get("create", True),
            largest=str(formats.get("largest", 100_000)),
        )


def load(path: Path | None, kind: Kind) -> FileMapping:
    """Read a mapping file, or give the empty mapping without one.

    Raises Invalid for broken TOML, unknown keys, unknown fields and unusable values.
    """
    if path is None:
        return FileMapping()
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise Invalid(_("There is no mapping file %(path)s.", path=path)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid(
            _("%(path)s is not valid TOML: %(reason)s", path=path, reason=error)
        ) from error
    return parse(written, kind, str(path))


def parse(written: Mapping[str, Any], kind: Kind, name: str = "mapping") -> FileMapping:
    """Check a mapping already read from TOML; ``name`` stands in the messages. Raises Invalid."""
    try:
        mapping: FileMapping = MappingSchema().load(written)
    except ValidationError as error:
        raise Invalid(_("%(path)s: %(reason)s", path=name, reason=_flat(error.messages))) from error
    known = COLUMNS[kind]
    for table, keys in (("columns", mapping.columns), ("defaults", mapping.defaults)):
        for key in keys:
            if key not in known:
                raise Invalid(
                    _(
                        "%(path)s: [%(table)s] %(key)s is no field of %(kind)s. Fields: %(known)s.",
                        path=name,
                        table=table,
                        key=key,
                        kind=kind,
                        known=", ".join(known),
                    )
                )
    if mapping.thousands and mapping.thousands == mapping.decimal:
        raise Invalid(_("%(path)s: decimal and thousands must differ.", path=name))
    if mapping.date not in DATE_ORDERS and "%" not in mapping.date:
        raise Invalid(
            _(
                "%(path)s: date must be one of %(known)s, or a pattern such as "
                "%%d.%%m.%%Y %%H:%%M.",
                path=name,
                known=", ".join(DATE_ORDERS),
            )
        )
    return mapping


def _flat(messages: Any, path: str = "") -> str:
    if isinstance(messages, dict):
        return "; ".join(
            _flat(inner, f"{path}.{key}" if path else str(key)) for key, inner in messages.items()
        )
    return f"{path}: {' '.join(str(message) for message in messages)}"


def place(mapping: FileMapping, kind: Kind, header: tuple[str, ...]) -> dict[str, int]:
    """Find each field's column: by the mapping, else by its usual names. ``{field: index}``.

    Raises Invalid when a named column is missing or a needed field has neither column nor default.
    """
    index = {name: place for place, name in enumerate(header)}
    folded = {name.casefold().replace(" ", "_"): place for place, name in enumerate(header)}
    skipped = {index[name] for name in mapping.ignore if name in index}
    found: dict[str, int] = {}
    for name, column in mapping.columns.items():
        where = index.get(column.strip(), folded.get(column.strip().casefold().replace(" ", "_")))
        if where is None:
            raise Invalid(
                _(
                    "The file has no column “%(column)s”. Its columns are: %(columns)s.",
                    column=column,
                    columns=", ".join(header),
                )
            )
        found[name] = where
    taken = set(found.values()) | skipped
    for name, usual in COLUMNS[kind].items():
        if name in found or name in mapping.defaults:
            continue
        for one in usual:
            where = folded.get(one)
            if where is not None and where not in taken:
                found[name] = where
                taken.add(where)
                break
    if "occurred_at" in found and "occurred_at" not in mapping.columns and "date" in found:
        del found["occurred_at"]
    _need(kind, set(found) | set(mapping.defaults), header)
    return found


def _need(kind: Kind, have: set[str], header: tuple[str, ...]) -> None:
    needs: tuple[tuple[str, ...], ...] = (
        (("pos_ref",), ("store",), ("total",), ("occurred_at", "date"))
        if kind == "purchases"
        else (("name", "first_name", "last_name"),)
    )
    missing = [" / ".join(choice) for choice in needs if not have & set(choice)]
    if missing:
        raise Invalid(
            _(
                "No column for %(missing)s among: %(columns)s. Name it in a mapping file "
                '(--mapping): [columns] %(first)s = "…".',
                missing=", ".join(missing),
                columns=", ".join(header),
                first=missing[0].split(" / ")[0],
            )
        )
