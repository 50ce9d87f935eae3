"""What the calendar does: points and rewards end, also those of members who stay away, and pending
points become active."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from highstreet.sdk import Ctx, Statement, new_id, own
from highstreet.sdk import lazy_gettext as _l
from highstreet_points_club import accounts, issuing, ledger, rewards, rules, story, telling
from highstreet_points_club.writing import Cause, Change, write

CHUNK = 500
"""Accounts per transaction."""
_LOOK_BACK = timedelta(days=7)

_TYPES: dict[str, type] = {"account_id": UUID, "id": UUID}
_EXPIRED = Statement(
    "SELECT DISTINCT l.account_id FROM points_club_lot AS l"
    f" WHERE l.expires_at <= :at AND l.remaining <> 0 AND {own('l')} LIMIT :most",
    types=_TYPES,
)
# A member stayed away too long: the account's own day has passed.
_AWAY = Statement(
    "SELECT a.id FROM points_club_account AS a"
    f" WHERE a.idle_at <= :at AND {own('a')} ORDER BY a.idle_at LIMIT :most",
    types=_TYPES,
)
_ENDED = Statement(
    "SELECT r.account_id, r.id FROM points_club_reward AS r"
    f" WHERE r.ends_at <= :at AND r.status = 'issued' AND {own('r')} ORDER BY r.id LIMIT :most",
    types=_TYPES,
)
_ACTIVE_NOW = Statement(
    "SELECT DISTINCT l.account_id FROM points_club_lot AS l"
    " JOIN points_club_account AS a ON a.brand_id = l.brand_id AND a.id = l.account_id"
    " WHERE l.activates_at > :since AND l.activates_at <= :at AND l.remaining <> 0"
    f" AND l.at_store_id = :at_store AND a.balance >= :least AND {own('l')} AND {own('a')}"
    " ORDER BY l.account_id LIMIT :most",
    types=_TYPES,
)


class Swept(NamedTuple):
    """What a sweep did. more: there is more to do."""

    accounts: int
    points: int
    rewards_ended: int
    rewards_issued: int
    more: bool


def sweep(ctx: Ctx, *, limit: int = CHUNK) -> Swept:
    """Book points that expired and rewards that ended, and issue what pending points now reach.

    Nothing depends on when this runs: what has expired can't be spent before it is booked. At most
    `limit` accounts and as many rewards at a time.
    """
    s, at = ctx.s, ctx.now()
    ended = _ENDED(s, at=at, most=limit)
    expired = [row[0] for row in _EXPIRED(s, at=at, most=limit)]
    away = [row[0] for row in _AWAY(s, at=at, most=limit)]
    due = sorted({*expired, *away})
    active = _active(ctx, at, limit)
    # All in one go and in order, or this and an import could wait for each other.
    accounts.lock(s, {*(row[0] for row in ended), *due, *active})
    _end_rewards(ctx, [row[1] for row in ended], at)
    points = _expire(ctx, due, at) if due else 0
    issued = _issue(ctx, active, at)
    more = limit in (len(ended), len(expired), len(away))
    return Swept(len(due), points, len(ended), issued, more)


def _expire(ctx: Ctx, due: Sequence[UUID], at: datetime) -> int:
    s = ctx.s
    locked = accounts.lock(s, due)
    place = rules.place(ctx)
    cause = Cause("expire", None, place.zone, ctx.scope.actor, at)
    changes, events = [], []
    points = 0
    for account_id, state in accounts.states(s, list(locked.values())).items():
        step = ledger.expire(state, at, new_id)
        account = locked[account_id]
        if step.state.idle_at != account.idle_at or step.entries:
            changes.append(Change(account, cause, step))
        if not step.entries:
            continue
        lost = -sum(entry.points for entry in step.entries)
        points += lost
        events.append(
            story.Event(
                account, None, "points-lapsed", _l("Points lapsed: %(points)s"),
                step.entries[-1].at, step.entries[-1].id, {"points": lost},
            )
        )  # fmt: skip
    write(ctx, changes)
    story.tell_many(ctx, events)
    return points


def _end_rewards(ctx: Ctx, due: Sequence[UUID], at: datetime) -> None:
    for reward_id in due:
        reward, account = rewards.locked(ctx, reward_id)
        if reward.status != "issued" or reward.usable(at):
            continue
        if reward.automatic:
            issuing.close(ctx.s, reward.id, "lapsed", at)
            told = _l("Reward ended unused: %(reward)s")
            event = story.Event(
                account, None, "reward-lapsed", told, at, reward.id, {"reward": reward.name}
            )
            story.tell_many(ctx, [event])
            telling.ended(ctx, reward.id, account, "lapsed", None)
        else:
            rewards.let_go(ctx, account, reward, at)


def _active(ctx: Ctx, at: datetime, limit: int) -> list[UUID]:
    """Accounts that points of this store, pending until lately, may bring an automatic reward."""
    programme, at_store = rules.programme(ctx), ctx.store_id
    automatic = programme.automatic
    if automatic is None or not programme.pending_days or at_store is None:
        return []
    rows = _ACTIVE_NOW(
        ctx.s, at=at, since=at - _LOOK_BACK, at_store=at_store, least=automatic.points, most=limit
    )
    return [row[0] for row in rows]


def _issue(ctx: Ctx, due: Sequence[UUID], at: datetime) -> int:
    programme, place = rules.programme(ctx), rules.place(ctx)
    return sum(
        len(issuing.issue_automatic(ctx, account_id, programme, place, at)[1]) for account_id in due
    )
