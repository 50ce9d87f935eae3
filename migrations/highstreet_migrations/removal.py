"""Taking a tool's tables away, with their rows in an archive, and bringing them back.

Both are done by the owner of the tables, in one transaction each: while rows are read nobody writes
any. They run what a stranger wrote (its migrations), so each is done in a process of its own.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from msgspec import Struct

from highstreet_migrations import apart, archive, leaving, runner
from highstreet_migrations.apart import Progress
from highstreet_migrations.archive import Contents
from highstreet_migrations.histories import History
from highstreet_tenants.errors import HighstreetError
from highstreet_tenants.words import gettext as _


def silent(_done: int, _of: int) -> None:
    """Say nothing of how far it is."""


class RemovalFailed(HighstreetError):
    """A tool's own migrations failed where it was to leave, or to come back."""

    type, status = "migration-failed", 500


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


class Moved(NamedTuple):
    """What an archive holds; `earlier` if a run that was killed had moved its rows already."""

    contents: Contents
    earlier: bool


def take_out(
    url: str,
    owner: Owner,
    histories: Sequence[History],
    folder: Path,
    *,
    drop: bool,
    seconds: float = runner.SECONDS,
    progress: Progress = silent,
) -> Moved:
    """Write all rows of a tool to a new folder and, with `drop`, take its tables away.

    `seconds`: that the tool's downgrade may take. A run that is killed can be run again with the
    same folder; it then does what is left to do.

    Raises Conflict where the folder is there already or the tables are not at the tool's head,
    Invalid for columns that can't be exported, Unavailable while others use the tables, and
    RemovalFailed if the tool's downgrade fails, hangs or ends its process. Then nothing has changed.
    """
    try:
        found = apart.ask(
            "take_out",
            url,
            owner.history,
            histories,
            seconds,
            progress,
            **_of(owner),
            tables=owner.columns(),
            folder=str(folder.absolute()),
            drop=drop,
        )
    except apart.Failed as error:
        if not error.theirs:
            raise _stopped(error) from error
        leaving.clear(folder)
        raise RemovalFailed(
            _(
                "%(name)s was not uninstalled; its migrations failed: %(why)s. Its tables and rows"
                " are as they were, and nothing was written. Install another version of it, or"
                " remove its package as it is: its tables are then in nobody's way (highstreet"
                " plugins leftovers).",
                name=owner.history.name,
                why=error,
            )
            if drop
            else _("%(name)s was not exported: %(why)s.", name=owner.history.name, why=error)
        ) from error
    found["contents"].pop("format")
    return Moved(archive.heard(found["contents"]), found["earlier"])


def bring_back(
    url: str,
    owner: Owner,
    histories: Sequence[History],
    folder: Path,
    *,
    role: str | None,
    seconds: float = runner.SECONDS,
    progress: Progress = silent,
) -> Moved:
    """Read an archive into a tool's empty tables, and bring them to the tool's head.

    The tables are made as they were when the rows left; what the tool has changed since is then
    done to them by its own migrations. Raises Invalid for an archive that is damaged, of another
    tool or from a version that this one does not know, Conflict where there are rows already or
    rows point at what this installation no longer has, and RemovalFailed if the tool's migrations
    fail. Then nothing has changed. Rows that are the archive's already are those of a run that was
    killed before it was over, which goes on.
    """
    try:
        found = apart.ask(
            "bring_back",
            url,
            owner.history,
            histories,
            seconds,
            progress,
            **_of(owner),
            tables={table.name: {} for table in owner.tables},
            folder=str(folder.absolute()),
        )
    except apart.Failed as error:
        if not error.theirs:
            raise _stopped(error) from error
        raise RemovalFailed(
            _(
                "%(name)s was not brought back; its migrations failed: %(why)s. Nothing has changed,"
                " and the export is as it was. Install another version of it, then try again.",
                name=owner.history.name,
                why=error,
            )
        ) from error
    engine = runner.owner_engine(url)
    try:
        with runner.alone(engine), engine.begin() as connection:
            runner.put_up_walls(connection, histories, role)
    finally:
        engine.dispose()
    found["contents"].pop("format")
    return Moved(archive.heard(found["contents"]), found["earlier"])


def _stopped(error: apart.Failed) -> RemovalFailed:
    return RemovalFailed(
        _("It was stopped on the way: %(why)s. Run the same command again.", why=error)
    )


def _of(owner: Owner) -> dict[str, Any]:
    return {"version": owner.version, "highstreet": owner.highstreet}
