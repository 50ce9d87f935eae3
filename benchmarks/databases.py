"""Databases for benchmarks: made fresh, whole schema and all walls, dropped afterwards."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from flask import Flask

#: A role that may make databases; the benchmarks make their own, named hs_bench_*.
ADMIN = os.environ.get(
    "HIGHSTREET_BENCH_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
)
#: The role that the application signs in as, bound by row-level security.
ROLE = "highstreet_bench_app"
KINDS = ("postgresql", "sqlite")


def postgresql_answers() -> bool:
    """Whether there is a server to make databases on."""
    try:
        engine = sa.create_engine(ADMIN, connect_args={"connect_timeout": 2})
        with engine.connect():
            return True
    except (sa.exc.SQLAlchemyError, ImportError):
        return False


def kinds() -> list[str]:
    """The kinds of database that can be measured here."""
    return [kind for kind in KINDS if kind == "sqlite" or postgresql_answers()]


@contextmanager
def fresh(kind: str) -> Iterator[dict[str, str]]:
    """The settings of an installation on an empty database: owner's and application's URL."""
    with tempfile.TemporaryDirectory(prefix="hs_bench_") as folder:
        common = {"instance": folder, "secret_key": "for benchmarks only"}
        if kind == "sqlite":
            url = f"sqlite:///{Path(folder) / 'bench.db'}"
            yield common | {"database_url": url, "owner_database_url": url}
            return
        name = f"hs_bench_{os.getpid()}_{secrets.token_hex(3)}"
        admin = sa.create_engine(ADMIN, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        owner = sa.make_url(ADMIN).set(database=name)
        try:
            with sa.create_engine(owner).begin() as connection:
                _let_in(connection)
            app = owner.set(username=ROLE, password=None)
            yield common | {
                "database_url": app.render_as_string(hide_password=False),
                "owner_database_url": owner.render_as_string(hide_password=False),
            }
        finally:
            with admin.connect() as connection:
                connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
            admin.dispose()


def _let_in(connection: sa.Connection) -> None:
    from highstreet_tenants import rls

    rls.ensure_role(connection, ROLE)


@contextmanager
def installation(kind: str, *, faces: bool = False) -> Iterator[Flask]:
    """The application on a fresh database with its schema up to date."""
    from highstreet.app import create_app, house_of

    with fresh(kind) as config:
        app = create_app(config, faces=faces)
        house = house_of(app)
        try:
            house.migrate()
            yield app
        finally:
            house.engine.dispose()
