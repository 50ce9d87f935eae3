"""Who asks, where, and with which session: worked out once per request.

`current.user` is None for a stranger. `current.place` exists only under `/store/<brand>/<store>`,
`/office/<brand>` and a tool's screens beneath them.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import sqlalchemy as sa
from flask import current_app, g, request
from msgspec import Struct

from highstreet.i18n import gettext as _
from highstreet_tenants.errors import NotFound
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.people import tree
from highstreet_tenants.scopes import Actor, Origin, Scope
from highstreet_tenants.sessions import ScopedSession

if TYPE_CHECKING:
    from highstreet.house import House
    from highstreet_tenants.people.logins import Person
    from highstreet_tenants.people.permissions import Catalogue


class Place(Struct, frozen=True):
    """Where a request stands: a store's console (`store` set) or a head office's."""

    brand: Brand
    store: Store | None
    scope: Scope

    @property
    def node(self) -> tree.Node:
        """Its node in the brand's tree, for roles."""
        return tree.Node.of(self.brand, self.store)

    @property
    def slugs(self) -> dict[str, Any]:
        """What an address of this place needs: brand and, for a store's, store."""
        slugs: dict[str, Any] = {"brand": self.brand.slug}
        return slugs | {"store": self.store.slug} if self.store else slugs

    @property
    def store_id(self) -> UUID | None:
        """The store's id; None for head office."""
        return self.store.id if self.store else None

    @property
    def name(self) -> str:
        """What the bar shows."""
        return self.store.name if self.store else _("Head office")

    @property
    def locale(self) -> str:
        """The locale that dates and numbers follow where the reader's language allows."""
        return self.store.locale if self.store else self.brand.locale

    @property
    def zone(self) -> str:
        """IANA zone of the place's day."""
        return self.store.zone if self.store else self.brand.zone

    @property
    def currency(self) -> str:
        """ISO 4217 code."""
        return self.store.currency if self.store else self.brand.currency


class Current:
    """The request's user, place and sessions; use the module's `current`."""

    @property
    def house(self) -> House:
        """The application's parts."""
        return cast("House", current_app.extensions["highstreet"])

    @property
    def user(self) -> Person | None:
        """Who is signed in, or None. The sign-in puts it in `g`."""
        return cast("Person | None", g.get("user"))

    @property
    def catalogue(self) -> Catalogue:
        """All permissions: the core's and the tools'."""
        return cast("Catalogue", current_app.extensions["highstreet.catalogue"])

    @property
    def permissions(self) -> frozenset[str]:
        """What the user may do in the place at hand; nothing outside of one."""
        held = cast("frozenset[str] | None", g.get("held"))
        if held is None:
            user, place = self.user, self.place_or_none
            held = frozenset()
            if user is not None and place is not None:
                held = tree.permissions_at(user.grants, place.node, self.catalogue)
                if user.by_pin:
                    held &= self.catalogue.at_till
            g.held = held
        return held

    def may(self, permission: str) -> bool:
        """Whether the user holds `permission` in the place at hand."""
        return permission in self.permissions

    @property
    def actor(self) -> Actor:
        """Who to write into the records."""
        user = self.user
        if user is None:
            return Actor("system", None, "visitor")
        seat = user.seat
        origin = (
            Origin("till", seat.till_id, seat.name)
            if seat
            else Origin("session", user.session_id, request.remote_addr or "")
        )
        return Actor("user", user.id, user.name, origin)

    @property
    def member_id(self) -> UUID | None:
        """Whose own page this is, opened by their link; None elsewhere."""
        return cast("UUID | None", g.get("member_id"))

    @property
    def place(self) -> Place:
        """Where the request stands. Raises NotFound where the page belongs to no place."""
        place = cast("Place | None", g.get("place"))
        if place is None:
            raise NotFound(_("This page belongs to a store or a head office."))
        return place

    @property
    def place_or_none(self) -> Place | None:
        """The place, or None on pages outside of the consoles."""
        return cast("Place | None", g.get("place"))

    def enter(self, brand_slug: str, store_slug: str | None) -> Place:
        """Find the place by the names in the address and stand there. Raises NotFound."""
        with self.house.tenancy.control() as c:
            brand = c.scalar(sa.select(Brand).where(Brand.slug == brand_slug))
        if brand is None:
            raise NotFound(_("There is no such place. Look at the address."))
        office = Scope.brand(brand, self.actor)
        if store_slug is None:
            g.place = Place(brand, None, office)
            return self.place
        with self.house.tenancy.session(office) as s:
            store = s.scalar(sa.select(Store).where(Store.slug == store_slug))
        if store is None:
            raise NotFound(_("There is no such place. Look at the address."))
        g.place = Place(brand, store, Scope.store(brand.id, store.id, self.actor))
        return self.place

    def session(self, *, write: bool = False) -> AbstractContextManager[ScopedSession]:
        """A session for the place's scope; one transaction."""
        return self.house.tenancy.session(self.place.scope, write=write)

    def aggregate(self) -> AbstractContextManager[ScopedSession]:
        """A reading session for registered grouped queries over the whole brand."""
        place = self.place
        return self.house.tenancy.session(Scope.aggregate(place.brand.id, self.actor))


current = Current()
