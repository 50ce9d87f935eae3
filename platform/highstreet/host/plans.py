"""What dispatch calls, worked out once per hook and set of enabled tools."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from highstreet.host.spec import Call, Hook

if TYPE_CHECKING:
    from highstreet.host.registry import Host


class Answer(NamedTuple):
    """What one tool gave."""

    plugin: str
    value: Any


class Plan(NamedTuple):
    """A hook with the calls to make, in order, and the paused tools that will owe their part."""

    hook: Hook
    names: frozenset[str]
    calls: tuple[Call, ...]
    owing: tuple[str, ...]
    budget: float


@dataclass(frozen=True, slots=True)
class Active:
    """One set of enabled tools and the plans made for it; stores with the same set share it."""

    names: frozenset[str]
    paused: frozenset[str]
    plans: dict[str, Plan]


#: A brand whose every store is unlike the others must not fill the memory with plans.
MOST_ACTIVES = 4096


def active_for(host: "Host", names: frozenset[str], paused: frozenset[str]) -> Active:
    """The shared entry for a set of tools."""
    key = (names, paused)
    found = host.actives.get(key)
    if found is None:
        if len(host.actives) >= MOST_ACTIVES:
            host.actives.clear()
        found = host.actives[key] = Active(names, paused, {})
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
    plan = Plan(
        hook,
        frozenset(hook.arguments),
        tuple(calls),
        tuple(
            p
            for p in host.plugins
            if hook.retry is not None and p in by_plugin and p in active.paused - called
        ),
        (host.slow_ms if hook.budget_ms is None else hook.budget_ms) / 1000,
    )
    active.plans[name] = plan
    return plan
