"""Who owes whom for rewards: the store that gave the points owes the store that took them.

A reward handed over counts in the month of that day, one that came back in the month in which it
did, below zero: so a month that is settled never changes afterwards. Its worth is shared among the
stores that gave its points, to the last minor unit.
"""

from collections.abc import Iterable
from datetime import date, datetime, tzinfo
from typing import NamedTuple
from uuid import UUID

from msgspec import Struct

from highstreet.sdk import Ctx, NotFound, Statement, clock, own
from highstreet.sdk import gettext as _
from highstreet_points_club.lasting import morning
from highstreet_points_club.writing import business_date

# The parts of a reward, one for each store that gave points to it, in a fixed order. A part's worth
# is the difference of what all up to it and all before it are worth, so that nothing is lost.
_PARTS = (
    "SELECT x.giver, x.taker, x.currency, SUM(x.sign) AS rewards, SUM(x.sign * x.points) AS points,"
    " SUM(x.sign * (x.worth * x.upto / x.whole - x.worth * (x.upto - x.points) / x.whole)) AS minor"
    " FROM (SELECT w.id, l.at_store_id AS giver, w.redeemed_store_id AS taker, w.currency,"
    "  t.sign, w.value_minor AS worth, w.points AS whole,"
    "  CAST(-SUM(p.points) AS BIGINT) AS points,"
    "  CAST(SUM(-SUM(p.points)) OVER (PARTITION BY w.id, t.sign ORDER BY l.at_store_id) AS BIGINT)"
    "  AS upto FROM points_club_reward AS w"
    "  JOIN (SELECT 1 AS sign UNION ALL SELECT -1) AS t ON t.sign = 1"
    "   AND w.redeemed_at >= :since AND w.redeemed_at < :until"
    "   OR t.sign = -1 AND w.status = 'returned' AND w.redeemed_at IS NOT NULL"
    "   AND w.closed_at >= :since AND w.closed_at < :until"
    "  JOIN points_club_allocation AS p ON p.brand_id = w.brand_id AND p.entry_id = w.id"
    "  JOIN points_club_lot AS l ON l.brand_id = p.brand_id AND l.id = p.lot_id"
    f"  WHERE {own('w')} AND {own('p')} AND {own('l')}"
    "  GROUP BY w.id, l.at_store_id, w.redeemed_store_id, w.currency, t.sign, w.value_minor,"
    "  w.points) AS x GROUP BY x.giver, x.taker, x.currency"
)
_PAIRS = Statement(_PARTS, types={"giver": UUID, "taker": UUID})


class Month(NamedTuple):
    """A calendar month in a zone."""

    first: date
    zone: tzinfo

    @property
    def since(self) -> datetime:
        """Its first moment (UTC)."""
        return morning(self.first, 0, self.zone)

    @property
    def until(self) -> datetime:
        """The first moment after it (UTC)."""
        return morning(self.after, 0, self.zone)

    @property
    def before(self) -> date:
        """The first day of the month before."""
        year, month = divmod(self.first.year * 12 + self.first.month - 2, 12)
        return date(year, month + 1, 1)

    @property
    def after(self) -> date:
        """The first day of the month after."""
        year, month = divmod(self.first.year * 12 + self.first.month, 12)
        return date(year, month + 1, 1)


class Pair(NamedTuple):
    """What store `giver` owes store `taker` for a month; None: head office.

    rewards: how many points of the giver are in (less those that came back). minor: worth, in minor
    units of `currency`, the taker's.
    """

    giver: UUID | None
    taker: UUID | None
    currency: str
    rewards: int
    points: int
    minor: int

    @property
    def between(self) -> bool:
        """Whether there is anything to settle: a store owes itself nothing."""
        return self.giver != self.taker


class Standing(Struct, frozen=True):
    """One store's month in one currency, minor units: what it gets from others, what it pays."""

    store_id: UUID | None
    currency: str
    gets: int = 0
    pays: int = 0

    @property
    def net(self) -> int:
        """Above zero: others owe the store."""
        return self.gets - self.pays


def month_of(ctx: Ctx, named: str | None) -> Month:
    """The month "2026-10", the last whole one if none is named. Raises NotFound for no month.

    By the brand's calendar, so that head office and every store read the same figures.
    """
    zone = clock.zone(ctx.brand.zone)
    if named is None:
        return Month(Month(this_month(ctx), zone).before, zone)
    return month_named(named, zone)


def month_named(named: str, zone: tzinfo) -> Month:
    """The month written as "2026-10", in a zone. Raises NotFound for no month."""
    try:
        return Month(date.fromisoformat(f"{named}-01"), zone)
    except ValueError as error:
        raise NotFound(_("There is no such month. Write it like 2026-10.")) from error


def this_month(ctx: Ctx) -> date:
    """The first day of the month that still runs, by the brand's calendar."""
    return business_date(ctx.now(), clock.zone(ctx.brand.zone)).replace(day=1)


def pairs(ctx: Ctx, month: Month) -> list[Pair]:
    """All pairs of a month as far as the scope reaches, the largest worth first.

    A store that shares its members with others sees the pairs that it is part of.
    """
    found = [
        Pair(giver, taker, currency, int(rewards), int(points), int(minor))
        for giver, taker, currency, rewards, points, minor in _PAIRS(
            ctx.s, since=month.since, until=month.until
        )
    ]
    mine = ctx.scope.store_id
    seen = [one for one in found if mine is None or mine in (one.giver, one.taker)]
    return sorted(seen, key=lambda one: (-abs(one.minor), -one.points, str(one[:2])))


def standings(found: Iterable[Pair]) -> list[Standing]:
    """Each store's sums over pairs; over all of them gets and pays are equal."""
    gets: dict[tuple[UUID | None, str], int] = {}
    pays: dict[tuple[UUID | None, str], int] = {}
    for one in found:
        if one.between:
            for side, store_id in ((gets, one.taker), (pays, one.giver)):
                key = (store_id, one.currency)
                side[key] = side.get(key, 0) + one.minor
    lines = [Standing(*key, gets.get(key, 0), pays.get(key, 0)) for key in {**gets, **pays}]
    return sorted(lines, key=lambda line: (-line.net, str(line.store_id)))
