"""Two brands of two stores with everything in them, each text telling whose it is.

"harbour" owns its customers, "quarry" leaves them to its stores. What is written under a store's
scope is the store's, except people and what is kept about them in harbour: those are the brand's.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Flask

from highstreet.consent import laying_down, suppressions
from highstreet.customers import queries
from highstreet.customers import service as customers
from highstreet.host import policy, settings
from highstreet.kit import marks
from highstreet.kit.brands import make_brand
from highstreet.kit.databases import Database
from highstreet.webhooks import subscriptions
from highstreet.webhooks.models import WebhookDelivery, WebhookEvent, WebhookInterest
from highstreet_tenants import bulk, clock
from highstreet_tenants.ids import new_id
from highstreet_tenants.models import Brand, Owner, Region, Store
from highstreet_tenants.people import accounts, keys, logins
from highstreet_tenants.people.permissions import Catalogue
from highstreet_tenants.scopes import Actor, Scope
from probe import campaigns, folk, magazine, mailing, picking, posted, printed, staff

CLUB, MAIL, TOOL = "points_club", "direct_mail", "probe_tool"
TOOLS = (CLUB, MAIL, TOOL, magazine.NAME)
PROGRAMME: dict[str, Any] = {
    "rewards": [{"key": "lunch", "name": "Lunch", "points": 10, "kind": "product"}]
}
#: Where each store has an answer that is kept under the Idempotency-Key "probe-<owner>".
KEPT = ("POST", "/api/v1/customers")


@dataclass
class Site:
    """What one owner (a store, or a brand's head office) has: `ids` by kind, as `arguments` name
    them; a kind may have several.
    """

    owner: str
    brand: SimpleNamespace
    store: SimpleNamespace | None
    ids: dict[str, list[Any]] = field(default_factory=dict)

    def keep(self, kind: str, *ids: Any) -> None:
        """Remember ids."""
        self.ids.setdefault(kind, []).extend(ids)

    @property
    def slugs(self) -> dict[str, str]:
        """The arguments of its address."""
        slugs = {"brand": self.brand.slug}
        return slugs | {"store": self.store.slug} if self.store else slugs

    @property
    def people(self) -> str:
        """Who owns the people that are met here: the brand's key, or the store's."""
        return self.brand.slug if self.brand.customers == "brand" else self.owner


@dataclass
class World:
    """The filled house. sites, keys (API tokens), seats (a till opened by a PIN) by owner; users,
    emails by owner, the probe's own.

    planted: foreign texts that walkers themselves sent in, so that they stand in rows of others.
    """

    app: Flask
    database: Database
    sites: dict[str, Site] = field(default_factory=dict)
    emails: dict[str, str] = field(default_factory=dict)
    users: dict[str, UUID] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    seats: dict[str, logins.Seat] = field(default_factory=dict)
    planted: set[str] = field(default_factory=set)

    @property
    def house(self) -> Any:
        """What app.py put together."""
        return self.app.extensions["highstreet"]

    @property
    def catalogue(self) -> Catalogue:
        """All permissions."""
        found: Catalogue = self.app.extensions["highstreet.catalogue"]
        return found

    def scope(self, owner: str, clerk: str = "") -> Scope:
        """The scope in which an owner works. `clerk`: who acts, named beside what they write."""
        site = self.sites[owner]
        actor = Actor("user", None, clerk or f"{marks.word(owner, 'firm')} Clerk")
        if site.store is None:
            return Scope.brand(site.brand.row, actor)
        return Scope.store(site.brand.id, site.store.id, actor)

    @contextmanager
    def session(self, owner: str, *, write: bool = False, clerk: str = "") -> Iterator[Any]:
        """A session of an owner's."""
        with self.house.tenancy.session(self.scope(owner, clerk), write=write) as s:
            yield s

    def sign_in(self, name: str, *, seat: logins.Seat | None = None) -> str:
        """A fresh session's token for one of `emails`; at a till if there is a `seat`."""
        visit = logins.Visit("127.0.0.1", "probe", seat=seat)
        with self.house.tenancy.control(write=True) as c:
            user = accounts.get_user(c, self.users[name])
            return logins.start_session(c, user, visit).token

    def spare(self, site: Site) -> list[UUID]:
        """Customers of a site's that may be merged, erased and renamed."""
        with self.session(self._door(site), write=True) as s:
            made = folk.crowd(s, 25)
        site.keep("spare", *made)
        return site.ids["spare"]

    def spare_one(self, site: Site) -> UUID:
        """One of them."""
        found: UUID = (site.ids.get("spare") or self.spare(site)).pop()
        return found

    def spare_pair(self, site: Site) -> tuple[UUID, UUID]:
        """A customer and the one who went into that record by a merge."""
        kept, gone = self.spare_one(site), self.spare_one(site)
        in_charge = site.brand.slug if site.brand.customers == "brand" else self._door(site)
        with self.session(in_charge, write=True) as s:
            customers.merge(s, kept, gone)
        return kept, gone

    def theirs(self, site: Site, name: str, customer_id: UUID) -> str:
        """What a form is to name of a customer of the site's: a phone, or a note or a suppression
        just made."""
        with self.session(self._door(site), write=True) as s:
            if name == "note":
                return str(customers.add_note(s, customer_id, "Likes the window seat").id)
            if name == "suppression":
                stop = suppressions.suppress(s, customer_id, reason="do_not_mail", source="console")
                return str(stop.id)
            known = queries.detail(s, customer_id).identities
            return next(one.value for one in known if one.kind == name)

    def _door(self, site: Site) -> str:
        """The store in which people of a site are met."""
        return site.owner if site.store else f"{site.owner}-1"

    def foreign(self, owner: str) -> list[Site]:
        """Sites whose rows are none of this owner's business: all others but its own brand's head
        office; for a head office, those of other brands.
        """
        here = self.sites[owner]
        return [
            site
            for site in self.sites.values()
            if site.owner != owner
            and (
                site.brand is not here.brand or (here.store is not None and site.store is not None)
            )
        ]


@contextmanager
def taken_back(opened: AbstractContextManager[Any]) -> Iterator[Any]:
    """A session whose work is undone at its end, for only its opener may end it."""
    try:
        with opened as s:
            yield s
            raise _TakenBack
    except _TakenBack:
        pass


class _TakenBack(Exception):
    """Ends a session as an error would."""


def build(app: Flask, database: Database) -> World:
    """Make and fill both brands."""
    marks.begin()
    world = World(app, database)
    tenancy = world.house.tenancy
    for slug, ownership in (("harbour", "brand"), ("quarry", "store")):
        brand = make_brand(tenancy, slug, ownership)
        _name_tree(world, brand)
        world.sites[slug] = Site(slug, brand, None)
        for store in brand.stores:
            world.sites[store.slug] = Site(store.slug, brand, store)
    for site in world.sites.values():
        if site.store is None:
            _fill_office(world, site)
    for site in world.sites.values():
        if site.store is not None:
            folk.fill(world, site)
            _fill_store(world, site)
    for site in world.sites.values():
        staff.fill(world, site)
        if site.store is None:
            # From now on nobody can switch them off on the way.
            with world.session(site.owner, write=True) as s:
                for tool in TOOLS:
                    policy.set_policy(s, tool, "required", note=f"{_firm(site)} says so")
    world.house.counting.write(everything=True)  # what the tools' hooks did meanwhile
    return world


def _firm(site: Site) -> str:
    return marks.word(site.owner, "firm")


def _name_tree(world: World, brand: SimpleNamespace) -> None:
    """The brand's tree bears the brand's mark; a store's own name is no secret to its brand."""
    firm = marks.word(brand.slug, "firm")
    with world.house.tenancy.session(Scope.operator(brand.id), write=True) as s:
        for region in s.scalars(sa.select(Region)):
            region.name = f"{firm} Coast"
        # The second store lies elsewhere: who looks after the coast has nothing to look for there.
        inland = Region(brand_id=brand.id, slug="inland", name=f"{firm} Inland")
        s.add(inland)
        s.flush()
        s.get_one(Store, (brand.id, brand.stores[1].id)).region_id = inland.id
        for owner in s.scalars(sa.select(Owner)):
            owner.legal_name = f"{firm} Ltd"
    with world.house.tenancy.control() as c:
        brand.row = c.get_one(Brand, brand.id)


def _fill_office(world: World, site: Site) -> None:
    firm = _firm(site)
    site.keep("brand", site.brand.slug)
    site.keep("region", site.brand.region_id)
    site.keep("place", site.brand.id)
    with world.session(site.owner, write=True) as s:
        for tool in TOOLS:
            policy.set_policy(s, tool, "default_on", note=f"{firm} says so")
        settings.put(s, CLUB, PROGRAMME | {"unit_many": f"{firm} points"})
        settings.put(s, TOOL, {"motto": f"{firm} motto"})
        folk.fill_brand(s, firm)
        campaigns.launch(s, site, firm)
        printed.design(world, s, site, firm)
        laying_down.lay_down(s, "cap", "sms", most=999, days=1)
        _listen(s, site, firm)
        mailing.sign(s, firm)
        magazine.begin(s, site, firm)
        if s.customers == "store":
            picking.fill(s, site, firm)
        posted.fill(s, site, firm)


#: What the webhooks of the world hear of; the rooms' own kinds would bring deliveries of their own.
HEARD = ("tool.switched",)


def _listen(s: Any, site: Site, firm: str) -> None:
    """A webhook of the place, with a message that waits to be carried and one to be handed on."""
    row = subscriptions.subscribe(
        s, name=f"{firm} listens", url="https://hooks.example/in", events=list(HEARD)
    ).webhook
    body = f'{{"type":"tool.switched","data":{{"said":"{firm}"}}}}'
    at, made = clock.now(), new_id()
    about = {"store_id": s.store_id, "type": "gone.kind", "body": body}
    bulk.insert(
        s,
        WebhookDelivery.__table__,
        [
            about
            | {
                "id": made, "webhook_id": row.id, "event_id": new_id(), "status": "sent",
                "attempts": 1, "answer": f"{firm} answered", "due_at": at, "created_at": at,
            }
        ],
    )  # fmt: skip
    bulk.insert(
        s, WebhookEvent.__table__, [about | {"id": new_id(), "place_id": s.store_id, "at": at}]
    )
    if s.store_id is None:
        s.add(WebhookInterest(brand_id=s.brand_id, type="probe.kind"))
        row.events = [*HEARD, "probe.kind"]  # or the interest would be forgotten
    site.keep("webhook", row.id)
    site.keep("delivery", made)


def _fill_store(world: World, site: Site) -> None:
    """What a store keeps about itself."""
    assert site.store is not None
    firm = _firm(site)
    site.keep("brand", site.brand.slug)
    site.keep("store", site.store.slug)
    site.keep("slug", site.store.slug)
    site.keep("place", site.store.id)
    with world.session(site.owner, write=True) as s:
        policy.choose(s, TOOL, True)
        settings.put(s, CLUB, {"unit_one": f"{firm} point"})
        settings.put(s, TOOL, {"motto": f"{firm} motto"})
        policy.pause(s, TOOL)
        policy.resume(s, TOOL)
        _listen(s, site, firm)
        campaigns.answer(s, site)
        printed.fill(world, s, site, firm)
    node = staff.node_of(world, site)
    with world.house.tenancy.session(Scope.operator(node.brand_id), write=True) as c:
        scopes = sorted(world.catalogue.scopes)
        for name in ("till", "spare till"):
            made = keys.create_key(
                c, node, f"{firm} {name}", scopes, by=None, catalogue=world.catalogue
            )
            site.keep("key", made.id)
            world.keys.setdefault(site.owner, made.token)
    folk.ring_up(world, site)
    with world.session(site.owner, write=True) as s:
        campaigns.buy(s, site)
        picking.fill(s, site, firm)
        mailing.write(s, site, firm)
        magazine.choose(s, site)
        posted.fill(s, site, firm)
