"""The control plane, which knows no scope: its functions are told for whom they work (a node of the
tree, a brand, whoever is signed in), and must do nothing with what does not stand there.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from highstreet.kit import marks
from highstreet_tenants import people
from highstreet_tenants.errors import HighstreetError
from highstreet_tenants.people import logins, roles, tills
from highstreet_tenants.people.held import grants_of
from highstreet_tenants.people.logins import Person
from highstreet_tenants.scopes import SYSTEM
from highstreet_tenants.sessions import ScopedSession
from probe import functions
from probe.arguments import Untaught
from probe.asking import stopped_by_database, visible
from probe.calls import texts
from probe.functions import Function
from probe.rows import Untouched
from probe.staff import PINS, node_of, pins_of
from probe.world import Site, World

TEACH = (
    "in tests/probe/standing.py, put it into THEIRS with the kind of thing that it names, or into"
    " PLAIN if it names nobody's"
)
#: Parameters that say for whom; who is told none of them (`get_user`) is asked by its callers.
HOLDERS = frozenset({"node", "brand", "brand_id", "by", "person"})
#: Parameters that name what may be another's.
THEIRS: Mapping[str, Callable[[World, Site], Any]] = {
    "email": lambda world, site: world.emails[site.owner],
    "grant_id": lambda world, site: site.ids["grant"][1],
    "grants": lambda world, site: [node_of(world, site).grant("store_owner")],
    "key_id": lambda world, site: site.ids["key"][0],
    "link_id": lambda world, site: site.ids["link"][0],
    "session_id": lambda world, site: site.ids["session"][1],
    "slug": lambda world, site: site.store.slug if site.store else site.brand.slug,
    "till_id": lambda world, site: site.ids["till"][0],
    "token": lambda world, site: site.ids["link_token"][0],
    "user_id": lambda world, site: site.ids["user"][1],
    "visit": lambda world, site: logins.Visit("127.0.0.1", "probe", seat=world.seats[site.owner]),
}
PLAIN: Mapping[str, Any] = {
    "actor": SYSTEM,
    "disabled": True,
    "kind": "store",
    "lock_seconds": tills.USUAL_LOCK,
    "name": "Probe",
    "pin": PINS[0],
    "purpose": "reset",
    "role": "till_staff",
    "roles": ["till_staff"],
    "since": datetime(2026, 1, 1, tzinfo=UTC),
    "scopes": ["till.read"],
}
#: Functions that are not asked, and why.
INNER: Mapping[str, str] = {
    "change_password": "it names nothing but one's own",
    "grant": "whoever is named gets the role: pages only offer one, by `invite`",
    "make_link": "a link for whoever is named: `invite` and `reset_link` ask whether one may",
}


def asked(world: World) -> Iterator[tuple[str, Function, frozenset[str]]]:
    """(name, function, for whom) of every public function that is told for whom it works."""
    for module in functions.walk(people):
        for name, function in functions.public(module):
            parameters = frozenset(inspect.signature(function).parameters)
            opens = {"s", "c", "tenancy"} & parameters
            if opens and HOLDERS & parameters and name not in INNER:
                yield f"{module.__name__}.{name}", function, parameters


def ask_all(world: World, owner: str, those: Any = None) -> list[str]:
    """Call each for the owner with what is others'. Gives what it told or changed of theirs."""
    findings: list[str] = []
    here, strangers = world.sites[owner], world.foreign(owner)
    seen = visible(world, owner)
    with Untouched(world, strangers, findings, f"the control plane for {owner}"):
        for name, function, parameters in asked(world) if those is None else those:
            if {"brand", "brand_id"} & parameters and here.store is not None:
                continue  # it works for a head office
            for site in strangers:
                said = f"{name}({site.owner}'s) for {owner}"
                try:
                    given = _arguments(world, here, site, name, function)
                    if given is None:
                        continue
                    told = texts(_call(world, owner, function, given))
                except Untaught as error:
                    findings.append(str(error))
                    continue
                except HighstreetError as error:
                    told = f"{error} {getattr(error, 'fields', '')}"
                except Exception as error:
                    if not stopped_by_database(error):
                        findings.append(f"{said} raised {type(error).__name__}: {error}"[:300])
                    continue
                planted = {p for one in given.values() for p in marks.planted(str(one))}
                findings += [
                    f"{said} gives {mark}" for mark in sorted(marks.found(told, but=planted) - seen)
                ]
    return findings


def _call(world: World, owner: str, function: Function, given: dict[str, Any]) -> Any:
    wants = inspect.signature(function).parameters
    if "tenancy" in wants:
        return function(world.house.tenancy, **given)
    if "s" in wants and wants["s"].annotation is ScopedSession:  # it writes into the trail
        with world.session(owner, write=True) as s:
            return texts(function(s, **given))
    with world.house.tenancy.control(write=True) as c:
        return texts(function(c, **given))


def _arguments(
    world: World, here: Site, site: Site, name: str, function: Function
) -> dict[str, Any] | None:
    """For whom: the owner here. Everything else: the other site's; None if it has no such thing.
    Raises Untaught.
    """
    given: dict[str, Any] = {}
    for parameter in inspect.signature(function).parameters.values():
        one = parameter.name
        if one in ("s", "c", "tenancy"):
            continue
        if one in HOLDERS or one == "nodes":
            given[one] = _holder(world, here, site, one)
        elif one == "catalogue":
            given[one] = world.catalogue
        elif one == "pins":
            given[one] = pins_of(world)
        elif one in THEIRS:
            try:
                given[one] = THEIRS[one](world, site)
            except KeyError:  # a head office has no till, and so no key
                return None
        elif one in PLAIN:
            given[one] = PLAIN[one]
        elif parameter.default is parameter.empty:
            raise Untaught(one, f"{name}, {parameter.annotation}", TEACH)
    return given


def _holder(world: World, here: Site, site: Site, name: str) -> Any:
    if name == "node":
        return node_of(world, here)
    if name == "brand":
        return here.brand.row
    if name == "brand_id":
        return here.brand.id
    if name == "nodes":  # of all that the other one holds: only to judge who controls it
        with world.house.tenancy.control() as c:
            held = grants_of(c, site.ids["user"][1])
        return roles.nodes_of(world.house.tenancy, held, SYSTEM)
    with world.house.tenancy.control() as c:
        return cast("Person", logins.find_person(c, world.sign_in(here.owner)))
