"""Every route says whom it lets in, means it, and can't be made to act by a mere link."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from werkzeug.routing import Rule

from highstreet.host import access
from highstreet.kit import rows, stated
from highstreet.kit.stated import ANY_ROLE, API
from highstreet.web import headers, nav
from highstreet_tenants.people import accounts, keys, logins, operate, roles
from highstreet_tenants.people.permissions import ROLES
from highstreet_tenants.people.tree import Node, permissions_at
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import Tenancy
from probe import actors, arguments, recording
from probe.actors import Actor
from probe.doors import CLOSED
from probe.staff import node_of
from probe.walk import Walk
from probe.world import World

#: What is asked here does not depend on the database.
pytestmark = pytest.mark.parametrize("database_module", ["sqlite"], indirect=True, scope="module")
#: Answers with a Content-Security-Policy of their own, and why.
OWN_POLICY = {
    "rest_pages.api_docs": "the API's docs need a worker and inline styles",
    "office.visits_chart": "the picture's own style stands inside it",
    "results.visits_chart": "the picture's own style stands inside it",
    "office.email": "the preview of a message stands in a frame of its own",
    "office.email_preview": "a message has its styles inside; it is sandboxed",
}
#: Pages that a cache may keep, for they say the same to everybody.
SAME_FOR_ALL = frozenset({"rest_pages.openapi"})
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def every_route(world: World) -> Iterator[tuple[Rule, Any]]:
    """Rules with their views."""
    for rule in world.app.url_map.iter_rules():
        yield rule, world.app.view_functions[rule.endpoint]


def test_every_route_states_whom_it_lets_in(world: World) -> None:
    wrong = stated.unstated(world.app)
    assert not wrong, "\n".join(wrong)


def test_every_permission_that_is_named_exists(world: World) -> None:
    catalogue, host = world.catalogue, world.house.host
    for scope in catalogue.scopes.values():
        assert scope.permission in catalogue.permissions, scope.name
    for permission in catalogue.permissions.values():
        assert permission.label and set(permission.roles) <= set(ROLES), permission.name
    for loaded in host.plugins.values():
        for entry in loaded.plugin.nav:
            view = world.app.view_functions[entry.endpoint]
            # Whoever sees the entry can open the page, and the other way round.
            assert entry.permission == access.permission_of(view), entry.endpoint
    for handler in world.house.jobs:
        assert handler.permission is None or handler.permission in catalogue.permissions
    with world.app.test_request_context("/"):
        for _part, endpoint, permission, _label, _icon in (*nav._store(), *nav._office()):
            assert access.permission_of(world.app.view_functions[endpoint]) == permission, endpoint


def test_a_personal_page_of_a_store_requires_a_personal_permission(world: World) -> None:
    """A route with a customer, purchase or reward in its address is about people."""
    for rule, view in every_route(world):
        permission = access.permission_of(view)
        kinds = {arguments.ADDRESS.get(argument) for argument in rule.arguments}
        if "brand" in rule.arguments and kinds & {"customer", "purchase", "reward"}:
            assert permission is not None and world.catalogue.permissions[permission].personal, (
                f"{rule.rule} requires {permission}, which head office holds where stores own"
                " their customers"
            )


class Quiet(Walk):
    """A walk that opens each page once, with what is the actor's own."""

    def __init__(self, world: World, actor: Actor) -> None:
        super().__init__(world, actor)
        self.answers: list[tuple[Rule, str, Any]] = []

    def open_all(self, methods: frozenset[str] = frozenset({"GET"})) -> "Quiet":
        """Every route that the actor may stand at, by these methods."""
        for rule in self.app.url_map.iter_rules():
            kinds = {
                a: arguments.kind_of(rule, a) for a in sorted(rule.arguments - {"brand", "store"})
            }
            for place, is_open in self.places(rule):
                if not is_open:
                    continue
                for method in sorted((rule.methods or set()) & methods):
                    given = next(self.own(rule, "GET", kinds, place or self.actor.home))
                    answer = self.send(rule, method, place, given)
                    assert answer is not None, self.findings
                    self.answers.append((rule, method, answer))
        return self


