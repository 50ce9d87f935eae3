"""Registered SQL for the hot paths: written out, checked once, run on the driver itself.

SQLAlchemy's compilation costs more than a till's statements do (DESIGN §5). A Statement keeps
the walls all the same: its text is judged before its first run, and the scope's own ids are
bound by the session, never by the caller.

What can be known of a text is worked out once for each kind of database (`_Ready`), for between
two statements Python is what a sale on SQLite waits for.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

from highstreet_tenants import walls
from highstreet_tenants.errors import WallBreach
from highstreet_tenants.sessions import ScopedSession

Returns = Literal["rows", "row", "value", "none", "count"]
_BIND = re.compile(r"(?<![:\w]):(\w+)")
#: Bound by the session itself.
_OWN = ("brand_id", "store_id", "all_stores")
_OWN_NAMES = frozenset(_OWN)


def own(alias: str) -> str:
    """SQL that holds `alias` (a table with a store_id) to the scope; its binds fill themselves."""
    return (
        f"{alias}.brand_id = :brand_id"
        f" AND ({alias}.store_id IS NULL OR {alias}.store_id = :store_id OR :all_stores)"
    )


class _Ready(Struct):
    """A text as one kind of database takes it.

    text: as it was written, for the walls. names: the caller's binds. owned: a row's store is
    among them. own: how many of `_OWN` are bound, from the first on. loose_store: something in it
    is held to no store. readers: (place in a row, how it is read), known from the first answer on.
    """

    text: str
    sql: str
    names: tuple[str, ...]
    owned: bool
    own: int
    loose_store: bool
    writes: bool
    readers: tuple[tuple[int, Callable[[Any], Any]], ...] | None


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
        self._texts = {"sqlite": sql, "postgresql": postgresql or sql}
        self._types = dict(types or {})
        self._ready: dict[str, _Ready] = {}

    def __call__(self, s: ScopedSession, /, **binds: Any) -> Any:
        """Run once. Gives what `returns` says: rows or one row as tuples, a value, None, a count.

        Raises WallBreach if the text is not held to the scope or writes in a reading session.
        """
        ready = self._admitted(s)
        cursor = s.send(ready.sql, _values(s, ready, binds))
        returns = self._returns
        if returns == "none":
            return None
        if returns == "count":
            return cursor.rowcount
        readers = ready.readers
        if readers is None:
            readers = ready.readers = self._readers(cursor.description)
        if returns == "rows":
            rows = cursor.fetchall()
            return [_read(row, readers) for row in rows] if readers else rows
        row = cursor.fetchone()
        if row is None:
            return None
        if readers:
            row = _read(row, readers)
        return row[0] if returns == "value" else row

    def many(self, s: ScopedSession, rows: Iterable[Mapping[str, Any]]) -> None:
        """Run once for each mapping of binds."""
        ready = self._admitted(s)
        values = [_values(s, ready, dict(row)) for row in rows]
        if len(values) == 1:
            s.send(ready.sql, values[0])  # psycopg's executemany costs two more round trips
        elif values:
            s.send_many(ready.sql, values)

    def _admitted(self, s: ScopedSession) -> _Ready:
        """The text for this session's database, if it may run in this session."""
        ready = self._ready.get(s.dialect)
        if ready is None:
            ready = self._ready[s.dialect] = self._compile(s.dialect)
        if ready.writes and not s.writing:
            raise WallBreach("a reading session cannot write: open it with write=True")
        if ready.loose_store or s.scope.reach == "aggregate":
            walls.check(ready.text, (), s.scope, flushing=False, grouped=s.grouped)
        return ready

    def _compile(self, dialect: str) -> _Ready:
        text = self._texts[dialect]
        verdict = walls.judge(text)
        walls.check_kind(verdict, text)
        bound = dict.fromkeys(_BIND.findall(text))
        names = tuple(name for name in bound if name not in _OWN_NAMES)
        if verdict.tables and "brand_id" not in bound:
            raise WallBreach(f"no brand is bound in: {text[:200]}")
        if verdict.loose_brand:
            raise WallBreach(f"{sorted(verdict.loose_brand)} not held to a brand in: {text[:300]}")
        writes = bool(re.search(r"\b(INSERT|UPDATE|DELETE)\b", text, re.IGNORECASE)) and not (
            re.fullmatch(
                r"\s*SELECT\b.*\bFOR (NO KEY )?UPDATE\b.*", text, re.IGNORECASE | re.DOTALL
            )
            and not re.search(r"\bINSERT\b|\bDELETE\b", text, re.IGNORECASE)
        )
        return _Ready(
            text,
            _for_sqlite(text, names) if dialect == "sqlite" else _for_psycopg(text),
            names,
            "owner_store_id" in names,
            max((place for place, name in enumerate(_OWN, start=1) if name in bound), default=0),
            bool(verdict.loose_store),
            writes,
            None if self._types and dialect == "sqlite" else (),
        )

    def _readers(self, columns: Iterable[Any]) -> tuple[tuple[int, Callable[[Any], Any]], ...]:
        return tuple(
            (place, _READERS[self._types[column[0]]])
            for place, column in enumerate(columns)
            if self._types.get(column[0]) in _READERS
        )


