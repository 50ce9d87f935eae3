"""What a tool that was uninstalled owes when it comes back: obligations go on without it.

Goods were returned, records merged and people erased meanwhile, and its rows know nothing of it.
The rooms say from their own rows what the tool would have heard of; it is owed and done at once.
"""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet import host as hosts
from highstreet.host import owed, retry
from highstreet.host.models import PluginOwed
from highstreet_tenants.models import Brand
from highstreet_tenants.scopes import Actor, Scope
from highstreet_tenants.sessions import ScopedSession, Tenancy


def catch_up(tenancy: Tenancy, plugin: str, since: datetime, actor: Actor) -> dict[str, int]:
    """Let a tool do in every brand what it missed since a moment (aware); gives `retry.settle`'s
    counts.

    A part that fails stays owed and is tried again by a job, as any other. All of it is written
    down before any of it is done: whoever is killed meanwhile may begin again as long as the tool's
    rows are as they came, and afterwards the jobs do the rest.
    """
    with tenancy.control() as c:
        brands = c.scalars(sa.select(Brand.id)).all()
    nodes: dict[UUID, list[UUID | None]] = {}
    for brand in brands:
        with tenancy.session(Scope.operator(brand, actor), write=True) as s:
            nodes[brand] = _owe(s, plugin, since)
    done: dict[str, int] = {}
    for brand, places in nodes.items():
        for node in places:
            while True:
                with tenancy.session(Scope.operator(brand, actor), write=True) as s:
                    outcome = retry.settle(s, plugin, node)
                for how, count in outcome.items():
                    done[how] = done.get(how, 0) + count
                if not outcome["done"]:
                    break
    return done


def _owe(s: ScopedSession, plugin: str, since: datetime) -> list[UUID | None]:
    """Write down what was missed, in the order it happened; gives where."""
    host = hosts.of(s)
    missed = [
        (one, hook.name)
        for hook in host.hooks.values()
        if hook.missed is not None and plugin in host.calls.get(hook.name, {})
        for one in hook.missed(s, since)
    ]
    missed.sort(key=lambda pair: pair[0].at)
    known = _written(s, plugin, since)
    for one, hook in missed:
        key = _key(hook, one.store_id or s.scope.brand_id, one.arguments)
        if known[key] > 0:
            known[key] -= 1  # by a run that was killed, or while its tables were away
        else:
            owed.write(s, hook, plugin, one.store_id, one.arguments)
    return list(dict.fromkeys(one.store_id for one, _hook in missed))


def _written(s: ScopedSession, plugin: str, since: datetime) -> Counter[tuple[str, UUID, str]]:
    """What the tool has been owed since a moment, done or not."""
    query = sa.select(PluginOwed.hook, PluginOwed.node_id, PluginOwed.arguments).where(
        PluginOwed.plugin == plugin, PluginOwed.owed_at >= since
    )
    return Counter(_key(*row) for row in s.execute(query))


def _key(hook: str, node: UUID, arguments: Mapping[str, Any]) -> tuple[str, UUID, str]:
    return hook, node, json.dumps(arguments, sort_keys=True)
