"""Which tools' migrations failed when they were last tried, and why: for whoever must mend them.

A table of the owner's beside the version tables, for it must be written when a tool's own tables are
not there. A migration reads the rows of all brands, so what its error says may name a customer: the
application's role may read the kind of error alone.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

import sqlalchemy as sa
from msgspec import Struct

from highstreet_migrations import apart
from highstreet_tenants import clock, rls
from highstreet_tenants.base import UTCDateTime

#: Characters of an error that are kept; of the driver's, the first line, without any row's values.
MOST = 500
_TABLE = sa.Table(
    "highstreet_failed_migration",
    sa.MetaData(),
    sa.Column("tool", sa.String(40), primary_key=True),
    sa.Column("kind", sa.String(100), nullable=False),
    sa.Column("why", sa.String(MOST), nullable=False),
    sa.Column("at", UTCDateTime, nullable=False),
)


class Failure(Struct, frozen=True):
    """kind: of error, in a word or two; why: what it said, empty for whoever may not read that.

    at: when it was tried last (UTC).
    """

    kind: str
    why: str
    at: datetime


def why(error: BaseException) -> str:
    """What came of a migration, for the operator."""
    if isinstance(error, apart.Failed):
        return str(error)
    return f"{type(error).__name__}: {getattr(error, 'orig', error)}"


def _kind(error: BaseException) -> str:
    """The same without anything that may come from a row."""
    return error.kind if isinstance(error, apart.Failed) else type(error).__name__


def note(
    connection: sa.Connection,
    failed: Mapping[str, BaseException],
    tried: Collection[str],
    role: str | None,
) -> None:
    """Write down what failed, and forget what was tried with it and did not."""
    _TABLE.create(connection, checkfirst=True)
    if role is not None:
        rls.let_read(connection, role, [_TABLE.name], ["tool", "kind", "at"])
    connection.execute(sa.delete(_TABLE).where(_TABLE.c.tool.in_([*tried])))
    for tool, error in failed.items():
        said = next(iter(why(error).strip().splitlines()), "")
        connection.execute(
            sa.insert(_TABLE).values(
                tool=tool, kind=_kind(error)[:100], why=said[:MOST], at=clock.now()
            )
        )


def forget(connection: sa.Connection, tool: str) -> None:
    """A tool that is taken out is nobody's worry."""
    if sa.inspect(connection).has_table(_TABLE.name):
        connection.execute(sa.delete(_TABLE).where(_TABLE.c.tool == tool))


def read(connection: sa.Connection, *, whole: bool) -> dict[str, Failure]:
    """Tool → what is known of its last try. whole: for the owner of the tables."""
    if not sa.inspect(connection).has_table(_TABLE.name):
        return {}
    said = _TABLE.c.why if whole else sa.literal("").label("why")
    rows = connection.execute(sa.select(_TABLE.c.tool, _TABLE.c.kind, said, _TABLE.c.at))
    return {row.tool: Failure(row.kind, row.why, row.at) for row in rows}
