"""A town to try a tool in: two brands of two stores each, and whoever works and buys there.

"harbour" is one club: the brand owns its customers, and head office may see them. "quarry" leaves
its customers to its stores. The tool is on everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from flask import Flask
from flask.testing import FlaskClient
from msgspec import Struct, field

from highstreet.customers import service as customers
from highstreet.customers.facts import CustomerFact
from highstreet.host import policy, settings
from highstreet.kit import hearing, turns
from highstreet.kit.brands import make_brand
from highstreet.kit.databases import Database
from highstreet.members import links
from highstreet.purchases import service as purchases
from highstreet.purchases.facts import (
    LineIn,
    PurchaseFact,
    PurchaseIn,
    Recorded,
    ReturnFact,
    ReturnIn,
)
from highstreet.sdk import Ctx, ctx_of
from highstreet_tenants import clock
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.people import accounts, keys, logins, operate, roles
from highstreet_tenants.people.permissions import Catalogue
from highstreet_tenants.people.tree import Node
from highstreet_tenants.scopes import Actor, Scope
from highstreet_tenants.sessions import ScopedSession

SLUGS = {"harbour": "brand", "quarry": "store"}
"""The brands' slugs, and who owns their customers."""


class Town(Struct):
    """The whole house with one tool in it. brands: by slug. since: when it was made (UTC)."""

    app: Flask
    tool: str
    database: Database
    brands: dict[str, Office] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    since: datetime = field(default_factory=clock.now)

    @property
    def house(self) -> Any:
        """What assembly.py put together: tenancy, host, jobs, runner."""
        return self.app.extensions["highstreet"]

    @property
    def catalogue(self) -> Catalogue:
        """All permissions, the tool's too."""
        found: Catalogue = self.app.extensions["highstreet.catalogue"]
        return found

    @property
    def shops(self) -> list[Shop]:
        """All four stores: two of the club's, then two that own their customers."""
        return [shop for office in self.brands.values() for shop in office.shops]

    def run_jobs(self) -> int:
        """Do all the work that is due; gives how many jobs that were.

        Of the tool's periodic work the latest turn is due that began since the town was made: move
        the clock (`clock.shift(timedelta(days=1))`) and run the jobs. What hands events on to
        webhooks does not count.
        """
        turns.fire(self.house, self.tool, self.since)
        done, runner = 0, self.house.runner
        while (claimed := runner.claim()) is not None:
            runner.run_claimed(claimed)
            done += claimed.name not in hearing.HANDING
        return done

    def listen(self) -> None:
        """Every store and both head offices subscribe to all of the tool's events."""
        for office in self.brands.values():
            for session in (office.session, *(shop.session for shop in office.shops)):
                with session(write=True) as s:
                    hearing.listen(s, self.tool)

    def told(self) -> list[tuple[str, Mapping[str, Any]]]:
        """What the tool told others' programmes by `ctx.events`, in order: (name, data).

        Nothing before somebody listens (`listen`); in the fixture `town` all do. data is as a
        receiver reads it: ids and moments are text, `store_id` and `store` are added.
        """
        return hearing.told(self.database, self.tool)

    def person(self, role: str, node: Node) -> FlaskClient:
        """A browser in which somebody with a role is signed in."""
        name = f"{role}-{next(self.numbers)}"
        user_id = operate.create_user(self.house, f"{name}@people.example", name.title())
        with self.house.tenancy.session(Scope.operator(node.brand_id), write=True) as c:
            roles.grant(c, user_id, role, node, by=None, catalogue=self.catalogue)
            user = accounts.get_user(c, user_id)
            token = logins.start_session(c, user, logins.Visit("127.0.0.1", "kit")).token
        client = self.app.test_client()
        client.set_cookie("hs-session", token, domain="localhost")
        return client


