"""An empty database of each kind, and the whole house on it."""

import os
import secrets
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from highstreet.kit.brands import make_brand
from highstreet.kit.databases import POSTGRES, ROLE
from highstreet.app import create_app, house_of
from highstreet.customers import service as customers
from highstreet.host import policy, registry, settings
from highstreet.house import House
from highstreet.purchases import service as purchases
from highstreet.purchases.facts import PurchaseIn, ReturnIn
from highstreet_migrations import runner
from highstreet_points_club.models import Account
from highstreet_tenants import clock
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import ScopedSession


@pytest.fixture(params=["sqlite", "postgresql"])
def urls(
    request: pytest.FixtureRequest, tmp_path: Path, postgres_answers: bool
) -> Iterator[tuple[str, str]]:
    """(owner's URL, application's URL) of an empty database."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'fresh.db'}"
        yield url, url
        return
    if not postgres_answers:
        pytest.skip("no PostgreSQL server answers")
    name = f"hs_migrate_{secrets.token_hex(4)}"
    admin = sa.create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET synchronous_commit = off")
    url = sa.make_url(POSTGRES).set(database=name)
    app = url.set(username=ROLE, password=None)
    yield (
        url.render_as_string(hide_password=False),
        app.render_as_string(hide_password=False),
    )
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    admin.dispose()


@pytest.fixture
def house(urls: tuple[str, str], tmp_path: Path) -> Iterator[House]:
    """The house, its tables not made yet."""
    owner, app = urls
    house = house_of(
        create_app(
            {"database_url": app, "owner_database_url": owner, "instance": str(tmp_path)},
            faces=False,
        )
    )
    yield house
    house.engine.dispose()


NAME = "points_club"


class Town:
    """One brand with the club on in its two stores, at work in whichever house is given."""

    def __init__(self, house: House) -> None:
        house.migrate()
        self.brand = make_brand(house.tenancy, "corner", "brand")
        self.number = 0
        with house.tenancy.session(Scope.operator(self.brand.id), write=True) as s:
            policy.set_policy(s, NAME, "required")
            settings.put(s, NAME, {"accruals": [{"mode": "visit", "points": 10}]},
                         valid_from=datetime(2020, 1, 1, tzinfo=UTC))  # fmt: skip

    def at(self, house: House, store: int = 0) -> Any:
        scope = Scope.store(self.brand.id, self.brand.stores[store].id)
        return house.tenancy.session(scope, write=True)

    def office(self, house: House) -> Any:
        return house.tenancy.session(Scope.operator(self.brand.id), write=True)

    def join(self, s: ScopedSession, name: str) -> UUID:
        return customers.enrol(s, name=name).id

    def buy(self, s: ScopedSession, who: UUID) -> str:
        self.number += 1
        ref = f"r{self.number}"
        purchases.record(s, PurchaseIn(s.store_id, ref, clock.now(), 900, "GBP", who))
        return ref

    def bring_back(self, s: ScopedSession, ref: str) -> None:
        purchases.record_return(s, ReturnIn(s.store_id, f"b{ref}", ref, clock.now(), 900))


@pytest.fixture
def town(house: House) -> Town:
    """See Town."""
    return Town(house)


@pytest.fixture
def bare(house: House, urls: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The same installation after `pip uninstall`: it has never heard of the tool."""

    def start() -> House:
        monkeypatch.setattr(registry, "_installed", lambda: ())
        made = house_of(
            create_app(
                {"database_url": urls[1], "owner_database_url": urls[0], "instance": str(tmp_path)},
                faces=False,
            )
        )
        started.append(made)
        return made

    started: list[House] = []
    yield start
    for one in started:
        one.engine.dispose()


def rows(url: str, house: House) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the tool's tables, as it is stored."""
    engine = runner.owner_engine(url)
    with engine.connect() as connection:
        found = {
            table: [
                tuple(row)
                for row in connection.exec_driver_sql(
                    f"SELECT * FROM {table} ORDER BY brand_id, id"
                )
            ]
            for table in sorted(house.host.plugins[NAME].tables)
        }
    engine.dispose()
    return found


def balance(house: House, town: Town, who: UUID) -> int | None:
    """The points of a customer's account, None without one."""
    with town.office(house) as s:
        found: int | None = s.scalar(sa.select(Account.balance).where(Account.customer_id == who))
    return found


TOML = """
name = "{name}"
title = "{name}"
summary = "A tool for tests."
version = "1.0"
requires = "highstreet>=0.1,<1"
depends = [{depends}]
levels = ["store", "brand"]
"""
TOOL = """
from highstreet.sdk import JobHandler, Periodic, Plugin, hookimpl

class Hooks:
    @hookimpl
    def tool_facts(self, ctx):
        return ["here"]

plugin = Plugin(
    {name!r}, hooks=Hooks(), migrations="hs_un_{name}.migrations",
    jobs=[JobHandler("{name}.tidy", lambda s, payload: None)], periodic=[Periodic("{name}.tidy")],
)
"""
REVISION = """
import os, time
import sqlalchemy as sa
from alembic import op
revision = "{name}_0001"
down_revision = None

def upgrade():
    op.create_table("{name}_thing", sa.Column("brand_id", sa.Uuid, primary_key=True),
                    sa.Column("id", sa.Uuid, primary_key=True))
{body}

def downgrade():
    op.drop_table("{name}_thing")
{back}
"""


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """Tools on disk, all installed; gives the folder and puts more there."""
    monkeypatch.syspath_prepend(str(tmp_path))
    found = list(registry._installed())

    def put(name: str, body: str = "pass", depends: str = "", back: str = "pass") -> None:
        folder = tmp_path / f"hs_un_{name}"
        (folder / "migrations").mkdir(parents=True)
        (folder / "plugin.toml").write_text(TOML.format(name=name, depends=depends))
        (folder / "__init__.py").write_text(TOOL.format(name=name))
        (folder / "migrations" / "__init__.py").write_text("")
        write(name, body, back=back)
        found.append(EntryPoint(name, f"hs_un_{name}", registry.GROUP))

    def write(name: str, body: str, folder: Path = tmp_path, back: str = "pass") -> None:
        inner = {"body": textwrap.indent(body, "    "), "back": textwrap.indent(back, "    ")}
        text = REVISION.format(name=name, **inner)
        path = folder / f"hs_un_{name}" / "migrations" / "first.py"
        path.write_text(text)
        os.utime(path, ns=(0, hash(text) % 10**18))  # or Python takes the compiled file for it

    monkeypatch.setattr(registry, "_installed", lambda: found)
    put.write = write
    return put


@pytest.fixture
def open_up(urls, tmp_path):
    """Starts the installation, as often as wanted."""
    houses = []

    def start(**more):
        owner, app = urls
        config = {"database_url": app, "owner_database_url": owner, "instance": str(tmp_path)}
        houses.append(house_of(create_app(config | more, faces=False)))
        return houses[-1]

    yield start
    for house in houses:
        house.engine.dispose()
