"""What a connection needs before anyone may use it, on SQLite and on PostgreSQL."""

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from time import monotonic
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from highstreet_tenants import draws
from highstreet_tenants.scopes import Scope

_STORES = {"store": "", "brand": "facts", "personal": "all", "aggregate": "all"}

#: libpq's PQTRANS_INERROR.
_IN_ERROR = 3

#: Seconds that a writer waits for another thread's transaction to end.
PATIENCE = 10.0

#: Milliseconds that emptying SQLite's log waits for those who read or write.
SCRUB_PATIENCE = 1000

#: What each connection to SQLite is told. secure_delete: what is deleted is overwritten with zeros;
#: else an erased customer could still be read in the file.
SQLITE_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "busy_timeout=20000",
    "foreign_keys=ON",
    "temp_store=MEMORY",
    "secure_delete=ON",
)

_OPEN_POSTGRESQL = """
SELECT b.state_version, b.customers,
       set_config('hs.brand', %(brand)s::text, true),
       set_config('hs.store', %(store)s::text, true),
       set_config('hs.stores', %(stores)s::text, true),
       set_config('transaction_read_only', %(only)s::text, true)
FROM (SELECT 1) AS one LEFT JOIN core_brand AS b ON b.id = %(brand)s::uuid
"""
_OPEN_SQLITE = "SELECT state_version, customers FROM core_brand WHERE id = ?"


#: SQLite's own instructions between two looks at the clock: a millisecond's worth or so.
INSTRUCTIONS = 100_000

#: Where a connection's record keeps the moment (monotonic) at which SQLite is to give up.
UNTIL = "until"


class Pen:
    """SQLite lets one write at a time, and makes the others sleep and look again, ever longer.

    Threads of one process queue here instead, so that the next begins when the last has ended.
    Other processes are still met at BEGIN IMMEDIATE.
    """

    def __init__(self, dialect: str) -> None:
        self._lock = threading.Lock() if dialect == "sqlite" else None

    def take(self) -> bool:
        """Wait for the pen; whether it is ours. After PATIENCE seconds SQLite is to decide."""
        return self._lock is not None and self._lock.acquire(timeout=PATIENCE)

    def give(self) -> None:
        """Let the next have it."""
        assert self._lock is not None, "it was never taken"
        self._lock.release()

    @contextmanager
    def held(self, write: bool) -> Iterator[None]:
        """Have the pen, for writing, while the block runs."""
        mine = write and self.take()
        try:
            yield
        finally:
            if mine:
                self.give()


def prepare(engine: sa.Engine, seconds: float = 0) -> None:
    """Make the engine's connections safe: SQLite's own transactions are not (nine won one).

    seconds: how long PostgreSQL may work on one statement; 0: as long as it takes.
    """
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", partial(_prepare_sqlite, watched=bool(seconds)))
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "connect", partial(_prepare_postgresql, seconds=seconds))
    _lean_savepoints(engine.dialect)


def _lean_savepoints(dialect: sa.Dialect) -> None:
    """Savepoints on the driver itself: compiled as statements each costs more than a sale does."""

    def saying(words: str) -> Any:
        def say(connection: sa.Connection, name: str) -> None:
            driver: Any = connection.connection.dbapi_connection
            driver.execute(f"{words} {name}")

        return say

    for method, words in (
        ("do_savepoint", "SAVEPOINT"),
        ("do_release_savepoint", "RELEASE SAVEPOINT"),
        ("do_rollback_to_savepoint", "ROLLBACK TO SAVEPOINT"),
    ):
        setattr(dialect, method, saying(words))


def _prepare_sqlite(driver: Any, record: Any, *, watched: bool) -> None:
    driver.isolation_level = None  # or the driver begins transactions when it likes
    for pragma in SQLITE_PRAGMAS:
        driver.execute(f"PRAGMA {pragma}")
    draws.prepare_sqlite(driver)
    if watched:
        info = record.info
        driver.set_progress_handler(lambda: monotonic() > info.get(UNTIL, math.inf), INSTRUCTIONS)


