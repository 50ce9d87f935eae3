"""Which programme applied in a store at a moment, and the versions of rules that entries name."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, tzinfo
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import Struct, field

from highstreet.sdk import Ctx, Resolved, Running, ScopedSession, Statement, clock
from highstreet_points_club import extras
from highstreet_points_club import programme as programmes
from highstreet_points_club.lasting import active_from, expires_at, idle_at, morning
from highstreet_points_club.programme import Programme

NAME = "points_club"
_MOST = 8192
_MOST_CAMPAIGNS = 32


class Place(NamedTuple):
    """A store as the ledger needs it; id None: head office."""

    id: UUID | None
    zone: tzinfo
    currency: str
    name: str
    locale: str


class _Kept(Struct, frozen=True):
    settings: Resolved
    programme: Programme
    unset: bool
    #: By the campaigns that run (compared by identity).
    during: dict[Any, Earning] = field(default_factory=dict)


# By identity: the host keeps one object of settings, and of a store's facts, while they last.
_programmes: OrderedDict[int, _Kept] = OrderedDict()
_places: OrderedDict[int, tuple[object, Place]] = OrderedDict()
_recorded: OrderedDict[tuple[UUID, UUID], None] = OrderedDict()

_KEEP = Statement(
    "INSERT INTO points_club_rule (brand_id, id, body, recorded_at)"
    " VALUES (:brand_id, :id, :body, :recorded_at) ON CONFLICT (brand_id, id) DO NOTHING",
    returns="none",
)
_KNOWN = Statement(
    "SELECT 1 FROM points_club_rule AS r WHERE r.brand_id = :brand_id AND r.id = :id",
    returns="value",
)
_BODY = Statement(
    "SELECT r.body FROM points_club_rule AS r WHERE r.brand_id = :brand_id AND r.id = :id",
    returns="value",
    types={"body": dict},
)


def place(ctx: Ctx, store_id: UUID | None = None) -> Place:
    """Clock, currency and name of a store (the session's own unless named)."""
    found = ctx.store(store_id)
    kept = _places.get(id(found))
    if kept is not None and kept[0] is found:
        return kept[1]
    made = Place(found.store_id, clock.zone(found.zone), found.currency, found.name, found.locale)
    _places[id(found)] = (found, made)
    while len(_places) > _MOST:
        _places.popitem(last=False)
    return made


def programme(ctx: Ctx, store_id: UUID | None = None, at: datetime | None = None) -> Programme:
    """The programme of a store as it was set at `at` (now, if not given).

    What happened before anybody set up anything is reckoned by today's rules: who sets up a
    programme and then imports last year's purchases means these.
    """
    return _kept(ctx, store_id, at).programme


class Earning(NamedTuple):
    """How a purchase earns. usual: with what head office's campaigns gave on top in the store then.
    first: what somebody's first purchase earns by, where a campaign welcomes; else the usual."""

    usual: Programme
    first: Programme

    @property
    def welcomes(self) -> bool:
        """Whether somebody's first purchase earns otherwise."""
        return self.first is not self.usual


def earning(ctx: Ctx, store_id: UUID | None, at: datetime) -> Earning:
    """By what a purchase made at `at` earns."""
    kept = _kept(ctx, store_id, at)
    running = ctx.campaigns.running(at, store_id)
    found = kept.during.get(running)
    if found is None:
        if len(kept.during) >= _MOST_CAMPAIGNS:
            kept.during.clear()
        found = kept.during[running] = _during(kept.programme, running)
    return found


def _during(programme: Programme, running: tuple[Running, ...]) -> Earning:
    extra = [(extras.of(one), one.action == extras.WELCOME) for one in running]
    usual = tuple(one for one, welcomes in extra if not welcomes)
    found = programmes.with_extras(programme, usual)
    if len(usual) == len(extra):
        return Earning(found, found)
    return Earning(found, programmes.with_extras(programme, tuple(one for one, _w in extra)))


def _kept(ctx: Ctx, store_id: UUID | None, at: datetime | None) -> _Kept:
    found = _of_settings(ctx.settings(store_id, at))
    if at is not None and found.unset:
        found = _of_settings(ctx.settings(store_id))
    return found


def _of_settings(settings: Resolved) -> _Kept:
    """The programme that settings describe; worked out once for as long as they last."""
    kept = _programmes.get(id(settings))
    if kept is not None and kept.settings is settings:
        return kept
    unset = all(one.level == "default" for one in settings.provenance.values())
    made = _programmes[id(settings)] = _Kept(settings, programmes.load(settings), unset)
    while len(_programmes) > _MOST:
        _programmes.popitem(last=False)
    return made


def keep(s: ScopedSession, which: Programme) -> None:
    """Record the rules that entries are about to name, once.

    The process remembers them only when it has found them written by another transaction: what
    this one writes may still be rolled back, as a whole or to a savepoint.
    """
    key = (s.brand_id, which.rule_id)
    if key in _recorded:
        return
    mine: set[Any] = s.info.setdefault("points_club.rules", set())
    if key not in mine and _KNOWN(s, id=which.rule_id) is not None:
        _recorded[key] = None
        while len(_recorded) > _MOST:
            _recorded.popitem(last=False)
        return
    mine.add(key)
    _KEEP(s, id=which.rule_id, body=dict(which.rule), recorded_at=clock.now())


def recorded(s: ScopedSession, rule_id: UUID) -> Programme | None:
    """The earning rules of an earlier version (units and rewards are defaults), or None."""
    body = _BODY(s, id=rule_id)
    return None if body is None else programmes.load_rule(body)


__all__ = [
    "NAME",
    "Earning",
    "Place",
    "active_from",
    "earning",
    "expires_at",
    "idle_at",
    "keep",
    "morning",
    "place",
    "programme",
    "recorded",
]
