"""The whole application with the installed tools, on a database that its own migrations made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask

from highstreet.app import create_app, house_of
from highstreet.kit import databases
from highstreet.kit.databases import Database
from highstreet_migrations.histories import MigrationFailed

#: So long may a hook take before that is a fault, as in an installation that sets nothing.
SLOW_MS = 500.0


@contextmanager
def house(
    kind: str, folder: Path, *, failed: dict[str, str] | None = None, **config: Any
) -> Iterator[tuple[Flask, Database]]:
    """An application and its database of a kind. Forms need no token, nothing is rationed.

    failed: takes down, by tool, why its migration failed; without it that raises MigrationFailed.
    """
    with databases.fresh(kind, folder) as database:
        app = create_app(
            {
                "database_url": database.url,
                "owner_database_url": database.extra["owner_url"],
                "instance": str(folder / "instance"),
                "secret_key": "for tests only",
                "password_hasher": "cheap",
                "rate_per_key": 0,
                "rate_per_address": 0,
                "base_url": "http://localhost",
                "redis_url": "",
                "testing": True,
                "slow_hook_ms": SLOW_MS,
                **config,
            }
        )
        app.config["WTF_CSRF_ENABLED"] = False
        try:
            try:
                house_of(app).migrate()
            except MigrationFailed as error:
                if failed is None:
                    raise
                failed |= error.failed
            yield app, database
        finally:
            house_of(app).engine.dispose()
