"""Two brands of two stores with everything in them, each text telling whose it is.

"harbour" owns its customers, "quarry" leaves them to its stores. What is written under a store's
scope is the store's, except people and what is kept about them in harbour: those are the brand's.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Flask

from conftest import Database, make_brand
from highstreet.host import policy, settings
from highstreet_tenants.models import Brand, Owner, Region, Store
from highstreet_tenants.people import accounts, keys, links, logins, operate, roles
from highstreet_tenants.people.permissions import Catalogue
from highstreet_tenants.people.tree import Node
from highstreet_tenants.scopes import Actor, Scope
from probe import folk, marks

CLUB, TOOL = "points_club", "probe_tool"
TOOLS = (CLUB, TOOL)
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
    """The filled house. sites, keys (API tokens) by owner; users, emails by owner, the probe's own.

    planted: foreign texts that walkers themselves sent in, so that they stand in rows of others.
    """

    app: Flask
    database: Database
    sites: dict[str, Site] = field(default_factory=dict)
    emails: dict[str, str] = field(default_factory=dict)
    users: dict[str, UUID] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
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

    def sign_in(self, name: str) -> str:
        """A fresh session's token for one of `emails`."""
        with self.house.tenancy.control(write=True) as c:
            user = accounts.get_user(c, self.users[name])
            return logins.start_session(c, user, logins.Visit("127.0.0.1", "probe")).token

    def spare(self, site: Site) -> list[UUID]:
        """Customers of a site's that may be merged, erased and renamed."""
        at = site.owner if site.store else f"{site.owner}-1"
        with self.session(at, write=True) as s:
            made = folk.crowd(s, 25)
        site.keep("spare", *made)
        return site.ids["spare"]

    def spare_one(self, site: Site) -> UUID:
        """One of them."""
        found: UUID = (site.ids.get("spare") or self.spare(site)).pop()
        return found

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


def build(app: Flask, database: Database) -> World:
    """Make and fill both brands."""
    marks.begin()
    world = World(app, database)
    tenancy = world.house.tenancy
    for slug, customers in (("harbour", "brand"), ("quarry", "store")):
        brand = make_brand(tenancy, slug, customers)
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
        _staff(world, site)
        if site.store is None:
            # From now on nobody can switch them off on the way.
            with world.session(site.owner, write=True) as s:
                for tool in TOOLS:
                    policy.set_policy(s, tool, "required", note=f"{_firm(site)} says so")
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
    node = node_of(world, site)
    with world.house.tenancy.control(write=True) as c:
        scopes = sorted(world.catalogue.scopes)
        for name in ("till", "spare till"):
            made = keys.create_key(
                c, node, f"{firm} {name}", scopes, by=None, catalogue=world.catalogue
            )
            site.keep("key", made.id)
            world.keys.setdefault(site.owner, made.token)
    folk.ring_up(world, site)


def _staff(world: World, site: Site) -> None:
    """Whoever works in the place, with a role, a device, an offer that waits, and links."""
    firm = _firm(site)
    tenancy = world.house.tenancy
    role = "store_owner" if site.store else "head_office_manager"
    node = node_of(world, site)
    for number in (1, 2):
        # Two of each: the probe itself, and a colleague whom it must not harm.
        email = f"{firm.lower()}.{number}@people.example"
        name = site.owner if number == 1 else f"{site.owner} colleague"
        user_id = operate.create_user(world.house, email, f"{firm} Person {number}")
        world.emails[name], world.users[name] = email, user_id
        with tenancy.control(write=True) as c:
            row = roles.grant(c, user_id, role, node, by=None, catalogue=world.catalogue)
            user = accounts.get_user(c, user_id)
            started = logins.start_session(c, user, logins.Visit("127.0.0.1", f"{firm} device"))
            person = logins.find_person(c, started.token)
            assert person is not None
            site.keep("session", person.session_id)
        site.keep("user", user_id)
        site.keep("grant", row.id)
    _offer(world, site, node, user_id)
    if site.store is None:
        _look_after(world, site)


def _look_after(world: World, site: Site) -> None:
    """Somebody looks after the region in which a brand's first store lies."""
    firm, name = _firm(site), f"region of {site.owner}"
    email = f"{firm.lower()}.region@people.example"
    user_id = operate.create_user(world.house, email, f"{firm} Traveller")
    world.emails[name], world.users[name] = email, user_id
    node = Node(site.brand.id, site.brand.customers, region_id=site.brand.region_id)
    with world.house.tenancy.control(write=True) as c:
        roles.grant(c, user_id, "regional_manager", node, by=None, catalogue=world.catalogue)


def _offer(world: World, site: Site, node: Node, by: UUID) -> None:
    """Somebody with an account elsewhere is offered a role, and has not answered."""
    firm = _firm(site)
    guest = operate.create_user(
        world.house, f"guest.{firm.lower()}@people.example", f"{firm} Guest"
    )
    role = "till_staff" if site.store else "head_office_marketing"
    with world.house.tenancy.control(write=True) as c:
        token = links.make_link(c, guest, "join", by=by, offer=node.grant(role))
        site.keep("link", links.look(c, token).id)
        site.keep("link_token", token)


def node_of(world: World, site: Site) -> Node:
    """The site's node in its brand's tree."""
    with world.house.tenancy.session(Scope.operator(site.brand.id)) as s:
        brand = s.get_one(Brand, site.brand.id)
        return Node.of(brand, s.get_one(Store, (brand.id, site.store.id)) if site.store else None)
