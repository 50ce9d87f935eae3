"""A store's own days: what was sold, to whom, and how that compares."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet.customers.models import Customer
from highstreet.purchases.models import Purchase
from highstreet.results.periods import Period
from highstreet_tenants import clock
from highstreet_tenants.sessions import ScopedSession

#: So many earlier days of the same weekday are compared with.
WEEKS = 8


class Day(Struct, frozen=True):
    """One business day of one store, or several in a row, `on` the first of them. Money in minor
    units, returns taken off.

    `member_…` counts purchases with a known customer; `members` the different customers.
    """

    on: date
    sales_minor: int = 0
    visits: int = 0
    member_sales_minor: int = 0
    member_visits: int = 0
    members: int = 0
    new_members: int = 0

    @property
    def other_visits(self) -> int:
        """Purchases without a known customer."""
        return self.visits - self.member_visits

    @property
    def member_basket_minor(self) -> int | None:
        """Spent at a member's visit on average, or None without one."""
        return round(self.member_sales_minor / self.member_visits) if self.member_visits else None

    @property
    def other_basket_minor(self) -> int | None:
        """Spent at another visit on average, or None without one."""
        other = self.sales_minor - self.member_sales_minor
        return round(other / self.other_visits) if self.other_visits else None


class Usual(Struct, frozen=True):
    """The mean of earlier days of the same weekday that had sales; `days` says of how many."""

    days: int
    sales_minor: float = 0.0
    member_sales_minor: float = 0.0
    member_visits: float = 0.0
    member_basket_minor: float | None = None
    new_members: float = 0.0


def days(s: ScopedSession, store_id: UUID, on: Sequence[date], zone: str) -> dict[date, Day]:
    """The given business days of a store; each is there, empty if nothing was sold."""
    wanted = sorted(set(on))
    return dict(
        zip(wanted, spans(s, store_id, [Period(one, one) for one in wanted], zone), strict=True)
    )


def spans(s: ScopedSession, store_id: UUID, wanted: Sequence[Period], zone: str) -> list[Day]:
    """What each of some spans of days (apart from one another, in order) came to, as one `Day`
    that bears its first date; empty where nothing was sold. Nobody counts twice within a span.
    """
    if not wanted:
        return []
    net = Purchase.total_minor - Purchase.returned_minor
    known = Purchase.customer_id.is_not(None)
    inside = [Purchase.business_date.between(one.first, one.last) for one in wanted]
    number = sa.case(*((one, n) for n, one in enumerate(inside))).label("number")
    rows = s.execute(
        sa.select(
            number,
            sa.func.sum(net),
            sa.func.count(),
            sa.func.coalesce(sa.func.sum(sa.case((known, net))), 0),
            sa.func.count(Purchase.customer_id),
            sa.func.count(Purchase.customer_id.distinct()),
        )
        .where(
            Purchase.store_id == store_id,
            Purchase.business_date.between(wanted[0].first, wanted[-1].last),
            sa.or_(*inside),
        )
        .group_by(number)
    ).all()
    sold = {row[0]: row[1:] for row in rows}
    joined = _joined(s, store_id, wanted, zone)
    found = []
    for n, one in enumerate(wanted):
        sales, visits, member_sales, member_visits, members = map(int, sold.get(n, (0,) * 5))
        found.append(Day(one.first, sales, visits, member_sales, member_visits, members, joined[n]))
    return found


def _joined(s: ScopedSession, store_id: UUID, wanted: Sequence[Period], zone: str) -> list[int]:
    """How many joined at the store in each span, in one pass over an index."""
    bounds = [
        (day_start(one.first, zone), day_start(one.last + timedelta(days=1), zone))
        for one in wanted
    ]
    inside = [sa.and_(Customer.joined_at >= low, Customer.joined_at < high) for low, high in bounds]
    row = s.execute(
        sa.select(*(sa.func.coalesce(sa.func.sum(sa.case((one, 1))), 0) for one in inside)).where(
            Customer.home_store_id == store_id,
            Customer.joined_at >= bounds[0][0],
            Customer.joined_at < bounds[-1][1],
            Customer.status != "merged",
        )
    ).one()
    return [int(count) for count in row]


def day_start(on: date, zone: str) -> datetime:
    """The moment (UTC) at which a calendar day begins in a zone."""
    return datetime.combine(on, time(), clock.zone(zone)).astimezone(UTC)


def same_weekdays(on: date, weeks: int = WEEKS) -> list[date]:
    """The days one, two, … `weeks` weeks earlier."""
    return [on - timedelta(weeks=n) for n in range(1, weeks + 1)]


def usual(earlier: Sequence[Day]) -> Usual:
    """The mean of the days that had sales; a day on which the store was closed says nothing."""
    open_days = [one for one in earlier if one.visits]
    count = len(open_days)
    if not count:
        return Usual(0)
    visits = sum(one.member_visits for one in open_days)
    member_sales = sum(one.member_sales_minor for one in open_days)
    return Usual(
        count,
        sum(one.sales_minor for one in open_days) / count,
        member_sales / count,
        visits / count,
        member_sales / visits if visits else None,
        sum(one.new_members for one in open_days) / count,
    )


def latest_day(s: ScopedSession, store_id: UUID, before: date) -> date | None:
    """The last business day before `before` on which the store sold something."""
    return s.scalar(
        sa.select(sa.func.max(Purchase.business_date)).where(
            Purchase.store_id == store_id, Purchase.business_date < before
        )
    )


def first_day(s: ScopedSession, store_id: UUID) -> date | None:
    """The business day of the store's first sale."""
    return s.scalar(
        sa.select(sa.func.min(Purchase.business_date)).where(Purchase.store_id == store_id)
    )


def visits_on(s: ScopedSession, store_id: UUID, on: date) -> int:
    """Purchases of one business day."""
    found = s.scalar(
        sa.select(sa.func.count(Purchase.id)).where(
            Purchase.store_id == store_id, Purchase.business_date == on
        )
    )
    return found or 0
