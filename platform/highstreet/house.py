"""The house: what assembly.py puts together, in one value for faces, commands and workers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from msgspec import Struct

import highstreet
from highstreet.host import missed, state
from highstreet.i18n import gettext as _
from highstreet_migrations.histories import CORE, History
from highstreet_tenants.base import Base
from highstreet_tenants.errors import Conflict, NotFound
from highstreet_tenants.scopes import Actor
from highstreet_tenants.sealing import Sealing
from highstreet_tenants.sessions import Tenancy

if TYPE_CHECKING:
    from pathlib import Path

    from highstreet.email.house import Mail
    from highstreet.host import Host
    from highstreet.host.counting import Counting
    from highstreet.jobs import JobRegistry, Runner
    from highstreet.rates import Rates
    from highstreet_migrations.apart import Progress
    from highstreet_migrations.archive import Contents
    from highstreet_migrations.failures import Failure
    from highstreet_migrations.histories import Behind
    from highstreet_migrations.removal import Moved, Owner


class House(Struct, frozen=True):
    """One running installation."""

    config: Mapping[str, Any]
    engine: sa.Engine
    tenancy: Tenancy
    host: Host
    jobs: JobRegistry
    runner: Runner
    rates: Rates
    counting: Counting
    mail: Mail

    @property
    def sealing(self) -> Sealing:
        """What seals and opens the secrets that must be read again."""
        return Sealing(self.config["secret_key"])

    @property
    def histories(self) -> list[History]:
        """Migration histories: the core's first, then the plugins' in the order they depend."""
        return [CORE, *self.host.histories()]

    @property
    def role(self) -> str | None:
        """The PostgreSQL role that row-level security binds; None on SQLite."""
        url = sa.make_url(self.config["database_url"])
        return url.username if url.get_backend_name() == "postgresql" else None

    def migrate(self) -> list[str]:
        """Bring every schema to its head; gives what moved.

        Raises MigrationFailed if a tool's could not be; all others are at their heads then.
        """
        from highstreet_migrations import runner

        return runner.upgrade(
            self.config["owner_database_url"],
            self.histories,
            role=self.role,
            seconds=self.config["migration_seconds"],
        )

    def owner_of(self, tool: str) -> Owner:
        """A loaded tool as its schema knows it, also one whose tables are not up to date. Raises
        NotFound, with why it is not loaded."""
        from highstreet_migrations.removal import Owner

        loaded = self.host.plugins.get(tool) or self.host.unready.get(tool)
        if loaded is None:
            aside = self.host.quarantined.get(tool)
            raise state.no_tool(tool) if aside is None else NotFound(str(aside.detail))
        history = next((one for one in self.histories if one.name == tool), None)
        if history is None:
            raise NotFound(_("The tool %(name)s keeps no rows of its own.", name=tool))
        own = [table for table in Base.metadata.sorted_tables if table.name in loaded.tables]
        return Owner(history, own, str(loaded.manifest.version), highstreet.__version__)

    def take_out(
        self, tool: str, folder: Path, *, drop: bool, progress: Progress | None = None
    ) -> Moved:
        """Write a tool's rows to a folder and, with `drop`, take its tables away; see `removal`.

        Raises Conflict where a loaded tool needs this one.
        """
        from highstreet_migrations import removal

        owner = self.owner_of(tool)
        needing = [
            one.name
            for one in (*self.host.plugins.values(), *self.host.unready.values())
            if any(need.name == tool for need in one.manifest.depends)
        ]
        if drop and needing:
            raise Conflict(
                _(
                    "%(others)s can't do without %(name)s. Uninstall them first.",
                    others=", ".join(needing),
                    name=tool,
                )
            )
        return removal.take_out(
            self.config["owner_database_url"],
            owner,
            self.histories,
            folder,
            drop=drop,
            seconds=self.config["migration_seconds"],
            progress=progress or removal.silent,
        )

    def bring_back(
        self, tool: str, folder: Path, actor: Actor, *, progress: Progress | None = None
    ) -> tuple[Contents, dict[str, int]]:
        """Read a tool's rows from a folder, and let it catch up with what it missed.

        Gives what the folder held and `missed.catch_up`'s counts. Raises what `removal.bring_back`
        does.
        """
        from highstreet_migrations import removal

        contents, _earlier = removal.bring_back(
            self.config["owner_database_url"],
            self.owner_of(tool),
            self.histories,
            folder,
            role=self.role,
            seconds=self.config["migration_seconds"],
            progress=progress or removal.silent,
        )
        return contents, missed.catch_up(self.tenancy, tool, contents.at, actor)

    def pending(self) -> dict[str, Behind]:
        """Owners whose schema is not at its head, with why."""
        from highstreet_migrations import runner

        return runner.pending(self.engine, self.histories)

    def failures(self) -> dict[str, Failure]:
        """Tools whose migration failed when it was tried last, with all that it said: for whoever
        runs this installation, for it may name anybody's customer."""
        from highstreet_migrations import failures, runner

        engine = runner.owner_engine(self.config["owner_database_url"])
        try:
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                return failures.read(connection, whole=True)
        except sa.exc.DBAPIError:
            return {}  # whoever asks is not the owner of the tables
        finally:
            engine.dispose()

    def behind(self) -> list[str]:
        """Owners whose schema is not at its head."""
        return list(self.pending())

    def look_at_tables(self) -> bool:
        """Whether the core's tables are up to date. If so, a tool whose tables are not is left
        alone, here and in what needs it, until they are; all others work."""
        from highstreet_migrations import runner

        behind = runner.pending(self.engine, self.histories)
        if CORE.name in behind:
            return False  # nothing works before that does, and an empty database is nobody's fault
        self.host.leave_alone(behind)
        self.jobs.away = frozenset(self.host.unready)
        return True
