"""One comparison of a rule, as SQL that is true or false, never unknown."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet.customers.text import bad
from highstreet.i18n import gettext as _
from highstreet.segments.questions import OPERATORS, Question
from highstreet_tenants.clock import from_local

_MOST_VALUES = 1000


class Today(Struct, frozen=True):
    """The day it is in a place, and the zone by which moments are days there."""

    day: date
    zone: str

    def begins(self, day: date) -> datetime:
        """When a day begins there (UTC)."""
        return from_local(datetime.combine(day, time()), self.zone).astimezone(UTC)


def check(question: Question, op: str, value: Any) -> None:
    """Raise Invalid for a comparison that can't be made, with words about what fits."""
    if op not in OPERATORS[question.kind]:
        raise bad(
            "rule",
            _(
                "“%(name)s” can't be asked so; there are: %(ops)s.",
                name=str(question.label),
                ops=", ".join(OPERATORS[question.kind]),
            ),
        )
    compared(question, sa.literal_column("x"), op, value, Today(date(2024, 2, 29), "UTC"))


def compared(
    question: Question, column: sa.ColumnElement[Any], op: str, value: Any, today: Today
) -> sa.ColumnElement[bool]:
    """The comparison; false where nothing is known. Raises Invalid for a value that is unfit."""
    if op in ("empty", "filled"):
        known: sa.ColumnElement[bool] = column.is_not(None)
        if question.kind in ("text", "choice"):
            known = sa.and_(known, column != "")
        return sa.not_(known) if op == "empty" else known
    made = _MAKERS[question.kind](question, column, op, value, today)
    return sa.and_(column.is_not(None), made)


def holds(question: Question, op: str, value: Any) -> bool:
    """Whether the comparison holds for those who never bought, of an amount that is 0 then."""
    if op in ("empty", "filled"):
        return (op == "filled") == (question.absent is not None)
    if question.absent is None:
        return False
    low, high = _bounds(question, op, value)
    return (low is None or low <= question.absent) and (high is None or question.absent <= high)


def _text(
    question: Question, column: Any, op: str, value: Any, today: Today
) -> sa.ColumnElement[bool]:
    if op == "one_of":
        return column.in_(_words(question, value))  # type: ignore[no-any-return]
    (word,) = _words(question, [value])
    if op == "begins":
        return sa.func.lower(column).startswith(word.lower(), autoescape=True)
    if op == "contains":
        return sa.func.lower(column).contains(word.lower(), autoescape=True)
    return (column == word) if op == "is" else (column != word)  # type: ignore[no-any-return]


def _words(question: Question, value: Any) -> list[str]:
    many = value if isinstance(value, list) else [value]
    words = [one.strip() for one in many if isinstance(one, str) and one.strip()]
    if not words or len(words) != len(many) or len(words) > _MOST_VALUES:
        raise _unfit(question, _("one or more words"))
    strange = [one for one in words if question.choices and one not in question.choices]
    if strange:
        raise _unfit(question, ", ".join(question.choices))
    return words


def _amount(
    question: Question, column: Any, op: str, value: Any, today: Today
) -> sa.ColumnElement[bool]:
    low, high = _bounds(question, op, value)
    clauses = [column >= low] if low is not None else []
    clauses += [column <= high] if high is not None else []
    return sa.and_(*clauses)


def _bounds(question: Question, op: str, value: Any) -> tuple[Any, Any]:
    given = value if isinstance(value, list) else [value]
    numbers = [one for one in given if isinstance(one, int | float) and not isinstance(one, bool)]
    whole = question.kind in ("points", "money")
    if (
        len(numbers) != len(given)
        or len(given) != (2 if op == "between" else 1)
        or (whole and any(isinstance(one, float) for one in numbers))
        or any(abs(one) >= 2**53 or one != one for one in numbers)
    ):
        raise _unfit(question, _("two numbers") if op == "between" else _("a number"))
    if op == "between":
        return numbers[0], numbers[1]
    only = numbers[0]
    return (only if op != "at_most" else None), (only if op != "at_least" else None)


