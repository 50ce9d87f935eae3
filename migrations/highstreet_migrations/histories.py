"""Whose migrations there are: the core's, and one history for each tool.

Apart from the runner, for a start names histories and has no need of Alembic.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct

from highstreet_tenants.errors import HighstreetError
from highstreet_tenants.words import gettext as _


class History(Struct, frozen=True):
    """One owner's migrations: `name` is the prefix of its tables, `package` holds its revisions.

    apart: somebody else wrote them, so they run in a process of their own, which can be stopped.
    """

    name: str
    package: str
    apart: bool = False

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


class Behind(Struct, frozen=True):
    """Why an owner's tables are not at its head; the host has words for people.

    what: the kind of error (failed), what reading them raised (unreadable), or the revision that
    the tables are at (other-version); at: when it was tried last (UTC).
    """

    how: Literal["behind", "failed", "unreadable", "other-version"]
    what: str = ""
    at: datetime | None = None

    def __str__(self) -> str:
        match self.how:
            case "failed":
                return (
                    f"its migration failed at {self.at:%Y-%m-%d %H:%M} UTC ({self.what}); mend that,"
                    " then run: highstreet migrate"
                )
            case "unreadable":
                return f"its migrations can't be read: {self.what}"
            case "other-version":
                return (
                    f"its tables are those of another version ({self.what}); install that or a newer"
                    " one"
                )
        return "its tables are not up to date; run: highstreet migrate"


class MigrationFailed(HighstreetError):
    """Tools' migrations failed: their defect, or their tables are not what they left.

    failed: why, by tool; moved: what moved all the same.
    """

    type, status = "migration-failed", 500

    def __init__(self, failed: Mapping[str, str], moved: Sequence[str]) -> None:
        super().__init__(
            " ".join(
                _(
                    "The migration of the tool %(name)s failed: %(why)s. Its tables are as they were,"
                    " and all others are up to date. Install another version of it, or uninstall it.",
                    name=name,
                    why=why,
                )
                for name, why in failed.items()
            )
        )
        self.failed = dict(failed)
        self.moved = list(moved)
