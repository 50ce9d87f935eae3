"""Off means off: what a tool brings is absent, with the reason, wherever it is not on.

The matrix is made from the URL map, the registries and the tools' own lists, so that whatever a
tool brings next stands in it without being added here.
"""

from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.routing import Rule

from highstreet import jobs
from highstreet.host import dispatch, gating, slots, state
from highstreet.host.plans import plan_for
from highstreet.host.plugin import Plugin
from highstreet.jobs import JobRegistry, Runner
from highstreet.jobs.models import Job
from highstreet.jobs.periodic import Scheduler
from highstreet.purchases import service as purchases
from highstreet.purchases.facts import PurchaseIn
from highstreet.web.slots import SLOTS
from highstreet_tenants import clock
from highstreet_tenants.scopes import Scope
from probe import arguments, recording
from probe.conftest import make_app
from probe.street import STATES, Place, Street, build
from probe.tool.spy import Listening
from probe.world import TOOL, TOOLS

#: What a tool may bring → where the matrix asks for it. A new field of Plugin has no place here.
BROUGHT = {
    "name": "",
    "migrations": "tables stay while a tool is off",
    "translations": "words of pages that are absent",
    "hooks": "test_hooks",
    "settings": "test_pages_of_the_core",
    "screens": "test_screens_and_operations",
    "api": "test_screens_and_operations",
    "jobs": "test_jobs",
    "periodic": "test_schedules",
    "nav": "test_navigation",
    "slots": "test_slots",
}
#: Pages of the core about one tool, and why those that open while it is off do.
ABOUT_A_TOOL = {
    "tools.set_up": "gated",
    "tools.switch": "it is how one switches it on",
    "tools.do_switch": "it is how one switches it on",
    "tools.withdraw": "a request is taken back before there is an answer",
    "tools.resume": "it is how a paused one goes on",
    "tools.faults": "why it is paused",
    "office.policy": "head office says where it may be on",
    "office.set_policy": "head office says where it may be on",
    "office.tool_settings": "head office sets it up before stores switch it on",
    "office.decide": "head office answers a store that asked",
}


@pytest.fixture(scope="module")
def street(app_module: Flask, database_module: Any) -> Iterator[Street]:
    recording.record_names(app_module)
    yield build(app_module)
    database_module.empty()


def tool_routes(app: Flask) -> list[tuple[str, str, Rule]]:
    """(tool, face, rule) of every route of a tool."""
    found = []
    for rule in app.url_map.iter_rules():
        blueprint = app.blueprints.get(rule.endpoint.rpartition(".")[0])
        tool = gating.tool_of(blueprint)
        if tool is not None:
            found.append((tool, gating.face_of(blueprint) or "", rule))
    return found


def test_every_route_of_a_tool_is_known_as_one(street: Street) -> None:
    marked = {rule.rule for _tool, _face, rule in tool_routes(street.app)}
    placed = {
        rule.rule
        for rule in street.app.url_map.iter_rules()
        if "/t/" in rule.rule or rule.rule.startswith("/api/v1/tools/")
    }
    assert marked == placed
    assert {tool for tool, _face, _rule in tool_routes(street.app)} == set(TOOLS)


def test_whatever_a_tool_may_bring_stands_in_the_matrix() -> None:
    assert {field.name for field in fields(Plugin)} == set(BROUGHT)


@pytest.mark.parametrize("name", STATES)
def test_screens_and_operations(street: Street, name: str) -> None:
    wrong = unlike(street, name)
    assert not wrong, "\n".join(wrong)


def test_a_missing_gate_is_found(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "require", lambda *_arguments: None)
    faces = {face for _tool, face, _rule in tool_routes(street.app)}
    wrong = unlike(street, "forbidden")
    prefixes = {"store": "/store/", "office": "/office/", "member": "/m/", "api": "/api/"}
    for face in faces:
        assert any(f" {prefixes[face]}" in one for one in wrong), face


def unlike(street: Street, name: str) -> list[str]:
    """Routes of tools that do not answer as the state of their tools there demands."""
    place = street.places[name]
    office = street.offices[place.brand.slug]
    wrong = []
    for tool, face, rule in tool_routes(street.app):
        at = office if face == "office" else place
        on = at.on
        if face == "member":  # a club's members stand in the brand, others in their store
            on = office.on if place.brand.customers == "brand" else place.on
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            answer = _open(street, at, place, face, rule, method)
            said = f"{method} {rule.rule} where it is {name}: {answer.status_code}"
            off = _is_off(answer, at, tool)
            if off is on or (not on and answer.status_code != 404):
                wrong.append(f"{said}, off: {off}")
            elif on and method == "GET" and answer.status_code >= 400:
                wrong.append(f"{said}, though it is on")
            elif on and answer.status_code >= 500:
                wrong.append(said)
    return wrong


