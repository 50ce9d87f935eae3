"""Sees from time to time what tools owe, and gives what can be done to jobs.

Whatever made a part wait (a fault, a pause, a policy, an update that broke the tool, a process that
was killed), somebody looks again: so nobody who switches a tool on needs to know what it owes. It
reads an index of what is owed and due, and nothing where nothing is.
"""

from collections.abc import Iterator
from datetime import timedelta
from time import monotonic
from uuid import UUID

import sqlalchemy as sa

from highstreet import host as hosts
from highstreet.host import faults, gating, owed
from highstreet.host.owed import TABLE
from highstreet_tenants import clock
from highstreet_tenants.models import Brand
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import ScopedSession, Tenancy

EVERY = 20.0
"""Seconds between two looks."""

PURGE_EVERY = 3600.0

KEEP = timedelta(days=30)
"""How long settled parts stay."""

KEEP_FAULTS = timedelta(days=90)


class Handing:
    """Call it about every second; it knows itself what is due. Any number may run at once."""

    def __init__(self, tenancy: Tenancy) -> None:
        self._tenancy = tenancy
        self._looked = -EVERY
        self._purged = -PURGE_EVERY

    def __call__(self) -> None:
        if monotonic() - self._looked >= EVERY:
            self._looked = monotonic()
            self.look()
        if monotonic() - self._purged >= PURGE_EVERY:
            self._purged = monotonic()
            self.purge()

    def look(self) -> int:
        """Give what is due, and can be done now, to jobs; gives the number of parts."""
        handed = 0
        for scope in self._scopes():
            with self._tenancy.session(scope) as s:
                ready = list(_ready(s))
            if ready:
                with self._tenancy.session(scope, write=True) as s:
                    handed += sum(owed.hand(s, *one) for one in ready)
        return handed

    def purge(self) -> None:
        """Throw away what was settled, and faults, long ago."""
        at = clock.now()
        for scope in self._scopes():
            with self._tenancy.session(scope, write=True) as s:
                s.execute(
                    sa.delete(TABLE).where(*s.scope.owns(TABLE), TABLE.c.settled_at < at - KEEP)
                )
                faults.purge(s, at - KEEP_FAULTS)

    def _scopes(self) -> Iterator[Scope]:
        with self._tenancy.control() as c:
            ids = c.scalars(sa.select(Brand.id)).all()
        return map(Scope.operator, ids)


def _ready(s: ScopedSession) -> Iterator[tuple[str, UUID | None, list[str]]]:
    """(tool, store, hooks) of parts that are due and whose tool works there."""
    host = hosts.of(s)
    due = s.execute(
        sa.select(TABLE.c.plugin, TABLE.c.node_id, TABLE.c.hook)
        .where(*s.scope.owns(TABLE), TABLE.c.outcome.is_(None), TABLE.c.due_at <= clock.now())
        .distinct()
    ).all()
    nodes: dict[str, dict[UUID, list[str]]] = {}
    for row in due:
        if row.plugin in host.plugins:
            nodes.setdefault(row.plugin, {}).setdefault(row.node_id, []).append(row.hook)
    for plugin, hooks_at in nodes.items():
        on = gating.stores_on(s, plugin, list(hooks_at))
        for node, names in hooks_at.items():
            hooks = sorted(
                name
                for name in names
                if node in on or name not in host.hooks or host.hooks[name].winddown
            )
            if hooks:
                yield plugin, None if node == s.scope.brand_id else node, hooks
