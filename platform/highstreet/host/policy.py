"""Who may have which tool: the verbs of head office, regions and stores.

Every verb works out what changes first, on rows in memory; a dry run stops there, so what it shows
is what then happens.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet import host as hosts
from highstreet.host import agreements, declared, faults, owed, snapshot, state
from highstreet.host.lattice import UNSAID, Approval, Choice, Level, Pause, Word, narrows
from highstreet.host.models import PluginChoice, PluginPause, PluginPolicy
from highstreet.host.reasons import reason
from highstreet.host.snapshot import Place, Snapshot, Wish
from highstreet.host.state import Effective
from highstreet.i18n import gettext as _
from highstreet.i18n import language
from highstreet_tenants import clock
from highstreet_tenants.cards import refuse_payment_cards
from highstreet_tenants.errors import Conflict, Forbidden, Invalid, NotFound
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.trail import record

if TYPE_CHECKING:
    from highstreet.host.registry import Host


class Change(Struct, frozen=True):
    """What becomes of one tool in one place (a store, or head office itself)."""

    plugin: str
    place: Place
    before: Effective
    after: Effective


class Ask(Struct, frozen=True):
    """A store that waits for an answer about a restricted tool."""

    plugin: str
    place: Place
    by: str
    at: datetime


#: Called in the transaction in which tools went on or off.
Listener = Callable[[ScopedSession, Sequence[Change]], None]
_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Let a room above hear what these verbs changed. Again is once."""
    if listener not in _listeners:
        _listeners.append(listener)


def _tell(s: ScopedSession, changes: Sequence[Change]) -> None:
    for listener in _listeners if changes else ():
        listener(s, changes)


def set_policy(
    s: ScopedSession,
    plugin: str,
    level: Level | str | None,
    region_id: UUID | None = None,
    dry_run: bool = False,
    note: str | None = None,
) -> list[Change]:
    """Head office's word on a tool, or a region's; None takes it back. Gives what changes where.

    note: said to the stores. Raises NotFound (tool or region), Invalid (level or note), Forbidden
    (from a store), Conflict (a region would widen what head office allows).
    """
    _head_office(s)
    _installed(s, plugin)
    said = _level(level)
    note = _note(note)
    if not dry_run:
        state.one_at_a_time(s)
    before = snapshot.load_all(s)
    node = s.scope.brand_id
    if region_id is not None:
        if region_id not in before.regions:
            raise NotFound(_("There is no such region."))
        node = region_id
        _narrow_only(before, plugin, said, before.regions[region_id])
    now_said = before.words.get((plugin, node))
    if (now_said.level, now_said.note) == (said, note) if now_said else said is None:
        return []
    by, at = _by(s), clock.now()
    word = Word(said, by, at, note) if said is not None else None
    host = hosts.of(s)
    after = before.with_word(plugin, node, word)
    agrees = said in (Level.REQUIRED, Level.DEFAULT_ON) and plugin in host.plugins
    if agrees:  # who switches a tool on for others agrees to what it declares
        after = after.with_agreed(plugin, node, declared.of(host, plugin))
    changes = list(_changes(host, plugin, before, after))
    if not dry_run:
        if agrees:
            agreements.put(s, plugin, node, None, by)
        state.touch(s)
        row = s.scalar(
            sa.select(PluginPolicy).where(
                PluginPolicy.plugin == plugin, PluginPolicy.node_id == node
            )
        )
        if said is None:
            s.delete(row)
        elif row is None:
            s.add(
                PluginPolicy(
                    brand_id=s.scope.brand_id,
                    plugin=plugin,
                    node_id=node,
                    region_id=region_id,
                    level=said.value,
                    note=note,
                    set_by=by,
                    set_at=at,
                )
            )
        else:
            row.level, row.note, row.set_by, row.set_at = said.value, note, by, at
        s.flush()
        _tell(s, changes)
        details = {
            "level": [now_said.level.value if now_said else None, said.value if said else None],
            "region": before.regions[region_id] if region_id else None,
            "note": note,
        }
        record(s, "policy.set", "tool", name=plugin, details=details)
    return changes


