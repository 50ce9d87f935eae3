"""The rules that a tool's tables keep, and taking back what a refused tool left in the metadata.

A table that breaks them could hold another brand's rows or tie the core's schema to a tool that
may be gone tomorrow, so the tool does not load.
"""

import sys
from collections.abc import Iterator, Sequence
from types import ModuleType

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import orm

from highstreet_tenants import aggregates, append_only, walls
from highstreet_tenants.base import Base, BrandOwned
from highstreet_tenants.control import CONTROL_TABLES

#: The core's tables that a tool's foreign keys may point at: they outlive every tool.
ANCHORS = frozenset(
    {
        "core_brand",
        "core_region",
        "core_owner",
        "core_store",
        "core_customer",
        "core_purchase",
        "core_return",
        "core_campaign",
    }
)
_KEY = ("brand_id", "id")
_MINE = "highstreet.tables"


class Before(Struct, frozen=True):
    """What the metadata and the registries held before a tool was imported."""

    tables: dict[str, tuple[sa.Table, frozenset[object], frozenset[object]]]
    modules: frozenset[str]
    aggregates: frozenset[str]
    guarded: frozenset[str]


def look(metadata: sa.MetaData = Base.metadata) -> Before:
    """Take note of every table and what it is made of, and of the modules that are loaded."""
    return Before(
        {
            name: (table, frozenset(table.c), frozenset(table.constraints | table.indexes))
            for name, table in metadata.tables.items()
        },
        frozenset(sys.modules),
        frozenset(aggregates.registry),
        append_only.registered(),
    )


def brought(
    package: str, name: str, before: Before, metadata: sa.MetaData = Base.metadata
) -> frozenset[str]:
    """Names of the tables that are a tool's: new since `before`, or declared in its package.

    A package that was imported earlier (a second host in one process) adds nothing new, so what it
    brought then is remembered with the metadata.
    """
    remembered: dict[str, frozenset[str]] = metadata.info.setdefault(_MINE, {})
    mapped = dict(_declared())
    found = set(remembered.get(package, ()))
    for table_name in metadata.tables:
        if table_name in mapped:
            if _within(mapped[table_name].__module__, package):
                found.add(table_name)
        elif table_name not in before.tables or table_name.startswith(f"{name}_"):
            found.add(table_name)
    remembered[package] = frozenset(found & set(metadata.tables))
    return remembered[package]


def _declared() -> Iterator[tuple[str, type]]:
    """(table, its class) of every mapped table."""
    for manager in list(Base.registry._managers):  # `.mappers` raises for a half-mapped class
        if manager.is_mapped and isinstance(manager.mapper.local_table, sa.Table):
            yield manager.mapper.local_table.name, manager.class_


def faults(
    name: str,
    package: str,
    names: frozenset[str],
    before: Before,
    rivals: Sequence[str] = (),
    metadata: sa.MetaData = Base.metadata,
) -> list[str]:
    """Everything that is wrong with a tool's tables, in words for its author.

    rivals: names of the other tools, for `club_x_rule` is club_x's and not club's.
    """
    found = []
    for known, (table, columns, constraints) in before.tables.items():
        if known in names:
            continue
        if metadata.tables.get(known) is not table:
            found.append(f"replaces the table {known}, which is not its own")
        elif set(table.c) != columns or table.constraints | table.indexes != constraints:
            found.append(f"changes the table {known}, which is not its own")
    for table_name in sorted(names):
        found += _faults_of(metadata.tables[table_name], name, rivals, names)
    found += [
        f"{module.__name__}.{attribute} keeps tables outside of the house: build on sdk.Base"
        for module in _modules(package)
        for attribute, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, orm.DeclarativeBase)
        and value is not orm.DeclarativeBase
        and value.metadata is not metadata
    ]
    found += [
        f"{class_.__name__} must build on BrandOwned or StoreOwned"
        for table_name, class_ in sorted(_declared(), key=lambda pair: pair[0])
        if table_name in names and not issubclass(class_, BrandOwned)
    ]
    found += [
        f"the aggregate {one} must be called {name}.…"
        for one in sorted(set(aggregates.registry) - before.aggregates)
        if not one.startswith(f"{name}.")
    ]
    found += [
        f"it makes {one} append-only, which is not its own"
        for one in sorted(append_only.registered() - before.guarded - names)
    ]
    return found or list(_faults_of_relations(names))


