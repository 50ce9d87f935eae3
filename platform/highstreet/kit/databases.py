"""Databases to test on: fresh, empty, of either kind, and gone afterwards."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from msgspec import Struct, field

from highstreet_tenants import rls
from highstreet_tenants.base import Base
from highstreet_tenants.sessions import Tenancy

POSTGRES = os.environ.get(
    "HIGHSTREET_TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
)
"""Where a superuser may create databases and roles."""

ROLE = "highstreet_test_app"
KINDS = ["sqlite", "postgresql"]


class Database(Struct):
    """One database: `owner` may change the schema, `engine` is the application's.

    extra: `owner_url`, and what fixtures hang on it.
    """

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


def why_no_postgres() -> str:
    """Why nothing can be tested on PostgreSQL here; empty if a server answers."""
    try:
        engine = sa.create_engine(POSTGRES, connect_args={"connect_timeout": 2})
        with engine.connect():
            pass
        engine.dispose()
    except ImportError:
        return "psycopg is not installed: pip install 'highstreet[postgres]'"
    except sa.exc.SQLAlchemyError:
        shown = sa.make_url(POSTGRES).render_as_string()
        return f"no PostgreSQL server answers at {shown} (set HIGHSTREET_TEST_POSTGRES_URL)"
    return ""


@contextmanager
def fresh(kind: str, folder: Path) -> Iterator[Database]:
    """A database without any table: a file in `folder`, or one of its own on the server."""
    if kind == "postgresql":
        name = f"hs_test_{os.getpid()}_{secrets.token_hex(4)}"
        admin = sa.create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
            # No commit waits for the disk: tests kill processes, never the server.
            connection.exec_driver_sql(f"ALTER DATABASE {name} SET synchronous_commit = off")
        owner_url = sa.make_url(POSTGRES).set(database=name)
        app_url = owner_url.set(username=ROLE, password=None)
    else:
        owner_url = app_url = sa.make_url(f"sqlite:///{folder / 'test.db'}")
    owner = sa.create_engine(owner_url)
    if kind == "sqlite":

        @sa.event.listens_for(owner, "connect")
        def _(driver: Any, _record: Any) -> None:
            driver.execute("PRAGMA journal_mode=WAL")
            driver.execute("PRAGMA foreign_keys=OFF")

    engine = sa.create_engine(app_url)
    try:
        yield Database(
            kind,
            app_url.render_as_string(hide_password=False),
            owner,
            engine,
            Tenancy(engine),
            {"owner_url": owner_url.render_as_string(hide_password=False)},
        )
    finally:
        engine.dispose()
        owner.dispose()
        if kind == "postgresql":
            with admin.connect() as connection:
                connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
            admin.dispose()