def _date(
    question: Question, column: Any, op: str, value: Any, today: Today
) -> sa.ColumnElement[bool]:
    if op == "anniversary_month":
        month = _whole(question, value, 1, 12)
        return sa.extract("month", column) == month
    if op == "anniversary_in_days":
        days = _whole(question, value, 0, 366)
        parts = sa.extract("month", column) * 100 + sa.extract("day", column)
        return parts.in_(sorted(_anniversaries(today.day, days)))
    first, last = _span(question, op, value, today.day)
    clauses = [column >= first] if first is not None else []
    clauses += [column <= last] if last is not None else []
    return sa.and_(*clauses)


def _moment(
    question: Question, column: Any, op: str, value: Any, today: Today
) -> sa.ColumnElement[bool]:
    first, last = _span(question, op, value, today.day)
    clauses = [column >= today.begins(first)] if first is not None else []
    clauses += [column < today.begins(last + timedelta(days=1))] if last is not None else []
    return sa.and_(*clauses)


def _span(question: Question, op: str, value: Any, today: date) -> tuple[date | None, date | None]:
    """First and last day, both included, that a comparison means."""
    if op in ("in_last_days", "not_in_last_days", "in_next_days"):
        days = timedelta(days=_whole(question, value, 1, 36_500))
        if op == "in_next_days":
            return today, today + days
        first = today - days + timedelta(days=1)
        return (first, today) if op == "in_last_days" else (None, first - timedelta(days=1))
    given = value if isinstance(value, list) else [value]
    try:
        days_given = [date.fromisoformat(str(one)) for one in given]
    except ValueError:
        days_given = []
    wanted = 2 if op == "between" else 1
    if len(days_given) != wanted or any(not 1800 <= one.year <= 2200 for one in days_given):
        raise _unfit(question, _("a day such as 2026-11-26"))
    one = timedelta(days=1)
    if op == "before":
        return None, days_given[0] - one
    if op == "after":
        return days_given[0] + one, None
    return days_given[0], days_given[-1]


def _anniversaries(today: date, days: int) -> Iterator[int]:
    """Month · 100 + day of today and so many days after; 29 February falls on the 28th in other
    years, as `customers.birthdays` has it."""
    for after in range(days + 1):
        day = today + timedelta(days=after)
        yield day.month * 100 + day.day
        if (day.month, day.day) == (2, 28) and not calendar.isleap(day.year):
            yield 229


def _yes_no(
    question: Question, column: Any, op: str, value: Any, today: Today
) -> sa.ColumnElement[bool]:
    if not isinstance(value, bool):
        raise _unfit(question, _("yes or no"))
    return column.is_(sa.true()) if value else column.is_(sa.false())  # type: ignore[no-any-return]


def _store(
    question: Question, column: Any, op: str, value: Any, today: Today
) -> sa.ColumnElement[bool]:
    try:
        ids = [UUID(str(one)) for one in (value if isinstance(value, list) else [value])]
    except ValueError:
        ids = []
    if not ids or len(ids) > _MOST_VALUES:
        raise _unfit(question, _("one or more stores"))
    return column.in_(ids) if op == "one_of" else column.not_in(ids)  # type: ignore[no-any-return]


def _whole(question: Question, value: Any, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise _unfit(
            question, _("a whole number from %(least)s to %(most)s", least=least, most=most)
        )
    return value


def _unfit(question: Question, fits: str) -> Exception:
    return bad(
        "rule",
        _("“%(name)s” is compared with %(fits)s.", name=str(question.label), fits=fits),
    )


_MAKERS = {
    "text": _text,
    "choice": _text,
    "number": _amount,
    "points": _amount,
    "money": _amount,
    "date": _date,
    "moment": _moment,
    "yes_no": _yes_no,
    "store": _store,
}
