"""What tools that are not installed (any more) have left in the database."""

from collections.abc import Collection, Iterator, Sequence
from msgspec import Struct

import sqlalchemy as sa

from highstreet_migrations import runner
from highstreet_migrations.histories import CORE, History
from highstreet_tenants.base import Base

_SUFFIX = "_alembic_version"
#: Columns of the core's tables in which a tool's name stands, and "core" for the core's own rows.
_NAMED = ("plugin", "source")


class Leftover(Struct, frozen=True):
    """What one tool left. tables: its own that are still there, remembered: the core's rows that
    name it (policy, choices, settings, faults, jobs, the customers' story); rows of each."""

    tool: str
    tables: dict[str, int]
    remembered: dict[str, int]


def look(url: str, histories: Sequence[History], installed: Collection[str]) -> list[Leftover]:
    """Leftovers of tools that are not among the installed; and tables that an installed tool's
    downgrade has left standing."""
    engine = runner.owner_engine(url)
    try:
        with engine.connect() as connection:
            return list(_look(connection, histories, installed))
    finally:
        engine.dispose()


def _look(
    connection: sa.Connection, histories: Sequence[History], installed: Collection[str]
) -> Iterator[Leftover]:
    present = sa.inspect(connection).get_table_names()
    strangers = [
        History(name, "")
        for table in present
        if table.endswith(_SUFFIX) and (name := table.removesuffix(_SUFFIX)) not in installed
        if name != CORE.name
    ]
    remembered = dict(_remembered(connection, set(present)))
    gone = {one.name for one in strangers} | (remembered.keys() - {*installed, CORE.name})
    bare = {one.name for one in histories if f"{one.name}{_SUFFIX}" not in present}
    names = [*installed, *gone]
    for name in sorted(gone | (bare - {CORE.name})):
        own = [table for table in present if History(name, "").mine(table, names)]
        if own or name in gone:
            yield Leftover(
                name,
                {table: _count(connection, table) for table in sorted(own)},
                remembered.get(name, {}) if name in gone else {},
            )


def _count(connection: sa.Connection, table: str) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(sa.table(table))) or 0


def _remembered(
    connection: sa.Connection, present: Collection[str]
) -> Iterator[tuple[str, dict[str, int]]]:
    """Tool → table of the core → rows that name it."""
    found: dict[str, dict[str, int]] = {}
    for table in Base.metadata.sorted_tables:
        if table.name not in present or not CORE.mine(table.name):
            continue
        for column in (table.c[name] for name in _NAMED if name in table.c):
            for tool, rows in connection.execute(
                sa.select(column, sa.func.count()).where(column.is_not(None)).group_by(column)
            ):
                found.setdefault(tool, {})[table.name] = rows
    yield from found.items()
