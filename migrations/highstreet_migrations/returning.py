"""Bringing a tool's rows and tables back, in the process that `apart` starts for it.

All of it is one transaction: a run that is killed has done nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet_migrations import archive, runner
from highstreet_migrations.apart import Side
from highstreet_migrations.archive import Contents
from highstreet_migrations.leaving import CHUNK, counts
from highstreet_tenants import bulk
from highstreet_tenants.errors import Conflict, Invalid
from highstreet_tenants.words import gettext as _


def bring_back(side: Side) -> dict[str, Any]:
    """See `removal.bring_back`, which asks for it."""
    folder = Path(side.said["folder"])
    name = side.history.name
    contents = archive.contents_of(folder)
    if contents.tool != name:
        raise Invalid(_("That is an export of %(other)s, not of %(name)s.",
                        other=contents.tool, name=name))  # fmt: skip
    with side.theirs():
        known = {one.revision for one in runner.script_of(side.history).walk_revisions()}
    if contents.revision not in known:
        raise Invalid(
            _(
                "The export was written by version %(version)s of %(name)s; the installed version"
                " %(here)s does not know how its tables were. Install that one, or a newer one.",
                version=contents.version,
                name=name,
                here=side.said["version"],
            )
        )
    engine = runner.owner_engine(side.url)
    try:
        with runner.alone(engine), engine.begin() as connection:
            earlier = _there_already(connection, side, folder, contents)
            if not earlier:
                _make_room(connection, side, contents)
                with _pointing(connection, contents):
                    _insert(connection, side, folder, contents)
                with side.theirs():
                    runner.limit(connection, side.seconds)
                    runner.move(connection, side.history, side.histories, "head")
    except sa.exc.IntegrityError as error:
        if side.in_theirs:
            raise
        raise _astray(str(error.orig).strip().splitlines()[0]) from error
    finally:
        engine.dispose()
    return {"contents": archive.said(contents), "earlier": earlier}


def _there_already(connection: sa.Connection, side: Side, folder: Path, contents: Contents) -> bool:
    """Whether the tables hold the archive's rows as they left and no others: a run that was killed
    has brought them back, and all that is left to do is what comes after. Raises Conflict if they
    hold others."""
    there = counts(connection, side.said["tables"])
    if not sum(there.values()):
        return False
    at = runner.heads(connection, side.history, side.histories)
    if (
        ",".join(at) == contents.revision
        and all(there.get(name) == rows for name, rows in contents.rows().items())
        and _equal(connection, folder, contents)
    ):
        return True
    table, rows = next((name, rows) for name, rows in there.items() if rows)
    raise Conflict(
        _(
            "%(table)s has %(rows)s rows already. Uninstall the tool first, with an export"
            " of its own.",
            table=table,
            rows=rows,
        )
    )


def _equal(connection: sa.Connection, folder: Path, contents: Contents) -> bool:
    """Whether each row of an archive is in the tables, as it is there."""
    for name, columns in contents.tables.items():
        identity: sa.ColumnClause[UUID] = sa.column("id", sa.Uuid())
        for lines in bulk.chunks(archive.lines_in(folder, contents, name), CHUNK):
            wanted = {UUID(line["id"]): line for line in lines}
            query = archive.stored(name, columns).where(identity.in_(wanted))
            found = connection.execute(query).mappings()
            if wanted != {row["id"]: archive.line(columns, row) for row in found}:
                return False
    return True


def _make_room(connection: sa.Connection, side: Side, contents: Contents) -> None:
    """The tool's tables, empty, as they were when the rows left."""
    with side.theirs():
        runner.limit(connection, side.seconds)
        if runner.heads(connection, side.history, side.histories):
            runner.move(connection, side.history, side.histories, "base")
        runner.move(connection, side.history, side.histories, contents.revision)
    runner.limit(connection, None)


def _insert(connection: sa.Connection, side: Side, folder: Path, contents: Contents) -> None:
    total, done = sum(contents.rows().values()), 0
    for name, columns in contents.tables.items():
        into = sa.insert(archive.light(name, columns))
        for rows in bulk.chunks(archive.rows_in(folder, contents, name), CHUNK):
            connection.execute(into, rows)
            done += len(rows)
            side.progress(done, total)


@contextmanager
def _pointing(connection: sa.Connection, contents: Contents) -> Iterator[None]:
    """Rows may point at rows that are yet to come; at the end all must be there.

    Raises Conflict (SQLite) or IntegrityError (PostgreSQL) if they are not.
    """
    names = list(contents.tables)
    if connection.dialect.name == "sqlite":
        yield
        for name in names:
            lost = connection.exec_driver_sql(f"PRAGMA foreign_key_check({name})").first()
            if lost is not None:
                raise _astray(f"{lost[0]} → {lost[2]}")
        return
    keys = connection.execute(
        sa.text(
            "SELECT conrelid::regclass::text, quote_ident(conname) FROM pg_constraint"
            " WHERE contype = 'f' AND NOT condeferrable AND conrelid::regclass::text = ANY(:names)"
        ),
        {"names": names},
    ).all()
    for table, key in keys:
        connection.exec_driver_sql(
            f"ALTER TABLE {table} ALTER CONSTRAINT {key} DEFERRABLE INITIALLY DEFERRED"
        )
    yield
    connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
    for table, key in keys:
        connection.exec_driver_sql(f"ALTER TABLE {table} ALTER CONSTRAINT {key} NOT DEFERRABLE")


def _astray(where: str) -> Conflict:
    return Conflict(
        _(
            "Rows of the export point at what this installation no longer has (%(where)s). Nothing"
            " was brought back: an export goes back to the database that it came from.",
            where=where,
        )
    )
