"""Registered SQL for the hot paths: written out, checked once, run on the driver itself.

SQLAlchemy's compilation costs more than a till's statements do (DESIGN §5). A Statement keeps
the walls all the same: its text is judged before its first run, and the scope's own ids are
bound by the session, never by the caller.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Literal
from uuid import UUID

from highstreet_tenants import walls
from highstreet_tenants.errors import WallBreach
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import ScopedSession

Returns = Literal["rows", "row", "value", "none", "count"]
_BIND = re.compile(r"(?<![:\w]):(\w+)")


def own(alias: str) -> str:
    """SQL that holds `alias` (a table with a store_id) to the scope; its binds fill themselves."""
    return (
        f"{alias}.brand_id = :brand_id"
        f" AND ({alias}.store_id IS NULL OR {alias}.store_id = :store_id OR :all_stores)"
    )


class Statement:
    """One registered SQL text with named binds (`:name`), the same for both databases.

    A new row's store is bound as `:owner_store_id` (checked against the scope), for `:store_id`
    is the scope's. `postgresql` gives PostgreSQL a text of its own. `types` names result columns
    that SQLite keeps as text or numbers and a caller wants as UUID, datetime, date, bool, dict.
    """

    def __init__(
        self,
        sql: str,
        *,
        returns: Returns = "rows",
        postgresql: str | None = None,
        types: Mapping[str, type] | None = None,
    ) -> None:
        self._returns = returns
        self._sqlite_sql = sql
        self._postgresql_sql = postgresql or sql
        self._types = dict(types or {})
        self._ready: dict[str, tuple[str, tuple[str, ...], bool]] = {}
        self._readers: dict[str, Callable[[Any], Any] | None] = {}

    def __call__(self, s: ScopedSession, /, **binds: Any) -> Any:
        """Run once. Gives what `returns` says: rows or one row as tuples, a value, None, a count.

        Raises WallBreach if the text is not held to the scope or writes in a reading session.
        """
        driver, sql, fill = self._prepare(s)
        cursor = driver.execute(sql, fill(binds))
        returns = self._returns
        if returns == "none":
            return None
        if returns == "count":
            return cursor.rowcount
        if returns == "rows":
            rows = cursor.fetchall()
            return self._read_rows(s, cursor, rows) if self._types else rows
        row = cursor.fetchone()
        if row is None:
            return None
        if self._types:
            row = self._read_rows(s, cursor, [row])[0]
        return row[0] if returns == "value" else row

    def many(self, s: ScopedSession, rows: Iterable[Mapping[str, Any]]) -> None:
        """Run once for each mapping of binds."""
        driver, sql, fill = self._prepare(s)
        values = [fill(row) for row in rows]
        if len(values) == 1:
            driver.execute(sql, values[0])  # psycopg's executemany costs two more round trips
        elif values:
            driver.cursor().executemany(sql, values)

    def _prepare(
        self, s: ScopedSession
    ) -> tuple[Any, str, Callable[[Mapping[str, Any]], dict[str, Any]]]:
        s.flush()  # what the ORM still holds back must be there first
        dialect = s.dialect
        ready = self._ready.get(dialect)
        if ready is None:
            ready = self._ready[dialect] = self._compile(dialect)
        sql, loose_store, writes = ready
        if writes and not s.writing:
            raise WallBreach("a reading session cannot write: open it with write=True")
        if loose_store or s.scope.reach == "aggregate":
            walls.check(sql, (), s.scope, flushing=False, grouped=s.grouped)
        return s.raw(), sql, _filler(s, dialect)

    def _compile(self, dialect: str) -> tuple[str, tuple[str, ...], bool]:
        text = self._postgresql_sql if dialect == "postgresql" else self._sqlite_sql
        verdict = walls.judge(text)
        walls.check_kind(verdict, text)
        if verdict.tables and not re.search(r":brand_id\b", text):
            raise WallBreach(f"no brand is bound in: {text[:200]}")
        if verdict.loose_brand:
            raise WallBreach(f"{sorted(verdict.loose_brand)} not held to a brand in: {text[:300]}")
        writes = bool(re.search(r"\b(INSERT|UPDATE|DELETE)\b", text, re.IGNORECASE)) and not (
            re.fullmatch(
                r"\s*SELECT\b.*\bFOR (NO KEY )?UPDATE\b.*", text, re.IGNORECASE | re.DOTALL
            )
            and not re.search(r"\bINSERT\b|\bDELETE\b", text, re.IGNORECASE)
        )
        sql = _BIND.sub(r"%(\1)s", text.replace("%", "%%")) if dialect == "postgresql" else text
        return sql, tuple(sorted(verdict.loose_store)), writes

    def _read_rows(self, s: ScopedSession, cursor: Any, rows: list[Any]) -> list[tuple[Any, ...]]:
        if s.dialect == "postgresql":
            return rows
        readers = [
            _READERS.get(self._types[c[0]]) if c[0] in self._types else None
            for c in cursor.description
        ]
        return [
            tuple(
                value if reader is None or value is None else reader(value)
                for reader, value in zip(readers, row, strict=True)
            )
            for row in rows
        ]


def _filler(s: ScopedSession, dialect: str) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """The function that turns a caller's binds into the driver's, the scope's own ids included."""
    filler = s.info.get("filler")
    if filler is not None:
        return filler  # type: ignore[no-any-return]  # s.info is untyped by SQLAlchemy
    scope = s.scope
    everything = scope.reaches_stores(personal=True)
    if dialect == "postgresql":
        own_ids: dict[str, Any] = {
            "brand_id": scope.brand_id,
            "store_id": scope.store_id,
            "all_stores": everything,
        }

        def fill(binds: Mapping[str, Any]) -> dict[str, Any]:
            _refuse_own(binds, scope)
            values = {k: json.dumps(v) if type(v) is dict else v for k, v in binds.items()}
            values.update(own_ids)
            return values
    else:
        own_ids = {
            "brand_id": scope.brand_id.hex,
            "store_id": scope.store_id.hex if scope.store_id else None,
            "all_stores": int(everything),
        }

        def fill(binds: Mapping[str, Any]) -> dict[str, Any]:
            _refuse_own(binds, scope)
            values = {
                k: v if (change := _CHANGES.get(type(v), _by_kind)) is None else change(v)
                for k, v in binds.items()
            }
            values.update(own_ids)
            return values

    s.info["filler"] = fill
    return fill