def _open(street: Street, at: Place, place: Place, face: str, rule: Rule, method: str) -> Any:
    values: dict[str, Any] = {**at.slugs, "token": place.token}
    for argument in rule.arguments - set(values):
        kind = arguments.kind_of(rule, argument)
        if kind == "customer" and place.customer is not None:
            values[argument] = place.customer.id
        elif kind is None:
            values[argument] = arguments.free(rule, argument)[0].value
        else:
            values[argument] = uuid4()
    values = {k: v for k, v in values.items() if k in rule.arguments}
    path = street.app.url_map.bind("localhost").build(rule.endpoint, values)
    client = street.app.test_client()
    more: dict[str, Any] = {}
    if face == "api":
        more["headers"] = {"Authorization": f"Bearer {at.key}", "Idempotency-Key": uuid4().hex}
        if method != "GET":
            more["json"] = {}
    else:
        client.set_cookie("hs-session", at.session, domain="localhost")
    return client.open(path, method=method, **more)


def _is_off(answer: Any, at: Place, tool: str) -> bool:
    """Whether an answer says that the tool is off, and why."""
    if answer.mimetype == "application/problem+json":
        told = answer.get_json()
        is_off = told["type"].endswith("/tool-off")
        return is_off and at.reasons[tool] in told["detail"]
    shown = unescape(answer.get_data().decode("utf-8", "replace"))
    return "This tool is off" in shown and at.reasons[tool] in shown


def test_pages_of_the_core_about_a_tool(street: Street) -> None:
    there = {
        rule.endpoint: rule for rule in street.app.url_map.iter_rules() if "tool" in rule.arguments
    }
    assert set(there) == set(ABOUT_A_TOOL), "say whether a page about a tool opens while it is off"
    for endpoint, why in ABOUT_A_TOOL.items():
        if why != "gated":
            continue
        for place in street.places.values():
            for tool in TOOLS:
                path = street.app.url_map.bind("localhost").build(
                    endpoint, {**place.slugs, "tool": tool}
                )
                client = street.app.test_client()
                client.set_cookie("hs-session", place.session, domain="localhost")
                for method in sorted((there[endpoint].methods or set()) - {"HEAD", "OPTIONS"}):
                    answer = client.open(path, method=method)
                    assert _is_off(answer, place, tool) is not place.on, (place.name, method)


@pytest.mark.parametrize("name", STATES)
def test_navigation(street: Street, name: str) -> None:
    place = street.places[name]
    office = street.offices[place.brand.slug]
    for at, page, face in (
        (place, "settings.store", "store"),
        (office, "office.settings", "office"),
    ):
        client = street.app.test_client()
        client.set_cookie("hs-session", at.session, domain="localhost")
        bind = street.app.url_map.bind("localhost")
        shown = client.get(bind.build(page, at.slugs)).text
        entries = [
            entry
            for loaded in street.house.host.plugins.values()
            for entry in loaded.plugin.nav
            if entry.face == face
        ]
        assert entries
        for entry in entries:
            href = bind.build(entry.endpoint, at.slugs)
            assert (f'href="{href}"' in shown) is at.on, f"{entry.endpoint} where it is {name}"


@pytest.mark.parametrize("name", STATES)
def test_slots(street: Street, name: str) -> None:
    place = street.places[name]
    filled = set()
    with street.app.test_request_context("/"), street.session(place) as s:
        for slot, fits in SLOTS.items():
            offered = {"customer": place.customer} if "(customer)" in fits else {}
            found = {answer.plugin for answer in slots.render(s, slot, **offered)}
            filled |= found
            assert found <= (set(TOOLS) if place.on else set()), slot
            assert (TOOL in found) is place.on, slot
    assert bool(filled) is place.on


@pytest.mark.parametrize("name", STATES)
def test_hooks(street: Street, name: str) -> None:
    place, host = street.places[name], street.house.host
    paused = name == "paused"
    heard: list[str] = []
    with (
        street.app.test_request_context("/"),
        Listening(lambda _ctx, what: heard.append(what.removeprefix("hook:"))),
    ):
        for hook in host.hooks.values():
            reaches = place.on or hook.winddown or (paused and hook.kind == "veto")
            with street.session(place, write=True) as s:
                plan = plan_for(host, state.here(s).active, hook.name)
                answering = set(host.calls.get(hook.name, {}))
                assert {call.plugin for call in plan.calls} == (answering if reaches else set())
                _ask(s, hook, place)
                s.rollback()
            assert (hook.name in heard) is reaches, f"{hook.name} where it is {name}"


def _ask(s: Any, hook: Any, place: Place) -> None:
    """Dispatch to the probe's tool alone: the others have their own tests with real facts."""
    host = s.info["host"]
    others = {
        hook_name: {p: c for p, c in calls.items() if p != TOOL}
        for hook_name, calls in host.calls.items()
    }
    for hook_name, calls in others.items():
        for plugin in calls:
            del host.calls[hook_name][plugin]
    _forget(host)
    try:
        given: dict[str, Any] = dict.fromkeys(hook.arguments, place.customer)
        if hook.kind == "chain":
            dispatch.chain(s, hook.name, given.pop(hook.arguments[0]), **given)
        elif hook.kind == "collect":
            dispatch.collect(s, hook.name, **given)
        else:
            {"first": dispatch.first, "veto": dispatch.veto}[hook.kind](s, hook.name, **given)
    finally:
        for hook_name, calls in others.items():
            host.calls[hook_name].update(calls)
        _forget(host)


