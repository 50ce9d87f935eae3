"""What dispatch calls, worked out once per hook and set of enabled tools."""

from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct

from highstreet.host.spec import Call, Hook

if TYPE_CHECKING:
    from highstreet.host.registry import Host


class Answer(NamedTuple):
    """What one tool gave."""

    plugin: str
    value: Any


class Plan(NamedTuple):
    """A hook with the calls to make, in order, and the tools that will owe their part.

    budget: seconds that each may take. seconds: that PostgreSQL may work on one statement of it.
    """

    hook: Hook
    names: frozenset[str]
    calls: tuple[Call, ...]
    owing: tuple[str, ...]
    budget: float
    seconds: float


class Active(Struct, frozen=True):
    """One set of enabled tools and the plans made for it; stores with the same set share it.

    paused: only a pause keeps them off. away: they did not load; missed: and would be on.
    """

    names: frozenset[str]
    paused: frozenset[str]
    plans: dict[str, Plan]
    away: frozenset[str] = frozenset()
    missed: frozenset[str] = frozenset()


#: A brand whose every store is unlike the others must not fill the memory with plans.
MOST_ACTIVES = 4096


def active_for(
    host: "Host",
    names: frozenset[str],
    paused: frozenset[str],
    away: frozenset[str] = frozenset(),
    missed: frozenset[str] = frozenset(),
) -> Active:
    """The shared entry for a set of tools."""
    key = (names, paused, away, missed, host.epoch)
    found = host.actives.get(key)
    if found is None:
        if len(host.actives) >= MOST_ACTIVES:
            host.actives.clear()
        found = host.actives[key] = Active(names, paused, {}, away, missed)
    return found


def plan_for(host: "Host", active: Active, name: str) -> Plan:
    """Make and keep the plan of a hook. Raises KeyError for a hook that no room declared."""
    hook = host.hooks[name]
    by_plugin = host.calls.get(name, {})
    if hook.winddown:
        called = frozenset(host.plugins)  # obligations do not end when a tool is switched off
    elif hook.kind in ("veto", "all"):
        called = active.names | active.paused  # a check that faults put to rest would fail open
    else:
        called = active.names
    # Tools stand in the order they depend, and sorting keeps it.
    calls = sorted(
        (by_plugin[p] for p in host.plugins if p in by_plugin and p in called),
        key=lambda call: call.order,
    )
    # Nobody knows which hooks a tool answers that did not load. What it does not answer is dropped
    # when it is back.
    owing: list[str] = []
    if hook.retry is not None:
        owing += (p for p in host.plugins if p in by_plugin and p in active.paused - called)
        owing += sorted(active.away if hook.winddown else active.missed)
    plan = Plan(
        hook,
        frozenset(hook.arguments),
        tuple(calls),
        tuple(owing),
        (host.slow_ms if hook.budget_ms is None else hook.budget_ms) / 1000,
        host.query_seconds,
    )
    active.plans[name] = plan
    return plan
