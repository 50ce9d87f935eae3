"""How long points last: from when they can be spent, and when they are gone.

Days are those of the store that gives them; moments are aware UTC. What was promised when points
were given is written on them, so that a later change of the rules shortens nothing.
"""

import calendar
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from highstreet_points_club.programme import Expiry, Programme


def active_from(programme: Programme, occurred_at: datetime, zone: tzinfo) -> datetime | None:
    """When points earned at `occurred_at` can be spent: the start of a store's day; None: now."""
    if not programme.pending_days:
        return None
    return morning(occurred_at.astimezone(zone).date(), programme.pending_days, zone)


def expires_at(programme: Programme, occurred_at: datetime, zone: tzinfo) -> datetime | None:
    """The first moment when points earned at `occurred_at` are gone; None: never.

    They are good through the whole last day in the zone of the store that gave them.
    """
    if programme.expiry == "never":
        return None
    day = occurred_at.astimezone(zone).date()
    if programme.expiry == "days":
        return morning(day, programme.expiry_days + 1, zone)
    return _after_last_day(day, programme.expiry, programme.expiry_months, zone)


def idle_at(programme: Programme, visited_at: datetime, zone: tzinfo) -> datetime | None:
    """The first moment when points are gone for want of a visit after `visited_at`; None: never."""
    if not programme.idle_months:
        return None
    day = visited_at.astimezone(zone).date()
    return _after_last_day(day, "months", programme.idle_months, zone)


@lru_cache(maxsize=4096)
def _after_last_day(day: date, expiry: Expiry, months: int, zone: tzinfo) -> datetime:
    number = day.year * 12 + day.month - 1 + months
    year, month = divmod(number, 12)
    if expiry == "year_end":
        month = 11
    length = calendar.monthrange(year, month + 1)[1]
    last = min(day.day, length) if expiry == "months" else length
    return morning(date(year, month + 1, last), 1, zone)


@lru_cache(maxsize=4096)
def morning(day: date, days_later: int, zone: tzinfo) -> datetime:
    """The first moment (UTC) of the day `days_later` after `day` in a zone."""
    return datetime.combine(day + timedelta(days=days_later), time.min, zone).astimezone(UTC)


def last_day_before(end: datetime, zone: tzinfo) -> date:
    """The last whole day on which something that ends at `end` is good."""
    return (end.astimezone(zone) - timedelta(seconds=1)).date()