def choose(
    s: ScopedSession,
    plugin: str,
    on: bool,
    dry_run: bool = False,
    store_id: UUID | None = None,
) -> list[Change]:
    """A store (or head office for itself) switches a tool on or off; where it is restricted, asks.

    What the tool still owes from the time when it was on waits while it is off, and is done now.
    Asking again after a refusal asks anew; an approval that was given stays given. Gives what
    changes in that place (head office's own pages, which follow from use, are not its business).
    Raises NotFound (tool or store), Conflict where policy or a missing tool leaves no such choice,
    saying why.
    """
    host = hosts.of(s)
    _installed(s, plugin)
    node = s.scope.store_id if store_id is None else store_id
    before = _snapshot(s, node, dry_run)
    place = before.places[node]
    _may_choose(host, before, plugin, place, on)
    wish = before.wishes.get((plugin, place.node))
    approval = wish.approval if wish and wish.approval and wish.approval.granted else None
    if wish and wish.choice.wanted == on and wish.approval == approval:
        return []
    choice = Choice(on, _by(s), clock.now())
    after = before.with_wish(plugin, place.node, Wish(choice, approval))
    if on:
        after = after.with_agreed(plugin, place.node, declared.of(host, plugin))
    changes = list(_changes(host, plugin, before, after, [node]))
    if not dry_run:
        state.touch(s)
        row = _choice_row(s, plugin, place)
        if row is None:
            row = PluginChoice(
                brand_id=s.scope.brand_id, store_id=node, plugin=plugin, node_id=place.node
            )
            s.add(row)
        row.wanted, row.chosen_by, row.chosen_at = on, choice.by, choice.at
        if on:
            agreements.put(s, plugin, place.node, node, choice.by)
        if approval is None:
            row.approval = row.decided_by = row.decided_at = row.note = None
        s.flush()
        said = "tool.switched_on" if on else "tool.switched_off"
        record(s, said, "tool", name=plugin, store_id=node)
        for change in changes:
            if change.after.on:
                owed.hand(s, change.plugin, node, everything=True)
        _tell(s, changes)
    return changes


def approve(
    s: ScopedSession,
    plugin: str,
    store_id: UUID,
    note: str | None = None,
    dry_run: bool = False,
) -> list[Change]:
    """Head office (or a region) lets a store have the restricted tool it asked for.

    Raises NotFound (tool or store), Forbidden (from a store), Conflict (it has not asked).
    """
    return _decide(s, plugin, store_id, True, note, dry_run)


def refuse(
    s: ScopedSession,
    plugin: str,
    store_id: UUID,
    note: str | None = None,
    dry_run: bool = False,
) -> list[Change]:
    """Say no to a store that asked, or take an approval back. Raises as `approve` does."""
    return _decide(s, plugin, store_id, False, note, dry_run)


def waiting(s: ScopedSession) -> list[Ask]:
    """Stores that wait for an answer, the longest first."""
    host = hosts.of(s)
    asked = snapshot.unanswered(s)
    asks = []
    for start in range(0, len(asked), snapshot.CHUNK):
        rows = snapshot.load_some(s, asked[start : start + snapshot.CHUNK])
        for (plugin, node), wish in rows.wishes.items():
            if plugin not in host.plugins or node not in rows.places or not wish.choice.wanted:
                continue
            if rows.rulings(host, node)[plugin].state == "waiting":
                asks.append(Ask(plugin, rows.places[node], wish.choice.by, wish.choice.at))
    return sorted(asks, key=lambda ask: ask.at)


def pause(
    s: ScopedSession, plugin: str, store_id: UUID | None = None, dry_run: bool = False
) -> list[Change]:
    """Stop a tool in a place by hand, until it is resumed. What it should do meanwhile is kept.

    Raises NotFound (tool or store), Conflict (it is not on there).
    """
    host = hosts.of(s)
    _installed(s, plugin)
    node = s.scope.store_id if store_id is None else store_id
    before = _snapshot(s, node, dry_run)
    place = before.places[node]
    if not before.rulings(host, node)[plugin].on:
        raise Conflict(_("Only a tool that is on can be paused."))
    stop = Pause(clock.now(), 0, _by(s))
    after = before.with_pause(plugin, place.node, stop)
    changes = list(_changes(host, plugin, before, after, [node]))
    if not dry_run:
        faults.pause(s, plugin, node, by=stop.by)
        _tell(s, changes)
        record(s, "tool.paused", "tool", name=plugin, store_id=node)
    return changes


