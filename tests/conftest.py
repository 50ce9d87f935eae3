"""Fixtures: a real database of each kind, two brands of two stores each, the whole house on it."""

import gc
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from jinja2 import FileSystemBytecodeCache
from msgspec.structs import replace

from highstreet.kit import databases
from highstreet.kit.brands import make_brand
from highstreet.kit.databases import KINDS, ROLE, Database
from highstreet_tenants import rls
from highstreet_tenants.base import Base
from highstreet_tenants.sessions import Tenancy

REQUIRED = os.environ.get("CI") == "true"
# What a run imports stays to its end; to look through all of it for each few hundred objects that
# a test makes takes a tenth of the time.
gc.set_threshold(50_000, 20, 50)


def _postgres_answers() -> bool:
    why = databases.why_no_postgres()
    assert not (why and REQUIRED), why
    return not why


@pytest.fixture(scope="session", autouse=True)
def templates_compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Every application that a test makes would compile the same hundred templates anew."""
    folder = tmp_path_factory.mktemp("templates")
    with pytest.MonkeyPatch.context() as patch:
        options = {**Flask.jinja_options, "bytecode_cache": FileSystemBytecodeCache(str(folder))}
        patch.setattr(Flask, "jinja_options", options)
        yield


def _load_models() -> None:
    """Import everything that declares tables, so that create_all makes the whole schema."""
    import highstreet_schema  # noqa: F401 - lives in tests/


@pytest.fixture(scope="session")
def postgres_answers() -> bool:
    """Whether a PostgreSQL server answers; in CI its absence is an error, not a skip."""
    return _postgres_answers()


class Shelf:
    """Databases with the whole schema. One that a module has done with is emptied and lent again:
    making sixty tables, and dropping them, takes longer than most modules."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders
        self._free: dict[str, list[Database]] = {kind: [] for kind in KINDS}
        self._stack = ExitStack()

    @contextmanager
    def lend(self, kind: str) -> Iterator[Database]:
        """A database of a kind, without a row."""
        made = self._free[kind].pop() if self._free[kind] else self._make(kind)
        before = self._tables(made)
        if not before.issuperset(Base.metadata.tables):
            with made.owner.begin() as connection:
                Base.metadata.create_all(connection)
                rls.apply(connection, ROLE)
            before = self._tables(made)
        # Nothing but the file or the database on the server is lent again: what a module hangs on
        # an engine or a tenancy is gone with it.
        engine = sa.create_engine(made.url)
        yield replace(made, engine=engine, tenancy=Tenancy(engine), extra=dict(made.extra))
        engine.dispose()
        if self._tables(made) == before:
            made.empty()
            self._free[kind].append(made)

    def close(self) -> None:
        """Drop them all."""
        self._stack.close()

    def _make(self, kind: str) -> Database:
        folder = self._folders.mktemp("db")
        return self._stack.enter_context(databases.fresh(kind, folder))

    @staticmethod
    def _tables(made: Database) -> set[str]:
        return set(sa.inspect(made.owner).get_table_names())


@pytest.fixture(scope="session")
def lending(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """The databases of this process."""
    _load_models()
    found = Shelf(tmp_path_factory)
    yield found
    found.close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """On which databases a test is tried: both, or those that its module names as DATABASES, or
    those with which it was marked."""
    marked = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "database_module" in metafunc.fixturenames and not any(
        "database_module" in ([one] if isinstance(one, str) else one) for one in marked
    ):
        kinds = getattr(metafunc.module, "DATABASES", KINDS)
        metafunc.parametrize("database_module", kinds, indirect=True, scope="module")


@pytest.fixture(scope="module")
def database_module(
    request: pytest.FixtureRequest, lending: Shelf, postgres_answers: bool
) -> Iterator[Database]:
    """A database with the whole schema and no row, the module's own meanwhile."""
    if request.param == "postgresql" and not postgres_answers:
        pytest.skip("no PostgreSQL server answers")
    with lending.lend(request.param) as made:
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
