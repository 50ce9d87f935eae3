"""When a campaign runs in a store: from local midnight to local midnight, by the store's clock."""

from datetime import date, datetime, time, timedelta

from highstreet_tenants import clock


def midnight(day: date, zone: str) -> datetime:
    """When a day begins in a zone (UTC); where clocks skip midnight, at the first moment of it."""
    return clock.from_local(datetime.combine(day, time()), zone)


def span(
    first: date, last: date, zone: str, at: datetime, *, may_answer: bool
) -> tuple[datetime, datetime]:
    """(from when, until before when) it runs in a store that hears of it at `at` (UTC).

    Where the first day has begun, it runs at once; but a store that may answer has until the next
    midnight for it. Both are the same where it can't run any more.
    """
    begins, ends = midnight(first, zone), midnight(last + timedelta(days=1), zone)
    if begins <= at:
        tomorrow = clock.business_date(at, zone) + timedelta(days=1)
        begins = midnight(tomorrow, zone) if may_answer else at
    return min(begins, ends), ends
