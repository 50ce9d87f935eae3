"""Where each tool is on: asked at every hook, route, job and slot, so it must cost nothing.

A session already knows its brand's `state_version`. What was worked out for that version is kept,
so a request pays no query for it; `touch` moves the version on. A session that changed something
itself works from its own memory only, for what it sees may yet be rolled back.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct, field
from sqlalchemy import event

from highstreet import host as hosts
from highstreet.host import snapshot
from highstreet.host.lattice import Ruling, State
from highstreet.host.plans import Active, active_for
from highstreet.host.reasons import reason
from highstreet.host.snapshot import Place, Snapshot
from highstreet.i18n import gettext as _
from highstreet.i18n import language
from highstreet_tenants.errors import NotFound, ToolOff
from highstreet_tenants.models import Brand
from highstreet_tenants.sessions import ScopedSession

_LOCAL = "host.local"
_DIRTY = "host.dirty"

_brand = cast(sa.Table, Brand.__table__)


class Effective(Struct, frozen=True):
    """Whether a tool is on in a place, and why."""

    plugin: str
    place: Place
    ruling: Ruling

    @property
    def state(self) -> State:
        """required, on, off, waiting, refused, forbidden, held, paused or unavailable."""
        return self.ruling.state

    @property
    def on(self) -> bool:
        """Whether it works here."""
        return self.ruling.on

    @property
    def code(self) -> str:
        """The reason as a stable slug."""
        return self.ruling.code

    @property
    def by(self) -> str:
        """Who made it so; empty where nobody did."""
        return self.ruling.by

    @property
    def at(self) -> datetime | None:
        """Since when (UTC)."""
        return self.ruling.at

    @property
    def reason(self) -> str:
        """Why, in the reader's language, with dates as the store writes them."""
        return reason(self.ruling, zone=self.place.zone, locale=self.place.locale)


class Known(Struct, frozen=True):
    """What is kept of one place for one version of its brand's state.

    histories: the settings of tools (`cascade.History`), by name, as far as somebody has asked.
    kept: what rooms keep of the place besides, by the room's name. halted: how many tools are
    paused or held there.
    """

    active: Active
    place: Place
    halted: int = 0
    histories: dict[str, Any] = field(default_factory=dict)
    kept: dict[Any, Any] = field(default_factory=dict)


class Here:
    """One place as one session knows it: what is kept, and the `ctx` of each tool called so far."""

    __slots__ = ("active", "ctxs", "halted", "histories", "kept", "place", "sheet")

    def __init__(self, known: Known) -> None:
        self.active = known.active
        self.place = known.place
        self.halted = known.halted
        self.histories = known.histories
        self.kept = known.kept
        self.ctxs: dict[str, Any] = {}
        self.sheet: Any = None  # what hooks are counted on here, see `counts`


def here(s: ScopedSession, store_id: UUID | None = None) -> Here:
    """A place as this session knows it; the session's own store unless another is named.

    Raises NotFound for a store that is not within reach.
    """
    node = s.scope.store_id if store_id is None else store_id
    remembered = memory(s)
    found: Here | None = remembered.get(node)
    if found is None:
        found = remembered[node] = Here(_work_out(s, node))
    return found


def memory(s: ScopedSession) -> dict[Any, Any]:
    """What this session worked out; empty again after `touch` and after a savepoint's rollback."""
    found: dict[Any, Any] | None = s.info.get(_LOCAL)
    if found is None:
        found = s.info[_LOCAL] = {}
    return found


def enabled(s: ScopedSession, store_id: UUID | None = None) -> frozenset[str]:
    """Names of the tools that are on in a store (or, in a brand's scope, at head office).

    Raises NotFound for a store that is not within reach.
    """
    return here(s, store_id).active.names


def is_on(s: ScopedSession, plugin: str, store_id: UUID | None = None) -> bool:
    """Whether a tool is on in a store."""
    return plugin in here(s, store_id).active.names


def place(s: ScopedSession, store_id: UUID | None = None) -> Place:
    """Name, zone, currency and locale of a store, or of the brand in a brand's scope."""
    return here(s, store_id).place


def halted(s: ScopedSession, store_id: UUID | None = None) -> int:
    """How many tools are paused or held in a store: somebody should look at them."""
    return here(s, store_id).halted


def require(s: ScopedSession, plugin: str, store_id: UUID | None = None) -> None:
    """Raise ToolOff, with the reason, unless the tool is on."""
    if not is_on(s, plugin, store_id):
        effective = explain(s, plugin, store_id)
        raise ToolOff(
            _(
                "%(tool)s is not on here. %(why)s",
                tool=hosts.of(s).title(plugin, language()),
                why=effective.reason,
            )
        )


def explain(s: ScopedSession, plugin: str, store_id: UUID | None = None) -> Effective:
    """The state of one tool in one place, with its reason.

    Raises NotFound for a tool that is not installed or a store out of reach.
    """
    found = overview(s, store_id).get(plugin)
    if found is not None:
        return found
    host = hosts.of(s)
    if plugin in host.quarantined:
        ruling = Ruling("unavailable", False, "absent", note=str(host.quarantined[plugin].detail))
        return Effective(plugin, place(s, store_id), ruling)
    raise no_tool(plugin)


