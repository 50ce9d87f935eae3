"""Turns the text of a field into a value, and says why when it can't.

The functions here run once per row: each has a fast path for what nearly every row holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from highstreet.i18n import gettext as _
from highstreet_tenants.cards import looks_like_payment_card
from highstreet_tenants.errors import HighstreetError, Invalid
from highstreet_tenants.money import minor_digits, parse_minor

EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)

_PARTS = re.compile(
    r"(\d{1,4})\s?[./\-]\s?(\d{1,2})\s?[./\-]\s?(\d{1,4})"
    r"(?:[T ,]\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*([AaPp]\.?[Mm]\.?)?)?"
)
_CLOCK = re.compile(r"(\d{1,2}):?(\d{2})(?::?(\d{2})(?:\.\d+)?)?\s*([AaPp]\.?[Mm]\.?)?")
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
        broken = next(letter for letter in value if not letter.isprintable())
        raise RowError(_("there is a control character (code %(code)s)", code=ord(broken)))
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


def refuse_payment_card(values: Iterable[str]) -> None:
    """Raise RowError if one of the fields looks like a payment card."""
    for value in values:
        if len(value) >= 13 and looks_like_payment_card(value):
            raise RowError(_("this looks like a payment card number; never import those"))


def amounts(currency: str, decimal: str, thousands: str, largest: int) -> Callable[[str], int]:
    """A reader of amounts in ``currency``: minor units, from 0 to ``largest`` major units."""
    digits = minor_digits(currency)
    most = largest * 10**digits
    plain = decimal == "." and not thousands

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
            try:
                minor = parse_minor(
                    value.replace(currency, ""), currency, decimal=decimal, thousands=thousands
                )
            except HighstreetError as error:
                raise RowError(error.detail) from error
        if minor < 0:
            raise RowError(_("the total is negative; returns are not purchases"))
        if minor > most:
            raise RowError(
                _(
                    "the total %(total)s is beyond %(largest)s; if it is right, raise "
                    "largest in the mapping",
                    total=value,
                    largest=largest,
                )
            )
        return minor

    return read


def guess_decimal(samples: Iterable[str]) -> str:
    """“,” if amounts are written like 12,40 and none like 12.40, else “.”."""
    comma = point = False
    for value in samples:
        comma = comma or bool(re.search(r"\d,\d{1,2}$", value.strip()))
        point = point or bool(re.search(r"\d\.\d{1,2}$", value.strip()))
    return "," if comma and not point else "."


def guess_date_order(samples: Iterable[str]) -> str:
    """The order of day and month in a column. Raises Invalid if it can be read in both ways."""
    day = month = year = False
    doubtful = ""
    for value in samples:
        match = _PARTS.match(value.strip())
        if not match:
            continue
        if len(match[1]) == 4:
            year = True
            continue
        first, second = int(match[1]), int(match[2])
        if first > 12:
            day = True
        elif second > 12:
            month = True
        elif first != second:
            doubtful = match[0]
    if day and month:
        raise Invalid(
            _("Some dates begin with the day, others with the month. Name the order in a mapping.")
        )
    if day or month:
        return "day-first" if day else "month-first"
    if doubtful and not year:
        raise Invalid(
            _(
                "“%(date)s” can be read in two ways. Say which in a mapping file: "
                '[format] date = "day-first" or "month-first".',
                date=doubtful,
            )
        )
    return "year-first"


def moments(order: str) -> Callable[[str], datetime]:
    """A reader of dates and times in ``order`` (a name of DATE_ORDERS or a strptime pattern).

    It gives a naive local time, or an aware one where the text names an offset. A day without a
    time is noon, which is the same day in every neighbouring zone.
    """

    def read(value: str) -> datetime:
        value = value.strip()
        try:
            if order == "year-first" and len(value) > 10:
                return datetime.fromisoformat(value)
            if "%" in order:
                return datetime.strptime(value, order)
            return _parts(value, order)
        except ValueError as error:
            raise RowError(
                _("“%(text)s” is not a date and time (%(order)s)", text=value[:40], order=order)
            ) from error

    return read


def _parts(value: str, order: str) -> datetime:
    match = _PARTS.fullmatch(value)
    if match is None:
        raise ValueError(value)
    a, b, c = match[1], match[2], match[3]
    if len(a) == 4:
        year, month, day = a, b, c
    elif order == "day-first":
        day, month, year = a, b, c
    elif order == "month-first":
        month, day, year = a, b, c
    else:
        raise ValueError(value)
    if len(year) == 2:
        year = ("20" if int(year) < 70 else "19") + year
    if match[4] is None:
        return datetime(int(year), int(month), int(day), 12)
    hour, minute, second = _clock(match[4], match[5], match[6], match[7])
    return datetime(int(year), int(month), int(day), hour, minute, second)


def _clock(hour: str, minute: str, second: str | None, half: str | None) -> tuple[int, int, int]:
    hours = int(hour)
    if half:
        if not 1 <= hours <= 12:
            raise ValueError(hour)
        hours = hours % 12 + (12 if half[0] in "pP" else 0)
    return hours, int(minute), int(second or 0)


def time_of_day(value: str) -> tuple[int, int, int]:
    """Hour, minute and second of a time that stands in its own column; raises RowError."""
    match = _CLOCK.fullmatch(value.strip())
    try:
        if match is None:
            raise ValueError(value)
        hour, minute, second = _clock(match[1], match[2], match[3], match[4])
        datetime(2000, 1, 1, hour, minute, second)
    except ValueError as error:
        raise RowError(_("“%(text)s” is not a time of day", text=value[:40])) from error
    return hour, minute, second


def settle(moment: datetime, zone: ZoneInfo, latest: datetime) -> datetime:
    """The moment in UTC, read in ``zone`` when it has none; raises RowError beyond ``latest``."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    try:
        at = moment.astimezone(UTC)
    except OverflowError as error:
        raise RowError(_("the date is absurd")) from error
    if at > latest:
        raise RowError(_("the date is in the future"))
    if at < EARLIEST:
        raise RowError(_("the date is before 1980"))
    return at


def birthday(value: str, read: Callable[[str], datetime], today: date) -> date:
    """A date of birth; raises RowError when it is no date, in the future or 130 years ago."""
    born = read(value).date()
    if born > today or born < today - timedelta(days=130 * 366):
        raise RowError(_("“%(text)s” is not a date of birth", text=value[:40]))
    return born
