"""Stores in every state that a tool can be in, from required to forbidden."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from flask import Flask

from highstreet.customers import service as customers
from highstreet.customers.facts import CustomerFact
from highstreet.host import policy, settings, state
from highstreet.kit.brands import make_brand
from highstreet.members import links
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.people import accounts, keys, logins, operate, roles
from highstreet_tenants.people.permissions import Catalogue
from highstreet_tenants.people.tree import Node
from highstreet_tenants.scopes import Scope
from probe.world import CLUB, PROGRAMME, TOOLS


@dataclass
class Place:
    """A store (or head office) in which every tool is in one state."""

    name: str
    brand: SimpleNamespace
    store: SimpleNamespace | None
    customer: CustomerFact | None = None
    token: str = ""
    key: str = ""
    session: str = ""
    reasons: dict[str, str] = field(default_factory=dict)
    on: bool = False

    @property
    def scope(self) -> Scope:
        """Its own scope."""
        if self.store is None:
            return Scope.brand(self.brand.row)
        return Scope.store(self.brand.id, self.store.id)

    @property
    def node(self) -> UUID:
        """The store's id, or the brand's for its head office."""
        node: UUID = self.store.id if self.store else self.brand.id
        return node

    @property
    def slugs(self) -> dict[str, str]:
        """Its address."""
        slugs = {"brand": self.brand.slug}
        return slugs | {"store": self.store.slug} if self.store else slugs


#: State of all tools in a place → whether they are on there.
STATES = {
    "on": True,
    "off": False,
    "declined": False,
    "paused": False,
    "waiting": False,
    "refused": False,
    "approved": True,
    "forbidden": False,
    "required": True,
    "unasked": False,
}
#: What head office says of all tools, by the brand's slug; nothing where it is not here.
LEVELS = {"free": "optional", "strict": "restricted", "none": "forbidden", "all": "required"}
#: Head offices → whether tools are on there: they are as soon as one store uses them.
OFFICES = {
    "head office of free": True,
    "head office of strict": True,
    "head office of none": False,
    "head office of all": True,
    "head office of new": False,
}


@dataclass
class Street:
    """All places by the state of the tools there, and head offices by their brand's slug."""

    app: Flask
    places: dict[str, Place] = field(default_factory=dict)
    offices: dict[str, Place] = field(default_factory=dict)

    @property
    def house(self) -> Any:
        """What app.py put together."""
        return self.app.extensions["highstreet"]

    def session(self, place: Place, *, write: bool = False) -> Any:
        """A session of a place's."""
        return self.house.tenancy.session(place.scope, write=write)

    def browser(self, place: Place) -> Any:
        """Where whoever runs the place is signed in."""
        client = self.app.test_client()
        client.set_cookie("hs-session", place.session, domain="localhost")
        return client

    def at(self, name: str) -> Place:
        """A store by its state, or a head office by its name (see OFFICES)."""
        offices = {office.name: office for office in self.offices.values()}
        return self.places.get(name) or offices[name]

    def everywhere(self) -> list[Place]:
        """All stores and head offices."""
        return [*self.places.values(), *self.offices.values()]


def build(app: Flask) -> Street:
    """Five brands: one whose stores choose, one that approves, one that forbids, one that
    requires, and one in which nobody has said anything yet.
    """
    street = Street(app)
    _brand(street, "free", "brand", ("on", "off", "declined", "paused"))
    _brand(street, "strict", "store", ("waiting", "refused", "approved"))
    _brand(street, "none", "store", ("forbidden",))
    _brand(street, "all", "brand", ("required",))
    _brand(street, "new", "store", ("unasked",))
    for place in (*street.places.values(), *street.offices.values()):
        _look(street, place)
    return street


def _brand(street: Street, slug: str, customers_: str, states: tuple[str, ...]) -> None:
    tenancy = street.house.tenancy
    brand = make_brand(tenancy, slug, customers_, stores=len(states))
    with tenancy.control() as c:
        brand.row = c.get_one(Brand, brand.id)
    office = street.offices[slug] = Place(f"head office of {slug}", brand, None)
    with street.session(office, write=True) as s:
        settings.put(s, CLUB, PROGRAMME)
    for name, store in zip(states, brand.stores, strict=True):
        place = street.places[name] = Place(name, brand, store)
        with street.session(place, write=True) as s:
            place.customer = customers.enrol(s, name=f"{name.title()} Quill", card=f"K{slug}{name}")
    with street.session(office, write=True) as s:
        for tool in TOOLS if slug in LEVELS else ():
            policy.set_policy(s, tool, LEVELS[slug], note="as we said")
    for name in states:
        for tool in TOOLS:
            _bring(street, street.places[name], office, tool)


def _bring(street: Street, place: Place, office: Place, tool: str) -> None:
    """Bring one tool into the place's state."""
    assert place.store is not None
    if place.name in ("on", "paused", "waiting", "refused", "approved", "declined"):
        with street.session(place, write=True) as s:
            policy.choose(s, tool, True)
            if place.name == "declined":
                policy.choose(s, tool, False)
            if place.name == "paused":
                policy.pause(s, tool)
    if place.name in ("refused", "approved"):
        with street.session(office, write=True) as s:
            decide = policy.approve if place.name == "approved" else policy.refuse
            decide(s, tool, place.store.id, "we thought about it")


def _look(street: Street, place: Place) -> None:
    """Note what holds in the place, and who may look at it."""
    tenancy, catalogue = street.house.tenancy, street.app.extensions["highstreet.catalogue"]
    with street.session(place) as s:
        found = {tool: state.explain(s, tool) for tool in TOOLS}
        place.reasons = {tool: one.reason for tool, one in found.items()}
        assert len({one.on for one in found.values()}) == 1
        place.on = found[CLUB].on
        if place.customer is not None:
            place.token = links.make_link(tenancy, s, place.customer.id)
        row = s.get_one(Store, (place.brand.id, place.store.id)) if place.store else None
    assert place.on is {**STATES, **OFFICES}[place.name], place.name
    node = Node.of(place.brand.row, row)
    role = "store_owner" if row else "head_office_manager"
    email = f"{place.brand.slug}.{place.name}".replace(" ", ".") + "@people.example"
    user_id = operate.create_user(street.house, email, place.name)
    place.session = _sign_in(tenancy, user_id, role, node, catalogue)
    if row is not None:
        with tenancy.session(Scope.operator(node.brand_id), write=True) as c:
            scopes = sorted(catalogue.scopes)
            made = keys.create_key(c, node, "till", scopes, by=None, catalogue=catalogue)
        place.key = made.token


def _sign_in(tenancy: Any, user_id: UUID, role: str, node: Node, catalogue: Catalogue) -> str:
    with tenancy.session(Scope.operator(node.brand_id), write=True) as c:
        roles.grant(c, user_id, role, node, by=None, catalogue=catalogue)
        user = accounts.get_user(c, user_id)
        return logins.start_session(c, user, logins.Visit("127.0.0.1", "probe")).token
