"""Set-based inserts: thousands of rows in one go, by each database's own fast path."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from highstreet_tenants.errors import WallBreach
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import to_sqlite


def insert(
    s: ScopedSession,
    table: sa.Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    ignore_conflicts: bool = False,
) -> int:
    """Insert rows (all with the same keys, `brand_id` left out: it is the scope's).

    Gives the number of rows that went in. PostgreSQL: COPY to a temporary table, then INSERT …
    SELECT, for COPY is refused under row-level security. Raises WallBreach for a row of another
    store, and the database's IntegrityError for a double key unless `ignore_conflicts`.
    """
    if not rows:
        return 0
    if not s.writing:
        raise WallBreach("a reading session cannot write: open it with write=True")
    s.flush()
    columns = ("brand_id", *rows[0])
    if not s.scope.reaches_stores(personal=bool(table.info.get("personal", True))) and any(
        row.get("store_id") not in (None, s.scope.store_id) for row in rows
    ):
        raise WallBreach(f"a row of {table.name} belongs to another store")
    if s.dialect == "sqlite":
        return _insert_sqlite(s, table, columns, rows, ignore_conflicts)
    return _insert_postgresql(s, table, columns, rows, ignore_conflicts)


def _insert_sqlite(
    s: ScopedSession,
    table: sa.Table,
    columns: tuple[str, ...],
    rows: Sequence[Mapping[str, Any]],
    ignore_conflicts: bool,
) -> int:
    sql = (
        f"INSERT INTO {table.name} ({', '.join(columns)}) "
        f"VALUES ({', '.join('?' * len(columns))})"
        + (" ON CONFLICT DO NOTHING" if ignore_conflicts else "")
    )
    brand = s.scope.brand_id.hex
    names = columns[1:]
    cursor = s.raw().cursor()
    cursor.executemany(sql, ((brand, *(to_sqlite(row[n]) for n in names)) for row in rows))
    return int(cursor.rowcount)


def _insert_postgresql(
    s: ScopedSession,
    table: sa.Table,
    columns: tuple[str, ...],
    rows: Sequence[Mapping[str, Any]],
    ignore_conflicts: bool,
) -> int:
    from psycopg.types.json import Json

    create, copy, move, clear, kinds, json_at = _postgresql_sql(table, columns, ignore_conflicts)
    brand = s.scope.brand_id
    names = columns[1:]
    with s.raw().cursor() as cursor:
        cursor.execute(create)
        with cursor.copy(copy) as into:
            into.set_types(kinds)
            for row in rows:
                values = [brand, *(row[n] for n in names)]
                for index in json_at:
                    if values[index] is not None:
                        values[index] = Json(values[index])
                into.write_row(values)
        cursor.execute(move)
        count = int(cursor.rowcount)
        cursor.execute(clear)
    return count


@lru_cache(maxsize=256)
def _postgresql_sql(
    table: sa.Table, columns: tuple[str, ...], ignore_conflicts: bool
) -> tuple[str, str, str, str, list[str], tuple[int, ...]]:
    from sqlalchemy.dialects import postgresql

    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # untyped in SQLAlchemy
    # A collation is the real table's business; the temporary one only carries the bytes.
    kinds = [table.c[c].type.compile(dialect).split(" COLLATE ")[0].lower() for c in columns]
    temporary = f"hs_bulk_{table.name}"[:63]
    names = ", ".join(columns)
    typed = ", ".join(f"{c} {k}" for c, k in zip(columns, kinds, strict=True))
    return (
        f"CREATE TEMP TABLE IF NOT EXISTS {temporary} ({typed}) ON COMMIT DROP",
        f"COPY {temporary} ({names}) FROM STDIN (FORMAT BINARY)",
        f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {temporary}"
        + (" ON CONFLICT DO NOTHING" if ignore_conflicts else ""),
        f"DROP TABLE {temporary}",
        [_copy_kind(k) for k in kinds],
        tuple(n for n, k in enumerate(kinds) if k in ("json", "jsonb")),
    )


def _copy_kind(kind: str) -> str:
    if kind.startswith("varchar"):
        return "text"
    return {"timestamp with time zone": "timestamptz", "bigint": "int8", "integer": "int4"}.get(
        kind, kind
    )


def chunks(rows: Iterable[Any], size: int) -> Iterable[list[Any]]:
    """The rows in lists of at most `size`."""
    chunk: list[Any] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