def _faults_of(
    table: sa.Table, name: str, rivals: Sequence[str], own: frozenset[str]
) -> Iterator[str]:
    if not table.name.startswith(f"{name}_"):
        yield f"the table {table.name} must be called {name}_…"
        return
    for rival in rivals:
        if len(rival) > len(name) and table.name.startswith(f"{rival}_"):
            yield f"the table {table.name} bears the name of the tool {rival}"
    if table.schema is not None:
        yield f"{table.name} must be in the house's own schema"
    if tuple(sorted(c.name for c in table.primary_key)) != _KEY:
        yield f"{table.name} must be keyed (brand_id, id)"
    if "brand_id" not in table.c:
        return
    for constraint in table.constraints:
        if isinstance(constraint, sa.ForeignKeyConstraint):
            yield from _faults_of_key(table, constraint, own)
        elif isinstance(constraint, sa.UniqueConstraint) and "brand_id" not in constraint.columns:
            yield f"a unique constraint of {table.name} must carry brand_id"
    for index in table.indexes:
        if "brand_id" not in index.columns:
            yield f"the index {index.name} of {table.name} must carry brand_id"


def _faults_of_key(
    table: sa.Table, key: sa.ForeignKeyConstraint, own: frozenset[str]
) -> Iterator[str]:
    targets = {element.target_fullname.rsplit(".", 1)[0] for element in key.elements}
    target = ", ".join(sorted(targets))
    pairs = {
        (str(element.parent.name), element.target_fullname.rsplit(".", 1)[1])
        for element in key.elements
    }
    if not targets <= ANCHORS | own:
        yield (
            f"{table.name} points at {target}: foreign keys may point at its own tables and at "
            + ", ".join(sorted(ANCHORS))
        )
    elif ("brand_id", "id" if target == "core_brand" else "brand_id") not in pairs:
        yield f"the foreign key of {table.name} to {target} must carry brand_id (use brand_fk)"
    if (key.ondelete or "").upper().startswith("SET "):
        yield f"{table.name}: ON DELETE {key.ondelete} would unset the brand as well"


def _faults_of_relations(names: frozenset[str]) -> Iterator[str]:
    """SQLAlchemy looks at relationships when first asked for anything: a wrong one would then
    spoil every query of everybody's. Without any there is nothing to look at, and no time lost."""
    related = [
        class_
        for table_name, class_ in _declared()
        if table_name in names
        and any(
            isinstance(one, orm.Relationship)
            for one in orm.class_mapper(class_, False)._props.values()
        )
    ]
    if related:
        try:
            orm.configure_mappers()
        except sa.exc.SQLAlchemyError as error:
            yield f"a relationship is wrong: {error}"


def _modules(package: str) -> list[ModuleType]:
    return [
        module
        for key, module in list(sys.modules.items())
        if _within(key, package) and isinstance(module, ModuleType)
    ]


def _within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def take_back(
    package: str,
    names: frozenset[str],
    before: Before,
    metadata: sa.MetaData = Base.metadata,
) -> None:
    """Leave no trace of a refused tool: its tables, mapped classes and modules go.

    A mapper that stayed could break the configuration of everybody's mappers at first use.
    """
    for manager in list(Base.registry._managers):
        if _within(manager.class_.__module__, package):
            # SQLAlchemy's public way disposes of a whole registry, ours included.
            Base.registry._dispose_manager_and_mapper(manager)
            Base.registry._managers.pop(manager, None)
    for table_name in names:
        table = metadata.tables.get(table_name)
        if table is not None and table_name not in CONTROL_TABLES:
            metadata.remove(table)
    for known, (table, columns, constraints) in before.tables.items():
        if known in names:
            continue
        if metadata.tables.get(known) is not table:
            if known in metadata.tables:
                metadata.remove(metadata.tables[known])
            metadata._add_table(table.name, table.schema, table)
        for column in set(table.c) - columns:
            table._columns.remove(column)
        table.constraints &= constraints
        table.indexes &= constraints
    for one in set(aggregates.registry) - before.aggregates:
        del aggregates.registry[one]
    for one in append_only.registered() - before.guarded:
        append_only.forget(one)
    metadata.info.get(_MINE, {}).pop(package, None)
    for key in [k for k in sys.modules if _within(k, package) and k not in before.modules]:
        del sys.modules[key]
    walls.forget()
