"""How often each tool's hooks were called, how long they took and how often they failed.

Counted in memory, place by place, and added up into `core_plugin_use` about once a minute, for a
request must not write a row for it. So what was counted since is lost with a process that is killed
(kill -9, out of memory); one that ends by itself writes it first.

A count needs no lock: Python changes threads between two calls, never within `calls += 1`.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import cast
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet import host as hosts
from highstreet.host import state
from highstreet.host.models import PluginUse
from highstreet.host.snapshot import Place
from highstreet_tenants import clock
from highstreet_tenants.sessions import ScopedSession

_KEPT = "host.counts"
_use = cast(sa.Table, PluginUse.__table__)


class Tally:
    """One hook of one tool in one place. seconds: all calls together; slowest: the longest."""

    __slots__ = ("calls", "failures", "seconds", "slowest")

    def __init__(self) -> None:
        self.calls = 0
        self.failures = 0
        self.seconds = 0.0
        self.slowest = 0.0

    def add(self, seconds: float, calls: int = 1, failures: int = 0) -> None:
        """Count a call that took so long. The hot loops of `dispatch` do the same in place."""
        self.calls += calls
        self.failures += failures
        self.seconds += seconds
        if seconds > self.slowest:
            self.slowest = seconds


class Tallies(dict[str, Tally]):
    """Of one hook, by tool."""

    def __missing__(self, plugin: str) -> Tally:
        return self.setdefault(plugin, Tally())


class Sheet(dict[str, Tallies]):
    """Of one place between two turns, by hook. turn: which; see `Counts`."""

    __slots__ = ("place", "turn")

    def __init__(self, place: Place, turn: int) -> None:
        super().__init__()
        self.place, self.turn = place, turn

    def __missing__(self, hook: str) -> Tallies:
        return self.setdefault(hook, Tallies())


class Counts:
    """All sheets of a process.

    A turn later nobody begins to count on a sheet, another turn later nobody counts on it any more:
    only then is it taken away to be written.
    """

    def __init__(self) -> None:
        self.turn = 0
        self._now: list[Sheet] = []
        self._before: list[Sheet] = []

    def sheet(self, place: Place) -> Sheet:
        """A new sheet."""
        made = Sheet(place, self.turn)
        self._now.append(made)
        return made

    def take(self, *, everything: bool = False) -> list[Sheet]:
        """The sheets of the turn before the last, or, where the process ends, all of them."""
        self.turn += 1
        taken, self._before, self._now = self._before, self._now, []
        if everything:
            taken, self._before = [*taken, *self._before], []
        return taken

    def give_back(self, sheets: Sequence[Sheet]) -> None:
        """They could not be written: next time."""
        self._before.extend(sheets)


def on(s: ScopedSession, here: state.Here) -> Sheet:
    """The sheet of a place, for `Here.sheet`: made once per place and turn."""
    counts = hosts.of(s).counts
    found: Sheet | None = here.kept.get(_KEPT)
    if found is None or found.turn != counts.turn:
        found = here.kept[_KEPT] = counts.sheet(here.place)
    here.sheet = found
    return found


def failed(s: ScopedSession, plugin: str, hook: str, store_id: UUID | None, seconds: float) -> None:
    """Count a call that failed."""
    try:
        here = state.here(s, store_id)
    except Exception:  # the session is beyond asking; the fault itself is written down elsewhere
        return
    on(s, here)[hook][plugin].add(seconds, failures=1)


class Use(Struct, frozen=True):
    """A hook of a tool in the last days, in milliseconds."""

    hook: str
    calls: int
    failures: int
    mean_ms: float
    slowest_ms: float


def used(s: ScopedSession, plugin: str, days: int, store_id: UUID | None = None) -> list[Use]:
    """What the hooks of a tool cost in the last so many days (today is one), most calls first: in
    a store, or, in a brand's scope, in all of it."""
    calls = sa.func.sum(_use.c.calls)
    rows = s.execute(
        sa.select(
            _use.c.hook,
            calls,
            sa.func.sum(_use.c.failures),
            sa.func.sum(_use.c.seconds),
            sa.func.max(_use.c.slowest),
        )
        .where(*_in_days(s, plugin, days, store_id))
        .group_by(_use.c.hook)
        .order_by(calls.desc(), _use.c.hook)
    ).all()
    return [
        Use(
            row[0],
            int(row[1]),
            int(row[2]),
            float(row[3]) / max(int(row[1]), 1) * 1000,
            float(row[4]) * 1000,
        )
        for row in rows
    ]


def failing(s: ScopedSession, plugin: str, days: int, most: int = 10) -> list[tuple[UUID, int]]:
    """The stores (or the brand itself) in which a tool failed oftenest in the last so many days,
    and how often."""
    failures = sa.func.sum(_use.c.failures)
    rows = s.execute(
        sa.select(_use.c.node_id, failures)
        .where(*_in_days(s, plugin, days, None), _use.c.failures > 0)
        .group_by(_use.c.node_id)
        .order_by(failures.desc(), _use.c.node_id)
        .limit(most)
    ).all()
    return [(row[0], int(row[1])) for row in rows]


def _in_days(
    s: ScopedSession, plugin: str, days: int, store_id: UUID | None
) -> list[sa.ColumnElement[bool]]:
    node = store_id or s.scope.store_id
    today = clock.business_date(clock.now(), state.place(s, store_id).zone)
    where = [
        *s.scope.owns(_use),
        _use.c.plugin == plugin,
        _use.c.day > today - timedelta(days=days),
    ]
    return where if node is None else [*where, _use.c.node_id == node]
