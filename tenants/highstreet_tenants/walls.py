"""Walls one and two: every statement and every row is held against the scope it runs under.

Each SQL text is judged once and the verdict kept, so a statement that runs on every request pays a
look-up. The verdict does not care who wrote the statement: ORM, Core, `count`, `exists`, `text()`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import event

from highstreet_tenants import owners
from highstreet_tenants.base import Base
from highstreet_tenants.control import CONTROL_TABLES
from highstreet_tenants.errors import WallBreach
from highstreet_tenants.scopes import Scope

_WORD = r'"?(\w+)"?'
# Where a table is read or written, as opposed to a column's qualifier or a literal.
_SOURCE = re.compile(
    rf"(?P<verb>\bINTO|\bUPDATE(?:\s+OR\s+\w+)?|\bFROM|\bJOIN|\bUSING|,)\s+(?:ONLY\s+)?{_WORD}"
    r"(?:\s+(?:AS\s+)?\"?(?P<alias>\w+)\"?)?",
    re.IGNORECASE,
)
_NOT_ALIAS = frozenset(
    "as on where set join inner left right full cross natural group order having limit offset union"
    " except intersect returning using values select for default window from and or when then"
    " conflict do with lateral".split()
)
# All that a session does is to read and write rows: whoever ends its transaction, or tells
# PostgreSQL of another scope, has passed all three walls.
_OF_ROWS = re.compile(
    r"[\s(]*(?:SELECT|INSERT|UPDATE|DELETE|WITH|VALUES|REPLACE|EXPLAIN)\b", re.IGNORECASE
)
_BEYOND = re.compile(r"\bset_config\s*\(|;\s*\S", re.IGNORECASE)
_LITERAL = re.compile(r"'(?:[^']|'')*'")
_BOUND_STORE = re.compile(r"\bstore_id\"?\s*(?:=|IN\s*\()\s*(?:\?|%\(|:\w)", re.IGNORECASE)


class Verdict(Struct, frozen=True):
    """What a SQL text touches: tenant tables, those not held to a brand, those not to a store.

    A new row is held by where its owner comes from (see `owners`). bound_store: a store is named by
    a bound value. of_rows: it reads or writes rows, nothing else. moves: it gives rows that are
    there to another owner. unnamed: binds that are the owner of a new row (see `owners`).
    """

    tables: frozenset[str]
    loose_brand: frozenset[str]
    loose_store: frozenset[str]
    bound_store: bool = False
    of_rows: bool = True
    moves: bool = False
    unnamed: tuple[tuple[int, str], ...] = ()


def _sources(sql: str) -> Iterator[tuple[str, str, str, int]]:
    """(verb, table, alias, end) of every table that the text reads or writes."""
    position = 0
    while match := _SOURCE.search(sql, position):
        table, alias = match[2], match["alias"]
        position = match.end(2)
        if alias and alias.lower() in _NOT_ALIAS:
            alias = None
        yield match["verb"].upper().split()[0], table, alias or table, match.end(2)


@lru_cache(maxsize=4096)
def judge(sql: str) -> Verdict:
    """The verdict on a SQL text; kept, for statements repeat."""
    tenant = tenant_tables()
    seen, loose_brand, loose_store = set(), set(), set()
    unnamed: tuple[tuple[int, str], ...] = ()
    changes = False
    for verb, name, alias, end in _sources(sql):
        table = tenant.get(name)
        if table is None:
            continue
        seen.add(name)
        if verb == "INTO":
            rows = owners.of_new_rows(sql, end)
            if not rows.brand:
                loose_brand.add(name)
            if "store_id" in table.c and not rows.store:
                loose_store.add(name)
            unnamed += rows.unnamed
            # Of the brand it is all the same: every unique key carries it.
            if not owners.takes_over(sql):
                continue
            changes = True
            if "store_id" in table.c and not _held(sql, alias, "store_id"):
                loose_store.add(name)
            continue
        changes = changes or verb == "UPDATE"
        if not _held(sql, alias, "brand_id"):
            loose_brand.add(name)
        if "store_id" in table.c and not _held(sql, alias, "store_id"):
            loose_store.add(name)
    return Verdict(
        frozenset(seen),
        frozenset(loose_brand),
        frozenset(loose_store),
        _BOUND_STORE.search(sql) is not None,
        _OF_ROWS.match(sql) is not None and _BEYOND.search(_LITERAL.sub("''", sql)) is None,
        changes and owners.moves(sql),
        unnamed,
    )


def _held(sql: str, alias: str, column: str) -> bool:
    """Whether an alias is held to an owner: by a column of another table, by NULL, or by a value.

    Values are checked by the names of their binds, so one of another name holds nothing; nor does
    IS NOT NULL. (Only a Statement's text has `:name`; SQLAlchemy's own binds bear their column's.)
    """
    name = rf'\b"?{re.escape(alias)}"?\.{column}\b'
    other = rf":(?!(?:owner_)?{column}\b)\w"
    return bool(
        re.search(
            rf"{name}\s*(?:=(?!\s*(?:ANY\s*\(\s*)?{other})|IN\b(?!\s*\([^)]*{other})"
            r"|IS\b(?!\s+NOT\b))",
            sql,
            re.IGNORECASE,
        )
        or re.search(rf"(?::(?:owner_)?{column}|(?<![:\w)])[\w\".]+)\s*=\s*{name}", sql)
        or re.search(rf"\(\s*(?:[^()]*,\s*)?{name}[^()]*\)\s*(?:=|IN\b)", sql, re.IGNORECASE)
    )


def tenant_tables() -> Mapping[str, sa.Table]:
    """Every table with a brand that is not control plane, by name."""
    return {
        name: table
        for name, table in Base.metadata.tables.items()
        if "brand_id" in table.c and name not in CONTROL_TABLES
    }


def forget() -> None:
    """Judge anew: the set of tables changed (a plugin was loaded)."""
    judge.cache_clear()
    _binds.cache_clear()


@lru_cache(maxsize=4096)
def _binds(names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return (
        tuple(n for n in names if owners.is_checked_bind(n, "brand_id")),
        tuple(n for n in names if owners.is_checked_bind(n, "store_id")),
    )


def check(
    sql: str,
    rows: Sequence[Mapping[str, Any]],
    scope: Scope | None,
    *,
    flushing: bool,
    grouped: bool,
    order: Sequence[str] = (),
) -> None:
    """Let the statement pass or raise WallBreach.

    `rows` are the bound values, one mapping per executed row; `order` their names in the order in
    which a text without names has them; `flushing` means the rows were checked one by one at flush;
    `grouped` that a registered aggregate runs.
    """
    verdict = judge(sql)
    if scope is not None:
        check_kind(verdict, sql)
    if not verdict.tables:
        return
    touched = ", ".join(sorted(verdict.tables))
    if scope is None:
        raise WallBreach(f"no scope is open, yet a statement touches {touched}: {sql[:200]}")
    if verdict.loose_brand:
        raise WallBreach(
            f"{', '.join(sorted(verdict.loose_brand))} is not held to a brand in: {sql[:400]}"
        )
    _check_stores(verdict, scope, flushing=flushing, grouped=grouped, sql=sql)
    for place, column in () if flushing else verdict.unnamed:
        # Where a text has more binds than names, the names come round again.
        if order and not owners.is_checked_bind(order[place % len(order)], column):
            raise WallBreach(f"bind {column} of a new row by that name, in: {sql[:300]}")
    # What head office may read of stores, it may name them for; people there are none of it.
    confined = scope.reach == "store" or (
        scope.reach == "brand" and any(_of_people(table) for table in verdict.tables)
    )
    for values in rows:
        brand_names, store_names = _binds(tuple(values))
        if not brand_names:
            raise WallBreach(f"no brand is bound in: {sql[:400]}")
        for name in brand_names:
            if not _same(values[name], scope.brand_id):
                raise WallBreach(f"another brand's id is bound in: {sql[:200]}")
        if confined:
            for name in store_names:
                if values[name] is not None and not _same(values[name], scope.store_id):
                    raise WallBreach(f"another store's id is bound in: {sql[:200]}")
            if values.get("all_stores"):
                raise WallBreach(f"all stores are asked for in: {sql[:200]}")
            uncounted = verdict.unnamed and not order
            if (verdict.bound_store or uncounted) and not (store_names or flushing):
                raise WallBreach(
                    f"bind a store as store_id, so that it is checked, in: {sql[:200]}"
                )


def check_kind(verdict: Verdict, sql: str) -> None:
    """Raise WallBreach for what ends a transaction, changes a table, a setting or an owner."""
    if not verdict.of_rows:
        raise WallBreach(f"a session reads and writes rows and does nothing else, not: {sql[:200]}")
    if verdict.moves:
        raise WallBreach(f"the owner of a row cannot change, yet it does in: {sql[:300]}")


def _check_stores(
    verdict: Verdict, scope: Scope, *, flushing: bool, grouped: bool, sql: str
) -> None:
    tables = Base.metadata.tables
    if scope.reach == "aggregate" and not grouped:
        personal = [t for t in verdict.tables if "store_id" in tables[t].c and _personal(t)]
        if personal:
            raise WallBreach(f"an aggregate scope runs registered queries only, not: {sql[:200]}")
    if flushing:
        return
    for name in verdict.loose_store:
        if not scope.reaches_stores(personal=_personal(name)):
            raise WallBreach(f"{name} is not held to a store in: {sql[:400]}")


def _personal(table: str) -> bool:
    return bool(Base.metadata.tables[table].info.get("personal", True))


def _of_people(table: str) -> bool:
    return "store_id" in Base.metadata.tables[table].c and _personal(table)


def _same(value: object, owner: UUID | None) -> bool:
    if isinstance(value, UUID) or value is None:
        return value == owner
    if isinstance(value, list | tuple):
        return all(_same(one, owner) for one in value)
    return owner is not None and str(value).replace("-", "") == owner.hex


def check_rows(scope: Scope, rows: Iterable[Any], customers: str = "brand") -> None:
    """At flush: each row's owner is the scope's and never changes. Raises WallBreach.

    customers: "brand" or "store", who owns them: where stores do, a row about people that names no
    store would be read by every store of the brand.
    """
    for row in rows:
        table = sa.inspect(row).mapper.local_table
        if "brand_id" not in table.c or table.name in CONTROL_TABLES:
            continue
        state = sa.inspect(row)
        for column in ("brand_id", "store_id"):
            if state.persistent and column in table.c and state.attrs[column].history.deleted:
                raise WallBreach(f"the owner of a row of {table.name} cannot change")
        if row.brand_id != scope.brand_id:
            raise WallBreach(f"a row of {table.name} belongs to another brand")
        if (
            "store_id" in table.c
            and not scope.reaches_stores(personal=_personal(table.name))
            and row.store_id not in (None, scope.store_id)
        ):
            raise WallBreach(f"a row of {table.name} belongs to another store")
        if (
            customers == "store"
            and "store_id" in table.c
            and row.store_id is None
            and _personal(table.name)
        ):
            raise WallBreach(
                f"a row of {table.name} is about people and names no store, yet this brand's"
                " customers belong to stores: set store_id, or, if its rows name nobody,"
                " __personal__ = False"
            )


def install(engine: sa.Engine) -> None:
    """Put the wall around every statement that this engine's connections run."""

    @event.listens_for(engine, "before_cursor_execute")
    def _guard(  # type: ignore[no-untyped-def]  # SQLAlchemy's own event signature
        connection, cursor, statement, parameters, context, executemany
    ) -> None:
        session = connection.get_execution_options().get("highstreet_session")
        scope = session.scope if session is not None else None
        compiled = getattr(context, "compiled_parameters", None)
        if compiled:
            rows = compiled
        elif judge(statement).tables:
            raise WallBreach(f"driver SQL may not touch tenant tables: {statement[:200]}")
        else:
            rows = ()
        check(
            statement,
            rows,
            scope,
            flushing=session is not None and session.flushing,
            grouped=session is not None and session.grouped,
            order=_order(statement, context),
        )


def _order(sql: str, context: Any) -> Sequence[str]:
    """The names of a text's binds in their order, where they have none in the text; else empty."""
    names: Sequence[str] = getattr(getattr(context, "compiled", None), "positiontup", None) or ()
    # A list that was bound as one stands there as several: then nobody can count.
    return names if names and sql.count("?") % len(names) == 0 else ()
