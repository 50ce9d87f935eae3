"""A town that was lived in once and comes back for each check: living takes most of the time.

SQLite gives a copy of the whole database in no time; on PostgreSQL each check lives anew.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from highstreet.host.kept import Kept
from highstreet.host.registry import Host
from highstreet.kit.databases import Database
from highstreet.kit.life import Life
from highstreet.kit.town import Town


class Past:
    """What was once, with the rows of it. town: None before anything was kept."""

    def __init__(self) -> None:
        self.town: Town | None = None
        self.lives: dict[str, Life] = {}
        self._copy = sqlite3.connect(":memory:", check_same_thread=False)

    def keep(self, town: Town, lives: dict[str, Life]) -> None:
        """Remember a town with all its rows."""
        if town.database.kind == "sqlite":
            self.town, self.lives = town, lives
            self._move(town.database, self._copy, back=False)

    def come_back(self, host: Host, database: Database) -> None:
        """Put its rows back, and forget what the host has worked out of others meanwhile."""
        self._move(database, self._copy, back=True)
        host.states = Kept(65_536)

    def _move(self, database: Database, copy: sqlite3.Connection, *, back: bool) -> None:
        with database.owner.connect() as connection:
            here: Any = connection.connection.driver_connection
            source, target = (copy, here) if back else (here, copy)
            source.backup(target)
