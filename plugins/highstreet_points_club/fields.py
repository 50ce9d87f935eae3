"""What others may know of a member's points, by name.

As the ledger stands: what has ended is left out though the sweep has not come by. (A reward that
was held and not fetched gives its points back with the sweep, within the day.)
"""

from typing import Any, cast

import sqlalchemy as sa

from highstreet.sdk import Ctx, CustomerField
from highstreet.sdk import lazy_gettext as _l
from highstreet_points_club.models import Account, Lot, Reward

_LOT = cast(sa.Table, Lot.__table__)


def _ended(now: Any) -> sa.ColumnElement[bool]:
    idle = sa.and_(Lot.idle, Account.idle_at.is_not(None), Account.idle_at <= now)
    return sa.or_(sa.and_(Lot.expires_at.is_not(None), Lot.expires_at <= now), idle)


def _lots(ctx: Ctx, *what: Any) -> sa.Select[*tuple[Any, ...]]:
    """Members with their open lots; without a lot, NULL in its place."""
    return (
        sa.select(Account.customer_id, *what)
        .select_from(Account)
        .outerjoin(
            Lot,
            sa.and_(
                Lot.brand_id == Account.brand_id,
                Lot.account_id == Account.id,
                Lot.remaining != 0,
                *ctx.scope.owns(_LOT),  # what the ORM adds by itself does not reach every shape
            ),
        )
        .where(Account.customer_id.is_not(None))
        .group_by(Account.brand_id, Account.id, Account.customer_id)
    )


def _sum(which: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    counted = sa.func.sum(sa.case((which, Lot.remaining), else_=0))
    return sa.cast(sa.func.coalesce(counted, 0), sa.BigInteger())


def _balance(ctx: Ctx) -> sa.Select[*tuple[Any, ...]]:
    return _lots(ctx, Account.balance - _sum(_ended(ctx.now()))).group_by(Account.balance)


def _spendable(ctx: Ctx) -> sa.Select[*tuple[Any, ...]]:
    now = ctx.now()
    active = sa.or_(Lot.activates_at.is_(None), Lot.activates_at <= now)
    return _lots(ctx, _sum(sa.and_(active, sa.not_(_ended(now)))))


def _pending(ctx: Ctx) -> sa.Select[*tuple[Any, ...]]:
    now = ctx.now()
    return _lots(ctx, _sum(sa.and_(Lot.activates_at > now, sa.not_(_ended(now)))))


def _lapses_at(ctx: Ctx) -> sa.Select[*tuple[Any, ...]]:
    now = ctx.now()
    ends = sa.case(
        (sa.and_(Lot.idle, sa.or_(Lot.expires_at.is_(None), Account.idle_at < Lot.expires_at)),
         Account.idle_at),
        else_=Lot.expires_at,
    )  # fmt: skip
    return _lots(ctx, sa.func.min(sa.case((sa.not_(_ended(now)), ends)), type_=Lot.expires_at.type))


def _rewards(ctx: Ctx) -> sa.Select[*tuple[Any, ...]]:
    now = ctx.now()
    return (
        sa.select(Account.customer_id, sa.func.count(Reward.id))
        .join(
            Reward,
            sa.and_(Reward.brand_id == Account.brand_id, Reward.account_id == Account.id),
        )
        .where(
            Account.customer_id.is_not(None),
            Reward.status == "issued",
            sa.or_(Reward.ends_at.is_(None), Reward.ends_at > now),
        )
        .group_by(Account.customer_id)
    )


def _since(_ctx: Ctx) -> sa.Select[*tuple[Any, ...]]:
    return sa.select(Account.customer_id, Account.opened_at).where(Account.customer_id.is_not(None))


FIELDS = (
    CustomerField("points_club.balance", _l("Points"), "points", _balance),
    CustomerField("points_club.spendable", _l("Points to spend now"), "points", _spendable),
    CustomerField("points_club.pending", _l("Points that count later"), "points", _pending),
    CustomerField("points_club.lapses_at", _l("Next points lapse"), "moment", _lapses_at),
    CustomerField("points_club.rewards", _l("Rewards waiting"), "number", _rewards),
    CustomerField("points_club.since", _l("In the points club since"), "moment", _since),
)
