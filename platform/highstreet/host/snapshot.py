"""What the rows say about tools, in memory: read once, ruled on without further queries."""

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct, field
from msgspec.structs import replace

from highstreet.host import declared
from highstreet.host.lattice import (
    FITS,
    Approval,
    Choice,
    Compatibility,
    Level,
    Pause,
    Policy,
    Ruling,
    Word,
    held,
    judge,
)
from highstreet.host.models import PluginAgreement, PluginChoice, PluginPause, PluginPolicy
from highstreet_tenants.models import Brand, Region, Store
from highstreet_tenants.sessions import ScopedSession

if TYPE_CHECKING:
    from highstreet.host.registry import Host


#: Stores that are looked up in one go.
CHUNK = 500


class Place(NamedTuple):
    """A store, or head office itself (`store_id` None): what tools may know of where they work.

    open: the store has not closed.
    """

    store_id: UUID | None
    brand_id: UUID
    slug: str
    name: str
    zone: str
    locale: str
    currency: str
    region_id: UUID | None = None
    code: str = ""
    open: bool = True

    @property
    def node(self) -> UUID:
        """The store's id, or the brand's."""
        return self.store_id or self.brand_id


class Wish(Struct, frozen=True):
    """What a place wants of a tool, and what was answered."""

    choice: Choice
    approval: Approval | None = None


class Snapshot(Struct, frozen=True, dict=True):
    """Everything that decides about tools in some places of a brand.

    words: (tool, node) → what head office (node: the brand's id) or a region says. wishes, pauses:
    by (tool, node of the place).
    """

    brand_id: UUID
    places: Mapping[UUID | None, Place]
    regions: Mapping[UUID, str] = field(default_factory=dict)
    words: Mapping[tuple[str, UUID], Word] = field(default_factory=dict)
    wishes: Mapping[tuple[str, UUID], Wish] = field(default_factory=dict)
    pauses: Mapping[tuple[str, UUID], Pause] = field(default_factory=dict)
    agreed: Mapping[tuple[str, UUID], frozenset[str]] = field(default_factory=dict)

    @cached_property
    def _spoken(self) -> frozenset[UUID]:
        return frozenset(node for _tool, node in (*self.wishes, *self.pauses, *self.agreed))

    @cached_property
    def _alike(self) -> dict[UUID | None, Mapping[str, Ruling]]:
        return {}

    def with_word(self, plugin: str, node: UUID, word: Word | None) -> "Snapshot":
        """As if this had been said (None: taken back)."""
        words = {k: v for k, v in self.words.items() if k != (plugin, node)}
        if word is not None:
            words[plugin, node] = word
        return replace(self, words=words)

    def with_wish(self, plugin: str, node: UUID, wish: Wish | None) -> "Snapshot":
        """As if this had been chosen or answered."""
        wishes = {k: v for k, v in self.wishes.items() if k != (plugin, node)}
        if wish is not None:
            wishes[plugin, node] = wish
        return replace(self, wishes=wishes)

    def with_pause(self, plugin: str, node: UUID, pause: Pause | None) -> "Snapshot":
        """As if the tool were paused (None: resumed) there."""
        pauses = {k: v for k, v in self.pauses.items() if k != (plugin, node)}
        if pause is not None:
            pauses[plugin, node] = pause
        return replace(self, pauses=pauses)

    def with_agreed(self, plugin: str, node: UUID, things: frozenset[str]) -> "Snapshot":
        """As if these things had been agreed to there."""
        return replace(self, agreed={**self.agreed, (plugin, node): things})

    def more(self, host: "Host", plugin: str, place: Place) -> frozenset[str]:
        """What a tool declares beyond what was agreed to for a place; nothing where nobody was ever
        asked."""
        known = [
            self.agreed[plugin, node]
            for node in (self.brand_id, place.region_id, place.node)
            if node is not None and (plugin, node) in self.agreed
        ]
        return declared.of(host, plugin).difference(*known) if known else frozenset()

    def policy(self, plugin: str, place: Place) -> Policy:
        """What is said above a place."""
        region = place.region_id
        return Policy(
            self.words.get((plugin, self.brand_id)),
            self.words.get((plugin, region)) if region is not None else None,
            self.regions.get(region, "") if region is not None else "",
        )

    def rulings(
        self, host: "Host", store_id: UUID | None, only: Collection[str] | None = None
    ) -> Mapping[str, Ruling]:
        """The ruling on every tool in one place: loaded ones as they depend, then the others.

        only: not on all, but on these and what they depend on, which must be among them.
        """
        place = self.places[store_id]
        alike = only is None and store_id is not None and place.node not in self._spoken
        if alike and (known := self._alike.get(place.region_id)) is not None:
            return known
        found: dict[str, Ruling] = {}
        if alike:
            # Of the stores of a region those that never said a word are ruled on alike: in a chain
            # of thousands, most.
            self._alike[place.region_id] = found
        for name in host.plugins if only is None else [n for n in host.plugins if n in only]:
            found[name] = self._ruling(host, name, place, found)
        for name in host.quarantined:
            # One that nobody ever spoke of is the operator's business, not the store's.
            if name not in found and any(key[0] == name for key in (*self.words, *self.wishes)):
                found[name] = self._ruling(host, name, place, found)
        return found

    def _ruling(self, host: "Host", name: str, place: Place, known: Mapping[str, Ruling]) -> Ruling:
        wish = self.wishes.get((name, place.node))
        pause = self.pauses.get((name, place.node))
        fits = _compatibility(host, name, place, known)
        more = self.more(host, name, place) if self.agreed else ()
        version = host.plugins[name].manifest.version if more else ""
        ruling = judge(
            self.policy(name, place),
            wish.choice if wish else None,
            wish.approval if wish else None,
            fits,
            pause,
            version,
        )
        if place.store_id is not None or ruling.code not in ("not_chosen", "ask_first"):
            return ruling
        # Head office has a tool's screens as soon as one store uses it.
        users = self._users(name)
        return (
            held(Ruling("on", True, "in_use", note=str(users)), fits, pause, version)
            if users
            else ruling
        )

    def _users(self, name: str) -> int:
        """In how many stores the tool is switched on by choice."""
        return sum(
            judge(self.policy(name, store), wish.choice, wish.approval).on
            for store in self.places.values()
            if store.store_id is not None and (wish := self.wishes.get((name, store.node)))
        )