@contextmanager
def writes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Every scope that is opened for writing meanwhile."""
    opened: list[Any] = []
    session = Tenancy.session

    def listened(self: Tenancy, scope: Any, *, write: bool = False) -> Any:
        if write:
            opened.append(scope)
        return session(self, scope, write=write)

    with monkeypatch.context() as patch:
        patch.setattr(Tenancy, "session", listened)
        yield opened


@pytest.mark.parametrize(
    "name",
    ("owner of quarry-1", "till of quarry-1", "member of harbour-1", "head office of harbour"),
)
def test_looking_changes_nothing(world: World, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = rows.fingerprint(iter(rows.everything(world.database)))
    with writes(monkeypatch) as opened:
        done = Quiet(world, actors.actors(world)[name]).open_all()
    after = rows.fingerprint(iter(rows.everything(world.database)))
    assert len(done.answers) > 20
    assert not rows.changed(before, after)
    assert not opened, "a GET opened a session for writing"


def test_what_changes_something_refuses_to_be_looked_at(world: World) -> None:
    rules: dict[str, set[str]] = {}
    for rule, _view in every_route(world):
        rules.setdefault(rule.rule, set()).update(rule.methods or set())
    for rule, _view in every_route(world):
        if "GET" in rules[rule.rule]:
            continue
        values = {a: arguments.missing("customer") for a in rule.arguments}
        path = world.app.url_map.bind("localhost").build(rule.endpoint, values)
        for method in ("GET", "HEAD"):
            status = world.app.test_client().open(path, method=method).status_code
            # A shorter address may have a page of its own under the same words.
            assert status == 405 or _other(world, path), f"{method} {rule.rule}: {status}"


def _other(world: World, path: str) -> bool:
    """Whether another rule has a page at a path."""
    return bool(world.app.url_map.bind("localhost").test(path, "GET"))


#: The link itself is the key there, and mail programmes press it (RFC 8058).
KEYED = ("/u/",)


def test_forms_without_the_pages_token_are_refused(world: World) -> None:
    world.app.config["WTF_CSRF_ENABLED"] = True
    try:
        before = rows.fingerprint(iter(rows.everything(world.database)))
        tried = 0
        for name in ("owner of quarry-1", "head office of harbour", "member of quarry-1", "nobody"):
            actor = actors.actors(world)[name]
            for rule, method, answer in Quiet(world, actor).open_all(UNSAFE).answers:
                if not rule.rule.startswith((API, *KEYED)):
                    tried += 1
                    assert answer.status_code == 400, f"{name}: {method} {rule.rule}"
        after = rows.fingerprint(iter(rows.everything(world.database)))
        assert tried > 50
        assert not rows.changed(before, after)
    finally:
        world.app.config["WTF_CSRF_ENABLED"] = False


@pytest.mark.parametrize(
    "name",
    (
        "owner of quarry-1",
        "till of quarry-1",
        "member of quarry-1",
        "head office of quarry",
        "nobody",
    ),
)
def test_every_answer_bears_the_headers(world: World, name: str) -> None:
    recording.record_names(world.app)
    for rule, _method, answer in Quiet(world, actors.actors(world)[name]).open_all().answers:
        _check_headers(rule.rule, rule.endpoint, answer)
    client = world.app.test_client()
    for path in ("/no-such-page", "/store/quarry/quarry-1/", "/api/v1/no-such", "/signout"):
        _check_headers(path, None, client.get(path))


def _check_headers(path: str, endpoint: str | None, answer: Any) -> None:
    sent = answer.headers
    policy = sent.get("Content-Security-Policy", "")
    if endpoint in OWN_POLICY and answer.status_code == 200:
        assert "default-src 'none'" in policy or "default-src 'self'" in policy, path
    else:
        assert policy == headers.CSP, path
    assert sent["X-Content-Type-Options"] == "nosniff", path
    assert sent["Referrer-Policy"] == "same-origin", path
    if not path.startswith("/static/") and endpoint not in SAME_FOR_ALL:
        assert "no-store" in sent["Cache-Control"], path
    for cookie in sent.getlist("Set-Cookie"):
        assert "HttpOnly" in cookie and "SameSite=Lax" in cookie, f"{path}: {cookie}"
    if answer.mimetype == "text/html" and "sandbox" not in policy:
        page = answer.text
        assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>\s*\S", page), f"{path}: inline script"
        assert not re.search(r"<[^>]+\son[a-z]+=", page), f"{path}: inline handler"
        assert not re.search(r"<style\b|<[^>]+\sstyle=", page), f"{path}: inline style"


#: Roles and where they are held: each is refused what it does not hold, and let in otherwise.
HELD = (
    ("till_staff", "quarry-1"),
    ("store_manager", "quarry-2"),
    ("store_owner", "quarry-1"),
    ("regional_manager", "quarry-1"),
    ("regional_manager", "harbour-1"),
    ("head_office_marketing", "harbour"),
    ("head_office_manager", "quarry"),
)


def test_every_role_is_tried(world: World) -> None:
    assert {role for role, _owner in HELD} == set(ROLES)


@pytest.mark.parametrize(("role", "owner"), HELD)
def test_a_role_opens_what_it_holds_and_nothing_else(world: World, role: str, owner: str) -> None:
    recording.record_names(world.app)
    site = world.sites[owner]
    node = node_of(world, site)
    above = Node(site.brand.id, site.brand.customers, region_id=node.region_id)
    at = above if role == "regional_manager" else node
    user_id = operate.create_user(world.house, f"{role}.{uuid4().hex[:6]}@people.example", "Probe")
    with world.house.tenancy.session(Scope.operator(at.brand_id), write=True) as c:
        roles.grant(c, user_id, role, at, by=None, catalogue=world.catalogue)
        user = accounts.get_user(c, user_id)
        token = logins.start_session(c, user, logins.Visit("127.0.0.1", "probe")).token
    held = permissions_at([at.grant(role)], node, world.catalogue)
    client = world.app.test_client()
    client.set_cookie("hs-session", token, domain="localhost")
    wrong, opened = [], 0
    probe = Walk(world, Actor(role, "user", site, (site,), frozenset()))
    for rule, view in every_route(world):
        permission = access.permission_of(view)
        if ("store" in rule.arguments) is not (site.store is not None):
            continue
        if "brand" not in rule.arguments or permission is None:
            continue
        may = permission in held or permission in ANY_ROLE
        kinds = {a: arguments.kind_of(rule, a) for a in rule.arguments - {"brand", "store"}}
        path = probe.address(rule, site, next(probe.own(rule, "GET", kinds, site)))
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            if may and method in UNSAFE:
                continue  # what they may do is tried by the walk
            opened += may
            status = client.open(path, method=method).status_code
            # What is shut to the store's owner too is shut for another reason.
            if (status == 403) is may and not (may and f"{method} {rule.endpoint}" in CLOSED):
                wrong.append(f"{method} {rule.rule} ({permission}): {status}")
    assert opened > 5 and not wrong, "\n".join(wrong)


def test_a_key_opens_what_its_scopes_hold_and_nothing_else(world: World) -> None:
    site = world.sites["quarry-1"]
    node = node_of(world, site)
    tills = Walk(world, actors.actors(world)["till of quarry-1"])
    for scope in sorted(world.catalogue.scopes):
        with world.house.tenancy.session(Scope.operator(node.brand_id), write=True) as c:
            made = keys.create_key(c, node, scope, [scope], by=None, catalogue=world.catalogue)
        wrong = []
        for rule, view in every_route(world):
            needed = access.permission_of(view)
            if not rule.rule.startswith(API) or needed is None:
                continue
            kinds = {a: arguments.kind_of(rule, a) for a in rule.arguments}
            path = tills.address(rule, None, next(tills.own(rule, "GET", kinds, site)))
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                if needed == scope and method in UNSAFE:
                    continue
                answer = world.app.test_client().open(
                    path,
                    method=method,
                    headers={
                        "Authorization": f"Bearer {made.token}",
                        "Idempotency-Key": uuid4().hex,
                    },
                    **({"json": {}} if method in UNSAFE else {}),
                )
                if (answer.status_code == 403) is (needed == scope):
                    wrong.append(f"{scope}: {method} {rule.rule}: {answer.status_code}")
        assert not wrong, "\n".join(wrong)
