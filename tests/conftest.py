"""Fixtures: a real database of each kind, two brands of two stores each, the whole house on it."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from highstreet.kit import databases
from highstreet.kit.brands import make_brand
from highstreet.kit.databases import KINDS, ROLE, Database
from highstreet_tenants import rls
from highstreet_tenants.base import Base

REQUIRED = os.environ.get("CI") == "true"


def _postgres_answers() -> bool:
    why = databases.why_no_postgres()
    assert not (why and REQUIRED), why
    return not why


def _load_models() -> None:
    """Import everything that declares tables, so that create_all makes the whole schema."""
    import highstreet_schema  # noqa: F401 - lives in tests/


@pytest.fixture(scope="session")
def postgres_answers() -> bool:
    """Whether a PostgreSQL server answers; in CI its absence is an error, not a skip."""
    return _postgres_answers()


@pytest.fixture(scope="module", params=KINDS)
def database_module(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres_answers: bool
) -> Iterator[Database]:
    """A fresh database with the whole schema, dropped after the module."""
    _load_models()
    if request.param == "postgresql" and not postgres_answers:
        pytest.skip("no PostgreSQL server answers")
    folder = tmp_path_factory.mktemp("db")
    with databases.fresh(request.param, folder) as made:
        with made.owner.begin() as connection:
            Base.metadata.create_all(connection)
            rls.apply(connection, ROLE)
        yield made


@pytest.fixture
def database(database_module: Database) -> Iterator[Database]:
    """The module's database, emptied after each test."""
    yield database_module
    database_module.empty()


@pytest.fixture
def two_brands(database: Database) -> list[SimpleNamespace]:
    """A brand that owns its customers and one whose stores do; two stores in each, two owners."""
    return [
        make_brand(database.tenancy, "harbour", "brand"),
        make_brand(database.tenancy, "quarry", "store"),
    ]


@pytest.fixture(scope="module")
def app_module(
    database_module: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """The whole application on the module's database, faces and tools included."""
    from highstreet.app import create_app, house_of

    app = create_app(
        {
            "database_url": database_module.url,
            "owner_database_url": database_module.extra["owner_url"],
            "instance": str(tmp_path_factory.mktemp("instance")),
            "secret_key": "for tests only",
            "password_hasher": "cheap",
            "rate_per_key": 0,  # tests ask faster than any till; tests/test_rates.py has limits
            "rate_per_address": 0,
            "testing": True,
        }
    )
    yield app
    house_of(app).engine.dispose()


@pytest.fixture
def app(app_module: Any, database: Database) -> Any:
    """The application; its database is emptied after each test."""
    return app_module


@pytest.fixture
def house(app: Any) -> Any:
    """What app.py put together: tenancy, host, jobs, runner."""
    return app.extensions["highstreet"]


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis of our own, for it gets flushed; never the shared one."""
    from redis import Redis
    from redis.exceptions import ConnectionError as NotYet

    program = shutil.which("redis-server")
    if program is None:
        assert not REQUIRED, "CI needs redis-server"
        pytest.skip("no redis-server here")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    process = subprocess.Popen(
        [program, "--port", str(port), "--save", "", "--appendonly", "no", "--bind", "127.0.0.1"],
        stdout=subprocess.DEVNULL,
    )
    for _each in range(3000):
        try:
            with Redis(port=port) as connection:
                connection.ping()
            break
        except NotYet:
            time.sleep(0.01)
    yield f"redis://127.0.0.1:{port}/0"
    process.terminate()
    process.wait(timeout=10)
