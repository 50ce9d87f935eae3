"""Turns the text of a field into a value, and says why when it can't.

The functions here run once per row: each has a fast path for what nearly every row holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from decimal import Decimal

from highstreet.i18n import gettext as _
from highstreet_tenants.cards import looks_like_payment_card
from highstreet_tenants.errors import HighstreetError
from highstreet_tenants.money import minor_digits, parse_minor

_SPACES = re.compile(r"[\s\u00a0\u2007\u2009\u202f]+")
#: Blanks of other widths, as word processors and Asian keyboards make them.
_BLANKS = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
#: What copying leaves behind and nobody sees.
_UNSEEN = re.compile("[\u00ad\u200b\u200e\u200f\u2060\ufeff]")
#: Joiners stand within the words of some scripts.
_JOINERS = "\u200c\u200d"
_SCIENTIFIC = re.compile(r"\d(?:[.,]\d+)?[eE]\+\d+")


class RowError(Exception):
    """Why one row of a file cannot go in; the text is for the person who mends the file."""


def text(value: str, *, longest: int = 200) -> str:
    """A plain text. Raises RowError for formulas, NUL, undecodable and overlong text."""
    value = value.strip()
    if not value:
        return value
    if value[0] in "=@+-":
        if value.startswith('="') and value.endswith('"') and value.count('"') == 2:
            value = value[2:-1]  # how spreadsheets are told to keep leading zeros
        else:
            raise RowError(_("“%(text)s” is a formula, not a text", text=value[:40]))
    if len(value) > longest:
        raise RowError(
            _("“%(text)s…” is longer than %(longest)s letters", text=value[:20], longest=longest)
        )
    if not value.isprintable():
        value = _UNSEEN.sub("", _BLANKS.sub(" ", value)).strip()
        for letter in value:
            if letter in "\r\n":
                raise RowError(
                    _("there is a line break in a text; perhaps a quotation mark is missing")
                )
            if not letter.isprintable() and letter not in _JOINERS:
                raise RowError(_("there is a control character (code %(code)s)", code=ord(letter)))
    if "\ufffd" in value:
        raise RowError(_("letters could not be read: the file has another encoding here"))
    return value


def number(value: str, *, pad: int = 0) -> str:
    """A number kept as text: store, receipt, reference or card, padded with zeros to ``pad``.

    Raises RowError for what :func:`text` refuses and for what a spreadsheet has spoilt (1.2E+12).
    """
    value = value.strip()
    if not value.isalnum():
        value = text(value, longest=80)
        if _SCIENTIFIC.fullmatch(value):
            raise RowError(
                _(
                    "“%(text)s” was shortened by a spreadsheet; export the column as text",
                    text=value,
                )
            )
    elif len(value) > 80:
        raise RowError(_("“%(text)s…” is longer than 80 letters", text=value[:20]))
    if pad and value:
        value = value.rjust(pad, "0")
    return value


def refuse_payment_card(fields: Sequence[str], codes: Collection[int] = ()) -> None:
    """Raise RowError if one of the fields looks like a payment card.

    ``codes`` are the places of receipt numbers and product codes: there bare digits count from 15
    on, for one barcode in ten has the check digit of a payment card, and groups of digits only
    where they are those of a card (see customers.text.reference).
    """
    # One search instead of one for each field, apart by a sign that nobody types.
    if not looks_like_payment_card("\x1f".join(fields)):
        return
    for place, value in enumerate(fields):
        bare = value.strip()
        if place in codes and bare.isdigit() and len(bare) < 15:
            continue
        if looks_like_payment_card(value, as_code=place in codes):
            raise RowError(_("this looks like a payment card number; never import those"))


def amounts(
    currency: str,
    decimal: str,
    thousands: str,
    largest: int,
    *,
    signs: Iterable[str] = (),
    signed: bool = False,
) -> Callable[[str], int]:
    """A reader of amounts in ``currency``: minor units, from 0 to ``largest`` major units.

    ``signs`` of the currency may stand beside the number. ``signed`` takes amounts below zero, as
    a discount is one. Thousands are believed only in front of three digits each: 1.5 is never 15.
    """
    digits = minor_digits(currency)
    most = largest * 10**digits
    plain = decimal == "." and not thousands
    form = _form(decimal, thousands)
    known = sorted({currency, *signs}, key=len, reverse=True)

    def parse(value: str) -> int:
        bare = value.strip()
        for sign in known:
            bare = bare.replace(sign, "", 1)
        bare = _SPACES.sub(" ", bare).strip()
        if not bare:
            raise RowError(_("the amount is missing"))
        match = form.fullmatch(bare)
        if match is None or not (match[2] or match[3]):
            raise RowError(
                _(
                    "“%(text)s” is not an amount such as 12.40; a mapping may name the signs of "
                    "decimals and thousands",
                    text=value[:40],
                )
            )
        whole = re.sub(r"\D", "", match[2])
        negative = match[1] not in ("", "+")
        try:
            minor = parse_minor(f"{whole or 0}.{match[3] or 0}", currency)
        except HighstreetError as error:
            raise RowError(error.detail) from error
        return -minor if negative else minor

    def read(value: str) -> int:
        whole, point, rest = value.partition(".")
        if (
            plain
            and whole.isdecimal()
            and len(rest) <= digits
            and (rest.isdecimal() if point else True)
        ):
            minor = int(whole + rest.ljust(digits, "0"))
        else:
            minor = parse(value)
        if minor < 0 and not signed:
            raise RowError(_("the total is negative; returns are not purchases"))
        if abs(minor) > most:
            raise RowError(
                _(
                    "the amount %(total)s is beyond %(largest)s; if it is right, raise "
                    "largest in the mapping",
                    total=value[:40],
                    largest=largest,
                )
            )
        return minor

    return read


def _form(decimal: str, thousands: str) -> re.Pattern[str]:
    """Sign, whole part and decimals of an amount written with these signs."""
    apart = {"": " ", "'": "'’", "’": "'’"}.get(thousands, thousands)
    return re.compile(
        rf"([+\-−]?) ?(\d{{1,3}}(?:[{re.escape(apart)}]\d{{3}})+|\d*)(?:{re.escape(decimal)}(\d*))?"
    )


def plain(minor: int, currency: str) -> str:
    """An amount as a file would say it: 12.40."""
    return str(Decimal(minor).scaleb(-minor_digits(currency)))


def wholes(decimal: str, thousands: str) -> Callable[[str], int]:
    """A reader of whole numbers: "120", "−5", "120.00"; thousands as the mapping says."""
    points = ".," if decimal == "auto" else decimal
    apart = {"": "  ", "'": "'’", "’": "'’"}.get(thousands, thousands)
    form = re.compile(
        rf"([+\-−]?)(\d{{1,3}}(?:[{re.escape(apart)}]\d{{3}})+|\d{{1,15}})(?:[{re.escape(points)}]0*)?"
    )

    def read(value: str) -> int:
        if value.isdecimal() and len(value) <= 15:
            return int(value)
        match = form.fullmatch(_SPACES.sub(" ", value).strip())
        if match is None:
            raise RowError(
                _(
                    "“%(text)s” is not a whole number; a mapping may name the signs of decimals "
                    "and thousands",
                    text=value[:40],
                )
            )
        whole = int(re.sub(r"\D", "", match[2]))
        return whole if match[1] in ("", "+") else -whole

    return read


def quantity(value: str, decimal: str = ".") -> Decimal | int:
    """How many pieces or kilograms; a missing one is 1. Raises RowError."""
    value = value.strip()
    if value.isdecimal() and len(value) <= 10:
        return int(value)
    if not value:
        return 1
    if value.startswith(("-", "−")):
        raise RowError(_("the quantity is negative; returns are not purchases"))
    match = re.fullmatch(rf"(\d{{0,10}})(?:{re.escape(decimal)}(\d+))?", value)
    if match is None or len((match[2] or "").rstrip("0")) > 3:
        raise RowError(
            _("“%(text)s” is not a quantity with at most three decimals", text=value[:40])
        )
    return Decimal(f"{match[1] or 0}.{match[2] or 0}")


def guess_decimal(samples: Iterable[str]) -> str:
    """“,” if amounts are written like 12,40 and none like 12.40, else “.”."""
    comma = point = False
    for value in samples:
        comma = comma or bool(re.search(r"\d,\d{1,2}\D*$", value))
        point = point or bool(re.search(r"\d\.\d{1,2}\D*$", value))
    return "," if comma and not point else "."
