"""Grouped queries that head office may run over rows it may not read; small cells are suppressed.

A cell that counts fewer than five people can point at one of them (the rule of thumb of national
statistics offices), so its figures come back as None.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from highstreet_tenants.errors import WallBreach
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import ScopedSession

SMALLEST_CELL = 5
Query = Callable[..., sa.Select[Any]]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A registered grouped query. `people` names the column that counts persons in a cell."""

    name: str
    query: Query
    people: str
    keys: frozenset[str]


registry: dict[str, Aggregate] = {}


def aggregate(name: str, *, people: str, keys: Sequence[str] = ()) -> Callable[[Query], Query]:
    """Register a function `(scope, **arguments) -> Select` as a grouped query.

    `people`: the label that counts persons; `keys`: the labels that name the cell and stay.
    """

    def register(query: Query) -> Query:
        if name in registry:
            raise ValueError(f"two aggregates are called {name}")
        registry[name] = Aggregate(name, query, people, frozenset(keys))
        return query

    return register


def run(s: ScopedSession, name: str, **arguments: Any) -> list[dict[str, Any]]:
    """The cells, figures of small ones None. Any scope may ask; an aggregate scope only this way.

    Raises WallBreach for a query that is not registered or not grouped.
    """
    entry = registry.get(name)
    if entry is None:
        raise WallBreach(f"no aggregate is registered as {name!r}")
    statement = entry.query(s.scope, **arguments)
    if entry.people not in statement.selected_columns:
        raise WallBreach(f"the aggregate {name!r} does not count people")
    s.grouped = True
    try:
        rows = [dict(row) for row in s.execute(statement).mappings()]
    finally:
        s.grouped = False
    return [_suppress(row, entry) for row in rows]


def _suppress(row: dict[str, Any], entry: Aggregate) -> dict[str, Any]:
    people = row[entry.people]
    if people is None or people == 0 or people >= SMALLEST_CELL:
        return row
    return {label: value if label in entry.keys else None for label, value in row.items()}


__all__ = ["SMALLEST_CELL", "Scope", "aggregate", "registry", "run"]
