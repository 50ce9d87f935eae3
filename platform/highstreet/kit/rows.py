"""Every row of the house, as read by the owner of the database, whom no wall binds."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet.kit.databases import Database
from highstreet_tenants import walls
from highstreet_tenants.base import Base

#: Notes that any request may take: who was seen when, how often it was tried. No tenant's data.
BOOKKEEPING: Mapping[str, frozenset[str] | None] = {
    "core_user_session": None,
    "core_sign_in_attempt": None,
    "core_runner": None,
    "core_schedule_mark": None,
    "core_api_key": frozenset({"last_used_at"}),
    "core_till_device": frozenset({"seen_at"}),
}


class Row(Struct, frozen=True):
    """One row: whose it is, and what stands in it. brand, store: None where it has no such column
    or no value there.
    """

    table: str
    brand: UUID | None
    store: UUID | None
    values: Mapping[str, Any]

    @property
    def text(self) -> str:
        """All of it as text."""
        return "\n".join(str(value) for value in self.values.values() if value is not None)


def everything(database: Database) -> list[Row]:
    """All rows of all tables."""
    found = []
    with database.owner.connect() as connection:
        for table in Base.metadata.sorted_tables:
            for row in connection.execute(sa.select(table)).mappings():
                values = dict(row)
                brand = values["id"] if table.name == "core_brand" else values.get("brand_id")
                found.append(Row(table.name, brand, values.get("store_id"), values))
    return found


def fingerprint(rows: Iterator[Row]) -> dict[str, tuple[int, str]]:
    """(how many rows, hash of their content) by table, bookkeeping left out."""
    tables: dict[str, list[str]] = {}
    for row in rows:
        left_out = BOOKKEEPING.get(row.table, frozenset())
        if left_out is None:
            continue
        values = {k: str(v) for k, v in row.values.items() if k not in left_out}
        tables.setdefault(row.table, []).append(json.dumps(values, sort_keys=True))
    return {
        name: (len(lines), hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest())
        for name, lines in tables.items()
    }


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Names of the tables that differ."""
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def tenant_tables() -> list[sa.Table]:
    """Every table that a brand owns, of the core and of the tools that are loaded. (The tests of
    the walls declare one of their own, for everybody in this process.)"""
    names = sorted(name for name in walls.tenant_tables() if not name.startswith("walltest_"))
    return [Base.metadata.tables[name] for name in names]
