"""A filled house is built once for each kind of database, and laid out again for whoever needs one.

To build one takes seconds, and some forty tests want it fresh. What is kept are all rows, the files
of the installation, and what the world knows of its sites.
"""

from __future__ import annotations

import copy
import itertools
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask

from highstreet.kit import marks
from highstreet.kit.databases import Database
from highstreet_tenants.base import Base
from probe.world import World, build

_kept: dict[str, Kept] = {}


class Kept:
    """One world as it was when it was built. folder: a copy of the installation's files."""

    def __init__(self, world: World, rows: Any, folder: Path) -> None:
        self.world, self.rows, self.folder = world, rows, folder
        self.serials = {owner: next(left) for owner, left in marks._serials.items()}


def lay_out(app: Flask, database: Database, folder: Path) -> World:
    """The filled house on a database without a row. app: a fresh one, which knows nothing of
    another world on the same database. folder: where the first one's files are kept."""
    files = Path(app.extensions["highstreet"].config["instance"]) / "files"
    kept = _kept.get(database.kind)
    if kept is None:
        world = build(app, database)
        if files.exists():
            shutil.copytree(files, folder)
        _kept[database.kind] = kept = Kept(_copied(world, app, database), _rows(database), folder)
    else:
        _put(database, kept.rows)
        if kept.folder.exists():
            shutil.copytree(kept.folder, files, dirs_exist_ok=True)
    marks._serials.clear()
    marks._serials.update({o: itertools.count(n) for o, n in kept.serials.items()})
    return _copied(kept.world, app, database)


def _copied(world: World, app: Flask, database: Database) -> World:
    """The same world with this application. What is known of brands and stores is never changed."""
    shared: list[Any] = [world.app, world.database]
    for site in world.sites.values():
        shared += [site.brand, site.store]
    made = copy.deepcopy(world, {id(one): one for one in shared})
    made.app, made.database = app, database
    return made


def _tables() -> list[str]:
    return [table.name for table in Base.metadata.sorted_tables]


def _rows(database: Database) -> Any:
    """All rows, as the database itself writes them."""
    if database.kind == "sqlite":
        kept = sqlite3.connect(":memory:", check_same_thread=False)
        with sqlite3.connect(_path(database)) as source:
            source.backup(kept)
        return kept
    found: dict[str, bytes] = {}
    with database.owner.begin() as connection, _driver(connection).cursor() as cursor:
        present = set(sa.inspect(connection).get_table_names())
        for name in present.intersection(_tables()):
            with cursor.copy(f"COPY {name} TO STDOUT (FORMAT binary)") as out:
                found[name] = b"".join(bytes(block) for block in out)
    return found


def _put(database: Database, rows: Any) -> None:
    if database.kind == "sqlite":
        database.owner.dispose()
        with sqlite3.connect(_path(database)) as target:
            rows.backup(target)
        return
    with database.owner.begin() as connection, _driver(connection).cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for name, data in rows.items():
            with cursor.copy(f"COPY {name} FROM STDIN (FORMAT binary)") as into:
                into.write(data)


def _driver(connection: sa.Connection) -> Any:
    return connection.connection.driver_connection


def _path(database: Database) -> str:
    return str(sa.make_url(database.url).database)