def _for_sqlite(text: str, names: tuple[str, ...]) -> str:
    # By number, for SQLite's driver asks for each name and looks it up: 1 µs for 16 of them.
    numbers = {name: f"?{number}" for number, name in enumerate((*names, *_OWN), start=1)}
    return _BIND.sub(lambda match: numbers[match[1]], text)


def _for_psycopg(text: str) -> str:
    return _BIND.sub(r"%(\1)s", text.replace("%", "%%"))


def _values(s: ScopedSession, ready: _Ready, binds: dict[str, Any]) -> Any:
    """The caller's binds as the driver takes them, with the scope's own ids. Changes `binds`."""
    if not _OWN_NAMES.isdisjoint(binds):
        raise WallBreach("brand_id, store_id and all_stores are bound by the session itself")
    if ready.owned:
        owner, scope = binds["owner_store_id"], s.scope
        if not (
            owner is None
            or owner is scope.store_id  # two UUIDs take their time to find that they are equal
            or owner == scope.store_id
            or scope.reaches_stores(personal=True)
        ):
            raise WallBreach("a row of another store: owner_store_id must be the scope's or None")
    own_values = s.own_values or _own_values(s)
    if s.dialect == "sqlite":
        values = [
            value if type(value) in _PLAIN else _CHANGES[type(value)](value)
            for value in map(binds.__getitem__, ready.names)
        ]
        values += own_values[: ready.own]
        return values
    for name, value in binds.items():
        if type(value) is dict:
            binds[name] = json.dumps(value)
    binds["brand_id"], binds["store_id"], binds["all_stores"] = own_values
    return binds


def _own_values(s: ScopedSession) -> tuple[Any, Any, Any]:
    """The scope's own ids, in the order of `_OWN`, as its database takes them."""
    scope = s.scope
    brand_id, store_id, everything = (
        scope.brand_id,
        scope.store_id,
        scope.reaches_stores(personal=True),
    )
    if s.dialect == "sqlite":
        s.own_values = (brand_id.hex, store_id.hex if store_id else None, int(everything))
    else:
        s.own_values = (brand_id, store_id, everything)
    return s.own_values


def _read(
    row: tuple[Any, ...], readers: tuple[tuple[int, Callable[[Any], Any]], ...]
) -> tuple[Any, ...]:
    values = list(row)
    for place, reader in readers:
        if values[place] is not None:
            values[place] = reader(values[place])
    return tuple(values)


def to_sqlite(value: Any) -> Any:
    """The value as SQLAlchemy would store it in SQLite, so that both ways of writing agree."""
    return value if type(value) in _PLAIN else _CHANGES[type(value)](value)


def _moment(value: datetime) -> str:
    return _utc_text(value if value.tzinfo is UTC else value.astimezone(UTC))


# Kept, for a sale writes its two moments nine times. UTC only: of two that are equal in a zone, one
# may be an hour later (the hour that repeats in autumn).
@lru_cache(maxsize=1024)
def _utc_text(value: datetime) -> str:
    return value.isoformat(" ", "microseconds")[:26]  # strftime takes ten times as long


def _list(value: Iterable[Any]) -> str:
    return json.dumps([to_sqlite(one) for one in value])


def _same(value: Any) -> Any:
    return value


class _Changes(dict[type, Callable[[Any], Any]]):
    """How a value of a type is changed for SQLite; a subclass's like its base's."""

    def __missing__(self, kind: type) -> Callable[[Any], Any]:
        bases = (self[base] for base in kind.__mro__[1:] if base in self)  # a datetime is a date
        return self.setdefault(kind, next(bases, _same))


#: What SQLite's driver takes as it is.
_PLAIN = frozenset({str, int, float, bytes, type(None)})
_CHANGES = _Changes(
    {
        UUID: attrgetter("hex"),
        bool: int,
        datetime: _moment,
        date: lambda value: value.isoformat(),
        dict: json.dumps,
        list: _list,
        tuple: _list,
    }
)
_READERS: dict[type, Callable[[Any], Any]] = {
    UUID: UUID,
    datetime: lambda text: datetime.fromisoformat(text).replace(tzinfo=UTC),
    date: date.fromisoformat,
    bool: bool,
    dict: json.loads,
    list: json.loads,
}
