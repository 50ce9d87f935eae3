"""Registered aggregates: what head office may count over rows that it may not read."""

import inspect
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet.kit import marks
from highstreet.kit.rows import tenant_tables
from highstreet_tenants import aggregates, clock
from highstreet_tenants.aggregates import SMALLEST_CELL, Aggregate
from highstreet_tenants.base import Base
from highstreet_tenants.errors import WallBreach
from highstreet_tenants.scopes import Scope
from probe import functions
from probe.arguments import Untaught
from probe.calls import texts
from probe.world import World

TEACH = "in tests/probe/grouping.py, put it into ARGUMENTS with a value under which all is counted"
#: Arguments of registered aggregates; a function is asked with the brand's head office.
ARGUMENTS: Mapping[str, Any] = {
    "campaign_id": lambda site: site.ids["campaign"][0],
    "at": clock.now(),
    "currency": "GBP",
    "seed": "probe",
    "share": 5000,
    "first": date(2020, 1, 1),
    "last": date(2036, 1, 1),
    "weeks": ((date(2020, 1, 1), date(2036, 1, 1)),),
    "since": datetime(2020, 1, 1, tzinfo=UTC),
    "until": datetime(2036, 1, 1, tzinfo=UTC),
}


def registered(world: World) -> list[Aggregate]:
    """Every aggregate of the house, also of modules that nobody has asked for yet."""
    assert list(functions.modules(world.house.host))
    return list(aggregates.registry.values())


def group_all(world: World, brand: str, asked: Iterable[Aggregate]) -> list[str]:
    """Run each over a brand. Gives those that name somebody, reach further or show a small cell."""
    findings: list[str] = []
    people = _people(world)
    for entry in asked:
        given = {}
        for parameter in list(inspect.signature(entry.query).parameters.values())[1:]:
            if parameter.name not in ARGUMENTS:
                raise Untaught(parameter.name, f"aggregate {entry.name}", TEACH)
            value = ARGUMENTS[parameter.name]
            given[parameter.name] = value(world.sites[brand]) if callable(value) else value
        scope = Scope.aggregate(world.sites[brand].brand.id)
        try:
            with world.house.tenancy.session(scope) as s:
                statement = entry.query(s.scope, **given)
                s.grouped = True
                bare = [dict(row) for row in s.execute(statement).mappings()]
                s.grouped = False
                cells = aggregates.run(s, entry.name, **given)
        except WallBreach as error:
            findings.append(f"{entry.name} in {brand}: {error}")
            continue
        wrong = [*_judge(entry, bare, cells), *_ungrouped(entry, statement)]
        findings += [f"{entry.name} in {brand} {one}" for one in wrong]
        findings += [
            f"{entry.name} in {brand} has a cell for each of {table}"
            for table in sorted({people[v] for cell in cells for v in _ids(cell) if v in people})
        ]
    return findings


def _judge(entry: Aggregate, bare: list[dict[str, Any]], cells: list[dict[str, Any]]) -> list[str]:
    wrong = [f"names {mark}" for mark in sorted(marks.found(texts(cells)))]
    for before, after in zip(bare, cells, strict=True):
        if 0 < (before[entry.people] or 0) < SMALLEST_CELL:
            shown = {name for name, value in after.items() if value is not None} - entry.keys
            if shown:
                wrong.append(f"shows {sorted(shown)} of {before[entry.people]} people")
    for key in [entry.across] if entry.across else sorted(entry.keys):
        wholes: dict[Any, list[tuple[int, bool]]] = {}
        for before, after in zip(bare, cells, strict=True):
            whole = tuple(before[other] for other in sorted(entry.keys - {key}))
            count = before[entry.people] or 0
            wholes.setdefault(whole, []).append((count, after[entry.people] is None))
        for parts in wholes.values():
            hidden = [count for count, is_hidden in parts if is_hidden]
            told = len(hidden) == 1 or sum(hidden) < SMALLEST_CELL
            if hidden and told and len(hidden) < len(parts):
                wrong.append(f"tells of {hidden} people, whom a sum over {key} less the rest gives")
    return wrong


def _ungrouped(entry: Aggregate, statement: sa.Select[Any]) -> list[str]:
    """Keys stay in a cell that is hidden, so none may be a figure: each is what is grouped by."""
    by = statement._group_by_clauses
    return [
        f"is not grouped by {key}"
        for key in sorted(entry.keys)
        if not any(statement.selected_columns[key].shares_lineage(one) for one in by)
    ]


def _ids(cell: Mapping[str, Any]) -> list[UUID]:
    return [value for value in cell.values() if isinstance(value, UUID)]


def _people(world: World) -> dict[UUID, str]:
    """Ids of all rows about people, with their tables: no cell is one of them."""
    found: dict[UUID, str] = {}
    with world.database.owner.connect() as connection:
        for table in tenant_tables():
            if "id" in table.c and "store_id" in table.c and table.info.get("personal", True):
                ids = connection.scalars(sa.select(Base.metadata.tables[table.name].c.id))
                found |= dict.fromkeys(ids, table.name)
    return found
