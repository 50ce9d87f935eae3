"""A file of stores, row by row: what each says, and what is wrong with it."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from babel import Locale, UnknownLocaleError
from msgspec import Struct

from highstreet.i18n import gettext as _
from highstreet.imports import columns
from highstreet.imports import reading as files
from highstreet.imports.errors import Refusal
from highstreet.imports.mapping import FileMapping
from highstreet.imports.survey import Record, Survey
from highstreet.imports.values import RowError, number, refuse_payment_card, text
from highstreet_tenants import clock, money
from highstreet_tenants.errors import HighstreetError, Invalid
from highstreet_tenants.people.accounts import normal_email

#: Rows of one file: more is no list of stores.
MOST = 50_000
#: Our fields → the names that files give them.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "number": ("number", "no", "no.", "code", "store", "store_number", "store_no", "store_id"),
    "name": ("name", "store_name", "title"),
    "region": ("region", "area", "district"),
    "owner": ("owner", "franchisee", "company", "legal_entity"),
    "zone": ("zone", "time_zone", "timezone"),
    "currency": ("currency",),
    "locale": ("locale", "language"),
    "street": ("street", "address"),
    "postcode": ("postcode", "zip", "postal_code", "zip_code"),
    "city": ("city", "town"),
    "state": ("state", "county", "province"),
    "country": ("country", "country_code"),
    "manager_email": ("manager_email", "manager’s_e-mail", "manager_e-mail", "email", "e-mail"),
    "manager_name": ("manager_name", "manager"),
}
ADDRESS = {"street": 120, "postcode": 20, "city": 120, "state": 60, "country": 2}
_LONGEST = {"name": 120, "region": 120, "owner": 120, "manager_name": 120, **ADDRESS}


class Row(Struct, frozen=True):
    """One store as the file says it; a field that is empty or has no column is not in `said`."""

    record: Record
    number: str
    said: Mapping[str, str]


def survey(path: Path, mapping: FileMapping) -> tuple[Survey, dict[str, int]]:
    """The file, and where each field stands. Raises Invalid for one that can't be read."""
    found = files.survey(path, mapping.hints())
    placed = columns.place_among(
        COLUMNS, [("number",)], found.header, mapping.columns, ignore=mapping.ignore
    )
    return found, placed


def rows(found: Survey, placed: Mapping[str, int], refused: list[Refusal]) -> Iterator[Row]:
    """Each row that can be read; `refused` gets the others, and a number that comes twice.

    Raises Invalid for absurdly many rows.
    """
    seen: dict[str, int] = {}
    with files.open_records(found) as records:
        stream = iter(records)
        next(stream, None)  # the header
        for count, record in enumerate(stream, start=1):
            if count > MOST:
                raise Invalid(_("More than %(most)s rows: that is no list of stores.", most=MOST))
            try:
                row = _read(record, placed)
                first = seen.setdefault(row.number, record.line)
                if first != record.line:
                    raise RowError(
                        _(
                            "the number “%(number)s” stands in line %(line)s already",
                            number=row.number,
                            line=first,
                        )
                    )
            except RowError as error:
                refused.append(Refusal(record.line, str(error), record.fields))
            else:
                yield row


def _read(record: Record, placed: Mapping[str, int]) -> Row:
    if record.problem:
        raise RowError(record.problem)
    refuse_payment_card(record.fields)
    said = {}
    for name, where in placed.items():
        cell = record.fields[where] if where < len(record.fields) else ""
        if name == "number":
            continue
        if value := text(cell, longest=_LONGEST.get(name, 254)):
            said[name] = _checked(name, value)
    where = placed["number"]
    code = number(record.fields[where] if where < len(record.fields) else "")
    if not 1 <= len(code) <= 40:
        raise RowError(_("the row needs the store’s number, of up to 40 letters"))
    return Row(record, code, said)


def _checked(name: str, value: str) -> str:
    try:
        if name == "zone":
            clock.zone(value)
        elif name == "currency":
            value = value.upper()
            money.check_currency(value)
        elif name == "locale":
            value = value.replace("-", "_")
            Locale.parse(value)
        elif name == "country":
            value = value.upper()
            if not re.fullmatch(r"[A-Z]{2}", value):
                raise RowError(_("write the country as two letters, such as DE"))
        elif name == "manager_email":
            value = normal_email(value)
    except (UnknownLocaleError, ValueError) as error:
        raise RowError(
            _("“%(name)s” is not a locale. Use one such as en_GB.", name=value[:40])
        ) from error
    except HighstreetError as error:
        raise RowError(error.detail) from error
    return value
