"""The house: what assembly.py puts together, in one value for faces, commands and workers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from highstreet_migrations.histories import CORE, History
from highstreet_tenants.sealing import Sealing
from highstreet_tenants.sessions import Tenancy

if TYPE_CHECKING:
    from highstreet.host import Host
    from highstreet.jobs import JobRegistry, Runner
    from highstreet.rates import Rates


@dataclass(frozen=True, slots=True)
class House:
    """One running installation."""

    config: Mapping[str, Any]
    engine: sa.Engine
    tenancy: Tenancy
    host: Host
    jobs: JobRegistry
    runner: Runner
    rates: Rates

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
        """Bring every schema to its head; gives what moved."""
        from highstreet_migrations import runner

        return runner.upgrade(self.config["owner_database_url"], self.histories, role=self.role)

    def behind(self) -> list[str]:
        """Owners whose schema is not at its head."""
        from highstreet_migrations import runner

        return runner.pending(self.engine, self.histories)
