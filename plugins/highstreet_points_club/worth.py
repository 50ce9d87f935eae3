"""What points are worth in money: as much as the reward gives that gives most for one. Pure."""

from __future__ import annotations

from highstreet_points_club.programme import Programme, RewardRule


def dearest(programme: Programme) -> RewardRule | None:
    """The reward that gives most for a point: money off if there is any, else what has a worth."""
    valued = [one for one in programme.rewards if one.value_minor]
    money = [one for one in valued if one.kind == "money"]
    return max(money or valued, key=lambda one: one.value_minor / one.points, default=None)


def of(programme: Programme, points: int) -> int | None:
    """What points cost at most, in minor units; None where no reward says."""
    rule = dearest(programme)
    return None if rule is None else points * rule.value_minor // rule.points
