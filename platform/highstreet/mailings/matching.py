"""Results by match-back: whose household bought after its piece went out, held out or not.

A response by code proves what answered; a match-back shows who bought, for whatever reason. Only
the difference to households that were held out says what the mailing did.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet.addresses.models import Address
from highstreet.customers import standing
from highstreet.customers.text import bad
from highstreet.i18n import gettext as _
from highstreet.mailings import queries
from highstreet.mailings.models import Piece
from highstreet.purchases.models import Purchase
from highstreet_tenants.base import table_alias
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.sets import by_sets

LONGEST = 366
_HELD = ("held_out", "held_out_of_all")


class Matched(Struct, frozen=True):
    """Households (customers, where each got one): how many there are, how many of them bought,
    their receipts, and what they spent less what they brought back, minor units."""

    units: int
    responded: int
    purchases: int
    spent_minor: int


class MatchBack(Struct, frozen=True):
    """Who got a piece, and who was held out, over the same days."""

    days: int
    got: Matched
    held: Matched

    @property
    def lift(self) -> float | None:
        """How much larger the share of buyers is among those who got it than among those who were
        held out (0.1: ten percent more); None where it can't be told."""
        if not self.got.units or not self.held.units or not self.held.responded:
            return None
        share = self.got.responded / self.got.units
        return share / (self.held.responded / self.held.units) - 1


def match_back(s: ScopedSession, mailing_id: UUID, days: int) -> MatchBack:
    """Who bought within `days` (1 to 366) after the piece went out; of those held out, after the
    first went. Anybody of the household counts, what they bought within reach. Raises NotFound,
    Invalid."""
    mailing = queries.get(s, mailing_id)
    if not 1 <= days <= LONGEST:
        raise bad("days", _("Say in how many days, from 1 to 366."))
    if mailing.released_at is None:
        nothing = Matched(0, 0, 0, 0)
        return MatchBack(days, nothing, nothing)
    got = _matched(s, mailing.id, mailing.by_household, ("sent", "returned"), None, None, days)
    held = _matched(
        s, mailing.id, mailing.by_household, ("withheld",), _HELD, mailing.released_at, days
    )
    return MatchBack(days, got, held)


def _matched(
    s: ScopedSession,
    mailing_id: UUID,
    by_household: bool,
    states: Sequence[str],
    reasons: Sequence[str] | None,
    since: datetime | None,
    days: int,
) -> Matched:
    scope = s.scope
    piece, home, purchase = table_alias(Piece), table_alias(Address), table_alias(Purchase)
    source, customer = standing.joined(scope, piece)
    household: Any = piece.c.household_id if by_household else sa.null()
    unit = sa.func.coalesce(household, customer, type_=sa.Uuid())
    at: Any = piece.c.sent_at if since is None else sa.literal(since, piece.c.sent_at.type)
    query = (
        sa.select(unit.label("unit"), customer.label("customer_id"), sa.func.min(at).label("at"))
        .select_from(source)
        .where(*scope.owns(piece), piece.c.mailing_id == mailing_id, piece.c.state.in_(states))
        .group_by(unit, customer)
    )
    if reasons is not None:
        query = query.where(piece.c.reason.in_(reasons))
    meant = query.cte("meant")
    people = sa.select(meant.c.unit, meant.c.customer_id, meant.c.at)
    if by_household:
        others = sa.select(meant.c.unit, home.c.customer_id, meant.c.at).join(
            home,
            sa.and_(
                home.c.household_id == meant.c.unit,
                home.c.valid_to.is_(None),
                *scope.owns(home),
            ),
        )
        asked: Any = sa.union(people, others).cte("asked")
    else:
        asked = people.cte("asked")
    bought, buyer = standing.joined(scope, purchase)
    last = _after(s, asked.c.at, days)
    receipts = (
        sa.select(
            asked.c.unit,
            purchase.c.id,
            (purchase.c.total_minor - purchase.c.returned_minor).label("spent"),
        )
        .select_from(bought.join(asked, asked.c.customer_id == buyer))
        .where(
            *scope.owns(purchase),
            purchase.c.occurred_at > asked.c.at,
            purchase.c.occurred_at <= last,
            sa.or_(purchase.c.returned_minor < purchase.c.total_minor, purchase.c.total_minor == 0),
        )
        .distinct()
        .cte("receipts")
    )
    with by_sets(s):
        units = s.scalar(sa.select(sa.func.count(sa.distinct(meant.c.unit)))) or 0
        responded, purchases, spent = s.execute(
            sa.select(
                sa.func.count(sa.distinct(receipts.c.unit)),
                sa.func.count(receipts.c.id),
                sa.cast(sa.func.coalesce(sa.func.sum(receipts.c.spent), 0), sa.BigInteger()),
            )
        ).one()
    return Matched(units, responded, purchases, spent)


def _after(s: ScopedSession, at: Any, days: int) -> Any:
    """A moment so many days later, as the database counts."""
    if s.dialect == "sqlite":
        # Milliseconds; what is kept has six digits behind the point, and is compared as text.
        return sa.func.strftime("%Y-%m-%d %H:%M:%f", at, f"+{days} days").concat("999")
    return at + sa.literal(timedelta(days=days), sa.Interval())
