"""Whose migrations there are: the core's, and one history for each tool.

Apart from the runner, for a start names histories and has no need of Alembic.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class History:
    """One owner's migrations: `name` is the prefix of its tables, `package` holds its revisions."""

    name: str
    package: str

    @property
    def version_table(self) -> str:
        """Where the database notes how far this owner's schema is."""
        return f"{self.name}_alembic_version"

    def mine(self, table: str, others: Sequence[str] = ()) -> bool:
        """Whether a table belongs to this owner: the longest prefix wins (club against club_x)."""
        rivals = [n for n in others if n != self.name and len(n) > len(self.name)]
        return table.startswith(f"{self.name}_") and not any(
            table.startswith(f"{rival}_") for rival in rivals
        )


CORE = History("core", "highstreet_migrations.versions")
