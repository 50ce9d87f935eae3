"""Databases for benchmarks: made fresh, whole schema and all walls, dropped afterwards."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterable, Iterator
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
#: What the names of databases that stay from run to run begin with.
KEPT = "hs_bench_kept_"


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
        if kind == "sqlite":
            url = f"sqlite:///{Path(folder) / 'bench.db'}"
            yield _common(folder) | {"database_url": url, "owner_database_url": url}
            return
        name = f"hs_bench_{os.getpid()}_{secrets.token_hex(3)}"
        _make(name)
        try:
            yield _common(folder) | _urls(name)
        finally:
            _drop(name)


@contextmanager
def kept(name: str) -> Iterator[tuple[dict[str, str], bool]]:
    """(the settings of an installation on a PostgreSQL database that stays, whether it is new).

    It is dropped all the same if the block fails while it is new: half of it would be no good.
    """
    name = f"{KEPT}{name}"
    new = name not in _databases(KEPT)
    if new:
        _make(name)
    with tempfile.TemporaryDirectory(prefix="hs_bench_") as folder:
        try:
            yield _common(folder) | _urls(name), new
        except BaseException:
            if new:
                _drop(name)
            raise


def drop_kept(but: Iterable[str] = ()) -> list[str]:
    """Drop the databases that were kept, except for some; gives the names of those dropped."""
    stay = {f"{KEPT}{name}" for name in but}
    dropped = [name for name in _databases(KEPT) if name not in stay]
    for name in dropped:
        _drop(name)
    return dropped


def _common(folder: str) -> dict[str, str]:
    return {"instance": folder, "secret_key": "for benchmarks only"}


def _urls(name: str) -> dict[str, str]:
    owner = sa.make_url(ADMIN).set(database=name)
    app = owner.set(username=ROLE, password=None)
    return {
        "database_url": app.render_as_string(hide_password=False),
        "owner_database_url": owner.render_as_string(hide_password=False),
    }


@contextmanager
def _admin() -> Iterator[sa.Connection]:
    engine = sa.create_engine(ADMIN, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _make(name: str) -> None:
    with _admin() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine = sa.create_engine(sa.make_url(ADMIN).set(database=name))
    with engine.begin() as connection:
        _let_in(connection)
    engine.dispose()


def _drop(name: str) -> None:
    with _admin() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


def _databases(prefix: str) -> list[str]:
    with _admin() as connection:
        names = connection.exec_driver_sql("SELECT datname FROM pg_database").scalars()
        return sorted(name for name in names if name.startswith(prefix))


def _let_in(connection: sa.Connection) -> None:
    from highstreet_tenants import rls

    rls.ensure_role(connection, ROLE)


@contextmanager
def installation(kind: str, *, faces: bool = False) -> Iterator[Flask]:
    """The application on a fresh database with its schema up to date."""
    with fresh(kind) as config, running(config, faces=faces) as app:
        yield app


@contextmanager
def running(config: dict[str, str], *, faces: bool = False) -> Iterator[Flask]:
    """The application with these settings, its schema up to date."""
    from highstreet.app import create_app, house_of

    app = create_app(config, faces=faces)
    house = house_of(app)
    try:
        house.migrate()
        yield app
    finally:
        house.engine.dispose()
