"""Grouped queries that head office may run over rows it may not read; small cells are suppressed.

A cell that counts fewer than five people can point at one of them (the rule of thumb of national
statistics offices), so its figures come back as None. Where cells add up to a total that is shown
elsewhere, a cell that is hidden alone could be told by subtracting all others, so the next smallest
is hidden with it (secondary suppression, as those offices call it).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from highstreet_tenants.errors import WallBreach
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import ScopedSession

SMALLEST_CELL = 5
Query = Callable[..., sa.Select[Any]]


class Aggregate(Struct, frozen=True):
    """A registered grouped query. `people` names the column that counts persons in a cell; `across`
    the key along which cells add up to a total.
    """

    name: str
    query: Query
    people: str
    keys: frozenset[str]
    across: str | None = None


registry: dict[str, Aggregate] = {}


def aggregate(
    name: str, *, people: str, keys: Sequence[str] = (), across: str | None = None
) -> Callable[[Query], Query]:
    """Register a function `(scope, **arguments) -> Select` as a grouped query.

    `people`: the label that counts persons; `keys`: the labels that name the cell and stay;
    `across`: the one of them along which the cells are parts of a whole that is shown too.
    """
    if across is not None and across not in keys:
        raise ValueError(f"the aggregate {name} has no key {across}")

    def register(query: Query) -> Query:
        if name in registry:
            raise ValueError(f"two aggregates are called {name}")
        registry[name] = Aggregate(name, query, people, frozenset(keys), across)
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
    hidden = _too_small(rows, entry)
    return [
        {label: value if label in entry.keys else None for label, value in row.items()}
        if number in hidden
        else row
        for number, row in enumerate(rows)
    ]


def _too_small(rows: Sequence[Mapping[str, Any]], entry: Aggregate) -> set[int]:
    """Which cells are hidden, by their place: small ones, and those that would tell of them."""
    people = [row[entry.people] or 0 for row in rows]
    hidden = {number for number, count in enumerate(people) if 0 < count < SMALLEST_CELL}
    if entry.across is None:
        return hidden
    wholes: dict[tuple[Any, ...], list[int]] = {}
    for number, row in enumerate(rows):
        whole = tuple(row[key] for key in sorted(entry.keys - {entry.across}))
        wholes.setdefault(whole, []).append(number)
    for parts in wholes.values():
        hidden.update(parts[number] for number in too_small([people[n] for n in parts]))
    return hidden


def too_small(people: Sequence[int]) -> set[int]:
    """Of cells that are parts of a whole that is shown too, by how many people each counts: the
    places of those to hide, small ones and those that would tell of them."""
    hidden = {number for number, count in enumerate(people) if 0 < count < SMALLEST_CELL}
    if not hidden:
        return hidden
    others = sorted(
        (n for n, count in enumerate(people) if count >= SMALLEST_CELL), key=people.__getitem__
    )
    while others and (len(hidden) < 2 or sum(people[n] for n in hidden) < SMALLEST_CELL):
        hidden.add(others.pop(0))
    return hidden


__all__ = ["SMALLEST_CELL", "Scope", "aggregate", "registry", "run", "too_small"]
