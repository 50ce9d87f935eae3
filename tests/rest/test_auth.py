"""API keys at the door of REST: who is let in, what it costs, and when a key stops working."""

from types import SimpleNamespace

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask, g

from highstreet.host import access
from highstreet.rates import InMemory, Rates
from highstreet.rest import auth
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Unauthenticated
from highstreet_tenants.people import keys
from highstreet_tenants.people.models import ApiKey
from highstreet_tenants.people.permissions import Catalogue
from highstreet_tenants.people.tree import Node
from highstreet_tenants.scopes import Scope

# Who is let in is the same Python on either database.
DATABASES = ["sqlite"]


@pytest.fixture
def app(database, two_brands):
    app = Flask(__name__)
    limits = Rates(InMemory(), per_key=0, per_address=0)
    app.extensions["highstreet"] = SimpleNamespace(tenancy=database.tenancy, rates=limits)
    return app


@pytest.fixture
def node(two_brands):
    brand = two_brands[1]
    it = brand.stores[1]
    return Node(brand.id, brand.customers, brand.region_id, it.owner_id, it.id)


@pytest.fixture
def key(database, node):
    with database.tenancy.session(Scope.operator(node.brand_id), write=True) as s:
        return keys.create_key(
            s, node, "Till 1", ["till.read", "till.write"], by=None, catalogue=Catalogue()
        )


@pytest.fixture
def call(app, database):
    """Authenticate a request and confirm it in its transaction; gives `g`'s facts."""

    def go(header, *, write=False):
        headers = {} if header is None else {"Authorization": header}
        with app.test_request_context("/api/v1/x", headers=headers):
            auth.authenticate()
            with database.tenancy.session(g.scope, write=write) as s:
                auth.confirm(s)
                return SimpleNamespace(scope=g.scope, actor=g.actor, permissions=g.permissions)

    return go


@pytest.fixture
def statements(database):
    """SQL that ran through SQLAlchemy."""
    seen = []

    def note(_connection, _cursor, sql, *_rest):
        seen.append(sql)

    sa.event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(database.engine, "before_cursor_execute", note)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_key_opens_its_store_with_its_scopes(two_brands, call, key, node, scheme):
    found = call(f"{scheme} {key.token}")
    assert (found.scope.brand_id, found.scope.store_id) == (two_brands[1].id, node.store_id)
    assert found.scope.reach == "store"
    assert (found.actor.kind, found.actor.id, found.actor.name) == ("key", key.id, "Till 1")
    assert found.permissions == {"till.read", "till.write"}


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic dXNlcjpwdw==",
        "Bearer x",
        "Token {}",
        "{}",
        "Bearer {}x",
    ],
)
def test_anything_else_is_nobody(call, key, header):
    call(f"Bearer {key.token}")  # the process knows the key, and that must not help
    with pytest.raises(Unauthenticated):
        call(header.format(key.token) if header else header)


def test_the_id_of_a_known_key_with_another_secret_is_nobody(call, key):
    call(f"Bearer {key.token}")
    head = key.token.rsplit("_", 1)[0] if "_" not in key.token.split("_", 2)[2] else None
    forged = f"hs_{key.id.hex}_{'A' * 43}"
    assert head is None or head == f"hs_{key.id.hex}"
    with pytest.raises(Unauthenticated):
        call(f"Bearer {forged}")


def test_a_known_key_costs_no_query_of_its_own(call, key, statements):
    call(f"Bearer {key.token}")
    statements.clear()
    call(f"Bearer {key.token}")
    assert statements == []  # the check in the transaction is a registered statement


@pytest.mark.parametrize("how", ["revoked", "expired"])
def test_a_key_that_ended_is_refused_though_the_process_knew_it(database, call, key, node, how):
    call(f"Bearer {key.token}")
    with database.tenancy.session(Scope.operator(node.brand_id), write=True) as s:
        if how == "revoked":
            keys.revoke_key(s, key.id, node)
        else:
            s.execute(sa.update(ApiKey).values(expires_at=now()))
    for _again in range(2):
        with pytest.raises(Unauthenticated, match="revoked or expired"):
            call(f"Bearer {key.token}")


def test_a_key_revoked_between_door_and_deed_does_nothing(app, database, key, node):
    with app.test_request_context(headers={"Authorization": f"Bearer {key.token}"}):
        auth.authenticate()
        with database.tenancy.session(Scope.operator(node.brand_id), write=True) as s:
            keys.revoke_key(s, key.id, node)
        with database.tenancy.session(g.scope) as s, pytest.raises(Unauthenticated):
            auth.confirm(s)


def test_use_is_noted_once_a_minute(database, call, key):
    def used():
        with database.tenancy.control() as s:
            return s.scalar(sa.select(ApiKey.last_used_at))

    start = now()
    with time_machine.travel(start, tick=False) as clock:
        call(f"Bearer {key.token}")
        assert used() == start
        clock.shift(59)
        call(f"Bearer {key.token}")
        assert used() == start
        clock.shift(2)
        call(f"Bearer {key.token}", write=True)
        assert (used() - start).total_seconds() == 61


def test_a_scope_is_stated_on_the_view():
    @auth.requires_scope("till.write")
    def view() -> None: ...

    assert access.permission_of(view) == "till.write"
