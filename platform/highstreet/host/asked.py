"""A hook asked in a place: its plan there, and what is written down when a tool is too slow."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from highstreet import host as hosts
from highstreet.host import faults, state
from highstreet.host.plans import Plan, plan_for
from highstreet_tenants.sessions import ScopedSession


def plan_in(
    s: ScopedSession, hook: str, store_id: UUID | None, arguments: Mapping[str, Any]
) -> Plan:
    """The hook's plan in a place. Raises TypeError for arguments that the hook does not have."""
    active = state.here(s, store_id).active
    plan = active.plans.get(hook)
    if plan is None:
        plan = plan_for(hosts.of(s), active, hook)
    if arguments.keys() != plan.names:
        raise wrong_arguments(plan, arguments)
    return plan


def node_of(s: ScopedSession, store_id: UUID | None) -> UUID | None:
    """The store that faults and debts of a call belong to; None for head office."""
    return s.scope.store_id if store_id is None else store_id


def slow(s: ScopedSession, plan: Plan, plugin: str, store_id: UUID | None, seconds: float) -> None:
    """Write down that a tool took too long."""
    node = node_of(s, store_id)
    faults.record(
        s,
        faults.of_slowness(plugin, plan.hook.name, node, seconds * 1000, plan.budget * 1000),
    )


def wrong_arguments(plan: Plan, arguments: Mapping[str, Any]) -> TypeError:
    """The error for arguments that the hook does not have."""
    return TypeError(
        f"the hook {plan.hook.name} takes {sorted(plan.names)}, not {sorted(arguments)}"
    )