def _refuse_own(binds: Mapping[str, Any], scope: Scope) -> None:
    if "brand_id" in binds or "store_id" in binds or "all_stores" in binds:
        raise WallBreach("brand_id, store_id and all_stores are bound by the session itself")
    if binds.get("owner_store_id") not in (None, scope.store_id) and not scope.reaches_stores(
        personal=True
    ):
        raise WallBreach("a row of another store: owner_store_id must be the scope's or None")


def to_sqlite(value: Any) -> Any:
    """The value as SQLAlchemy would store it in SQLite, so that both ways of writing agree."""
    change = _CHANGES.get(type(value), _by_kind)
    return value if change is None else change(value)


def _by_kind(value: Any) -> Any:
    """For subclasses, which `_CHANGES` does not name."""
    for kind in (UUID, datetime, date, dict, list, tuple):  # a datetime is a date too
        if isinstance(value, kind):
            change = _CHANGES[kind]
            assert change is not None
            return change(value)
    return value


def _moment(value: datetime) -> str:
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    return value.isoformat(" ", "microseconds")[:26]  # strftime takes ten times as long


def _list(value: Iterable[Any]) -> str:
    return json.dumps([to_sqlite(one) for one in value])


#: How a value of a type is changed for SQLite; None: not at all.
_CHANGES: dict[type, Callable[[Any], Any] | None] = {
    str: None,
    int: None,
    float: None,
    bool: None,
    bytes: None,
    type(None): None,
    UUID: lambda value: value.hex,
    datetime: _moment,
    date: lambda value: value.isoformat(),
    dict: json.dumps,
    list: _list,
    tuple: _list,
}
_READERS: dict[type, Callable[[Any], Any]] = {
    UUID: UUID,
    datetime: lambda text: datetime.fromisoformat(text).replace(tzinfo=UTC),
    date: date.fromisoformat,
    bool: bool,
    dict: json.loads,
    list: json.loads,
}
