"""What rows of purchases and of customers have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta

from msgspec import Struct

from highstreet.customers import keys
from highstreet.i18n import gettext as _
from highstreet.imports import dates, values
from highstreet.imports.errors import Refusal
from highstreet.imports.mapping import FileMapping
from highstreet.imports.people import Who
from highstreet.imports.shops import Shop
from highstreet.imports.survey import Record, Survey
from highstreet.imports.values import RowError
from highstreet_tenants.errors import HighstreetError, Invalid

#: How far the clock of a till may be ahead of ours.
AHEAD = timedelta(minutes=10)

_ISO = re.compile(r"\d{4}-\d\d-\d\d")

KEYS = ("ref", "card", "phone", "email")


class Written(Struct):
    """What a chunk did; ``refused`` are rows found wrong only when they were written."""

    created: int
    known: int
    customers: int
    refused: list[Refusal]


def refuse(parts: Iterable[Record], reason: str) -> list[Refusal]:
    """The same reason for each of some rows."""
    return [Refusal(one.line, reason, one.fields) for one in parts]


def who(given: Mapping[str, str], shop: Shop, pad: Mapping[str, int]) -> Who:
    """The person whom a row's fields name. Raises RowError for keys that are none."""
    ref = values.number(given.get("ref", ""), pad=pad.get("ref", 0))
    card = values.number(given.get("card", ""), pad=pad.get("card", 0))
    phone, email = given.get("phone", "").strip(), given.get("email", "").strip()
    if phone and (length := pad.get("phone")):
        phone = phone.rjust(length, "0")
    try:
        return Who(
            shop.realm_id,
            ref,
            keys.card_key(card) if card else "",
            keys.phone_key(phone, shop.country) if phone else "",
            keys.email_key(email) if email else "",
        )
    except HighstreetError as error:
        raise RowError(error.detail) from error


def member_name(one: Who) -> str:
    """What somebody is called of whom only a number is known; empty if not even that."""
    number = one.ref or one.card
    return _("Member %(number)s", number=number) if number else ""


def fit(fields: list[str], width: int) -> list[str]:
    """The fields of a row that has more or fewer than the header. Raises RowError."""
    if len(fields) < width:
        raise RowError(
            _("only %(have)s of %(want)s columns are there", have=len(fields), want=width)
        )
    if any(field.strip() for field in fields[width:]):
        raise RowError(
            _(
                "there are %(have)s columns instead of %(want)s; in CSV a text with the delimiter "
                "in it must stand in quotation marks",
                have=len(fields),
                want=width,
            )
        )
    return fields


def column(found: Survey, columns: Mapping[str, int], name: str) -> list[str]:
    """The sample's values of a field; none if the file does not have it."""
    place = columns.get(name)
    if place is None:
        return []
    return [row[place] for row in found.sample if len(row) > place]


def date_order(found: Survey, columns: Mapping[str, int], mapping: FileMapping, *names: str) -> str:
    """The order of day and month in a file's columns: as mapped, else as the samples show.

    Raises Invalid if the samples can be read in two ways, or in a workbook only some of them are
    dates: then the spreadsheet took some texts for dates by its own rule, and left the others.
    """
    if mapping.date != "auto":
        return mapping.date
    samples = [value for name in names for value in column(found, columns, name)]
    order = dates.guess_order(samples)
    if order != "year-first" and found.sheet and any(_ISO.match(value) for value in samples):
        raise Invalid(
            _(
                "Some of the dates are dates, others are texts, so a spreadsheet has read some of "
                "them by a rule of its own. Import the file that it was made from, or say in a "
                'mapping how the texts are to be read: [format] date = "day-first".'
            )
        )
    return order
