"""The whole application on each database, with a key for every store and a till that uses it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from highstreet.app import create_app
from highstreet.host import policy
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.people.keys import create_key
from highstreet_tenants.people.tree import Node
from highstreet_tenants.scopes import Scope


@dataclass
class Till:
    """A till with a store's key. Every POST gets an Idempotency-Key of its own unless given one."""

    app: Flask
    token: str
    store: Any
    brand: Any

    def call(
        self, method: str, path: str, *, key: str | None = None, headers: Any = None, **how: Any
    ) -> TestResponse:
        sent = {"Authorization": f"Bearer {self.token}"}
        if method == "POST":
            sent["Idempotency-Key"] = key or uuid4().hex
        sent |= headers or {}
        address = path if path.startswith("/api/") else f"/api/v1{path}"
        return self.app.test_client().open(address, method=method, headers=sent, **how)

    def get(self, path: str, **how: Any) -> TestResponse:
        return self.call("GET", path, **how)

    def post(self, path: str, json: Any, **how: Any) -> TestResponse:
        return self.call("POST", path, json=json, **how)

    def patch(self, path: str, json: Any, **how: Any) -> TestResponse:
        return self.call("PATCH", path, json=json, **how)

    def enrol(self, **who: Any) -> dict[str, Any]:
        answer = self.post("/customers", who)
        assert answer.status_code == 201, answer.get_json()
        return answer.get_json()

    def buy(self, total_minor: Any = 1000, *, key: str | None = None, **what: Any) -> TestResponse:
        what.setdefault("pos_ref", f"T-{next(_receipts)}")
        return self.post("/purchases", {"total_minor": total_minor, **what}, key=key)


_receipts = count(1)


def make_till(app: Flask, brand: Any, number: int, *scopes: str) -> Till:
    """A till in one store of a brand, with a key of its own."""
    tenancy = app.extensions["highstreet"].tenancy
    catalogue = app.extensions["highstreet.catalogue"]
    store = brand.stores[number]
    with tenancy.session(Scope.operator(brand.id)) as s:
        node = Node.of(s.get_one(Brand, brand.id), s.get_one(Store, (brand.id, store.id)))
    with tenancy.session(Scope.operator(node.brand_id), write=True) as c:
        made = create_key(
            c, node, f"Till {number}", scopes or catalogue.scopes, by=None, catalogue=catalogue
        )
    return Till(app, made.token, store, brand)


@pytest.fixture(scope="module")
def app_module(database_module: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application on the module's database."""
    app = create_app(
        {
            "database_url": database_module.url,
            "owner_database_url": database_module.extra["owner_url"],
            "instance": str(Path(tmp_path_factory.mktemp("instance"))),
            "secret_key": "for tests only",
            "password_hasher": "cheap",
            "rate_per_key": 0,  # tests ask faster than any till; tests/test_rates.py has limits
            "rate_per_address": 0,
            "testing": True,
        }
    )
    yield app
    app.extensions["highstreet"].engine.dispose()


@pytest.fixture
def app(app_module: Flask, two_brands: Any) -> Flask:
    """The application with two brands of two stores, the points club on everywhere."""
    tenancy = app_module.extensions["highstreet"].tenancy
    for brand in two_brands:
        with tenancy.session(Scope.operator(brand.id), write=True) as s:
            policy.set_policy(s, "points_club", "default_on")
    return app_module


@pytest.fixture
def make(app: Flask, two_brands: Any) -> Callable[..., Till]:
    """Make a till: (number of the brand, number of its store, scopes of its key)."""
    return lambda brand, store, *scopes: make_till(app, two_brands[brand], store, *scopes)


@pytest.fixture
def club_till(app: Flask, two_brands: Any) -> Till:
    """A till in the first store of the brand that owns its customers."""
    return make_till(app, two_brands[0], 0)


@pytest.fixture
def sister_till(app: Flask, two_brands: Any) -> Till:
    """A till in the other store of the same brand."""
    return make_till(app, two_brands[0], 1)


@pytest.fixture
def other_till(app: Flask, two_brands: Any) -> Till:
    """A till in a brand whose stores own their customers."""
    return make_till(app, two_brands[1], 0)
