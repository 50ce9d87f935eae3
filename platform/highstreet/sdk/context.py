"""`ctx`: what a tool works with, in one store (or at head office), for one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from highstreet import host as hosts
from highstreet.host import facts, settings, shops, state
from highstreet.sdk.ground import Ground, Room
from highstreet_tenants import clock, turns
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.trail import record

if TYPE_CHECKING:
    from highstreet.host.cascade import Resolved
    from highstreet.host.facts import BrandFacts
    from highstreet.host.registry import Loaded
    from highstreet.host.shops import Listed, Shop
    from highstreet.host.snapshot import Place
    from highstreet.sdk.house_rooms import Campaigns, Events, Jobs, Mail
    from highstreet.sdk.mailing_rooms import Mailings
    from highstreet.sdk.people_rooms import Consent, Customers, Fields, Purchases, Timeline
    from highstreet.sdk.reaching_rooms import Addresses, Printing, Segments


class Ctx(Ground):
    """A tool at work in one place. It lasts as long as the session; never keep it.

    plugin: the tool's name. store_id: the store it works in, in a screen, an operation, a slot or a
    job as in a hook; None at head office, and in a hook whose batch covers several stores.
    """

    __slots__ = ("_rooms",)

    def __init__(self, s: ScopedSession, loaded: Loaded, store_id: UUID | None = None) -> None:
        super().__init__(s, loaded, store_id)
        self._rooms: dict[str, Any] = {}

    @property
    def brand(self) -> BrandFacts:
        """The brand: name, currency, zone, locale, and who owns its customers."""
        return facts.brand(self._s)

    def store(self, store_id: UUID | None = None) -> Place:
        """Name, zone, currency and locale of a store (this place unless named).

        Raises NotFound for a store out of reach.
        """
        return state.place(self._s, self.store_id if store_id is None else store_id)

    def shops(self, ids: Iterable[UUID]) -> dict[UUID, Shop]:
        """Number and name of many stores of the brand, also of those that are out of reach."""
        return shops.named(self._s, ids)

    def all_shops(self) -> list[Listed]:
        """All stores of the brand, also closed ones, with number, name and region, in the order of
        their numbers."""
        return shops.listed(self._s)

    def regions(self) -> dict[UUID, str]:
        """The brand's regions by id, in the order of their names."""
        return shops.regions(self._s)

    def settings(self, store_id: UUID | None = None, at: datetime | None = None) -> Resolved:
        """The tool's settings in a store (this place unless named), now or as they were at a
        moment (aware)."""
        node = self.store_id if store_id is None else store_id
        return settings.resolve(self._s, self.plugin, node, at)

    def take_turn(self, *what: object) -> None:
        """Wait until no other transaction has the tool's turn of `what` in this brand.

        For a limit over what no row stands for; it is over with the transaction. Take it before any
        row is locked. Raises WallBreach in a reading session.
        """
        turns.take(self._s, self.plugin, *what)

    def record(
        self,
        action: str,
        kind: str,
        id: UUID | None = None,  # noqa: A002 - the id of what it was done to
        name: str = "",
        *,
        store_id: UUID | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Write into the trail that the session's actor did `action`, one of the tool's `actions`.

        For what people decide (a correction, a rule, an export), never for each purchase. kind, id
        and name say to what; of a customer give the id alone. store_id: this place unless named.
        Raises ValueError for an action that the tool did not declare, WallBreach in a
        reading session.
        """
        record(
            self._s,
            action,
            kind,
            id,
            name,
            store_id=self.store_id if store_id is None else store_id,
            details=details,
            known=hosts.of(self._s).get(self.plugin).plugin.actions,
        )

    def now(self) -> datetime:
        """The present moment, aware, UTC."""
        return clock.now()

    def is_on(self, plugin: str, store_id: UUID | None = None) -> bool:
        """Whether a tool (this or another) is on in a store."""
        return state.is_on(self._s, plugin, self.store_id if store_id is None else store_id)

    @property
    def customers(self) -> Customers:
        """The room `customers`, as far as the tool declared it."""
        return cast("Customers", self._room("customers"))

    @property
    def purchases(self) -> Purchases:
        """The room `purchases`: what was bought."""
        return cast("Purchases", self._room("purchases"))

    @property
    def timeline(self) -> Timeline:
        """The customers' story; what the tool writes bears its name."""
        return cast("Timeline", self._room("timeline"))

    @property
    def consent(self) -> Consent:
        """The gate before every contact."""
        return cast("Consent", self._room("consent"))

    @property
    def segments(self) -> Segments:
        """Who is in a segment, or picked by a rule."""
        return cast("Segments", self._room("segments"))

    @property
    def addresses(self) -> Addresses:
        """Where customers live, and with whom."""
        return cast("Addresses", self._room("addresses"))

    @property
    def mailings(self) -> Mailings:
        """Writing to many: the tool's own mailings, through the gate."""
        return cast("Mailings", self._room("mailings"))

    @property
    def printing(self) -> Printing:
        """Head office's print designs, and sheets of labels."""
        return cast("Printing", self._room("printing"))

    @property
    def campaigns(self) -> Campaigns:
        """Head office's campaigns that the tool acts for."""
        return cast("Campaigns", self._room("campaigns"))

    @property
    def fields(self) -> Fields:
        """What is known of customers, by name, whichever tool keeps it."""
        return cast("Fields", self._room("fields"))

    @property
    def jobs(self) -> Jobs:
        """Work in the background, in this transaction."""
        return cast("Jobs", self._room("jobs"))

    @property
    def events(self) -> Events:
        """Telling others' programmes, by webhook, what happened in the tool."""
        return cast("Events", self._room("events"))

    @property
    def mail(self) -> Mail:
        """Messages to one member, through the house's own gate and outbox."""
        return cast("Mail", self._room("mail"))

    def _room(self, name: str) -> Any:
        room = self._rooms.get(name)
        if room is None:
            room = self._rooms[name] = rooms()[name](self)
        return room

    def __repr__(self) -> str:
        return f"Ctx({self.plugin} in {self.store_id or 'brand'})"


@cache
def rooms() -> Mapping[str, type[Room]]:
    """The rooms of `ctx`, by the property that opens each: loaded with the first tool that works
    with one, not at the start."""
    from highstreet.sdk import house_rooms, mailing_rooms, people_rooms, reaching_rooms

    modules = (people_rooms, reaching_rooms, mailing_rooms, house_rooms)
    kinds = [kind for module in modules for kind in vars(module).values()]
    return {
        kind.__name__.lower(): kind
        for kind in kinds
        if isinstance(kind, type) and issubclass(kind, Room) and kind is not Room
    }


def make(s: ScopedSession, loaded: Loaded, store_id: UUID | None) -> Ctx:
    """What assembly.py hands to the host as its maker of `ctx`."""
    return Ctx(s, loaded, store_id)


def ctx_of(s: ScopedSession, plugin: str, store_id: UUID | None = None) -> Ctx:
    """The `ctx` of a tool in a session that is open already: for its jobs, and for tests.

    Raises KeyError for a tool that is not loaded.
    """
    return Ctx(s, hosts.of(s).get(plugin), store_id)