def _forget(host: Any) -> None:
    for active in host.actives.values():
        active.plans.clear()


def test_a_batch_over_many_stores_reaches_a_tool_where_it_is_on(street: Street) -> None:
    heard: list[Any] = []
    for slug in street.offices:
        here = [one for one in street.places.values() if one.brand.slug == slug]
        scope = Scope.operator(here[0].brand.id)
        facts = []
        for place in here:
            assert place.store is not None and place.customer is not None
            with street.session(place, write=True) as s:
                given = PurchaseIn(
                    place.store.id, f"B{uuid4().hex}", clock.now() - timedelta(hours=1), 500,
                    "GBP", place.customer.id,
                )  # fmt: skip
                facts.append(purchases.record(s, given).purchase)
        with (
            street.house.tenancy.session(scope, write=True) as s,
            Listening(lambda ctx, what: heard.append((what, ctx.store_id))),
        ):
            answers = dispatch.collect_by_store(
                s, "purchases_recorded", facts, lambda fact: fact.store_id
            )
            assert bool(heard) is any(place.on for place in here), slug
            assert bool(answers) is any(place.on for place in here), slug
        heard.clear()


def spied(street: Street) -> tuple[JobRegistry, list[tuple[str, Any]]]:
    """The house's jobs, each of a tool's replaced by one that says that it ran."""
    ran: list[tuple[str, Any]] = []

    def said(name: str) -> Any:
        return lambda s, payload: ran.append((name, s.store_id))

    registry = JobRegistry()
    for handler in street.house.jobs:
        registry.add(replace(handler, run=said(handler.name)) if handler.plugin else handler)
    registry.add(*(periodic for periodic, _handler in street.house.jobs.periodic()))
    return registry, ran


def test_jobs(street: Street) -> None:
    registry, ran = spied(street)
    tools = [handler for handler in registry if handler.plugin]
    assert {handler.plugin for handler in tools} == set(TOOLS)
    queued: dict[Any, tuple[Any, Place]] = {}
    for place in street.places.values():
        with street.session(place, write=True) as s:
            for handler in tools:
                queued[jobs.enqueue(s, handler.name, {})] = (handler, place)
    runner = Runner(street.house.tenancy, registry, gating.job_guard)
    while runner.run_one() is not None:
        pass
    with street.house.tenancy.control() as c:
        rows = {row.id: row for row in c.scalars(sa.select(Job).where(Job.id.in_(list(queued))))}
    for job_id, (handler, place) in queued.items():
        assert place.store is not None
        runs = place.on or handler.winddown
        row = rows[job_id]
        assert ((handler.name, place.store.id) in ran) is runs, (handler.name, place.name)
        assert row.status == ("done" if runs else "skipped"), (handler.name, place.name)
        if not runs:
            assert row.error == place.reasons[handler.plugin]


def test_schedules(street: Street) -> None:
    registry, _ran = spied(street)
    handlers = {p.name: h for p, h in registry.periodic() if h.plugin}
    assert handlers
    Scheduler(street.house.tenancy, registry, gating.stores_on).tick(afresh=True)
    with street.house.tenancy.control() as c:
        fired = {
            (row.name, row.store_id)
            for row in c.scalars(sa.select(Job).where(Job.subject.is_not(None)))
        }
    for name, handler in handlers.items():
        for place in street.places.values():
            assert place.store is not None
            due = place.on or handler.winddown
            assert ((name, place.store.id) in fired) is due, (name, place.name)


def test_what_a_till_and_the_list_of_tools_say(street: Street) -> None:
    for place in street.places.values():
        client = street.app.test_client()
        told = client.get("/api/v1/store", headers={"Authorization": f"Bearer {place.key}"})
        assert {tool["name"] for tool in told.get_json()["tools"]} == (
            set(TOOLS) if place.on else set()
        )
        client.set_cookie("hs-session", place.session, domain="localhost")
        page = unescape(client.get(f"/store/{place.brand.slug}/{place.store.slug}/tools/").text)
        for tool in TOOLS:
            assert place.reasons[tool] in page, (tool, place.name)


def test_safe_mode_brings_nothing(street: Street, database_module: Any, tmp_path: Any) -> None:
    app = make_app(database_module, str(tmp_path), safe_mode=True)
    try:
        assert tool_routes(app) == []
        assert not [handler for handler in app.extensions["highstreet"].jobs if handler.plugin]
    finally:
        app.extensions["highstreet"].engine.dispose()
