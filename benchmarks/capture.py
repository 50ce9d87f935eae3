"""What a piece of work really sends to the database, for replaying it raw and for EXPLAIN."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import event

from highstreet_tenants.sessions import ScopedSession


class Sent(NamedTuple):
    """One statement as the driver got it. many: through executemany."""

    sql: str
    values: Any
    many: bool = False


def listening(execute: Callable[..., Any], sent: list[Sent]) -> Callable[..., Any]:
    """What sends texts, and puts each into `sent` before."""

    def send(sql: str, values: Any = ()) -> Any:
        sent.append(Sent(sql, dict(values) if isinstance(values, Mapping) else values))
        return execute(sql, values)

    return send


class _Driver:
    """The driver's connection, listening to what goes through its cursors."""

    def __init__(self, driver: Any, sent: list[Sent]) -> None:
        self._driver = driver
        self._sent = sent

    def cursor(self) -> Any:
        return _Cursor(self._driver.cursor(), self._sent)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)


class _Cursor:
    def __init__(self, cursor: Any, sent: list[Sent]) -> None:
        self._cursor = cursor
        self.execute = listening(cursor.execute, sent)
        self._sent = sent

    def executemany(self, sql: str, values: Sequence[Any]) -> Any:
        values = list(values)
        self._sent.append(Sent(sql, values, many=True))
        return self._cursor.executemany(sql, values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def __enter__(self) -> _Cursor:
        return self

    def __exit__(self, *_error: object) -> None:
        self._cursor.close()


@contextmanager
def statements(s: ScopedSession) -> Iterator[list[Sent]]:
    """Everything that the session sends while the block runs, in order, whoever sends it."""
    sent: list[Sent] = []
    savepoints = count(1)
    driver, execute = s._driver, s._execute
    engine = s.info["tenancy"].engine

    def listen(
        _connection: sa.Connection, _cursor: Any, sql: str, values: Any, _context: Any, many: bool
    ) -> None:
        if isinstance(values, Mapping):
            values = dict(values)
        sent.append(Sent(sql, values, many))

    def save(_connection: sa.Connection, _name: str | None) -> None:
        sent.append(Sent(f"SAVEPOINT sa_savepoint_{next(savepoints)}", ()))  # as SQLAlchemy does

    def release(_connection: sa.Connection, name: str, _context: Any) -> None:
        sent.append(Sent(f"RELEASE SAVEPOINT {name}", ()))

    listeners = (
        ("before_cursor_execute", listen),
        ("savepoint", save),
        ("release_savepoint", release),
    )
    for name, listener in listeners:
        event.listen(engine, name, listener)
    s._driver, s._execute = _Driver(driver, sent), listening(execute, sent)
    try:
        yield sent
    finally:
        s._driver, s._execute = driver, execute
        for name, listener in listeners:
            event.remove(engine, name, listener)
