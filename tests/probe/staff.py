"""Whoever works in a place: people with roles, devices, offers, links, and a till with PINs."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from msgspec.structs import replace

from highstreet.kit import marks
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.people import accounts, links, logins, operate, pins, roles, tills
from highstreet_tenants.people.passwords import passwords
from highstreet_tenants.people.tree import Node
from highstreet_tenants.scopes import Scope

if TYPE_CHECKING:
    from probe.world import Site, World

#: One for each of the two who work in a store; another store's people may well have the same.
PINS = ("739162", "284951")


def node_of(world: World, site: Site) -> Node:
    """The site's node in its brand's tree."""
    with world.house.tenancy.session(Scope.operator(site.brand.id)) as s:
        brand = s.get_one(Brand, site.brand.id)
        return Node.of(brand, s.get_one(Store, (brand.id, site.store.id)) if site.store else None)


def fill(world: World, site: Site) -> None:
    """Whoever works in the place, with a role, a device, an offer that waits, and links."""
    firm = marks.word(site.owner, "firm")
    tenancy = world.house.tenancy
    role = "store_owner" if site.store else "head_office_manager"
    node = node_of(world, site)
    for number in (1, 2):
        # Two of each: the probe itself, and a colleague whom it must not harm.
        name = site.owner if number == 1 else f"{site.owner} colleague"
        user_id = _take_on(world, site, node, role, f"Person {number}")
        world.emails[name], world.users[name] = f"{firm.lower()}.{number}@people.example", user_id
        with tenancy.control(write=True) as c:
            user = accounts.get_user(c, user_id)
            started = logins.start_session(c, user, logins.Visit("127.0.0.1", f"{firm} device"))
            person = logins.find_person(c, started.token)
            assert person is not None
            site.keep("session", person.session_id)
    _offer(world, site, node, user_id)
    if site.store is None:
        _look_after(world, site)
    else:
        _set_up_till(world, site, node, started.token)
    # Two below them, over whom they have power: one is told what to do, the other one leaves.
    below = "till_staff" if site.store else "head_office_marketing"
    _take_on(world, site, node, below, "Hand")
    site.keep("leaver", _take_on(world, site, node, below, "Leaver", stays=False))


def _take_on(
    world: World, site: Site, node: Node, role: str, called: str, *, stays: bool = True
) -> UUID:
    """Somebody with an account and a role in the place."""
    firm = marks.word(site.owner, "firm")
    address = f"{firm.lower()}.{called.split()[-1].lower()}@people.example"
    user_id = operate.create_user(world.house, address, f"{firm} {called}")
    with world.house.tenancy.session(Scope.operator(node.brand_id), write=True) as c:
        row = roles.grant(c, user_id, role, node, by=None, catalogue=world.catalogue)
    site.keep("grant", row.id)
    if stays:
        site.keep("user", user_id)
    return user_id


def _look_after(world: World, site: Site) -> None:
    """Somebody looks after the region in which a brand's first store lies."""
    firm, name = marks.word(site.owner, "firm"), f"region of {site.owner}"
    email = f"{firm.lower()}.region@people.example"
    user_id = operate.create_user(world.house, email, f"{firm} Traveller")
    world.emails[name], world.users[name] = email, user_id
    node = Node(site.brand.id, site.brand.customers, region_id=site.brand.region_id)
    with world.house.tenancy.session(Scope.operator(node.brand_id), write=True) as c:
        roles.grant(c, user_id, "regional_manager", node, by=None, catalogue=world.catalogue)


def _offer(world: World, site: Site, node: Node, by: UUID) -> None:
    """Somebody with an account elsewhere is offered a role, and has not answered."""
    firm = marks.word(site.owner, "firm")
    guest = operate.create_user(
        world.house, f"guest.{firm.lower()}@people.example", f"{firm} Guest"
    )
    role = "till_staff" if site.store else "head_office_marketing"
    with world.house.tenancy.control(write=True) as c:
        token = links.make_link(c, guest, "join", by=by, offer=node.grant(role))
        site.keep("link", links.look(c, token).id)
        site.keep("link_token", token)


def _set_up_till(world: World, site: Site, node: Node, token: str) -> None:
    """A device is the store's till, and both who work there have a PIN."""
    firm = marks.word(site.owner, "firm")
    tenancy = world.house.tenancy
    with tenancy.session(Scope.operator(node.brand_id), write=True) as c:
        me = logins.find_person(c, token)
        assert me is not None
        made = tills.set_up(c, node, f"{firm} till", tills.USUAL_LOCK, by=me)
        spare = tills.set_up(c, node, f"{firm} spare till", tills.USUAL_LOCK, by=me)
        seat = tills.find_seat(c, made.token)
        assert seat is not None
    site.keep("till", made.id, spare.id)
    site.keep("till_token", made.token)
    world.seats[site.owner] = replace(seat, by_pin=True)
    way = pins_of(world)
    for user_id, pin in zip(site.ids["user"], PINS, strict=True):
        by = me if user_id == me.id else _own(world, user_id)
        pins.set_pin(tenancy, way, node, user_id, pin, by=by, catalogue=world.catalogue)


def pins_of(world: World) -> pins.Pins:
    """The house's way to hash PINs."""
    return pins.Pins(passwords("cheap"), world.house.config["secret_key"])


def _own(world: World, user_id: UUID) -> logins.Person:
    """Somebody as they are signed in themselves."""
    with world.house.tenancy.control(write=True) as c:
        user = accounts.get_user(c, user_id)
        token = logins.start_session(c, user, logins.Visit("127.0.0.1", "probe")).token
        person = logins.find_person(c, token)
    assert person is not None
    return person
