"""The floor of the service's work: what it really sent, sent again on the bare driver."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import sqlalchemy as sa

from benchmarks import capture
from benchmarks.capture import Sent
from highstreet_tenants import engines
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import ScopedSession, Tenancy

Piece = Sequence[Sent]


class _TakenBack(Exception):
    """Ends a rehearsal."""


class Raw(Protocol):
    """A client without the product: a bare connection of the same role."""

    def play(self, piece: Piece) -> None:
        """Send a piece of work in one transaction and fetch what comes back."""

    def close(self) -> None:
        """Hang up."""


def rehearse(tenancy: Tenancy, scope: Scope, work: Callable[[ScopedSession], object]) -> Piece:
    """What `work` sends, from the opening of its session to just before the commit.

    Its transaction is rolled back, so the statements with their fresh ids can be sent again.
    """
    sent: list[Sent] = []
    try:
        with tenancy.session(scope, write=True) as s:
            opening = capture.listening(s._execute, sent)
            engines.open_scope(opening, scope, s.dialect, True)
            with capture.statements(s) as more:
                work(s)
            raise _TakenBack
    except _TakenBack:
        return [*sent, *more]


def client(url: str) -> Raw:
    """A bare client of a database."""
    made = sa.make_url(url)
    if made.get_backend_name() == "sqlite":
        return _Sqlite(str(made.database))
    return _Postgresql(made)


class _Postgresql:
    def __init__(self, url: sa.URL) -> None:
        import psycopg

        self._connection = psycopg.connect(
            host=url.host, port=url.port, dbname=url.database, user=url.username,
            password=url.password,
        )  # fmt: skip
        self._connection.execute("SET timezone TO 'UTC'")  # as the product's connections
        self._connection.commit()

    def play(self, piece: Piece) -> None:
        with self._connection.cursor() as cursor:
            for sql, values, many in piece:
                if many:
                    cursor.executemany(sql, values)
                    continue
                cursor.execute(sql, values or None)
                if cursor.description is not None:
                    cursor.fetchall()
        self._connection.commit()

    def close(self) -> None:
        self._connection.close()


class _Sqlite:
    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        for pragma in engines.SQLITE_PRAGMAS:
            self._connection.execute(f"PRAGMA {pragma}")

    def play(self, piece: Piece) -> None:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        for sql, values, many in piece:
            if many:
                connection.cursor().executemany(sql, values)
                continue
            cursor = connection.execute(sql, values or ())
            if cursor.description is not None:
                cursor.fetchall()
        connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()


def in_one_statement(owner_url: str, sql: str) -> Callable[[Any], None]:
    """Sends one statement with given values, committing by itself, past row-level security."""
    import psycopg

    url = sa.make_url(owner_url)
    connection = psycopg.connect(
        host=url.host, port=url.port, dbname=url.database, user=url.username,
        password=url.password, autocommit=True,
    )  # fmt: skip

    def send(values: Any) -> None:
        connection.execute(sql, values).fetchall()

    return send
