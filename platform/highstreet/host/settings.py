"""Settings of tools: who may give what, and what holds where and when."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from marshmallow import Schema
from msgspec import Struct

from highstreet import host as hosts
from highstreet.host import cascade, state, weighing
from highstreet.host.cascade import MASK, Given, History, Level, Resolved, Source
from highstreet.host.models import PluginSetting
from highstreet.host.snapshot import CHUNK
from highstreet.i18n import gettext as _
from highstreet_tenants import clock
from highstreet_tenants.cards import refuse_payment_cards
from highstreet_tenants.errors import Forbidden, NotFound
from highstreet_tenants.models import Region
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.trail import record

__all__ = [
    "MASK",
    "Proposal",
    "Resolved",
    "Source",
    "history",
    "propose",
    "put",
    "resolve",
    "resolve_proposed",
    "resolve_region",
]


class _Node(Struct, frozen=True):
    level: Level
    id: UUID
    region_id: UUID | None
    store_id: UUID | None


class Proposal(Struct, frozen=True):
    """What would change at one level, checked as `put` checks it; written nowhere.

    node: the brand, region or store at which it is given.
    """

    plugin: str
    node: UUID
    changes: tuple[Given, ...]


class Change(Struct, frozen=True):
    """One line of a setting's history; a secret's value is masked."""

    key: str
    level: Level
    value: Any
    given: bool
    locked: bool
    by: str
    at: datetime
    valid_from: datetime


def resolve(
    s: ScopedSession, plugin: str, store_id: UUID | None = None, at: datetime | None = None
) -> Resolved:
    """A tool's settings in a store (the session's own unless named; at head office the brand's).

    at: as they were valid at that moment (aware); now if not given. The region is the store's
    present one. Raises NotFound for a tool that is not loaded or a store out of reach.
    """
    return _history(s, plugin, store_id).at(at or clock.now())


def resolve_region(s: ScopedSession, plugin: str, region_id: UUID) -> Resolved:
    """A tool's settings as a region's stores get them, before they differ. Not kept: for pages.

    Raises NotFound for a tool that is not loaded or an unknown region.
    """
    schema = _schema(s, plugin)
    node = _node(s, region_id, None)
    return History(schema, _read(s, plugin, node.region_id, None)).at(clock.now())


def history(s: ScopedSession, plugin: str, store_id: UUID | None = None) -> list[Change]:
    """Every change that reaches a place, newest first."""
    secrets = cascade.secrets_of(_schema(s, plugin))
    rows = sorted(
        _history(s, plugin, store_id).rows, key=lambda r: (r.at, r.seq, r.key), reverse=True
    )
    return [
        Change(
            row.key,
            row.level,
            MASK if row.key in secrets and row.given else row.value,
            row.given,
            row.locked,
            row.by,
            row.at,
            row.valid_from,
        )
        for row in rows
    ]


def put(
    s: ScopedSession,
    plugin: str,
    values: Mapping[str, Any],
    *,
    region_id: UUID | None = None,
    store_id: UUID | None = None,
    lock: Collection[str] = (),
    unlock: Collection[str] = (),
    clear: Collection[str] = (),
    valid_from: datetime | None = None,
) -> Resolved:
    """Give values at one level: a store's scope gives its own, head office the brand's, or a
    region's or store's that it names. Gives what then holds there.

    lock, unlock: keys that levels below may not (may again) differ in; brand and region only.
    clear: keys to take back, so that the level above holds. valid_from: a moment other than now,
    past (rules for purchases that are imported later) or future. A secret that comes back as
    `MASK` was not changed. Nothing is written for what is already so.

    Raises Invalid (unknown key, a value the tool refuses, a payment card), Forbidden (locked
    above, or not this scope's to give), NotFound (tool, region or store).
    """
    schema_class = _schema(s, plugin)
    node = _node(s, region_id, store_id)
    state.one_at_a_time(s)
    changes = _weigh(s, plugin, node, values, lock, unlock, clear, valid_from)
    told: dict[str, Any] = {}
    secrets = cascade.secrets_of(schema_class)
    for one, was in changes:
        secret = one.key in secrets and one.value is not None
        told[one.key] = MASK if secret else [was.value, one.value if one.given else None]
        if one.locked != was.locked:
            told[f"{one.key} locked"] = one.locked
        s.add(
            PluginSetting(
                brand_id=s.scope.brand_id,
                store_id=node.store_id,
                plugin=plugin,
                key=one.key,
                level=node.level,
                node_id=node.id,
                region_id=node.region_id,
                seq=one.seq,
                value=one.value,
                given=one.given,
                locked=one.locked,
                set_by=one.by,
                set_at=one.at,
                valid_from=one.valid_from,
            )
        )
    since = changes[0][0].valid_from if changes else valid_from or clock.now()
    if told:
        details = {"level": node.level, "valid_from": since, "changes": told}
        record(s, "settings.changed", "tool", name=plugin, store_id=node.store_id, details=details)
        state.touch(s)
    rows = _read(s, plugin, node.region_id or _region_of(s, node), node.store_id)
    return cascade.resolve(schema_class, cascade.newest(rows, max(clock.now(), since)))


def propose(
    s: ScopedSession,
    plugin: str,
    values: Mapping[str, Any],
    *,
    region_id: UUID | None = None,
    store_id: UUID | None = None,
    lock: Collection[str] = (),
    unlock: Collection[str] = (),
    clear: Collection[str] = (),
) -> Proposal:
    """What `put` would write now, with the same arguments and the same refusals; nothing is."""
    node = _node(s, region_id, store_id)
    changes = _weigh(s, plugin, node, values, lock, unlock, clear, None)
    return Proposal(plugin, node.id, tuple([one for one, _was in changes]))


def resolve_proposed(
    s: ScopedSession, proposal: Proposal, store_id: UUID | None = None
) -> Resolved:
    """What would hold in a place (the session's own unless named) if a proposal were saved: with
    what is given below it, and what is locked above. Raises NotFound for a store out of reach."""
    rows = _history(s, proposal.plugin, store_id).rows
    where = s.scope.store_id if store_id is None else store_id
    lineage = (s.scope.brand_id, state.place(s, store_id).region_id, where)
    given = proposal.changes if proposal.node in lineage else ()
    counting = cascade.newest([*rows, *given], clock.now())
    return cascade.resolve(_schema(s, proposal.plugin), counting)


def _weigh(
    s: ScopedSession,
    plugin: str,
    node: _Node,
    values: Mapping[str, Any],
    lock: Collection[str],
    unlock: Collection[str],
    clear: Collection[str],
    valid_from: datetime | None,
) -> list[tuple[Given, Given]]:
    """What is to be given at a node, and what was; raises what `put` raises."""
    schema_class = _schema(s, plugin)
    weighing.check_keys(schema_class, {*values, *lock, *unlock, *clear})
    if node.level == "store" and (lock or unlock):
        raise Forbidden(_("Only head office and regions lock settings."))
    secrets = cascade.secrets_of(schema_class)
    values = {k: v for k, v in values.items() if not (k in secrets and v == MASK)}
    refuse_payment_cards(values)
    rows = _read(s, plugin, node.region_id or _region_of(s, node), node.store_id)
    at = clock.now()
    since = valid_from or at
    counting = cascade.newest(rows, since)
    weighing.refuse_locked(counting, node.level, {*values, *clear})
    plain = weighing.validate(schema_class, counting, node.level, values, clear)
    by = s.scope.actor.name[:120]
    seq = 1 + max((r.seq for r in rows if r.level == node.level), default=0)
    found = []
    for key in dict.fromkeys((*values, *clear, *lock, *unlock)):
        was = counting.get((node.level, key), _NOTHING)
        given = key in values or (key not in clear and was.given)
        value = plain[key] if key in values else (was.value if given else None)
        locked = key in lock or (key not in unlock and was.locked)
        if (was.given, was.locked, was.value) != (given, locked, value):
            one = Given(node.level, key, value, by, at, since, seq, given, locked)
            found.append((one, was))
    return found


_EVER = datetime.min.replace(tzinfo=UTC)
#: What counts where nothing was ever given.
_NOTHING = Given("default", "", None, "", _EVER, _EVER, given=False)


def _schema(s: ScopedSession, plugin: str) -> type[Schema] | None:
    host = hosts.of(s)
    if plugin not in host.plugins:
        raise state.no_tool(plugin)
    return host.plugins[plugin].plugin.settings


def _node(s: ScopedSession, region_id: UUID | None, store_id: UUID | None) -> _Node:
    own = s.scope.store_id
    if own is not None:
        if region_id is not None or store_id not in (None, own):
            raise Forbidden(_("A store gives its own settings only."))
        return _Node("store", own, None, own)
    if store_id is not None:
        state.place(s, store_id)
        return _Node("store", store_id, None, store_id)
    if region_id is not None:
        if s.get(Region, (s.scope.brand_id, region_id)) is None:
            raise NotFound(_("There is no such region."))
        return _Node("region", region_id, region_id, None)
    return _Node("brand", s.scope.brand_id, None, None)


def _region_of(s: ScopedSession, node: _Node) -> UUID | None:
    return state.place(s, node.store_id).region_id if node.store_id is not None else None


def prime(s: ScopedSession, plugin: str, stores: Iterable[UUID]) -> None:
    """Read a tool's settings in many stores in a few queries; one out of reach is left to whoever
    asks for it. Raises NotFound for a tool that is not loaded."""
    schema = _schema(s, plugin)
    wanted = list(stores)
    state.prime(s, wanted)
    known = state.memory(s)
    fresh = [known[one] for one in wanted if one in known and plugin not in known[one].histories]
    for start in range(0, len(fresh), CHUNK):
        places = fresh[start : start + CHUNK]
        above = {one.place.region_id for one in places} - {None}
        nodes = [s.scope.brand_id, *above, *(one.place.node for one in places)]
        given: dict[UUID, list[Given]] = {}
        for node, row in _rows(s, plugin, nodes):
            given.setdefault(node, []).append(row)
        for one in places:
            lineage = (s.scope.brand_id, one.place.region_id, one.place.node)
            rows = [row for node in lineage if node is not None for row in given.get(node, ())]
            one.histories[plugin] = History(schema, rows)


def _history(s: ScopedSession, plugin: str, store_id: UUID | None) -> History:
    here = state.here(s, store_id)
    found: History | None = here.histories.get(plugin)
    if found is None:
        schema, node = _schema(s, plugin), s.scope.store_id if store_id is None else store_id
        rows = _read(s, plugin, here.place.region_id, node)
        found = here.histories[plugin] = History(schema, rows)
    return found


def _read(
    s: ScopedSession, plugin: str, region_id: UUID | None, store_id: UUID | None
) -> list[Given]:
    """Everything given to a tool's settings above and in one place."""
    nodes = [s.scope.brand_id, *(n for n in (region_id, store_id) if n is not None)]
    return [row for _node_id, row in _rows(s, plugin, nodes)]


def _rows(s: ScopedSession, plugin: str, nodes: Sequence[UUID]) -> Iterator[tuple[UUID, Given]]:
    """(the node that gave it, what was given) to a tool's settings at some nodes."""
    s.flush()
    for row in s.scalars(
        sa.select(PluginSetting).where(
            PluginSetting.plugin == plugin, PluginSetting.node_id.in_(nodes)
        )
    ):
        yield (
            row.node_id,
            Given(
                row.level,  # type: ignore[arg-type]  # checked by the database
                row.key,
                row.value,
                row.set_by,
                row.set_at,
                row.valid_from,
                row.seq,
                row.given,
                row.locked,
            ),
        )
