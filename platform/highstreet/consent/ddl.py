"""Triggers that make a table append-only, for `create_all` and for migrations alike."""

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event


def append_only(table: str, dialect: str) -> list[str]:
    """DDL under which the database refuses to change or delete a row of `table`.

    For a migration: `for sql in append_only("core_consent_event", name): op.execute(sql)`. Safe to
    repeat, as SQLite loses triggers when batch mode rebuilds a table.
    """
    _check(table)
    words = f"{table} is append-only: write a new row that says what changed"
    if dialect == "postgresql":
        return [
            f"CREATE OR REPLACE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE EXCEPTION '{words}' USING ERRCODE = 'restrict_violation'; END $$",
            f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}",
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION {table}_refuse()",
            f"DROP TRIGGER IF EXISTS {table}_no_truncate ON {table}",
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()",
        ]
    return [
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
        f" BEGIN SELECT RAISE(ABORT, '{words}'); END"
        for verb in ("UPDATE", "DELETE")
    ]


def allow_changes(table: str, dialect: str) -> list[str]:
    """DDL that undoes `append_only`; only a downgrade may need it."""
    _check(table)
    if dialect == "postgresql":
        return [
            f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}",
            f"DROP TRIGGER IF EXISTS {table}_no_truncate ON {table}",
            f"DROP FUNCTION IF EXISTS {table}_refuse()",
        ]
    return [f"DROP TRIGGER IF EXISTS {table}_no_{verb}" for verb in ("update", "delete")]


def attach(table: sa.Table) -> None:
    """Make `table` append-only whenever the metadata create it."""

    @event.listens_for(table, "after_create")
    def _create(target: sa.Table, connection: sa.Connection, **_options: Any) -> None:
        for sql in append_only(target.name, connection.dialect.name):
            connection.exec_driver_sql(sql)


def _check(table: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,50}", table):
        raise ValueError(f"not a table's name: {table!r}")
