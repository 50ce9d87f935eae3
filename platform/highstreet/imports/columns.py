"""Which columns files can have, by which names they are known, and where they stand in a header."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

from highstreet.host.spelling import meant
from highstreet.i18n import gettext as _
from highstreet_tenants.errors import Invalid

Kind = Literal["purchases", "customers"]
KINDS: tuple[Kind, ...] = ("purchases", "customers")

#: What a row of a file is: a receipt; a customer; a line of a receipt with the receipt's own facts
#: beside it; a line of receipts that stand in another file; a product.
Shape = Literal["purchases", "customers", "by-line", "lines", "products"]

_RECEIPT = {
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
}
_WHEN = {
    "occurred_at": (
        "occurred_at",
        "datetime",
        "date_time",
        "timestamp",
        "transaction_timestamp",
        "sold_at",
    ),
    "date": ("date", "day", "transaction_date", "purchase_date"),
    "time": ("time", "transaction_time"),
}
_KEYS = {
    "ref": ("ref", "household_id", "customer_id", "member_id", "customer"),
    "card": ("card", "card_number", "card_no", "club_card"),
    "phone": ("phone", "mobile", "telephone"),
    "email": ("email", "e-mail", "e_mail"),
}
#: No plain "address": that is often one text with the town and all, which nobody can take apart.
_ADDRESS = {
    "street": ("street", "street_address", "address_1", "address_line_1", "address1"),
    "street_2": ("street_2", "address_2", "address_line_2", "address2"),
    "street_3": ("street_3", "address_3", "address_line_3", "address3"),
    "dependent_locality": ("dependent_locality", "district"),
    "city": ("city", "town", "suburb"),
    "area": ("area", "state", "province", "county"),
    "postal_code": ("postal_code", "postcode", "zip", "zip_code"),
    "country": ("country", "country_code"),
    "recipient": ("recipient", "care_of"),
}
_PRODUCT = ("product", "product_id", "item", "item_id", "article", "sku", "ean", "upc", "barcode")
_DEPARTMENT = ("department", "product_department", "category", "product_group")
_LINE = {
    "product": _PRODUCT,
    "department": _DEPARTMENT,
    "quantity": ("quantity", "qty", "pieces"),
    "amount": ("amount", "line_amount", "line_total", "sales_value"),
}

#: What each file can hold: our field, and the column names that are understood without a mapping.
COLUMNS: dict[Shape, dict[str, tuple[str, ...]]] = {
    "purchases": {
        **_RECEIPT,
        **_WHEN,
        "total": ("total", "sales_value", "amount", "total_amount"),
        "currency": ("currency",),
        **_KEYS,
        "name": ("name", "customer_name"),
    },
    "by-line": {
        **_RECEIPT,
        **_WHEN,
        **_LINE,
        "total": ("total", "receipt_total", "total_amount", "basket_total"),
        "currency": ("currency",),
        **_KEYS,
        "name": ("customer_name",),  # “name” alone would be the product's
    },
    "customers": {
        "name": ("name", "full_name", "customer_name"),
        "first_name": ("first_name", "given_name", "firstname"),
        "last_name": ("last_name", "family_name", "surname", "lastname"),
        **_KEYS,
        "language": ("language", "lang", "locale"),
        "birthday": ("birthday", "date_of_birth", "birth_date", "dob"),
        **_ADDRESS,
        "joined": ("joined", "joined_at", "member_since", "created_at"),
        "store": (*_RECEIPT["store"][:4], "home_store", *_RECEIPT["store"][4:]),
    },
    "lines": {**_RECEIPT, **_LINE},
    "products": {"product": _PRODUCT, "department": _DEPARTMENT},
}

#: One of each of these a file must have.
_NEEDS: dict[Shape, tuple[tuple[str, ...], ...]] = {
    "purchases": (("pos_ref",), ("store",), ("total",), ("occurred_at", "date")),
    "by-line": (
        ("pos_ref",),
        ("store",),
        ("amount",),
        ("product", "department"),
        ("occurred_at", "date"),
    ),
    # By a name alone the same file would make everybody twice when it is run again.
    "customers": (("ref", "card", "phone", "email"),),
    "lines": (("pos_ref",), ("amount",), ("product", "department")),
    "products": (("product",), ("department",)),
}

#: The table of a mapping that names the columns of a shape.
TABLES: dict[Shape, str] = {
    "purchases": "columns",
    "by-line": "columns",
    "customers": "columns",
    "lines": "lines",
    "products": "products",
}


def place(
    shape: Shape,
    header: tuple[str, ...],
    named: Mapping[str, str],
    *,
    ignore: Collection[str] = (),
    defaults: Collection[str] = (),
) -> dict[str, int]:
    """Find each field's column: as ``named``, else by its usual names. ``{field: index}``.

    Raises Invalid when a named column is missing or a needed field has neither column nor default.
    """
    return place_among(
        COLUMNS[shape],
        _NEEDS[shape],
        header,
        named,
        ignore=ignore,
        defaults=defaults,
        table=TABLES[shape],
    )


def place_among(
    known: Mapping[str, Sequence[str]],
    needs: Sequence[Sequence[str]],
    header: tuple[str, ...],
    named: Mapping[str, str],
    *,
    ignore: Collection[str] = (),
    defaults: Collection[str] = (),
    table: str = "columns",
) -> dict[str, int]:
    """The same for fields that are ``known`` by these names.

    One of each of ``needs`` must be there; ``table`` of a mapping would name them.
    """
    folded = {_fold(name): place for place, name in enumerate(header)}
    found = locate(header, named)
    taken = set(found.values()) | {place for place, name in enumerate(header) if name in ignore}
    for name, usual in known.items():
        if name in found or name in defaults:
            continue
        for one in usual:
            where = folded.get(one)
            if where is not None and where not in taken:
                found[name] = where
                taken.add(where)
                break
    if "occurred_at" in found and "occurred_at" not in named and "date" in found:
        del found["occurred_at"]
    _need(needs, set(found) | set(defaults), header, table)
    return found


def locate(header: tuple[str, ...], named: Mapping[str, str]) -> dict[str, int]:
    """Where the named columns stand: ``{field: index}``. Raises Invalid for one that is missing."""
    index = {name: place for place, name in enumerate(header)}
    folded = {_fold(name): place for place, name in enumerate(header)}
    found: dict[str, int] = {}
    for name, column in named.items():
        column = " ".join(column.split())
        where = index.get(column, folded.get(_fold(column)))
        if where is None:
            raise Invalid(
                _(
                    "The file has no column “%(column)s”. Its columns are: %(columns)s.",
                    column=column,
                    columns=_told(header),
                )
                + meant(column, header)
            )
        found[name] = where
    return found


def _fold(name: str) -> str:
    return name.strip().casefold().replace(" ", "_")


def _told(header: tuple[str, ...]) -> str:
    """The columns' names for a message, however many or long they are."""
    names = ", ".join(name[:40] for name in header[:60])
    return names + (" …" if len(header) > 60 else "")


def _need(
    needs: Sequence[Sequence[str]], have: set[str], header: tuple[str, ...], table: str
) -> None:
    missing = [" / ".join(choice) for choice in needs if not have & set(choice)]
    if missing:
        raise Invalid(
            _(
                "No column for %(missing)s among: %(columns)s. Name it in a mapping file "
                '(--mapping): [%(table)s] %(first)s = "…".',
                missing=", ".join(missing),
                columns=_told(header),
                table=table,
                first=missing[0].split(" / ")[0],
            )
        )


__all__ = ["COLUMNS", "KINDS", "TABLES", "Kind", "Shape", "locate", "place", "place_among"]
