"""Runs migrations: one version table per owner (the core, and each plugin).

A version table shared by all dies with "Can't locate revision" as soon as a plugin is uninstalled;
one per owner does not care who else is there. The core comes first, then plugins as they depend.
After every run the walls are put up again: append-only triggers (SQLite's batch mode drops them),
and row-level security with its grants on PostgreSQL; and SQLite's planner is told of the indexes.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event

from highstreet_migrations import apart, failures
from highstreet_migrations.histories import CORE, Behind, History, MigrationFailed
from highstreet_tenants import append_only, planner, rls
from highstreet_tenants.base import Base

_LOCK = 0x48534D49  # "HSMI": two processes that start at once must not both migrate


#: Seconds that a tool's migration may take, unless the installation says otherwise.
SECONDS = 600.0
#: Seconds that a tool's migration waits for a lock. While it waits for a table of the core's,
#: everybody who comes after it waits for it.
LOCK_SECONDS = 15


def owner_engine(url: str) -> sa.Engine:
    """An engine that may change the schema: no walls, and on SQLite no foreign keys.

    Batch mode re-creates tables; with foreign keys on, SQLite would delete the children.
    """
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _connect(driver: Any, _record: Any) -> None:
            driver.isolation_level = None
            for pragma in (
                "journal_mode=WAL",
                "busy_timeout=20000",
                "foreign_keys=OFF",
                "secure_delete=ON",
            ):
                driver.execute(f"PRAGMA {pragma}")

        @event.listens_for(engine, "begin")
        def _begin(connection: sa.Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def upgrade(
    url: str, histories: Sequence[History], *, role: str | None = None, seconds: float = SECONDS
) -> list[str]:
    """Bring every owner's schema to its head; gives "owner: revision" for each that moved.

    `role`: the application's PostgreSQL role, which gets grants and is bound by the policies.
    `seconds`: that a tool's migration may take. Raises Unavailable if that role is missing and
    can't be made, what the core's migration raises, and, once all others are at their heads and the
    walls stand, MigrationFailed for tools'. A failed migration leaves its owner where it was.
    """
    moved: list[str] = []
    failed: dict[str, BaseException] = {}
    engine = owner_engine(url)
    try:
        with alone(engine):
            if role is not None:
                with engine.begin() as connection:  # before anything moves: it may not be ours
                    rls.ensure_role(connection, role)
            for history in histories:
                try:
                    moved += _advance(engine, url, history, histories, seconds)
                except KeyboardInterrupt:
                    raise
                except BaseException as error:
                    if history.name == CORE.name:
                        raise
                    failed[history.name] = error
            with engine.begin() as connection:
                put_up_walls(connection, histories, role)
                failures.note(connection, failed, [one.name for one in histories], role)
    finally:
        engine.dispose()
    if failed:
        raise MigrationFailed({name: failures.why(one) for name, one in failed.items()}, moved)
    return moved


def put_up_walls(connection: sa.Connection, histories: Sequence[History], role: str | None) -> None:
    """What a migration may have taken down or not known of; safe to repeat."""
    append_only.apply(connection)
    planner.apply(connection)
    if role is not None:
        rls.apply(connection, role)
        rls.let_read(connection, role, [h.version_table for h in histories])


def _advance(
    engine: sa.Engine, url: str, history: History, histories: Sequence[History], seconds: float
) -> list[str]:
    if history.apart:
        if history.name not in pending(engine, [history]):
            return []
        before, after = apart.advance(url, history, histories, seconds)
    else:
        with engine.begin() as connection:
            if history.name != CORE.name:
                limit(connection, seconds)
            before = list(heads(connection, history, histories))
            move(connection, history, histories, "head")
            after = list(heads(connection, history, histories))
    return [] if before == after else [f"{history.name}: {', '.join(after)}"]


def limit(connection: sa.Connection, seconds: float | None) -> None:
    """Let a tool's migration neither run nor wait for locks for ever. None: ours may run again."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
        most = 0 if seconds is None else int(seconds * 1000)
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{most}ms'")


def downgrade(url: str, history: History, histories: Sequence[History] = ()) -> None:
    """Take one owner's tables away again, version table included."""
    engine = owner_engine(url)
    try:
        with alone(engine), engine.begin() as connection:
            move(connection, history, histories, "base")
    finally:
        engine.dispose()


def heads(
    connection: sa.Connection, history: History, others: Sequence[History] = ()
) -> tuple[str, ...]:
    """How far an owner's schema is: its revisions, none if it has no tables."""
    return _context(connection, history, others).get_current_heads()


