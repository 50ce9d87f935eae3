"""Work that comes round by itself, once per store and local day, however many processes ask.

A turn is fired by moving the lane's mark forward and enqueueing the job in one transaction; who
does not move the mark does not enqueue. Stores are looked at only when a turn has begun since the
last look, so a house where nothing is due costs a few comparisons per brand and zone.
"""

from collections.abc import Callable, Iterator, Sequence, Set
from datetime import UTC, datetime, timedelta
from functools import partial
from time import monotonic
from typing import cast
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import orm
from sqlalchemy.dialects import postgresql, sqlite

from highstreet.jobs.models import QUEUED, mark_table
from highstreet.jobs.queue import insert_once, lane_key
from highstreet.jobs.registry import JobHandler, JobRegistry, Periodic
from highstreet_tenants.clock import now, zone
from highstreet_tenants.ids import new_id
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import ScopedSession, Tenancy

Enabled = Callable[[ScopedSession, str, Sequence[UUID]], Set[UUID]]
"""`(s, plugin, lanes)` → those of the stores (or the brand's own id, for its head office) where the
tool is on."""

CHUNK = 500
"""Stores per transaction: SQLite's write lock is held for milliseconds."""

EVERY = 20.0
"""Seconds between two looks at the clock."""

AFRESH = 900.0
"""Seconds after which stores are looked at again though no turn began: for new stores and tools."""

_mark = mark_table
_store = cast(sa.Table, Store.__table__)


class Turn(Struct, frozen=True):
    """One turn of a periodic job in a zone. `slot` orders turns of one job; `due` is UTC."""

    slot: str
    due: datetime


