"""The matrix of what a tool brings and the places where it is on and off.

It is made from the URL map, the hooks, the job registry and the tools' own lists, so that whatever
a tool brings next stands in it without being added here. Each function gives what is wrong: what
acts where its tool is off, or does not where it is on.
"""

import inspect
from html import unescape
from typing import Any
from uuid import uuid4

from flask import Flask
from werkzeug.routing import Rule

from highstreet.host import access, dispatch, gating, slots, state
from highstreet.host.plans import plan_for
from highstreet.web.slots import SLOTS
from probe import arguments
from probe.street import Place, Street
from probe.tool.spy import Listening
from probe.world import TOOL, TOOLS, taken_back

#: What a tool may bring → where the matrix asks for it. A new field of Plugin has no place here.
BROUGHT = {
    "name": "",
    "migrations": "tables stay while a tool is off",
    "translations": "words of pages that are absent",
    "hooks": "hooks",
    "settings": "about_a_tool",
    "trial": "about_a_tool; tests/web/test_trial_pages.py: a tool that is off is not tried",
    "screens": "screens",
    "api": "screens",
    "jobs": "working_off.jobs",
    "periodic": "working_off.schedules",
    "nav": "navigation",
    "slots": "pieces",
    "imports": "working_off.files",
    "verbs": "working_off.verbs",
    "campaigns": "tests/plugins/points_club/test_campaigns.py: a tool that is off hears of nothing",
    "events": "working_off.events",
    "notices": "working_off.notices",
    "fields": "working_off.fields",
    "actions": "words of what the tool wrote into the trail while it was on",
    "checks": "asked of the machine, of no brand and no store",
}
#: Pages of the core about one tool, and why those that open while it is off do.
ABOUT_A_TOOL = {
    "tools.set_up": "gated",
    "tools.switch": "it is how one switches it on",
    "tools.do_switch": "it is how one switches it on",
    "tools.withdraw": "a request is taken back before there is an answer",
    "tools.agree": "it is how a held one goes on",
    "tools.resume": "it is how a paused one goes on",
    "tools.faults": "why it is paused",
    "tools.health": "what it cost while it was on",
    "office.health": "it is on in other stores",
    "tools.again": "what it owes may be an obligation; the rest waits until it is on",
    "office.policy": "head office says where it may be on",
    "office.agree": "head office agrees to what a new version declares",
    "office.do_agree": "head office agrees to what a new version declares",
    "office.set_policy": "head office says where it may be on",
    "office.tool_settings": "head office sets it up before stores switch it on",
    "office.decide": "head office answers a store that asked",
}
METHODS_OF_FLASK = {"HEAD", "OPTIONS"}


def tool_routes(app: Flask) -> list[tuple[str, str, Rule]]:
    """(tool, face, rule) of every route that is known as a tool's."""
    found = []
    for rule in app.url_map.iter_rules():
        blueprint = app.blueprints.get(rule.endpoint.rpartition(".")[0])
        tool = gating.tool_of(blueprint)
        if tool is not None:
            found.append((tool, gating.face_of(blueprint) or "", rule))
    return found


def size(app: Flask) -> dict[str, int]:
    """How many things of each kind tools bring here: each is asked for in every place."""
    house = app.extensions["highstreet"]
    plugins = [one.plugin for one in house.host.plugins.values()]
    routes = [
        (face, method)
        for _tool, face, rule in tool_routes(app)
        for method in (rule.methods or set()) - METHODS_OF_FLASK
    ]
    return {
        "screens": sum(face != "api" for face, _method in routes),
        "operations": sum(face == "api" for face, _method in routes),
        "navigation": sum(len(one.nav) for one in plugins),
        "slots": sum(len(one.slots) for one in plugins),
        "hooks": sum(len(by_tool) for by_tool in house.host.calls.values()),
        "jobs": sum(bool(one.plugin) for one in house.jobs),
        "schedules": sum(len(one.periodic) for one in plugins),
        "verbs": sum(len(one.verbs) for one in plugins),
        "events": sum(len(one.events) for one in plugins),
        "fields": sum(len(one.fields) for one in plugins),
        "notices": sum(len(one.notices) for one in plugins),
        "files": sum(len(one.imports) for one in plugins),
    }