def _compatibility(
    host: "Host", name: str, place: Place, known: Mapping[str, Ruling]
) -> Compatibility:
    if name not in host.plugins:
        return Compatibility("absent", str(host.quarantined[name].detail))
    manifest = host.plugins[name].manifest
    if ("store" if place.store_id else "brand") not in manifest.levels:
        return Compatibility("level")
    for need in manifest.depends:
        if not known[need.name].on:
            why = "needs_paused" if known[need.name].paused_only else "needs"
            return Compatibility(why, host.title(need.name))  # type: ignore[arg-type]
    return FITS


def load(s: ScopedSession, store_id: UUID | None) -> Snapshot:
    """What decides in one store; for head office itself (None) every store's rows come along.

    Raises KeyError for a store that the scope can't see.
    """
    found = load_all(s) if store_id is None else load_some(s, [store_id])
    if store_id not in found.places:
        raise KeyError(f"there is no store {store_id} within reach")
    return found


def load_all(s: ScopedSession) -> Snapshot:
    """What decides in the whole brand, as far as the scope reaches. Seven queries, and rows of
    every store: for pages about all of them."""
    return _load(s, None)


def load_some(s: ScopedSession, stores: Sequence[UUID]) -> Snapshot:
    """What decides in some stores, as far as they exist within reach. Six queries."""
    return _load(s, stores)


def unanswered(s: ScopedSession) -> list[UUID]:
    """Stores that want a tool which somewhere is for those only whom head office lets, and have no
    answer yet. No more than could be waiting; how it stands in each, its rulings say."""
    restricted = s.scalars(
        sa.select(PluginPolicy.plugin).where(PluginPolicy.level == Level.RESTRICTED).distinct()
    ).all()
    if not restricted:
        return []
    wanting = sa.select(PluginChoice.node_id).where(
        PluginChoice.plugin.in_(restricted), PluginChoice.wanted, PluginChoice.approval.is_(None)
    )
    return list(s.scalars(wanting.distinct()))


def _load(s: ScopedSession, only: Sequence[UUID] | None) -> Snapshot:
    brand_id = s.scope.brand_id
    stores = sa.select(
        Store.id, Store.brand_id, Store.slug, Store.name, Store.zone, Store.locale, Store.currency,
        Store.region_id, Store.code, Store.status == "open",
    ).where(*s.scope.owns(Store))  # fmt: skip
    chosen = sa.select(PluginChoice)
    paused = sa.select(PluginPause).where(PluginPause.resumed_at.is_(None))
    agreed = sa.select(PluginAgreement.plugin, PluginAgreement.node_id, PluginAgreement.declared)
    if only is not None:
        stores = stores.where(Store.id.in_(only))
        chosen = chosen.where(PluginChoice.node_id.in_(only))
        paused = paused.where(PluginPause.node_id.in_(only))
        agreed = agreed.where(
            sa.or_(PluginAgreement.store_id.is_(None), PluginAgreement.node_id.in_(only))
        )
    places: dict[UUID | None, Place] = {row[0]: Place._make(row) for row in s.execute(stores)}
    if only is None:
        brand = s.get_one(Brand, brand_id)
        places[None] = Place(
            None, brand_id, brand.slug, brand.name, brand.zone, brand.locale, brand.currency
        )
    regions = s.execute(sa.select(Region.id, Region.name).where(*s.scope.owns(Region)))
    return Snapshot(
        brand_id,
        places,
        {row.id: row.name for row in regions},
        {
            (row.plugin, row.node_id): Word(Level(row.level), row.set_by, row.set_at, row.note)
            for row in s.scalars(sa.select(PluginPolicy))
        },
        {(row.plugin, row.node_id): _wish(row) for row in s.scalars(chosen)},
        {
            (row.plugin, row.node_id): Pause(row.paused_at, row.faults, row.paused_by)
            for row in s.scalars(paused)
        },
        {(row.plugin, row.node_id): frozenset(row.declared) for row in s.execute(agreed)},
    )


def _wish(row: PluginChoice) -> Wish:
    approval = None
    if row.approval is not None and row.decided_at is not None:
        approval = Approval(
            row.approval == "granted", row.decided_by or "", row.decided_at, row.note
        )
    return Wish(Choice(row.wanted, row.chosen_by, row.chosen_at), approval)


class Names(NamedTuple):
    """Tools of a place: those that are on, those that only a pause keeps off, and those that did
    not load (away), with those of them that would be on (missed)."""

    on: frozenset[str]
    paused: frozenset[str]
    away: frozenset[str]
    missed: frozenset[str]


def names(host: "Host", rulings: Mapping[str, Ruling]) -> Names:
    """The tools of a place by what is asked of them there."""
    away = frozenset(name for name in rulings if name not in host.plugins)
    return Names(
        frozenset(name for name, ruling in rulings.items() if ruling.on),
        frozenset(name for name, ruling in rulings.items() if ruling.paused_only),
        away,
        frozenset(name for name in away if rulings[name].code == "absent"),
    )
