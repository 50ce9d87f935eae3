"""Taking a tool's rows and tables out, in the process that `apart` starts for it.

Everything is one transaction. The archive gets its name only once that is committed: a folder with
its name says that the tool is gone and its rows are all in it. So, whenever it is killed:

- no archive, or one that is called `.part` and not whole: nothing has happened;
- a whole `.part`: either nothing has happened (its rows are in the tables still), or all has but for
  the name;
- the archive has its name: all has happened.
"""

import shutil
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet_migrations import archive, failures, runner
from highstreet_migrations.apart import Side
from highstreet_migrations.archive import Contents, Writing
from highstreet_tenants import bulk, clock, trouble
from highstreet_tenants.errors import Conflict, Invalid, Unavailable
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.words import gettext as _

#: Rows in one statement, and between two words of progress.
CHUNK = 2_000
Tables = Mapping[str, Mapping[str, str]]


def take_out(side: Side) -> dict[str, Any]:
    """See `removal.take_out`, which asks for it."""
    folder, drop = Path(side.said["folder"]), side.said["drop"]
    tables: dict[str, dict[str, str]] = side.said["tables"]
    engine = runner.owner_engine(side.url)
    try:
        with runner.alone(engine):
            with engine.begin() as connection:
                earlier = _finished(connection, side, folder) if drop else None
                contents = earlier or _export(connection, side, folder, tables)
                if drop and earlier is None:
                    with side.theirs():
                        runner.limit(connection, side.seconds)
                        runner.move(connection, side.history, side.histories, "base")
                    failures.forget(connection, side.history.name)
            if archive.part_of(folder).exists():
                archive.finish(folder)
    except (sa.exc.OperationalError, sa.exc.InternalError) as error:
        if side.in_theirs:
            raise
        if trouble.passes(error) or getattr(error.orig, "sqlstate", None) == "55P03":
            raise Unavailable(
                _("The tool's tables are in use. Stop the servers and workers, then try again.")
            ) from error
        raise
    finally:
        engine.dispose()
    return {"contents": archive.said(contents), "earlier": earlier is not None}


def _finished(connection: sa.Connection, side: Side, folder: Path) -> Contents | None:
    """What an earlier run with this folder has taken out that was killed before it could say so."""
    if runner.heads(connection, side.history, side.histories):
        return None
    for path in (archive.part_of(folder), folder):
        if (path / archive.MANIFEST).exists():
            contents = archive.contents_of(path)
            if contents.tool == side.history.name:
                return contents
    raise Conflict(_("The tool %(name)s has no tables here.", name=side.history.name))


def _export(
    connection: sa.Connection, side: Side, folder: Path, tables: dict[str, dict[str, str]]
) -> Contents:
    if folder.exists():
        raise Conflict(_("%(path)s is there already; name another folder.", path=folder))
    revision = _revision(connection, side)
    _still(connection, tables, side.said["drop"])
    _spare(connection, archive.part_of(folder), side.history.name)
    said = side.said
    contents = Contents(
        side.history.name, said["version"], said["highstreet"], revision, clock.now(), tables
    )
    with Writing(folder, contents) as writing:
        _write(connection, writing, sum(counts(connection, tables).values()), side)
    archive.contents_of(archive.part_of(folder))  # read again: the disk may be full, or lie
    return contents


def _revision(connection: sa.Connection, side: Side) -> str:
    at = runner.heads(connection, side.history, side.histories)
    if not at:
        raise Conflict(_("The tool %(name)s has no tables here.", name=side.history.name))
    with side.theirs():
        heads = runner.script_of(side.history).get_heads()
    if set(at) != set(heads):
        raise Conflict(
            _("The tables of %(name)s are not up to date; run: highstreet migrate",
              name=side.history.name)
        )  # fmt: skip
    return ",".join(at)


def _still(connection: sa.Connection, tables: Tables, drop: bool) -> None:
    """Let nobody write while the rows are read. SQLite's BEGIN IMMEDIATE has seen to that."""
    if tables and connection.dialect.name == "postgresql":
        mode = "ACCESS EXCLUSIVE" if drop else "SHARE"
        runner.limit(connection, None)
        connection.exec_driver_sql(f"LOCK TABLE {', '.join(tables)} IN {mode} MODE")


def _spare(connection: sa.Connection, part: Path, tool: str) -> None:
    """Raise Conflict if an earlier run's archive may be the only place where its rows still are:
    its tables went, and were made anew since."""
    if not (part / archive.MANIFEST).exists():
        return  # it was killed before the archive was whole, so before the tables could go
    try:
        contents = archive.contents_of(part)
        spare = not any(contents.rows().values()) or _still_there(connection, part, contents)
    except Invalid:
        spare = False
    if not spare:
        raise Conflict(
            _(
                "%(path)s was left by a run that was stopped, and its rows are in no table any more."
                " Bring them back (highstreet plugins reinstall %(name)s %(path)s), or move that"
                " folder away.",
                path=part,
                name=tool,
            )
        )


def _still_there(connection: sa.Connection, part: Path, contents: Contents) -> bool:
    """Whether any of an archive's rows is in the tables: ids are never given twice."""
    for name, columns in contents.tables.items():
        table = archive.light(name, columns)
        for rows in bulk.chunks(archive.rows_in(part, contents, name), CHUNK):
            ids = [row["id"] for row in rows]
            if connection.scalar(sa.select(table.c.id).where(table.c.id.in_(ids)).limit(1)):
                return True
    return False


def counts(connection: sa.Connection, tables: Tables) -> dict[str, int]:
    """How many rows each of the tool's tables has; those that are there."""
    present = set(sa.inspect(connection).get_table_names())
    return {
        name: connection.scalar(sa.select(sa.func.count()).select_from(sa.table(name))) or 0
        for name in tables
        if name in present
    }


def _write(connection: sa.Connection, writing: Writing, total: int, side: Side) -> None:
    brands = {row.id: row.slug for row in connection.execute(sa.select(Brand.id, Brand.slug))}
    stores = {
        (row.brand_id, row.id): row.slug
        for row in connection.execute(sa.select(Store.brand_id, Store.id, Store.slug))
    }
    done = 0
    for table, columns in writing.contents.tables.items():
        keys = [name for name in ("brand_id", "store_id", "id") if name in columns]
        query = archive.stored(table, columns).order_by(*map(sa.literal_column, keys))
        rows = connection.execute(query, execution_options={"yield_per": CHUNK}).mappings()
        for (brand, store), places in groupby(rows, _place):
            done += writing.add(
                table, brands[brand], stores[brand, store] if store else None, places
            )
            side.progress(done, total)


def _place(row: Any) -> tuple[UUID, UUID | None]:
    return row["brand_id"], row.get("store_id")


def clear(folder: Path) -> None:
    """Delete what a run has written whose tables are as they were."""
    shutil.rmtree(archive.part_of(folder), ignore_errors=True)
