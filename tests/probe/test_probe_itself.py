"""The probe finds what it is there to find: routes and functions that leak on purpose."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask, abort, request

from highstreet.customers import queries as customers
from highstreet.customers.models import Customer
from highstreet.host.access import public, requires
from highstreet.rest import pipeline
from highstreet_tenants.models import Brand
from highstreet_tenants.scopes import Scope
from probe import actors, asking, recording
from probe.conftest import make_app
from probe.rows import Untouched
from probe.walk import Walk
from probe.world import World, build

#: The first two walls stand alone there.
pytestmark = pytest.mark.parametrize("database_module", ["sqlite"], indirect=True, scope="module")


def anybody(app: Flask, customer_id: UUID, *, rename: bool = False) -> Any:
    """A customer of whatever brand, as an operator would find them; None for nobody."""
    tenancy = app.extensions["highstreet"].tenancy
    with tenancy.control() as c:
        brands = c.scalars(sa.select(Brand.id)).all()
    for brand_id in brands:
        with tenancy.session(Scope.operator(brand_id), write=rename) as s:
            found = s.get(Customer, (brand_id, customer_id))
            if found is not None:
                if rename:
                    found.name = "Renamed"
                return found
    return None


def leak(app: Flask) -> None:
    """Routes that do what none may."""
    store = "/store/<brand>/<store>/leaks"

    @requires("customers.read")
    def shows(brand: str, store: str, customer_id: UUID) -> str:
        found = anybody(app, customer_id)
        return found.name if found else abort(404)

    @requires("customers.read")
    def tells(brand: str, store: str, customer_id: UUID) -> str:
        return abort(403 if anybody(app, customer_id) else 404)

    @requires("customers.write")
    def changes(brand: str, store: str, customer_id: UUID) -> str:
        return "done" if anybody(app, customer_id, rename=True) else abort(404)

    @requires("customers.read")
    def finds(brand: str, store: str) -> str:
        asked = request.args.get("q", "")
        tenancy = app.extensions["highstreet"].tenancy
        with tenancy.control() as c:
            brands = c.scalars(sa.select(Brand).where(Brand.customers == "brand")).all()
        for one in brands:
            with tenancy.session(Scope.brand(one)) as s:
                for hit in customers.find(s, asked) if asked else ():
                    return str(customers.detail(s, hit.customer.id))
        return "nobody"

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

    for name, view, rule, method in (
        ("shows", shows, f"{store}/shows/<uuid:customer_id>", "GET"),
        ("tells", tells, f"{store}/tells/<uuid:customer_id>", "GET"),
        ("changes", changes, f"{store}/changes/<uuid:customer_id>", "POST"),
        ("finds", finds, f"{store}/finds", "GET"),
        ("opens", opens, f"{store}/opens", "GET"),
        ("unknown", unknown, f"{store}/unknown/<uuid:widget_id>", "GET"),
        ("asks", asks, f"{store}/asks", "GET"),
        ("fails", fails, f"{store}/fails", "GET"),
        ("answers", pipeline.operation(answers), "/api/v1/leaks/<uuid:customer_id>", "GET"),
    ):
        app.add_url_rule(rule, f"leaks-{name}", view, methods=[method])


@pytest.fixture(scope="module")
def leaky(database_module: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The filled house with leaks in it."""
    app = make_app(database_module, str(tmp_path_factory.mktemp("instance")))
    leak(app)
    recording.record_names(app)
    yield build(app, database_module)
    database_module.empty()
    app.extensions["highstreet"].engine.dispose()


def walked(leaky: World, route: str, name: str = "owner of quarry-1") -> list[str]:
    """What the probe says of one route."""
    actor = actors.actors(leaky)[name]
    done = Walk(leaky, actor, only=f"leaks-{route}")
    with Untouched(leaky, leaky.foreign(actor.home.owner), done.findings, name):
        done.run()
    return done.findings


@pytest.mark.parametrize(
    ("route", "said"),
    [
        ("shows", "shows quarry-2's folk"),
        ("shows", "200 for quarry-2's, 404 for nobody's"),
        ("tells", "403 for quarry-2's, 404 for nobody's"),
        ("changes", "changed rows of"),
        ("finds", "shows harbour's folk"),
        ("unknown", "teach the probe about <widget_id>"),
        ("asks", "teach the probe about <widget>"),
        ("fails", "500"),
    ],
)
def test_the_walk_finds_a_leaking_route(leaky: World, route: str, said: str) -> None:
    assert any(said in one for one in walked(leaky, route)), walked(leaky, route)


def test_the_walk_finds_a_leaking_operation(leaky: World) -> None:
    found = walked(leaky, "answers", "till of harbour-1")
    assert any("shows quarry-1's folk" in one for one in found), found


def test_a_route_that_keeps_to_itself_is_not_blamed(leaky: World) -> None:
    assert walked(leaky, "opens") == []


def test_a_leaking_function_is_found(leaky: World) -> None:
    def leaking(s: Any, customer_id: UUID) -> Any:
        return anybody(leaky.app, customer_id)

    def untaught(s: Any, widget: str) -> None:
        pass

    found, _counts = asking.ask_all(leaky, "quarry-1", {"leaking": leaking})
    assert any("gives quarry-2's folk" in one for one in found), found
    found, _counts = asking.ask_all(leaky, "quarry-1", {"untaught": untaught})
    assert any("teach the probe about <widget>" in one for one in found), found


def test_a_new_function_of_a_room_is_asked_without_being_listed(
    leaky: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from probe import calls

    def leaking(s: Any, customer_id: UUID) -> Any:
        return anybody(leaky.app, customer_id)

    leaking.__module__ = customers.__name__
    monkeypatch.setattr(customers, "leaking", leaking, raising=False)
    assert f"{customers.__name__}.leaking" in calls.functions()
