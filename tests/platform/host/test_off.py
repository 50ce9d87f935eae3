"""Off means off everywhere: a matrix made from the URL map, the hooks, the jobs and the slots.

A screen, operation, hook, job or slot that a tool adds tomorrow is asked here without being listed.
"""

from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from highstreet.app import create_app
from highstreet.host import gating, nav, plans, policy, registry, slots, state, tables
from highstreet.host.pages import FACE
from highstreet_tenants import clock
from highstreet_tenants.base import Base
from highstreet_tenants.ids import new_id
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.people.keys import create_key
from highstreet_tenants.people.tree import Node
from highstreet_tenants.scopes import Scope
from people_site import Site

NOTES = "highstreet_house_notes"
SOURCE = Path(__file__).parents[2] / "distributions" / NOTES


@pytest.fixture(scope="module")
def everything(
    database_module: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SimpleNamespace]:
    """The whole application with the points club and, as a second tool, house notes."""
    before = tables.look()
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SOURCE))
        patch.setattr(
            registry,
            "_installed",
            lambda: [
                *entry_points(group=registry.GROUP),
                EntryPoint("house_notes", NOTES, registry.GROUP),
            ],
        )
        app = create_app(
            {
                "instance": str(tmp_path_factory.mktemp("instance")),
                "database_url": database_module.url,
                "owner_database_url": database_module.extra["owner_url"],
                "secret_key": "for tests only",
                "password_hasher": "cheap",
                "testing": True,
            }
        )
        app.config["WTF_CSRF_ENABLED"] = False  # the gate is asked, not the form
        house = app.extensions["highstreet"]
        assert house.host.quarantined == {}
        assert set(house.host.plugins) == {"direct_mail", "magazine", "points_club", "house_notes"}
        with database_module.owner.begin() as connection:
            for name in house.host.plugins["house_notes"].tables:
                Base.metadata.tables[name].create(connection)
            database_module.protect(connection)
        yield SimpleNamespace(app=app, house=house)
        house.engine.dispose()
    tables.take_back(NOTES, house.host.plugins["house_notes"].tables, before)


@pytest.fixture
def place(everything: SimpleNamespace, database: Any, two_brands: list[Any]) -> SimpleNamespace:
    """A brand's store with everybody's permissions, and an API key with every scope."""
    brand = two_brands[0]
    house = everything.house
    site = Site(everything.app)
    with house.tenancy.session(Scope.operator(brand.id)) as s:
        row = s.get_one(Brand, brand.id)
        office = Node.of(row)
        shop = Node.of(row, s.get_one(Store, (brand.id, brand.stores[0].id)))
    boss = site.person("boss", ("head_office_manager", office), ("store_owner", shop))
    with house.tenancy.session(Scope.operator(shop.brand_id), write=True) as c:
        key = create_key(
            c, shop, "Till", sorted(site.catalogue.scopes), by=None, catalogue=site.catalogue
        )
    return SimpleNamespace(
        app=everything.app,
        house=house,
        brand=brand,
        store=brand.stores[0],
        browser=site.browser(boss),
        token=key.token,
    )


def open_session(place: SimpleNamespace, *, write: bool = False) -> Any:
    scope = Scope.store(place.brand.id, place.store.id)
    return place.house.tenancy.session(scope, write=write)


def views(place: SimpleNamespace) -> list[tuple[str, str, str, str]]:
    """(tool, face, method, address) of every view of every tool."""
    found = []
    for rule in place.app.url_map.iter_rules():
        blueprint = place.app.blueprints.get(rule.endpoint.rpartition(".")[0])
        tool = gating.tool_of(blueprint)
        if tool is None:
            continue
        known = {"brand": place.brand.slug, "store": place.store.slug, "token": "no-such-token"}
        values = {
            name: known.get(name, {"UUIDConverter": uuid4(), "IntegerConverter": 1}.get(
                type(rule._converters[name]).__name__, "x"))
            for name in rule.arguments
        }  # fmt: skip
        _host, address = rule.build(values, append_unknown=False)
        found += [
            (tool, getattr(blueprint, FACE), method, address)
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        ]
    return sorted(found)


def ask(place: SimpleNamespace, face: str, method: str, address: str) -> Any:
    if face != "api":
        return place.browser.client.open(address, method=method, data={})
    headers = {"Authorization": f"Bearer {place.token}", "Idempotency-Key": uuid4().hex}
    body = None if method in ("GET", "DELETE") else {}
    return place.app.test_client().open(address, method=method, headers=headers, json=body)


def test_every_screen_and_operation_of_a_tool_that_is_off_is_not_there(
    place: SimpleNamespace,
) -> None:
    asked = views(place)
    assert {"house_notes"} <= {tool for tool, *_ in asked}
    for tool, face, method, address in asked:
        answer = ask(place, face, method, address)
        # An operation may refuse a malformed body before it looks at the tool; it never answers.
        expected = {404} if face != "api" or method == "GET" else {404, 400, 413, 415, 422}
        assert answer.status_code in expected, (tool, method, address, answer.status_code)
        if face == "store":
            assert "Off. Each store may switch it on." in answer.text, address
        if face == "api" and answer.status_code == 404:
            assert answer.get_json()["type"].endswith("tool-off"), answer.get_json()


def test_the_same_pages_open_once_it_is_on(place: SimpleNamespace) -> None:
    """Otherwise the test above could pass because nothing ever opens."""
    with open_session(place, write=True) as s:
        for tool in place.house.host.plugins:
            policy.choose(s, tool, True)
    for tool, face, method, address in views(place):
        if face == "store" and method == "GET" and "static" not in address:
            answer = ask(place, face, method, address)
            assert "is not on here" not in answer.text, (tool, address)
    address = f"/store/{place.brand.slug}/{place.store.slug}/t/house_notes/"
    assert ask(place, "store", "GET", address).status_code == 200


def test_hooks_of_a_tool_that_is_off_are_never_called_but_for_obligations(
    place: SimpleNamespace,
) -> None:
    host = place.house.host
    with open_session(place) as s:
        active = state.here(s).active
        assert active.names == frozenset()
        for name, hook in host.hooks.items():
            called = {call.plugin for call in plans.plan_for(host, active, name).calls}
            assert called == (set(host.calls.get(name, ())) if hook.winddown else set()), name
    assert any(hook.winddown and host.calls.get(name) for name, hook in host.hooks.items())


def test_jobs_of_a_tool_that_is_off_do_not_run_but_for_obligations(
    place: SimpleNamespace,
) -> None:
    theirs = [handler for handler in place.house.jobs if handler.plugin is not None]
    assert theirs
    with open_session(place) as s:
        for handler in theirs:
            job = SimpleNamespace(
                id=new_id(), plugin=handler.plugin, name=handler.name, at=clock.now()
            )
            assert gating.job_guard(s, job).startswith("skip:"), handler.name  # type: ignore[arg-type]
            assert (
                handler.winddown or gating.stores_on(s, handler.plugin, [place.store.id]) == set()
            )


def test_navigation_and_slots_of_a_tool_that_is_off_are_empty(place: SimpleNamespace) -> None:
    host = place.house.host
    with open_session(place) as s:
        for face in ("store", "office", "member"):
            assert nav.entries(s, face, lambda _permission: True) == []  # type: ignore[arg-type]
        for slot in {slot for p in host.plugins.values() for slot in p.plugin.slots}:
            assert slots.render(s, slot) == []
