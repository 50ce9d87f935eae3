"""Leaks on purpose, one of each kind: what the probe must find, or it is no probe.

They get round the walls as a mistake in the core could: by a scope that is wider than it should be.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Flask, abort, request

from highstreet.customers import queries as customers
from highstreet.customers.models import Customer
from highstreet.host.access import public, requires
from highstreet.imports.models import Import
from highstreet.jobs import JobHandler
from highstreet.jobs.registry import JobError
from highstreet.purchases.models import Purchase
from highstreet.rest import pipeline
from highstreet_tenants.aggregates import Aggregate
from highstreet_tenants.clock import now
from highstreet_tenants.models import Brand
from highstreet_tenants.people.models import ApiKey
from highstreet_tenants.people.tree import Node
from highstreet_tenants.scopes import Scope

Deed = Callable[[Any, UUID], Any]


@contextmanager
def widened(s: Any, brand_id: UUID | None = None) -> Iterator[Any]:
    """The session, reaching all of its own brand meanwhile, or all of another."""
    narrow = s.scope
    s.scope = Scope.operator(brand_id or narrow.brand_id, narrow.actor)
    try:
        yield s
        s.flush()
    finally:
        s.scope = narrow


def anybody(s: Any, customer_id: UUID, *, rename: bool = False) -> str | None:
    """The name of a customer of whatever brand; None for nobody."""
    with s.info["tenancy"].control() as c:
        brands = c.scalars(sa.select(Brand.id)).all()
    for brand_id in brands:
        with widened(s, brand_id):
            found = s.get(Customer, (brand_id, customer_id))
            if found is not None:
                name = str(found.name)
                if rename:
                    found.name = "Renamed"
                return name
    return None


def gives(s: Any, customer_id: UUID) -> Any:
    """Tells the name."""
    return anybody(s, customer_id)


def renames(s: Any, customer_id: UUID) -> Any:
    """Changes another's row."""
    anybody(s, customer_id, rename=True)


def copies(s: Any, customer_id: UUID) -> Any:
    """Writes what is another's into a row of one's own, and says nothing."""
    name = anybody(s, customer_id) or "nobody"
    digest = "0" * 64
    s.add(
        Import(
            brand_id=s.brand_id, kind="customers", file_name=name, sha256=digest,
            mapping_sha256=digest, actor="Probe",
        )
    )  # fmt: skip
    s.flush()


def gives_second(s: Any, customer_id: UUID, purchase_id: UUID) -> Any:
    """Looks at whose the customer is, and not at whose the purchase."""
    customers.get(s, customer_id)
    with widened(s):
        found = s.get(Purchase, (s.brand_id, purchase_id))
        return found and found.pos_ref


def untaught(s: Any, widget: str) -> None:
    """Takes a kind of thing that the probe has not heard of."""


def revokes(s: Any, key_id: UUID, node: Node) -> Any:
    """Does not look at where the key is."""
    key = s.get(ApiKey, key_id)
    if key is not None:
        key.revoked_at = now()
    return key


def routes(app: Flask) -> None:
    """Routes that do what none may, as `leaks-<what>`."""
    tenancy = app.extensions["highstreet"].tenancy
    store = "/store/<brand>/<store>/leaks"

    def find(customer_id: UUID, *, rename: bool = False) -> str | None:
        with tenancy.control() as c:
            brand = c.scalars(sa.select(Brand)).first()
        with tenancy.session(Scope.operator(brand.id), write=rename) as s:
            return anybody(s, customer_id, rename=rename)

    @requires("customers.read")
    def shows(brand: str, store: str, customer_id: UUID) -> str:
        return find(customer_id) or abort(404)

    @requires("customers.read")
    def tells(brand: str, store: str, customer_id: UUID) -> str:
        return abort(403 if find(customer_id) else 404)

    @requires("customers.write")
    def changes(brand: str, store: str, customer_id: UUID) -> str:
        return "done" if find(customer_id, rename=True) else abort(404)

    @requires("customers.read")
    def finds(brand: str, store: str) -> str:
        asked = request.args.get("q", "")
        with tenancy.control() as c:
            brands = c.scalars(sa.select(Brand).where(Brand.customers == "brand")).all()
        for one in brands:
            with tenancy.session(Scope.brand(one)) as s:
                for hit in customers.find(s, asked) if asked else ():
                    return hit.customer.name
        return "nobody"

    @requires("customers.read")
    def logs(brand: str, store: str) -> str:
        app.logger.getChild("probe").info("%s was here", request.args.get("q", ""))
        return ""

    @public("by mistake")
    def opens(brand: str, store: str) -> str:
        return ""

    @requires("customers.read")
    def unknown(brand: str, store: str, widget_id: UUID) -> str:
        return "a kind of thing that the probe has not heard of"

    @requires("customers.read")
    def asks(brand: str, store: str) -> str:
        return request.args.get("widget", "")

    @requires("customers.read")
    def fails(brand: str, store: str) -> str:
        raise ZeroDivisionError

    @requires("customers.read")
    def answers(customer_id: UUID) -> Any:
        return {"name": shows("", "", customer_id)}

    def silent(brand: str, store: str) -> str:
        return "says nothing of whom it lets in"

    @requires("no.such")
    def misspelt(brand: str, store: str) -> str:
        return "nobody holds what it requires"

    for name, view, rule, method in (
        ("silent", silent, f"{store}/silent", "GET"),
        ("misspelt", misspelt, f"{store}/misspelt", "GET"),
        ("shows", shows, f"{store}/shows/<uuid:customer_id>", "GET"),
        ("tells", tells, f"{store}/tells/<uuid:customer_id>", "GET"),
        ("changes", changes, f"{store}/changes/<uuid:customer_id>", "POST"),
        ("finds", finds, f"{store}/finds", "GET"),
        ("logs", logs, f"{store}/logs", "GET"),
        ("opens", opens, f"{store}/opens", "GET"),
        ("unknown", unknown, f"{store}/unknown/<uuid:widget_id>", "GET"),
        ("asks", asks, f"{store}/asks", "GET"),
        ("fails", fails, f"{store}/fails", "GET"),
        ("answers", pipeline.operation(answers), "/api/v1/leaks/<uuid:customer_id>", "GET"),
    ):
        app.add_url_rule(rule, f"leaks-{name}", view, methods=[method])


def job(deed: Deed) -> JobHandler:
    """A job that does a deed about whom its payload names, and tells the jobs page what it got."""

    def run(s: Any, payload: Mapping[str, Any]) -> None:
        said = deed(s, UUID(payload["customer_id"]))
        if said:
            raise JobError(f"{said} could not be written to", again=False)

    return JobHandler("probe_tool.leaks", run)


def grouped(*columns: Any, keys: tuple[str, ...], by: tuple[Any, ...]) -> Aggregate:
    """An aggregate over a brand's purchases."""

    def query(scope: Scope) -> sa.Select[Any]:
        people = sa.func.count(Purchase.customer_id.distinct()).label("people")
        visits = sa.func.count().label("visits")
        return (
            sa.select(*columns, people, visits)
            .join(Customer, Customer.id == Purchase.customer_id)
            .where(*scope.owns(Purchase), *scope.owns(Customer))
            .group_by(*by)
        )

    return Aggregate("leaks", query, "people", frozenset(keys))