def resume(
    s: ScopedSession, plugin: str, store_id: UUID | None = None, dry_run: bool = False
) -> list[Change]:
    """Let a paused tool go on; a job does what it owes, and its skipped jobs are queued again.

    Raises NotFound (tool or store), Conflict (it is not paused there).
    """
    host = hosts.of(s)
    _installed(s, plugin)
    node = s.scope.store_id if store_id is None else store_id
    before = _snapshot(s, node, dry_run)
    place = before.places[node]
    stop = before.pauses.get((plugin, place.node))
    if stop is None:
        raise Conflict(_("The tool is not paused there."))
    after = before.with_pause(plugin, place.node, None)
    changes = list(_changes(host, plugin, before, after, [node]))
    if not dry_run:
        state.touch(s)
        s.execute(
            sa.update(PluginPause)
            .where(PluginPause.plugin == plugin, PluginPause.node_id == place.node)
            .values(resumed_by=_by(s), resumed_at=clock.now())
        )
        record(s, "tool.resumed", "tool", name=plugin, store_id=node)
        for change in changes:
            if change.after.on:  # tools that need this one stood still with it
                owed.hand(s, change.plugin, node, everything=True)
                owed.requeue_skipped(s, change.plugin, node, since=stop.at)
        _tell(s, changes)
    return changes


def agree(
    s: ScopedSession, plugin: str, store_id: UUID | None = None, dry_run: bool = False
) -> list[Change]:
    """Agree to what the installed version of a tool declares: a store for itself, head office for
    the whole brand (store_id None). What was held goes on, and what it owes is done.

    Raises NotFound (tool or store), Conflict (nothing waits for it).
    """
    host = hosts.of(s)
    _installed(s, plugin)
    node = s.scope.store_id if store_id is None else store_id
    before = _snapshot(s, node, dry_run)
    places = [before.places[node]] if node is not None else list(before.places.values())
    if not any(before.more(host, plugin, place) for place in places):
        raise Conflict(_("There is nothing new to agree to."))
    at = before.places[node].node
    things = declared.of(host, plugin) | before.agreed.get((plugin, at), frozenset())
    changes = list(
        _changes(
            host,
            plugin,
            before,
            before.with_agreed(plugin, at, things),
            None if node is None else [node],
        )
    )
    if not dry_run:
        state.touch(s)
        since = agreements.put(s, plugin, at, node, _by(s), things)
        for change in changes:
            if change.after.on:  # tools that need this one stood still with it
                where = change.place.store_id
                owed.hand(s, change.plugin, where, everything=True)
                owed.requeue_skipped(s, change.plugin, where, since=since)
    return changes


def upgraded(s: ScopedSession, plugin: str) -> list[Change]:
    """What becomes of a tool in each place by the version that is installed in this process,
    against one that declares no more than was agreed to. Writes nothing."""
    rows = snapshot.load_all(s)
    host = hosts.of(s)
    _installed(s, plugin)
    before = rows
    for place in rows.places.values():
        if more := rows.more(host, plugin, place):
            known = rows.agreed.get((plugin, place.node), frozenset())
            before = before.with_agreed(plugin, place.node, known | more)
    return list(_changes(host, plugin, before, rows))


def _decide(
    s: ScopedSession, plugin: str, store_id: UUID, granted: bool, note: str | None, dry_run: bool
) -> list[Change]:
    host = hosts.of(s)
    _head_office(s)
    _installed(s, plugin)
    note = _note(note)
    before = _snapshot(s, store_id, dry_run)
    place = before.places[store_id]
    wish = before.wishes.get((plugin, place.node))
    level = before.policy(plugin, place).ruling[0]
    if wish is None or not wish.choice.wanted or level is not Level.RESTRICTED:
        raise Conflict(
            _(
                "%(store)s has not asked for %(tool)s.",
                store=place.name,
                tool=host.title(plugin, language()),
            )
        )
    answer = Approval(granted, _by(s), clock.now(), note)
    after = before.with_wish(plugin, place.node, Wish(wish.choice, answer))
    changes = list(_changes(host, plugin, before, after, [store_id]))
    if not dry_run:
        state.touch(s)
        row = _choice_row(s, plugin, place)
        assert row is not None  # the wish was read from it
        row.approval = "granted" if granted else "refused"
        row.decided_by, row.decided_at, row.note = answer.by, answer.at, note
        s.flush()
        _tell(s, changes)
        said = "tool.approved" if granted else "tool.refused"
        record(s, said, "tool", name=plugin, store_id=store_id, details={"note": note})
    return changes


