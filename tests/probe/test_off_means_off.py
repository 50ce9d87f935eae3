"""Off means off: what a tool brings is absent, with the reason, wherever it is not on."""

from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from flask import Flask

from highstreet.host.plugin import Plugin
from highstreet_tenants.values import fields_of
from probe import off, recording, working_off
from probe.conftest import make_app
from probe.street import OFFICES, STATES, Street, build
from probe.world import TOOLS

# A gate is the same Python on either database; what it reads, tests of the host try on both.
DATABASES = ["sqlite"]

PLACES = (*STATES, *OFFICES)


@pytest.fixture(scope="module")
def street(app_module: Flask, database_module: Any) -> Iterator[Street]:
    recording.record_names(app_module)
    yield build(app_module)
    database_module.empty()


def test_every_route_of_a_tool_is_known_as_one(street: Street) -> None:
    assert off.strays(street.app) == []
    assert {tool for tool, _face, _rule in off.tool_routes(street.app)} == set(TOOLS)


def test_the_matrix_has_something_of_every_kind(street: Street) -> None:
    size = off.size(street.app)
    assert all(size.values()), size
    cells = sum(size.values()) * len(STATES)
    print(f"{cells} cells: {size} in {len(STATES)} places, and {len(OFFICES)} head offices")
    assert cells > 500


def test_whatever_a_tool_may_bring_stands_in_the_matrix() -> None:
    assert set(fields_of(Plugin) or ()) == set(off.BROUGHT), (
        "say in BROUGHT of tests/probe/off.py where the matrix asks for what a tool may bring now"
    )


def test_pages_about_a_tool_say_whether_they_open_while_it_is_off(street: Street) -> None:
    there = {r.endpoint for r in street.app.url_map.iter_rules() if "tool" in r.arguments}
    assert there == set(off.ABOUT_A_TOOL), (
        "say in ABOUT_A_TOOL of tests/probe/off.py whether a page opens while its tool is off"
    )


@pytest.mark.parametrize("name", STATES)
def test_screens_and_operations(street: Street, name: str) -> None:
    wrong = off.screens(street, name)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", STATES)
def test_pages_of_the_core_about_a_tool(street: Street, name: str) -> None:
    wrong = off.about_a_tool(street, name)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", PLACES)
def test_navigation(street: Street, name: str) -> None:
    wrong = off.navigation(street, name)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", PLACES)
def test_slots(street: Street, name: str) -> None:
    wrong = off.pieces(street, name)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", PLACES)
def test_hooks(street: Street, name: str) -> None:
    wrong = off.hooks(street, name)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", STATES)
def test_what_is_still_owed(street: Street, name: str) -> None:
    wrong = working_off.parts_owed(street, name)
    assert not wrong, "\n".join(wrong)


def test_a_batch_over_many_stores_reaches_a_tool_where_it_is_on(street: Street) -> None:
    wrong = working_off.batches(street)
    assert not wrong, "\n".join(wrong)


def test_jobs(street: Street) -> None:
    wrong = working_off.jobs(street)
    assert not wrong, "\n".join(wrong)


def test_schedules(street: Street) -> None:
    wrong = working_off.schedules(street)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", PLACES)
def test_verbs_of_the_command_line(street: Street, name: str) -> None:
    wrong = working_off.verbs(street, name)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", PLACES)
def test_events_told_to_others(street: Street, name: str) -> None:
    wrong = working_off.events(street, name)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", PLACES)
def test_notices_to_members(street: Street, name: str) -> None:
    wrong = working_off.notices(street, name)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", PLACES)
def test_fields_of_customers(street: Street, name: str) -> None:
    wrong = working_off.fields(street, name)
    assert not wrong, "\n".join(wrong)


def test_files_that_a_tool_takes_in(street: Street, tmp_path: Any) -> None:
    wrong = [one for slug in street.offices for one in working_off.files(street, slug, tmp_path)]
    assert not wrong, "\n".join(wrong)


def test_what_a_till_and_the_list_of_tools_say(street: Street) -> None:
    for place in street.places.values():
        client = street.app.test_client()
        told = client.get("/api/v1/store", headers={"Authorization": f"Bearer {place.key}"})
        assert {tool["name"] for tool in told.get_json()["tools"]} == (
            set(TOOLS) if place.on else set()
        )
        address = f"/store/{place.brand.slug}/{place.store.slug}/tools/"
        page = unescape(street.browser(place).get(address).text)
        for tool in TOOLS:
            assert place.reasons[tool] in page, (tool, place.name)


def test_safe_mode_brings_nothing(street: Street, database_module: Any, tmp_path: Any) -> None:
    app = make_app(database_module, str(tmp_path), safe_mode=True)
    try:
        assert off.tool_routes(app) == []
        assert not [handler for handler in app.extensions["highstreet"].jobs if handler.plugin]
    finally:
        app.extensions["highstreet"].engine.dispose()