def turn_of(periodic: Periodic, at: datetime, zone_name: str) -> Turn:
    """The latest turn that has begun by `at`.

    Where clocks go forward over its minute, a daily turn begins when that much time has passed all
    the same (02:30 becomes 03:30); where they go back over it, at the first of the two.
    """
    local = at.astimezone(zone(zone_name))
    begins = periodic.minute_of_day()
    if periodic.every == "hour":
        # Elapsed time, not wall time: the repeated hour of autumn is worked twice.
        due = at - timedelta(
            minutes=(local.minute - begins.minute) % 60,
            seconds=local.second,
            microseconds=local.microsecond,
        )
        return Turn(due.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ"), due)
    day = local.date()
    due = datetime.combine(day, begins, local.tzinfo).astimezone(UTC)
    if due > at:
        day -= timedelta(days=1)
        due = datetime.combine(day, begins, local.tzinfo).astimezone(UTC)
    return Turn(day.isoformat(), due)


def everywhere(_s: ScopedSession, _plugin: str, stores: Sequence[UUID]) -> Set[UUID]:
    """Every tool is on in every store; for a house without tools."""
    return set(stores)


class Scheduler:
    """Enqueues periodic work that is due. Any number of them may run at once, in any processes.

    `enabled` says in which stores a tool is on; work that winds down obligations is due anyway, in
    stores that have closed, too.
    """

    def __init__(
        self, tenancy: Tenancy, registry: JobRegistry, enabled: Enabled = everywhere
    ) -> None:
        self._tenancy = tenancy
        self._registry = registry
        self._enabled = enabled
        self._looked = -EVERY
        self._afresh = -AFRESH
        self._zones: dict[UUID, list[str]] = {}
        self._done: dict[tuple[UUID, str, str], str] = {}

    def turn(self) -> int:
        """`tick`, but only if the last was a while ago; call it as often as you like."""
        if monotonic() - self._looked < EVERY:
            return 0
        return self.tick()

    def tick(self, *, afresh: bool = False) -> int:
        """Enqueue what is due now; gives the number of jobs. `afresh`: look at every store."""
        self._looked = monotonic()
        if afresh or self._looked - self._afresh >= AFRESH:
            self._afresh = self._looked
            self._zones.clear()
            self._done.clear()
        work = self._registry.periodic()
        if not work:
            return 0
        with self._tenancy.control() as c:
            brands = c.scalars(sa.select(Brand)).all()
        at = now()
        return sum(self._tick_brand(brand, work, at) for brand in brands)

    def _tick_brand(
        self, brand: Brand, work: Sequence[tuple[Periodic, JobHandler]], at: datetime
    ) -> int:
        scope = Scope.brand(brand)
        if brand.id not in self._zones:
            with self._tenancy.session(scope) as s:
                zones = sa.select(_store.c.zone).where(*s.scope.owns(_store)).distinct()
                self._zones[brand.id] = sorted(s.scalars(zones))
        fired = 0
        for periodic, handler in work:
            zones_of = self._zones[brand.id] if periodic.scope == "store" else [brand.zone]
            for zone_name in zones_of:
                turn = turn_of(periodic, at, zone_name)
                key = (brand.id, periodic.name, zone_name)
                if self._done.get(key, "") >= turn.slot:
                    continue
                late = None if periodic.late is None else turn.due + periodic.late
                if late is None or late > at:
                    fire = partial(_fire, periodic, handler, turn, late)
                    for lanes in self._lanes(scope, periodic, handler, turn, zone_name):
                        with self._tenancy.session(scope, write=True) as s:
                            fired += fire(s, lanes)
                self._done[key] = turn.slot
        return fired

    def _lanes(
        self,
        scope: Scope,
        periodic: Periodic,
        handler: JobHandler,
        turn: Turn,
        zone_name: str,
    ) -> Iterator[list[UUID]]:
        """Stores of the zone (or the brand) whose mark is behind the turn, in chunks."""
        with self._tenancy.session(scope) as s:
            lanes = [scope.brand_id]
            if periodic.scope == "store":
                lanes = list(s.scalars(_behind(scope, periodic, turn, zone_name, handler.winddown)))
            if lanes and handler.plugin is not None and not handler.winddown:
                on = self._enabled(s, handler.plugin, lanes)
                lanes = [lane for lane in lanes if lane in on]
        for start in range(0, len(lanes), CHUNK):
            yield lanes[start : start + CHUNK]


def _behind(
    scope: Scope, periodic: Periodic, turn: Turn, zone_name: str, closed_too: bool
) -> sa.Select[tuple[UUID]]:
    """Stores of a zone whose mark is behind the turn: those that are open, or all."""
    return (
        sa.select(_store.c.id)
        .outerjoin(
            _mark,
            sa.and_(
                _mark.c.brand_id == _store.c.brand_id,
                _mark.c.lane == _store.c.id,
                _mark.c.name == periodic.name,
            ),
        )
        .where(
            *scope.owns(_store),
            sa.true() if closed_too else _store.c.status == "open",
            _store.c.zone == zone_name,
            sa.or_(_mark.c.slot.is_(None), _mark.c.slot < turn.slot),
        )
        .order_by(_store.c.id)
    )


def _fire(
    periodic: Periodic,
    handler: JobHandler,
    turn: Turn,
    not_after: datetime | None,
    s: ScopedSession,
    lanes: Sequence[UUID],
) -> int:
    """Move the marks of these lanes and enqueue for each that moved; gives how many."""
    at = now()
    brand_id = s.scope.brand_id
    fired = 0
    for lane in _move_marks(s, periodic.name, lanes, turn.slot, at):
        fired += insert_once(
            s,
            {
                "id": new_id(),
                "brand_id": brand_id,
                "store_id": None if lane == brand_id else lane,
                "name": periodic.name,
                "plugin": handler.plugin,
                "subject": turn.slot,
                "status": QUEUED,
                "lane": lane,
                "run_at": turn.due,
                "not_after": not_after,
                "unique_key": lane_key(lane, f"{periodic.name}:{turn.slot}"),
                "enqueued_at": at,
            },
        )
    return fired


def _move_marks(
    s: orm.Session, name: str, lanes: Sequence[UUID], slot: str, at: datetime
) -> list[UUID]:
    """The lanes whose mark was behind `slot` and now is not; each moves for one caller only."""
    insert = postgresql.insert if s.get_bind().dialect.name == "postgresql" else sqlite.insert
    brand_id = s.scope.brand_id if isinstance(s, ScopedSession) else None
    statement = insert(_mark).values(
        # In the order of ids, so that two schedulers cannot lock each other out.
        [
            {"brand_id": brand_id, "name": name, "lane": lane, "slot": slot, "fired_at": at}
            for lane in sorted(lanes)
        ]
    )
    moved = s.execute(
        statement.on_conflict_do_update(
            index_elements=["brand_id", "name", "lane"],
            set_={"slot": statement.excluded.slot, "fired_at": statement.excluded.fired_at},
            where=_mark.c.slot < statement.excluded.slot,
        ).returning(_mark.c.lane)
    )
    return [row.lane for row in moved]
