"""Spans of business days: whole weeks, from Monday to Sunday, and the weeks before them."""

from datetime import date, timedelta

from msgspec import Struct


class Period(Struct, frozen=True):
    """From `first` to `last`, both included; `earlier` ends right before and is as long."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How long it is."""
        return (self.last - self.first).days + 1

    @property
    def earlier(self) -> "Period":
        """The days before."""
        length = timedelta(days=self.days)
        return Period(self.first - length, self.last - length)

    def parts(self, weeks: int) -> tuple["Period", ...]:
        """It in parts of so many weeks each, oldest first; the first may be shorter."""
        length = timedelta(weeks=weeks)
        found = []
        last = self.last
        while last >= self.first:
            found.append(Period(max(self.first, last - length + timedelta(days=1)), last))
            last -= length
        return tuple(reversed(found))


def weeks_to(last: date, count: int) -> Period:
    """The `count` weeks that end on a date."""
    return Period(last - timedelta(weeks=count) + timedelta(days=1), last)


def whole_weeks(today: date, count: int) -> Period:
    """The last `count` whole weeks before `today`."""
    return weeks_to(today - timedelta(days=today.isoweekday()), count)
