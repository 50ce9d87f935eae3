"""Fixtures: a real database of each kind, two brands of two stores each, the whole house on it."""

import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from highstreet_tenants import rls
from highstreet_tenants.base import Base
from highstreet_tenants.models import Brand, Owner, Region, Store
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import Tenancy

POSTGRES = os.environ.get(
    "HIGHSTREET_TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
)
ROLE = "highstreet_test_app"
REQUIRED = os.environ.get("CI") == "true"


def _postgres_answers() -> bool:
    try:
        engine = sa.create_engine(POSTGRES, connect_args={"connect_timeout": 2})
        with engine.connect():
            pass
        engine.dispose()
    except (sa.exc.SQLAlchemyError, ImportError):
        if REQUIRED:
            raise
        return False
    return True


KINDS = ["sqlite", "postgresql"]


@dataclass
class Database:
    """One database for one test module: `owner` may change the schema, `engine` is the app's."""

    kind: str
    url: str
    owner: sa.Engine
    engine: sa.Engine
    tenancy: Tenancy
    extra: dict[str, Any] = field(default_factory=dict)

    def protect(self, connection: sa.Connection) -> None:
        """Row-level security and grants on what exists now."""
        rls.apply(connection, ROLE)

    def empty(self) -> None:
        """Delete every row, whatever triggers say."""
        present = set(sa.inspect(self.owner).get_table_names())
        tables = [t.name for t in Base.metadata.sorted_tables if t.name in present]
        with self.owner.begin() as connection:
            if self.kind == "postgresql":
                connection.exec_driver_sql("SET session_replication_role = replica")
                for name in tables:
                    connection.exec_driver_sql(f"DELETE FROM {name}")
                connection.exec_driver_sql("SET session_replication_role = origin")
            else:
                triggers = connection.exec_driver_sql(
                    "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
                ).all()
                for name, _sql in triggers:
                    connection.exec_driver_sql(f"DROP TRIGGER {name}")
                for name in reversed(tables):
                    connection.exec_driver_sql(f"DELETE FROM {name}")
                for _name, sql in triggers:
                    connection.exec_driver_sql(sql)


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
    if request.param == "postgresql":
        if not postgres_answers:
            pytest.skip("no PostgreSQL server answers")
        name = f"hs_test_{os.getpid()}_{secrets.token_hex(4)}"
        admin = sa.create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        owner_url = sa.make_url(POSTGRES).set(database=name)
        app_url = owner_url.set(username=ROLE, password=None)
    else:
        path = tmp_path_factory.mktemp("db") / "test.db"
        owner_url = app_url = sa.make_url(f"sqlite:///{path}")
    owner = sa.create_engine(owner_url)
    if request.param == "sqlite":

        @sa.event.listens_for(owner, "connect")
        def _(driver: Any, _record: Any) -> None:
            driver.execute("PRAGMA journal_mode=WAL")
            driver.execute("PRAGMA foreign_keys=OFF")

    with owner.begin() as connection:
        Base.metadata.create_all(connection)
        rls.apply(connection, ROLE)
    engine = sa.create_engine(app_url)
    yield Database(
        request.param,
        app_url.render_as_string(hide_password=False),
        owner,
        engine,
        Tenancy(engine),
        {"owner_url": owner_url.render_as_string(hide_password=False)},
    )
    engine.dispose()
    owner.dispose()
    if request.param == "postgresql":
        with admin.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        admin.dispose()


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


def make_brand(
    tenancy: Tenancy, slug: str, customers: str, stores: int = 2, zone: str = "Europe/London"
) -> SimpleNamespace:
    """Facts of a new brand: id, slug, customers, region_id, stores (id, slug, code, owner_id)."""
    with tenancy.control(write=True) as c:
        brand = Brand(
            slug=slug,
            name=slug.title(),
            currency="GBP",
            locale="en_GB",
            zone=zone,
            customers=customers,
        )
        c.add(brand)
    facts = SimpleNamespace(id=brand.id, slug=slug, customers=customers, stores=[], row=brand)
    with tenancy.session(Scope.operator(brand.id), write=True) as s:
        region = Region(brand_id=brand.id, slug="coast", name="Coast")
        s.add(region)
        s.flush()
        facts.region_id = region.id
        for number in range(1, stores + 1):
            owner = Owner(
                brand_id=brand.id,
                slug=f"owner-{number}",
                name=f"O{number}",
                legal_name=f"O{number} Ltd",
            )
            s.add(owner)
            s.flush()
            store = Store(
                brand_id=brand.id,
                slug=f"{slug}-{number}",
                code=str(100 + number),
                name=f"{slug.title()} {number}",
                region_id=region.id,
                owner_id=owner.id,
                zone=zone,
                currency="GBP",
                locale="en_GB",
                address={"country_code": "GB"},
            )
            s.add(store)
            s.flush()
            facts.stores.append(
                SimpleNamespace(id=store.id, slug=store.slug, code=store.code, owner_id=owner.id)
            )
    return facts


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
