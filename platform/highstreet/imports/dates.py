"""Turns the text of a field into a day or a moment, and says why when it can't.

Day and month are told apart once for a whole file, never row by row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from highstreet.i18n import gettext as _
from highstreet.imports.values import RowError
from highstreet_tenants.errors import Invalid

EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)

_PARTS = re.compile(
    r"(\d{1,4})\s?[./\-]\s?(\d{1,2})\s?[./\-]\s?(\d{1,4})"
    r"(?:[T ,]\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*([AaPp]\.?[Mm]\.?)?)?"
)
_CLOCK = re.compile(r"(\d{1,2}):?(\d{2})(?::?(\d{2})(?:\.\d+)?)?\s*([AaPp]\.?[Mm]\.?)?")


def guess_order(samples: Iterable[str]) -> str:
    """The order of day and month in a file. Raises Invalid if it can be read in two ways.

    One day beyond the twelfth settles it for the whole file; where the samples have none, or have
    years of two digits, somebody has to say.
    """
    day = month = False
    doubtful = ""
    for value in samples:
        match = _PARTS.match(value.strip())
        if not match or len(match[1]) == 4:
            continue
        if len(match[3]) != 4:
            raise Invalid(
                _(
                    "“%(date)s” has a year of two digits. Say the order in a mapping file: "
                    '[format] date = "day-first", "month-first" or a pattern: "%%y-%%m-%%d".',
                    date=match[0],
                )
            )
        if int(match[1]) > 12:
            day = True
        elif int(match[2]) > 12:
            month = True
        else:
            doubtful = doubtful or match[0]
    if day and month:
        raise Invalid(
            _("Some dates begin with the day, others with the month. Name the order in a mapping.")
        )
    if day or month:
        return "day-first" if day else "month-first"
    if doubtful:
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
            if order == "year-first":
                return _year_first(value)
            if "%" in order:
                return datetime.strptime(value, order)
            return _parts(value, order)
        except ValueError as error:
            raise RowError(
                _("“%(text)s” is not a date and time (%(order)s)", text=value[:40], order=order)
            ) from error

    return read


def _year_first(value: str) -> datetime:
    if len(value) > 10:
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass  # 2017/01/02 10:30 is not ISO 8601, but clear
    elif len(value) == 8 and value.isdecimal():
        return datetime.fromisoformat(value).replace(hour=12)
    return _parts(value, "year-first")


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
