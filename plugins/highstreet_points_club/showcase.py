"""What the points club shows in a demonstration: rewards handed over, and what it did in sums."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from highstreet.sdk import Ctx, Sums
from highstreet_points_club import rewards, rules
from highstreet_points_club.errors import NotEnoughPoints
from highstreet_points_club.models import Entry, Reward

#: Of the members who could have a reward today, so many a store take one of either kind.
MOST = 2


def day(ctx: Ctx, buyers: Sequence[UUID]) -> None:
    """Let some members take, in this store, rewards that wait for them and money off."""
    if ctx.store_id is None:
        return  # rewards are handed over where members are
    at = ctx.now()
    waiting = ctx.s.scalars(
        sa.select(Reward.id)
        .where(
            *ctx.scope.owns(Reward),
            Reward.issued_store_id == ctx.store_id,
            Reward.status == "issued",
            sa.or_(Reward.ends_at.is_(None), Reward.ends_at > at),
        )
        .order_by(Reward.issued_at.desc(), Reward.id)
        .limit(MOST)
    ).all()
    for reward_id in waiting:
        rewards.redeem(ctx, reward_id)
    money = [
        rule.key
        for rule in rules.programme(ctx).rewards
        if rule.kind == "money" and not rule.automatic
    ]
    taken = 0
    for customer_id in buyers if money else ():
        if taken == MOST:
            break
        try:
            rewards.redeem_now(ctx, customer_id, money[0], ref=f"demo-{customer_id}")
        except NotEnoughPoints:
            continue
        taken += 1


def sums(ctx: Ctx) -> Sums:
    """Points that purchases earned and rewards that came of them, within the session's reach."""
    s = ctx.s
    points = s.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(Entry.points), 0)).where(
            *ctx.scope.owns(Entry), Entry.kind == "earn"
        )
    )
    handed = sa.func.sum(sa.case((Reward.status == "redeemed", 1), else_=0))
    issued, redeemed = s.execute(
        sa.select(sa.func.count(Reward.id), sa.func.coalesce(handed, 0)).where(
            *ctx.scope.owns(Reward)
        )
    ).one()
    return Sums(int(points or 0), int(issued), int(redeemed))
