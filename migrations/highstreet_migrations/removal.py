"""Taking a tool's tables away, with their rows in an archive, and bringing them back.

Both are done by the owner of the tables, in one transaction each: while rows are read nobody writes
any, and a run that is killed has done nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from msgspec import Struct
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet_migrations import archive, runner
from highstreet_migrations.archive import Contents, Writing
from highstreet_migrations.histories import History
from highstreet_tenants import bulk, clock
from highstreet_tenants.errors import Conflict, Invalid
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.words import gettext as _

#: Rows in one statement, and between two words of progress.
CHUNK = 2_000
Progress = Callable[[int, int], None]


def silent(_done: int, _of: int) -> None:
    """Say nothing of how far it is."""


class Owner(Struct, frozen=True):
    """A tool as its schema knows it. tables: its own, each after those it points at.

    version: the tool's; highstreet: the product's.
    """

    history: History
    tables: Sequence[sa.Table]
    version: str
    highstreet: str

    def columns(self) -> dict[str, dict[str, str]]:
        """Table → column → kind. Raises Invalid for a kind that can't be exported."""
        return {
            table.name: {column.name: archive.kind_of(column) for column in table.columns}
            for table in self.tables
        }


def counts(connection: sa.Connection, owner: Owner) -> dict[str, int]:
    """How many rows each of the tool's tables has; those that are there."""
    present = set(sa.inspect(connection).get_table_names())
    return {
        table.name: connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
        for table in owner.tables
        if table.name in present
    }


def take_out(
    url: str,
    owner: Owner,
    histories: Sequence[History],
    folder: Path,
    *,
    drop: bool,
    progress: Progress = silent,
) -> Contents:
    """Write all rows of a tool to a new folder and, with `drop`, take its tables away.

    Raises Conflict where the folder is there already or the tables are not at the tool's head,
    Invalid for columns that can't be exported, and what the tool's downgrade raises. Then nothing
    has changed.
    """
    engine = runner.owner_engine(url)
    try:
        with runner.alone(engine), engine.begin() as connection:
            revision = _revision(connection, owner, histories)
            _still(connection, owner, drop)
            contents = Contents(
                owner.history.name,
                owner.version,
                owner.highstreet,
                revision,
                clock.now(),
                owner.columns(),
            )
            with Writing(folder, contents) as writing:
                _write(connection, writing, sum(counts(connection, owner).values()), progress)
            archive.contents_of(folder)  # read again: the disk may be full, or lie
            if drop:
                runner.move(connection, owner.history, histories, "base")
        return contents
    finally:
        engine.dispose()


def _revision(connection: sa.Connection, owner: Owner, histories: Sequence[History]) -> str:
    at = runner.heads(connection, owner.history, histories)
    if not at:
        raise Conflict(_("The tool %(name)s has no tables here.", name=owner.history.name))
    if set(at) != set(runner.script_of(owner.history).get_heads()):
        raise Conflict(
            _("The tables of %(name)s are not up to date; run: highstreet migrate",
              name=owner.history.name)
        )  # fmt: skip
    return ",".join(at)


def _still(connection: sa.Connection, owner: Owner, drop: bool) -> None:
    """Let nobody write while the rows are read. SQLite's BEGIN IMMEDIATE has seen to that."""
    if connection.dialect.name == "postgresql":
        names = ", ".join(table.name for table in owner.tables)
        mode = "ACCESS EXCLUSIVE" if drop else "SHARE"
        connection.exec_driver_sql(f"LOCK TABLE {names} IN {mode} MODE")


def _write(connection: sa.Connection, writing: Writing, total: int, progress: Progress) -> None:
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
            progress(done, total)


def _place(row: Any) -> tuple[UUID, UUID | None]:
    return row["brand_id"], row.get("store_id")


def bring_back(
    url: str,
    owner: Owner,
    histories: Sequence[History],
    folder: Path,
    *,
    role: str | None,
    progress: Progress = silent,
) -> Contents:
    """Read an archive into a tool's empty tables, and bring them to the tool's head.

    The tables are made as they were when the rows left; what the tool has changed since is then
    done to them by its own migrations. Raises Invalid for an archive that is damaged, of another
    tool or from a version that this one does not know, and Conflict where there are rows already or
    rows point at what this installation no longer has. Then nothing has changed.
    """
    name = owner.history.name
    contents = archive.contents_of(folder)
    if contents.tool != name:
        raise Invalid(_("That is an export of %(other)s, not of %(name)s.",
                        other=contents.tool, name=name))  # fmt: skip
    known = {one.revision for one in runner.script_of(owner.history).walk_revisions()}
    if contents.revision not in known:
        raise Invalid(
            _(
                "The export was written by version %(version)s of %(name)s; the installed version"
                " %(here)s does not know how its tables were. Install that one, or a newer one.",
                version=contents.version,
                name=name,
                here=owner.version,
            )
        )
    engine = runner.owner_engine(url)
    try:
        with runner.alone(engine), engine.begin() as connection:
            _make_room(connection, owner, histories, contents)
            with _pointing(connection, contents):
                _insert(connection, folder, contents, progress)
            runner.move(connection, owner.history, histories, "head")
            runner.put_up_walls(connection, histories, role)
        return contents
    except sa.exc.IntegrityError as error:
        raise _astray(str(error.orig).strip().splitlines()[0]) from error
    finally:
        engine.dispose()


def _make_room(
    connection: sa.Connection, owner: Owner, histories: Sequence[History], contents: Contents
) -> None:
    """The tool's tables, empty, as they were when the rows left."""
    for table, rows in counts(connection, owner).items():
        if rows:
            raise Conflict(
                _(
                    "%(table)s has %(rows)s rows already. Uninstall the tool first, with an export"
                    " of its own.",
                    table=table,
                    rows=rows,
                )
            )
    if runner.heads(connection, owner.history, histories):
        runner.move(connection, owner.history, histories, "base")
    runner.move(connection, owner.history, histories, contents.revision)


def _insert(
    connection: sa.Connection, folder: Path, contents: Contents, progress: Progress
) -> None:
    total, done = sum(contents.rows().values()), 0
    for name, columns in contents.tables.items():
        into = sa.insert(archive.light(name, columns))
        for rows in bulk.chunks(archive.rows_in(folder, contents, name), CHUNK):
            connection.execute(into, rows)
            done += len(rows)
            progress(done, total)


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