def move(
    connection: sa.Connection, history: History, others: Sequence[History], target: str
) -> None:
    """Take an owner's schema to "head", up to a revision, or to "base": that drops its tables.

    In the caller's transaction, under `alone`. Raises what its migrations raise.
    """
    _run(connection, history, others, script_of(history), target)
    if target == "base":
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {history.version_table}")


def pending(engine: sa.Engine, histories: Sequence[History]) -> dict[str, Behind]:
    """Owners whose schema in the database is not at its head, with why.

    Reading a tool's revisions runs them, so whatever they raise says why.
    """
    behind: dict[str, Behind] = {}
    # On SQLite a transaction takes the only write lock, unless it says that it reads.
    with engine.connect().execution_options(highstreet_write=False) as connection:
        for history in histories:
            there = set(heads(connection, history, histories))
            try:
                script = script_of(history)
                known = {one.revision for one in script.walk_revisions()}
                wanted = set(script.get_heads())
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                if history.name == CORE.name:
                    raise
                behind[history.name] = Behind("unreadable", failures.why(error))
                continue
            if there - known:
                behind[history.name] = Behind("other-version", ", ".join(sorted(there - known)))
            elif there != wanted:
                behind[history.name] = Behind("behind")
        if any(one.how == "behind" for one in behind.values()):
            for name, failure in failures.read(connection, whole=False).items():
                if name in behind and behind[name].how == "behind":
                    behind[name] = Behind("failed", failure.kind, failure.at)
    return behind


def differences(
    connection: sa.Connection, history: History, others: Sequence[History]
) -> list[Any]:
    """What the models of this owner say that its migrations do not; for a test and for authors."""
    from alembic.autogenerate import compare_metadata

    return list(compare_metadata(_context(connection, history, others), Base.metadata))


def draft(connection: sa.Connection, history: History, others: Sequence[History]) -> str:
    """The body of a new revision that takes the database to what the models say."""
    context = _context(connection, history, others)
    script = produce_migrations(context, Base.metadata)
    assert script.upgrade_ops is not None and script.downgrade_ops is not None
    # A tool's revision names our types by the sdk, which is all that a tool may import.
    prefix = "base." if history.name == CORE.name else "sdk."
    up, down = (
        render_python_code(ops, render_as_batch=True, user_module_prefix=prefix)
        for ops in (script.upgrade_ops, script.downgrade_ops)
    )
    return f"def upgrade() -> None:\n    {up}\n\n\ndef downgrade() -> None:\n    {down}\n"


def script_of(history: History) -> ScriptDirectory:
    """Alembic's view of an owner's revisions. Raises ModuleNotFoundError without a package of them."""
    spec = find_spec(history.package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"no package {history.package} with the revisions")
    folder = next(iter(spec.submodule_search_locations))
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", folder.replace("%", "%%"))
    return ScriptDirectory.from_config(config)


def _options(history: History, others: Sequence[History]) -> dict[str, Any]:
    names = [h.name for h in others]

    def mine(name: str | None, kind: str, *_rest: Any) -> bool:
        return kind != "table" or (name is not None and history.mine(name, names))

    return {
        "target_metadata": Base.metadata,
        "version_table": history.version_table,
        "render_as_batch": True,
        "compare_type": False,
        "include_name": mine,
        "include_object": lambda _object, name, kind, *_rest: mine(name, kind),
    }


def _context(
    connection: sa.Connection, history: History, others: Sequence[History]
) -> MigrationContext:
    return MigrationContext.configure(connection, opts=_options(history, others))


def _run(
    connection: sa.Connection,
    history: History,
    others: Sequence[History],
    script: ScriptDirectory,
    target: str,
) -> None:
    def steps(revision: Any, _context: MigrationContext) -> Any:
        if target == "base":
            return script._downgrade_revs("base", revision)
        return script._upgrade_revs(target, revision)

    with EnvironmentContext(Config(), script, fn=steps) as environment:
        environment.configure(connection=connection, **_options(history, others))
        with environment.begin_transaction():
            environment.run_migrations()


@contextmanager
def alone(engine: sa.Engine) -> Iterator[None]:
    """Nobody else changes the schema meanwhile."""
    if engine.dialect.name != "postgresql":
        yield  # SQLite: BEGIN IMMEDIATE lets one in at a time
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
        try:
            yield
        finally:
            connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