def _changes(
    host: "Host",
    plugin: str,
    before: Snapshot,
    after: Snapshot,
    nodes: list[UUID | None] | None = None,
) -> Iterator[Change]:
    """What differs, for the tool and for those that hang together with it."""
    family = _family(host, plugin)
    for node in before.places if nodes is None else nodes:
        was = before.rulings(host, node, family)
        will = after.rulings(host, node, family)
        for name in will:
            if name in was and (was[name].state, was[name].on) == (will[name].state, will[name].on):
                continue
            place = before.places[node]
            earlier = was.get(name) or will[name]
            yield Change(
                name, place, Effective(name, place, earlier), Effective(name, place, will[name])
            )


def _family(host: "Host", plugin: str) -> set[str]:
    """The tool, all that depend on it, and all that any of those depend on."""
    family = {plugin}
    for name, loaded in host.plugins.items():
        if any(need.name in family for need in loaded.manifest.depends):
            family.add(name)
    for name in reversed(list(host.plugins)):
        if name in family:
            family |= {need.name for need in host.plugins[name].manifest.depends}
    return family


def _may_choose(host: "Host", rows: Snapshot, plugin: str, place: Place, on: bool) -> None:
    ruling = rows.rulings(host, place.store_id)[plugin]
    level = rows.policy(plugin, place).ruling[0]
    why = reason(ruling, zone=place.zone, locale=place.locale)
    if level is Level.REQUIRED and not on:
        raise Conflict(_("This tool can't be switched off here. %(why)s", why=why))
    if level is Level.FORBIDDEN and on:
        raise Conflict(_("This tool can't be switched on here. %(why)s", why=why))
    if on and level is not Level.REQUIRED:
        wish = Wish(Choice(True, "", clock.now()), Approval(True, "", clock.now()))
        after = rows.with_wish(plugin, place.node, wish)
        after = after.with_agreed(plugin, place.node, declared.of(host, plugin))
        would = after.rulings(host, place.store_id)[plugin]
        if would.state == "unavailable":
            why = reason(would, zone=place.zone, locale=place.locale)
            raise Conflict(_("This tool can't be switched on here. %(why)s", why=why))


def _narrow_only(rows: Snapshot, plugin: str, said: Level | None, region: str) -> None:
    word = rows.words.get((plugin, rows.brand_id))
    above = word.level if word else UNSAID
    if said is not None and not narrows(said, above):
        raise Conflict(
            _(
                "%(region)s may only narrow what head office allows, and head office says"
                " “%(above)s”: “%(level)s” would widen it.",
                region=region,
                above=above.value,
                level=said.value,
            )
        )


def _level(level: Level | str | None) -> Level | None:
    try:
        return None if level is None else Level(level)
    except ValueError:
        words = _("There is no such level. Use one of: %(known)s.", known=", ".join(Level))
        raise Invalid(words, fields={"level": [words]}) from None


def _note(note: str | None) -> str | None:
    text = (note or "").strip()
    if len(text) > 300 or "\x00" in text:
        words = _("A note has at most 300 characters.")
        raise Invalid(words, fields={"note": [words]})
    refuse_payment_cards(text, "note")
    return text or None


def _head_office(s: ScopedSession) -> None:
    if s.scope.store_id is not None:
        raise Forbidden(_("Only head office and regions decide this."))


def _installed(s: ScopedSession, plugin: str) -> None:
    host = hosts.of(s)
    if plugin not in host.plugins and plugin not in host.quarantined:
        raise state.no_tool(plugin)


def _snapshot(s: ScopedSession, node: UUID | None, dry_run: bool) -> Snapshot:
    state.check_reach(s, node)
    if not dry_run:
        state.one_at_a_time(s)
    try:
        return snapshot.load(s, node)
    except KeyError:
        raise NotFound(_("There is no such store.")) from None


def _choice_row(s: ScopedSession, plugin: str, place: Place) -> PluginChoice | None:
    return s.scalar(
        sa.select(PluginChoice).where(
            PluginChoice.plugin == plugin, PluginChoice.node_id == place.node
        )
    )


def _by(s: ScopedSession) -> str:
    return s.scope.actor.name[:120]