class Office(Struct):
    """A brand's head office. customers: "brand" or "store", who owns them."""

    town: Town
    id: UUID
    slug: str
    customers: str
    row: Brand
    shops: list[Shop] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Of its console."""
        return f"/office/{self.slug}"

    @property
    def tool_page(self) -> str:
        """Where the tool's screens of head office hang."""
        return f"{self.address}/t/{self.town.tool}/"

    @property
    def node(self) -> Node:
        """Its place in the tree, where roles are held."""
        return Node.of(self.row)

    @property
    def scope(self) -> Scope:
        """Whose rows are within its reach."""
        return Scope.brand(self.row, Actor("user", None, "The kit"))

    @contextmanager
    def session(self, *, write: bool = False) -> Iterator[ScopedSession]:
        """A session of head office's: one transaction."""
        with self.town.house.tenancy.session(self.scope, write=write) as s:
            yield s

    @contextmanager
    def everything(self, *, write: bool = False) -> Iterator[ScopedSession]:
        """A session of the operator's over the whole brand, as an import has."""
        scope = Scope.operator(self.id, Actor("system", None, "The kit"))
        with self.town.house.tenancy.session(scope, write=write) as s:
            yield s

    @contextmanager
    def ctx(self, *, write: bool = False) -> Iterator[Ctx]:
        """The tool's `ctx` at head office."""
        with self.session(write=write) as s:
            yield ctx_of(s, self.town.tool)

    def browser(self, role: str = "head_office_manager") -> FlaskClient:
        """Somebody signed in at head office."""
        return self.town.person(role, self.node)

    def require(self, level: str, tool: str = "") -> None:
        """What head office says of the tool: "required", "default_on", "optional", …"""
        with self.session(write=True) as s:
            policy.set_policy(s, tool or self.town.tool, level)

    def set(self, values: Mapping[str, Any]) -> None:
        """Settings of the tool for the whole brand."""
        with self.session(write=True) as s:
            settings.put(s, self.town.tool, dict(values))


class Shop(Struct):
    """One store: its people, its till and what is bought there. members: who joined here (by
    `enrol`), first to last.
    """

    town: Town
    office: Office
    id: UUID
    slug: str
    code: str
    members: list[CustomerFact] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Of its console."""
        return f"/store/{self.office.slug}/{self.slug}"

    @property
    def tool_page(self) -> str:
        """Where the tool's screens of the store hang."""
        return f"{self.address}/t/{self.town.tool}/"

    @property
    def node(self) -> Node:
        """Its place in the tree, where roles are held."""
        with self.office.everything() as s:
            return Node.of(self.office.row, s.get_one(Store, (self.office.id, self.id)))

    @property
    def scope(self) -> Scope:
        """Whose rows are within its reach."""
        return Scope.store(self.office.id, self.id, Actor("user", None, "The kit"))

    @contextmanager
    def session(self, *, write: bool = False) -> Iterator[ScopedSession]:
        """A session of the store's: one transaction."""
        with self.town.house.tenancy.session(self.scope, write=write) as s:
            yield s

    @contextmanager
    def ctx(self, *, write: bool = False) -> Iterator[Ctx]:
        """The tool's `ctx` in the store."""
        with self.session(write=write) as s:
            yield ctx_of(s, self.town.tool)

    def browser(self, role: str = "store_owner") -> FlaskClient:
        """Somebody signed in who works here."""
        return self.town.person(role, self.node)

    def till(self, scopes: Sequence[str] | None = None) -> Till:
        """A till with an API key of these scopes, all of them unless given."""
        catalogue = self.town.catalogue
        wanted = sorted(catalogue.scopes) if scopes is None else list(scopes)
        node = self.node
        with self.town.house.tenancy.session(Scope.operator(node.brand_id), write=True) as c:
            made = keys.create_key(c, node, "The kit's till", wanted, by=None, catalogue=catalogue)
        return Till(self.town.app, made.token)

    def member_page(self, customer: CustomerFact) -> str:
        """Where the tool's screens of a member hang: whoever has the link may open them."""
        with self.session() as s:
            token = links.make_link(self.town.house.tenancy, s, customer.id)
        return f"/m/{token}/t/{self.town.tool}/"

    def set(self, values: Mapping[str, Any]) -> None:
        """Settings of the tool in this store."""
        with self.session(write=True) as s:
            settings.put(s, self.town.tool, dict(values))

    def switch(self, on: bool) -> None:
        """Switch the tool on or off here (head office's policy must leave it to the store)."""
        with self.session(write=True) as s:
            policy.choose(s, self.town.tool, on)

    def enrol(self, name: str = "Ann Quill", **known: Any) -> CustomerFact:
        """Somebody joins here. known: card, phone, email, birthday, language."""
        with self.session(write=True) as s:
            joined = customers.enrol(s, name=name, **known)
        self.members.append(joined)
        return joined

    def buy(
        self,
        total_minor: int = 1000,
        customer: CustomerFact | None = None,
        *,
        at: datetime | None = None,
        lines: Sequence[LineIn] = (),
    ) -> Recorded:
        """A purchase is rung up here, now unless said otherwise; `.answers` are tools'."""
        basket = PurchaseIn(
            self.id,
            f"K{uuid4().hex}",
            at or clock.now(),
            total_minor,
            "GBP",
            customer.id if customer else None,
            tuple(lines),
        )
        with self.session(write=True) as s:
            return purchases.record(s, basket)

    def give_back(self, bought: PurchaseFact, amount_minor: int | None = None) -> ReturnFact:
        """Money is given back for a purchase of this store: all that is left of it, or so much."""
        given = ReturnIn(
            self.id,
            f"K{uuid4().hex}",
            bought.pos_ref,
            clock.now(),
            amount_minor,
            purchase_store_id=bought.store_id,
        )
        with self.session(write=True) as s:
            return purchases.record_return(s, given).returned

    def merge(self, kept: CustomerFact, gone: CustomerFact) -> None:
        """Two records of one person become one."""
        with self._in_charge() as s:
            customers.merge(s, kept.id, gone.id)

    def unmerge(self, gone: CustomerFact) -> None:
        """That is taken back."""
        with self._in_charge() as s:
            customers.unmerge(s, gone.id)

    def export(self, customer: CustomerFact) -> Mapping[str, Any]:
        """All that is held of somebody; `["tools"]` has each tool's part."""
        with self._in_charge() as s:
            return customers.export(s, customer.id)

    def erase(self, customer: CustomerFact) -> Mapping[str, Any]:
        """Somebody is forgotten; gives the counts of what went."""
        with self._in_charge() as s:
            return customers.erase(s, customer.id, "they asked").parts

    @contextmanager
    def _in_charge(self) -> Iterator[ScopedSession]:
        """A session of whoever owns the people met here."""
        owner: Office | Shop = self.office if self.office.customers == "brand" else self
        with owner.session(write=True) as s:
            yield s


