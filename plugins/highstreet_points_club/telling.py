"""Telling others' programmes what the ledger did. Where nobody listens each costs a look or two
into a dictionary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any
from uuid import UUID

from highstreet.sdk import Ctx, Happened, Statement, own
from highstreet_points_club import notices
from highstreet_points_club.events import (
    ADJUSTED,
    EARNED,
    ENDED,
    EXPIRED,
    READY,
    REDEEMED,
    TAKEN_BACK,
)

if TYPE_CHECKING:
    from highstreet_points_club.accounts import Locked
    from highstreet_points_club.due import Due
    from highstreet_points_club.issuing import Issued
    from highstreet_points_club.writing import Change

#: Entries that are told as points earned, and why they were.
_WHY = {
    "earn": "purchase",
    "welcome": "welcome",
    "birthday": "birthday",
    "opening": "opening",
    "revive": "revived",
}
_OTHERS = {"reverse_earn": TAKEN_BACK, "adjust": ADJUSTED, "expire": EXPIRED}
_Said = tuple[str, Happened]

# What a till holds for a moment was never told as ready.
_AUTOMATIC_SQL = (
    f"SELECT r.id FROM points_club_reward AS r WHERE r.id {{}} AND r.automatic AND {own('r')}"
)
_AUTOMATIC = Statement(
    _AUTOMATIC_SQL.format("IN (SELECT value FROM json_each(:ids))"),
    postgresql=_AUTOMATIC_SQL.format("= ANY(:ids)"),
    types={"id": UUID},
)


def written(ctx: Ctx, changes: Sequence[Change]) -> None:
    """What the entries of steps say, in their order."""
    wanted = {one for one in (EARNED, TAKEN_BACK, ADJUSTED, EXPIRED) if ctx.events.wanted(one)}
    ended = ctx.events.wanted(ENDED)
    if not wanted and not ended:
        return
    released = _released(ctx, changes) if ended else frozenset()
    said: list[_Said] = []
    for change in changes:
        if change.account.customer_id is not None:
            said += _of_step(change, released)
    for name, run in groupby((one for one in said if one[0] in wanted or one[0] == ENDED), _name):
        ctx.events.publish_many(name, [happened for _named, happened in run])


def at_till(ctx: Ctx, due: Due, balance: int) -> None:
    """A purchase earned points on the till's short way."""
    if ctx.events.wanted(EARNED):
        data = {
            "customer_id": due.customer_id,
            "points": due.points,
            "balance": balance,
            "why": "purchase",
            "purchase_id": due.purchase.id,
        }
        store_id, at = due.purchase.store_id, due.purchase.occurred_at
        ctx.events.publish_many(EARNED, [Happened(store_id, at, data)])


def issued(ctx: Ctx, rewards: Iterable[tuple[Issued, Locked, UUID | None]]) -> None:
    """Rewards came by themselves, or were taken at once; each with its account and the store."""
    rewards = list(rewards)
    notices.waiting(ctx, rewards)
    if not (ctx.events.wanted(READY) or ctx.events.wanted(REDEEMED)):
        return
    ready: list[Happened] = []
    taken: list[Happened] = []
    for reward, account, store_id in rewards:
        if reward.status == "redeemed":
            taken += _of_reward(reward, account, store_id, purchase_id=reward.purchase_id)
        elif reward.automatic:
            ready += _of_reward(reward, account, store_id, ends_at=reward.ends_at)
    ctx.events.publish_many(READY, ready)
    ctx.events.publish_many(REDEEMED, taken)


def ended(ctx: Ctx, reward_id: UUID, account: Locked, how: str, where: UUID | None) -> None:
    """A reward lapsed, or was given back. where: the store, None if the calendar did it."""
    if account.customer_id is not None and ctx.events.wanted(ENDED):
        data = {"customer_id": account.customer_id, "reward_id": reward_id, "how": how}
        here = where or account.owner_id
        ctx.events.publish_many(ENDED, [Happened(here, ctx.now(), data)])


def _name(said: _Said) -> str:
    return said[0]


def _of_step(change: Change, released: frozenset[UUID]) -> Iterator[_Said]:
    account, cause, step = change
    where = cause.store_id or account.owner_id
    balance = step.state.balance - sum(entry.points for entry in step.entries)
    for entry in step.entries:
        balance += entry.points
        who = {"customer_id": account.customer_id}
        if entry.kind == "release" and entry.reverses_id in released:
            gone = {"reward_id": entry.reverses_id, "how": "released"}
            yield ENDED, Happened(where, cause.recorded_at, who | gone)
        data: dict[str, Any] = who | {"points": entry.points, "balance": balance}
        mine = entry.kind == cause.kind
        if entry.kind in _WHY:
            purchase_id = cause.purchase_id if mine else None
            data |= {"why": _WHY[entry.kind], "purchase_id": purchase_id}
            yield EARNED, Happened(where, entry.at, data)
        elif entry.kind in _OTHERS and entry.points:
            if entry.kind != "adjust":
                data["points"] = -entry.points
            if entry.kind == "reverse_earn":
                data["purchase_id"] = cause.purchase_id
            yield _OTHERS[entry.kind], Happened(where, entry.at, data)


def _of_reward(
    reward: Issued, account: Locked, store_id: UUID | None, **more: Any
) -> Iterator[Happened]:
    if account.customer_id is None:
        return
    data = {
        "customer_id": account.customer_id,
        "reward_id": reward.id,
        "key": reward.key,
        "name": reward.name,
        "kind": reward.kind,
        "points": reward.points,
        "value_minor": reward.value_minor,
        "currency": reward.currency,
        **more,
    }
    at = reward.redeemed_at or reward.issued_at
    yield Happened(store_id or account.owner_id, at, data)


def _released(ctx: Ctx, changes: Sequence[Change]) -> frozenset[UUID]:
    """Rewards that came by themselves and whose points went back, among those of the steps."""
    ids = [
        entry.reverses_id
        for change in changes
        for entry in change.step.entries
        if entry.kind == "release"
    ]
    return frozenset(row[0] for row in _AUTOMATIC(ctx.s, ids=ids)) if ids else frozenset()