def no_tool(plugin: str) -> NotFound:
    """The error for a tool that is not installed."""
    return NotFound(_("No tool “%(name)s” is installed.", name=plugin))


def overview(s: ScopedSession, store_id: UUID | None = None) -> Mapping[str, Effective]:
    """The state of every tool in one place, in the order they depend. Not kept: for pages."""
    node = s.scope.store_id if store_id is None else store_id
    rows = _load(s, node)
    there = rows.places[node]
    return {
        name: Effective(name, there, ruling)
        for name, ruling in rows.rulings(hosts.of(s), node).items()
    }


def standing_still(s: ScopedSession) -> dict[str, dict[str, int]]:
    """In how many stores of the brand each tool is paused or held: tool → state → stores."""
    rows = snapshot.load_all(s)
    found: dict[str, dict[str, int]] = {}
    for node in rows.places:
        if node is None:
            continue
        for name, ruling in rows.rulings(hosts.of(s), node).items():
            if ruling.state in ("paused", "held"):
                count = found.setdefault(name, {})
                count[ruling.state] = count.get(ruling.state, 0) + 1
    return found


def one_at_a_time(s: ScopedSession) -> None:
    """Let nobody else change this brand's tools until the transaction ends.

    A verb that reads, decides and writes calls it first, or two at once would undo one another.
    SQLite lets one writer in anyway; elsewhere the brand's row is locked (new rows that point at
    it are not held up).
    """
    if s.dialect != "sqlite":
        s.execute(
            sa.select(_brand.c.id)
            .where(_brand.c.id == s.scope.brand_id)
            .with_for_update(key_share=True)
        )


def touch(s: ScopedSession) -> None:
    """Say that policy, choices, settings, the brand or a store changed: each such verb calls it.

    What is kept for the brand is stale from the moment this transaction commits. Until then this
    session no longer uses what is kept, nor adds to it.
    """
    s.flush()
    version = s.scalar(
        sa.update(_brand)
        .where(_brand.c.id == s.scope.brand_id)
        .values(state_version=_brand.c.state_version + 1)
        .returning(_brand.c.state_version)
    )
    s.state_version = version or s.state_version
    s.info[_DIRTY] = True
    s.info.pop(_LOCAL, None)


def changed_here(s: ScopedSession) -> bool:
    """Whether this session itself changed something, so that nothing kept may be used."""
    return _DIRTY in s.info


@event.listens_for(ScopedSession, "after_soft_rollback")
def _forget_local(session: ScopedSession, _previous: object) -> None:
    """A savepoint that is rolled back takes with it what was worked out from it."""
    session.info.pop(_LOCAL, None)


def check_reach(s: ScopedSession, node: UUID | None) -> None:
    """Raise NotFound if a store's session asks about another place.

    The other's choices are behind the wall, so an answer would be wrong, or come from what is kept.
    """
    if s.scope.reach == "store" and node != s.scope.store_id:
        raise NotFound(_("There is no such store."))


def _work_out(s: ScopedSession, node: UUID | None) -> Known:
    check_reach(s, node)
    if not changed_here(s):
        host = hosts.of(s)
        kept: Known | None = host.states.get((s.scope.brand_id, node, host.epoch), s.state_version)
        if kept is not None:
            return kept
    epoch = hosts.of(s).epoch
    return _keep(s, _load(s, node), node, epoch)


def prime(s: ScopedSession, stores: Iterable[UUID]) -> None:
    """Work out many stores in a few queries; one out of reach is left to whoever asks for it."""
    remembered = memory(s)
    host = hosts.of(s)
    epoch = host.epoch
    brand_id, version, dirty = s.scope.brand_id, s.state_version, changed_here(s)
    unknown = []
    for node in stores:
        if node in remembered or (s.scope.reach == "store" and node != s.scope.store_id):
            continue
        kept: Known | None = None if dirty else host.states.get((brand_id, node, epoch), version)
        if kept is not None:
            remembered[node] = Here(kept)
        else:
            unknown.append(node)
    for start in range(0, len(unknown), snapshot.CHUNK):
        rows = snapshot.load_some(s, unknown[start : start + snapshot.CHUNK])
        for found in rows.places:
            remembered[found] = Here(_keep(s, rows, found, epoch))


def _keep(s: ScopedSession, rows: Snapshot, node: UUID | None, epoch: int) -> Known:
    """epoch: the host's before anything was read, so that nothing stale is kept under a new one."""
    host = hosts.of(s)
    rulings = rows.rulings(host, node)
    named = snapshot.names(host, rulings)
    known = Known(active_for(host, *named), rows.places[node], halted=_halted(rulings.values()))
    if not changed_here(s):
        host.states.put((s.scope.brand_id, node, epoch), s.state_version, known)
    return known


def _halted(rulings: Iterable[Ruling]) -> int:
    return sum(one.state in ("paused", "held") for one in rulings)


def _load(s: ScopedSession, node: UUID | None) -> Snapshot:
    check_reach(s, node)
    try:
        return snapshot.load(s, node)
    except KeyError:
        raise NotFound(_("There is no such store.")) from None
