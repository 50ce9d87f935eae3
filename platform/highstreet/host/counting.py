"""Adds up in a table what `counts` has counted, apart from any request, and tidies the table."""

import atexit
import logging
import os
import threading
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from time import monotonic
from typing import cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from highstreet.host.counts import Counts, Sheet, Tally
from highstreet.host.models import PluginUse
from highstreet_tenants import clock
from highstreet_tenants.errors import NotFound
from highstreet_tenants.ids import new_id
from highstreet_tenants.models import Brand
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import ScopedSession, Tenancy

log = logging.getLogger("highstreet.host")

EVERY = 60.0
"""Seconds between two writings."""

PURGE_EVERY = 3600.0

KEEP = timedelta(days=8)
"""How long a day's counts stay: a week is shown, and days end apart in different zones."""

CHUNK = 500
"""Rows per transaction: SQLite's write lock is held for milliseconds."""

_use = cast(sa.Table, PluginUse.__table__)

Key = tuple[UUID, str, str, date]
"""Node, tool, hook and the node's own day."""


class Counting:
    """Call it about every second (`Upkeep` does); it knows itself what is due. A process without an
    upkeep calls `start` once. Any number of processes may write."""

    def __init__(self, tenancy: Tenancy, counts: Counts) -> None:
        self._tenancy = tenancy
        self._counts = counts
        self._written = monotonic()
        self._purged = -PURGE_EVERY
        self._stop = threading.Event()
        self._writing = threading.Lock()

    def __call__(self) -> None:
        if monotonic() - self._written >= EVERY:
            self.write()
        if monotonic() - self._purged >= PURGE_EVERY:
            self._purged = monotonic()
            self.purge()

    def start(self) -> None:
        """Write from a thread of its own, also in processes that this one forks, and at the end."""
        self._begin()
        os.register_at_fork(after_in_child=self._begin)
        atexit.register(self.end)

    def end(self) -> None:
        """Write all that is left; for the end of the process."""
        self._stop.set()
        self.write(everything=True)

    def write(self, *, everything: bool = False) -> int:
        """Add up what was counted until the turn before; gives the number of rows. Never raises:
        what can't be written now is written next time."""
        with self._writing:
            self._written = monotonic()
            by_brand: dict[UUID, list[Sheet]] = {}
            for sheet in self._counts.take(everything=everything):
                by_brand.setdefault(sheet.place.brand_id, []).append(sheet)
            return sum(self._write_brand(*one) for one in by_brand.items())

    def purge(self) -> None:
        """Throw away the counts of days long gone."""
        before = clock.now().date() - KEEP
        with self._tenancy.control() as c:
            ids = c.scalars(sa.select(Brand.id)).all()
        for scope in map(Scope.operator, ids):
            with self._tenancy.session(scope, write=True) as s:
                s.execute(sa.delete(_use).where(*s.scope.owns(_use), _use.c.day < before))

    def _begin(self) -> None:
        self._writing = threading.Lock()  # another thread may have held it when this one was forked
        threading.Thread(target=self._go_on, name="hook-counts", daemon=True).start()

    def _go_on(self) -> None:
        while not self._stop.wait(EVERY):
            self.write()

    def _write_brand(self, brand_id: UUID, sheets: list[Sheet]) -> int:
        sums = _sums(sheets)
        rows = [_row(brand_id, key, sums[key]) for key in sorted(sums)]  # or two lock each other
        try:
            for start in range(0, len(rows), CHUNK):
                with self._tenancy.session(Scope.operator(brand_id), write=True) as s:
                    _add(s, rows[start : start + CHUNK])
        except NotFound:
            return 0  # the brand is gone
        except Exception as error:
            log.warning("counts of hooks were not written (%s)", type(error).__name__)
            if not start:  # else part of them would count twice
                self._counts.give_back(sheets)
            return 0
        return len(rows)


def _sums(sheets: Iterable[Sheet]) -> dict[Key, Tally]:
    at = clock.now()
    sums: dict[Key, Tally] = {}
    for sheet in sheets:
        day = clock.business_date(at, sheet.place.zone)
        for hook, tallies in list(sheet.items()):
            for plugin, tally in list(tallies.items()):
                total = sums.setdefault((sheet.place.node, plugin, hook, day), Tally())
                slowest = max(total.slowest, tally.slowest)
                total.add(tally.seconds, tally.calls, tally.failures)
                total.slowest = slowest
    return {key: tally for key, tally in sums.items() if tally.calls or tally.failures}


def _row(brand_id: UUID, key: Key, tally: Tally) -> Mapping[str, object]:
    node, plugin, hook, day = key
    return {
        "brand_id": brand_id,
        "id": new_id(),
        "store_id": None if node == brand_id else node,
        "node_id": node,
        "plugin": plugin,
        "hook": hook,
        "day": day,
        "calls": tally.calls,
        "failures": tally.failures,
        "seconds": tally.seconds,
        "slowest": tally.slowest,
    }


def _add(s: ScopedSession, rows: list[Mapping[str, object]]) -> None:
    insert = (postgresql.insert if s.dialect == "postgresql" else sqlite.insert)(_use)
    new = insert.excluded
    s.execute(
        insert.on_conflict_do_update(
            index_elements=["brand_id", "plugin", "node_id", "hook", "day"],
            set_={
                "calls": _use.c.calls + new.calls,
                "failures": _use.c.failures + new.failures,
                "seconds": _use.c.seconds + new.seconds,
                "slowest": sa.case(
                    (new.slowest > _use.c.slowest, new.slowest), else_=_use.c.slowest
                ),
            },
        ),
        rows,
    )