def strays(app: Flask) -> list[str]:
    """Routes that a tool brought, by their address or by whose code answers, yet no gate knows."""
    known = {id(rule) for _tool, _face, rule in tool_routes(app)}
    packages = tuple(one.package for one in app.extensions["highstreet"].host.plugins.values())
    wrong = []
    for rule in app.url_map.iter_rules():
        view = inspect.unwrap(app.view_functions[rule.endpoint])
        module = f"{getattr(view, '__module__', '')}."
        placed = "/t/" in rule.rule or rule.rule.startswith("/api/v1/tools/")
        if (placed or module.startswith(tuple(f"{name}." for name in packages))) and (
            id(rule) not in known
        ):
            wrong.append(f"{rule.rule} is not known as a tool's")
    return wrong


def screens(street: Street, name: str) -> list[str]:
    """Routes of tools that do not answer as the state of their tools in a store demands."""
    place = street.places[name]
    office = street.offices[place.brand.slug]
    wrong = []
    for tool, face, rule in tool_routes(street.app):
        at = office if face == "office" else place
        if face == "office" and not _may_open(street, place, rule):
            continue
        on = at.on
        if face == "member":  # a club's members stand in the brand, others in their store
            on = office.on if place.brand.customers == "brand" else place.on
        for method in sorted((rule.methods or set()) - METHODS_OF_FLASK):
            answer = _open(street, at, place, face, rule, method)
            said = f"{method} {rule.rule} where it is {name}: {answer.status_code}"
            off = is_off(answer, at, tool)
            if off is on or (not on and answer.status_code != 404):
                wrong.append(f"{said}, off: {off}")
            elif on and method == "GET" and answer.status_code >= 400:
                if answer.status_code != 404 or not _of_a_thing(rule):
                    wrong.append(f"{said}, though it is on")
            elif on and answer.status_code >= 500:
                wrong.append(said)
    return wrong


def _may_open(street: Street, place: Place, rule: Rule) -> bool:
    """Whether anybody at head office may: where stores own the customers, nobody there has what is
    personal, so that a page of it is refused whether its tool is on or off."""
    permission = access.permission_of(street.app.view_functions[rule.endpoint])
    catalogue = street.app.extensions["highstreet.catalogue"]
    if permission is None or place.brand.customers == "brand":
        return True
    return not catalogue.permissions[permission].personal


def _of_a_thing(rule: Rule) -> bool:
    """Whether a page is about a thing that the street has not: its id is made up."""
    asked = rule.arguments - {"brand", "store", "token"}
    return any(arguments.kind_of(rule, one) not in (None, "customer") for one in asked)


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
    if face != "api":
        return street.browser(at).open(path, method=method)
    headers = {"Authorization": f"Bearer {at.key}", "Idempotency-Key": uuid4().hex}
    body = {} if method == "GET" else {"json": {}}
    return street.app.test_client().open(path, method=method, headers=headers, **body)


def is_off(answer: Any, at: Place, tool: str) -> bool:
    """Whether an answer says that the tool is off, and why."""
    if answer.mimetype == "application/problem+json":
        told = answer.get_json()
        return told["type"].endswith("/tool-off") and at.reasons[tool] in told["detail"]
    shown = unescape(answer.get_data().decode("utf-8", "replace"))
    return "This tool is off" in shown and at.reasons[tool] in shown


def about_a_tool(street: Street, name: str) -> list[str]:
    """Pages of the core about a tool that open though it is off, or the other way round."""
    place, wrong = street.places[name], []
    for rule in street.app.url_map.iter_rules():
        if ABOUT_A_TOOL.get(rule.endpoint) != "gated":
            continue
        for tool in TOOLS:
            bind = street.app.url_map.bind("localhost")
            path = bind.build(rule.endpoint, {**place.slugs, "tool": tool})
            for method in sorted((rule.methods or set()) - METHODS_OF_FLASK):
                answer = street.browser(place).open(path, method=method)
                if is_off(answer, place, tool) is place.on:
                    wrong.append(f"{method} {path} where it is {name}: {answer.status_code}")
    return wrong


