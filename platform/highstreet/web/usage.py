"""How a tool is doing: what its hooks cost and how often they fail, for a store and head office."""

from uuid import UUID

from msgspec import Struct

from highstreet import host as hosts
from highstreet.host import counts
from highstreet_tenants.sessions import ScopedSession

WEEK = 7


class Line(Struct, frozen=True):
    """One hook, or job that failed. today, calls, failures: of the day, of the week, of the week.

    slow: its slowest call took longer than a hook may.
    """

    where: str
    today: int
    calls: int
    failures: int
    mean_ms: float
    slowest_ms: float
    slow: bool


def lines(s: ScopedSession, tool: str) -> list[Line]:
    """The tool's hooks in the session's place, those called oftenest first."""
    today = {one.hook: one.calls for one in counts.used(s, tool, 1)}
    return [
        Line(
            one.hook,
            today.get(one.hook, 0),
            one.calls,
            one.failures,
            one.mean_ms,
            one.slowest_ms,
            one.slowest_ms > _budget(s, one.hook),
        )
        for one in counts.used(s, tool, WEEK)
    ]


def failing(s: ScopedSession, tool: str) -> list[tuple[UUID, int]]:
    """Where it failed oftenest this week, and how often."""
    return counts.failing(s, tool, WEEK)


def _budget(s: ScopedSession, name: str) -> float:
    host = hosts.of(s)
    hook = host.hooks.get(name)
    return host.slow_ms if hook is None or hook.budget_ms is None else hook.budget_ms
