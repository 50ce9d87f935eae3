"""What a store that closes still owes: points that it gave, and rewards that wait with them."""

from __future__ import annotations

from collections.abc import Iterator

from highstreet.sdk import Ctx, Owed
from highstreet.sdk import gettext as _
from highstreet.sdk import lazy_gettext as _l
from highstreet_points_club import rules, totals, worth


def owed(ctx: Ctx) -> Iterator[Owed]:
    """Both, where there are any, in the store of `ctx`."""
    store_id, at = ctx.store_id, ctx.now()
    if store_id is None:
        return
    points = totals.open_points(ctx.s, store_id, at)
    if points is not None:
        many, note = points.many, ""
        programme = rules.programme(ctx)
        rule = worth.dearest(programme)
        if many is not None and rule is not None:
            note = _("Worth by the reward that gives most for a point: %(reward)s.",
                     reward=rule.name)  # fmt: skip
        minor = None if many is None else worth.of(programme, many)
        yield Owed(_l("Points not yet spent"), many, points.people, minor, note)
    rewards = totals.waiting(ctx.s, store_id, at, ctx.store().currency)
    if rewards is not None:
        note = ""
        if ctx.brand.customers == "brand":
            note = _("A reward with points of several stores counts here with this store’s share.")
        yield Owed(
            _l("Rewards given and not yet handed over"),
            rewards.many,
            rewards.people,
            rewards.minor or None,
            note,
        )
