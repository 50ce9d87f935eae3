"""Tables whose rows are facts: the database itself refuses UPDATE and DELETE on them.

A room names its table with `register`; the triggers come with `create_all` and are put back after
every migration, for SQLite's batch mode drops them with the table that it re-creates.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import event

_tables: dict[str, sa.Table] = {}


def register(table: sa.Table) -> None:
    """Make the table append-only, on whichever database it is created."""
    _tables[table.name] = table

    def created(_table: object, connection: sa.Connection, **_options: object) -> None:
        if table.name in _tables:
            _guard(connection, table)

    event.listen(table, "after_create", created)


def registered() -> frozenset[str]:
    """Names of the append-only tables."""
    return frozenset(_tables)


def forget(name: str) -> None:
    """Take a table off the list, for its tool was refused; a trigger that is there stays."""
    _tables.pop(name, None)


def apply(connection: sa.Connection) -> None:
    """Put the triggers on every registered table that exists; safe to repeat."""
    present = set(sa.inspect(connection).get_table_names())
    for name, table in _tables.items():
        if name in present:
            _guard(connection, table)


def remove_before(connection: sa.Connection, table: sa.Table, before: datetime) -> int:
    """Delete the rows whose `at` lies before that moment, whatever the guard says; gives how many.

    For the tables' owner, in a transaction of its own; the guard is back when it ends, and is never
    off for others.
    """
    name = _tables[table.name].name
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}_no_delete")
    else:
        connection.exec_driver_sql(f"ALTER TABLE {name} DISABLE TRIGGER {name}_no_change")
    gone = connection.execute(sa.delete(table).where(table.c.at < before)).rowcount
    if sqlite:
        _guard(connection, table)
    else:
        connection.exec_driver_sql(f"ALTER TABLE {name} ENABLE TRIGGER {name}_no_change")
    return gone


def _guard(connection: sa.Connection, table: sa.Table) -> None:
    name = table.name
    words = f"{name} is append-only: write a new row that says what changed"
    if connection.dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            connection.exec_driver_sql(
                f"CREATE TRIGGER IF NOT EXISTS {name}_no_{verb.lower()} BEFORE {verb} ON {name}"
                f" BEGIN SELECT RAISE(ABORT, '{words}'); END"
            )
        return
    connection.exec_driver_sql(
        "CREATE OR REPLACE FUNCTION core_refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION '%% is append-only: write a new row that says what changed',"
        " TG_TABLE_NAME"
        " USING ERRCODE = 'restrict_violation'; END $$"
    )
    connection.exec_driver_sql(
        f"CREATE OR REPLACE TRIGGER {name}_no_change BEFORE UPDATE OR DELETE ON {name}"
        " FOR EACH ROW EXECUTE FUNCTION core_refuse_change()"
    )
    connection.exec_driver_sql(
        f"CREATE OR REPLACE TRIGGER {name}_no_truncate BEFORE TRUNCATE ON {name}"
        " FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change()"
    )