def _begin_sqlite(connection: sa.Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("highstreet_begun"):
        driver: Any = connection.connection.dbapi_connection
        begin(driver.execute, "sqlite", options.get("highstreet_write", True))


def begin(execute: Callable[..., Any], dialect: str, write: bool) -> None:
    """Begin a transaction; psycopg does it by itself with the first statement.

    On SQLite a writer takes its lock at once: two readers that both turn writer would deadlock.
    """
    if dialect == "sqlite":
        execute("BEGIN IMMEDIATE" if write else "BEGIN")


def executor(lease: sa.PoolProxiedConnection, dialect: str) -> Callable[..., Any]:
    """What sends a text on a connection and gives its cursor, good until the next is sent.

    psycopg takes 20 µs for a statement on a cursor that it knows, 32 µs on a new one.
    """
    if dialect == "sqlite":
        execute: Callable[..., Any] = lease.dbapi_connection.execute  # type: ignore[union-attr]
    else:
        execute = lease.info["cursor"].execute
    return execute


def _prepare_postgresql(driver: Any, record: Any, *, seconds: float) -> None:
    was = driver.autocommit
    driver.autocommit = True
    driver.execute("SET timezone TO 'UTC'")
    # A statement over a club of 20,000 with its walls takes 0.1 s, and took a second more to be
    # compiled for it; those that run longer gain little.
    driver.execute("SET jit TO off")
    if seconds:  # else what the database or the role says
        driver.execute(f"SET statement_timeout TO {round(seconds * 1000)}")
    driver.autocommit = was
    record.info["cursor"] = driver.cursor()


def allowing(seconds: float) -> str:
    """What tells PostgreSQL how long it may work on one statement, until the transaction ends."""
    return f"SET LOCAL statement_timeout = {round(seconds * 1000)}"


def bound(lease: sa.PoolProxiedConnection, seconds: float, *, writing: bool, anew: bool) -> None:
    """Hold a session's transaction to its time. anew: it is not what PostgreSQL's connections have
    from their beginning."""
    driver: Any = lease.dbapi_connection
    if "cursor" not in lease.info:
        if (
            seconds and not writing
        ):  # SQLite takes back all of a transaction whose write is interrupted
            lease.info[UNTIL] = monotonic() + seconds
    elif anew:
        driver.execute(allowing(seconds))


def unbound(lease: sa.PoolProxiedConnection) -> None:
    """Let the next session begin with a time of its own."""
    if lease.dbapi_connection is not None:
        lease.info.pop(UNTIL, None)


def empty_log(driver: Any) -> bool:
    """Move SQLite's write-ahead log into the file and cut it to nothing; whether that was done.

    What was deleted from the file stands in the log until it is written over. It can't be cut while
    somebody reads from it.
    """
    driver.execute(f"PRAGMA busy_timeout={SCRUB_PATIENCE}")
    try:
        busy, _pages, _moved = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        for pragma in SQLITE_PRAGMAS:
            if pragma.startswith("busy_timeout"):
                driver.execute(f"PRAGMA {pragma}")
    return not busy


def is_aborted(driver: Any, dialect: str) -> bool:
    """Whether PostgreSQL's transaction has failed; the client library knows without asking."""
    return dialect == "postgresql" and driver.info.transaction_status == _IN_ERROR


def is_within(driver: Any, scope: Scope, dialect: str) -> bool:
    """Whether the transaction that `open_scope` was told of goes on: its settings end with it."""
    if dialect == "sqlite":
        return bool(driver.in_transaction)
    if driver.closed:
        return True  # that is another matter: whoever asks next hears it from the driver
    try:
        row = driver.execute("SELECT current_setting('hs.brand', true)").fetchone()
    except Exception:  # it refuses everything until somebody rolls all of it back
        return False
    return bool(row[0] == str(scope.brand_id))


def open_scope(
    execute: Callable[..., Any], scope: Scope, dialect: str, write: bool
) -> tuple[int, str] | None:
    """Tell the database the scope; (state_version, customers), or None if the brand is gone."""
    if dialect == "sqlite":
        row = execute(_OPEN_SQLITE, (scope.brand_id.hex,)).fetchone()
        return None if row is None else (row[0], row[1])
    row = execute(
        _OPEN_POSTGRESQL,
        {
            "brand": str(scope.brand_id),
            "store": str(scope.store_id or ""),
            "stores": _STORES[scope.reach],
            "only": "off" if write else "on",
        },
    ).fetchone()
    return None if row[0] is None else (row[0], row[1])