def navigation(street: Street, name: str) -> list[str]:
    """Entries of tools that a console shows though they are off there, or does not though on."""
    at = street.at(name)
    page, face = ("settings.store", "store") if at.store else ("office.settings", "office")
    bind = street.app.url_map.bind("localhost")
    shown = street.browser(at).get(bind.build(page, at.slugs)).text
    entries = [
        entry
        for loaded in street.house.host.plugins.values()
        for entry in loaded.plugin.nav
        if entry.face == face
    ]
    assert entries and "<nav" in shown
    return [
        f"{entry.endpoint} where it is {name}"
        for entry in entries
        if (f'href="{bind.build(entry.endpoint, at.slugs)}"' in shown) is not at.on
    ]


def pieces(street: Street, name: str) -> list[str]:
    """Slots that a tool fills though it is off in a place, or does not though it is on."""
    at, wrong = street.at(name), []
    with street.app.test_request_context("/"), street.session(at) as s:
        for slot, fits in SLOTS.items():
            about = {"customer": at.customer} if "(customer)" in fits else {}
            filled = {answer.plugin for answer in slots.render(s, slot, **about)}
            if (TOOL in filled) is not at.on or (filled and not at.on):
                wrong.append(f"{slot} where it is {name}: {sorted(filled)}")
    return wrong


def hooks(street: Street, name: str) -> list[str]:
    """Hooks that reach a tool though it is off in a place, or do not though it is on."""
    at, host = street.at(name), street.house.host
    wrong: list[str] = []
    heard: list[str] = []
    with (
        street.app.test_request_context("/"),
        Listening(lambda _ctx, what, _given: heard.append(what.removeprefix("hook:"))),
    ):
        for hook in host.hooks.values():
            # A check that faults have put to rest must not open by that.
            reaches = at.on or hook.winddown or (name == "paused" and hook.kind == "veto")
            with taken_back(street.session(at, write=True)) as s:
                plan = plan_for(host, state.here(s).active, hook.name)
                planned = {call.plugin for call in plan.calls}
                _ask(s, hook, at)
            if planned != (set(host.calls.get(hook.name, {})) if reaches else set()):
                wrong.append(f"{hook.name} where it is {name} is planned for {sorted(planned)}")
            if (hook.name in heard) is not reaches:
                wrong.append(f"{hook.name} where it is {name}, heard: {not reaches}")
    return wrong


def _ask(s: Any, hook: Any, at: Place) -> None:
    """Dispatch to the probe's tool alone: the others have their own tests with real facts."""
    host = s.info["host"]
    with _alone(host):
        given: dict[str, Any] = dict.fromkeys(hook.arguments, at.customer)
        if hook.kind == "chain":
            dispatch.chain(s, hook.name, given.pop(hook.arguments[0]), **given)
        elif hook.kind == "collect":
            dispatch.collect(s, hook.name, **given)
        else:
            kinds = {"first": dispatch.first, "veto": dispatch.veto, "all": dispatch.together}
            kinds[hook.kind](s, hook.name, **given)


def forget(host: Any) -> None:
    """Let hooks be planned anew."""
    for active in host.actives.values():
        active.plans.clear()


class _alone:  # noqa: N801 - reads as a verb where it stands
    """`with _alone(host):` hooks reach the probe's tool only."""

    def __init__(self, host: Any) -> None:
        self._host = host
        self._others: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> None:
        for hook, calls in self._host.calls.items():
            self._others[hook] = {p: calls.pop(p) for p in list(calls) if p != TOOL}
        forget(self._host)

    def __exit__(self, *_error: object) -> None:
        for hook, calls in self._others.items():
            self._host.calls[hook].update(calls)
        forget(self._host)