class Till(Struct, frozen=True):
    """What a store's till sends to the REST API."""

    app: Flask
    token: str

    def get(self, path: str, **more: Any) -> Any:
        """Ask for something."""
        return self._send("GET", path, **more)

    def post(self, path: str, json: Any = None, **more: Any) -> Any:
        """Do something; `key` makes a repeated call one deed."""
        return self._send("POST", path, json={} if json is None else json, **more)

    def _send(self, method: str, path: str, key: str = "", **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        if method != "GET":
            headers["Idempotency-Key"] = key or uuid4().hex
        return self.app.test_client().open(path, method=method, headers=headers, **more)


def build(app: Flask, database: Database, tool: str) -> Town:
    """Make both brands, with the tool and those that it needs switched on in every store."""
    town = Town(app, tool, database)
    wanted = needed(town.house.host, tool)
    for slug, owner in SLUGS.items():
        facts = make_brand(town.house.tenancy, slug, owner)
        with town.house.tenancy.control() as c:
            row = c.get_one(Brand, facts.id)
        office = town.brands[slug] = Office(town, facts.id, slug, owner, row)
        office.shops += [Shop(town, office, one.id, one.slug, one.code) for one in facts.stores]
        for name in wanted:
            office.require("default_on", name)
    return town


def needed(host: Any, tool: str) -> list[str]:
    """The tool and, before it, all that it depends on."""
    found: list[str] = []
    for need in host.get(tool).manifest.depends:
        found += [name for name in needed(host, need.name) if name not in found]
    return [*found, tool]


def why_not_loaded(host: Any, tool: str) -> str:
    """Why a tool is not there, and what to do."""
    if tool in host.quarantined:
        return str(host.quarantined[tool])
    known = ", ".join(sorted({*host.plugins, *host.quarantined})) or "none"
    return (
        f"No tool called {tool} is installed; there are: {known}. In the folder of your tool, run"
        " `pip install -e .`, and see that its entry point in the group highstreet.plugins bears"
        " this name."
    )
