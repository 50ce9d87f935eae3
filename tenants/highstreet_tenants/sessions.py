"""Sessions: one scope, one transaction, nothing that survives it."""

import math
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import orm

from highstreet_tenants import engines, orm_walls, trouble, walls
from highstreet_tenants.base import Base
from highstreet_tenants.endings import GONE, View, refuse_to_end
from highstreet_tenants.errors import NotFound, WallBreach
from highstreet_tenants.leases import Leases
from highstreet_tenants.opening import Opening
from highstreet_tenants.scopes import Scope
from highstreet_tenants.words import gettext as _


class TransactionEnded(RuntimeError):
    """Somebody ended the transaction under a session's feet, on the driver itself."""


class ScopedSession(orm.Session):
    """A SQLAlchemy session for one `Scope`. Ask `Tenancy.session` for one; never build it.

    state_version: the brand's count of changes to tools, policy and settings.
    customers: "brand" or "store", who owns customer records in this brand.
    dialect: "sqlite" or "postgresql".
    own_values: the scope's own ids as Statements bind them, once the first has run.
    founding: the row of a brand that this session makes before anything else.
    seconds: how long the database may work on one statement; 0: as long as it takes. SQLite: on all
    of a session that reads; one that writes is let be, or it would lose its whole transaction.
    """

    scope: Scope
    writing: bool
    dialect: str
    state_version: int
    customers: str
    own_values: tuple[Any, Any, Any] | None = None
    founding: Mapping[str, Any] | None = None
    seconds: float = 0
    _seconds_differ = False
    flushing = False
    grouped = False
    _engine: sa.Engine
    _lease: sa.PoolProxiedConnection | None = None
    _driver: Any = GONE
    _execute: Callable[..., Any] = GONE
    _view: sa.Connection | None = None
    _enlisted: orm.SessionTransaction | None = None
    _awake = False
    _within_savepoint = False
    _savepoints = 0
    #: What to do once the transaction has ended, however it ended, and its connection is free.
    on_end: list[Callable[[], None]]

    def __init__(self, scope: Scope, dialect: str, *, writing: bool) -> None:
        self.scope, self.dialect, self.writing = scope, dialect, writing
        self.on_end = []

    def __getattr__(self, name: str) -> Any:
        """Make the ORM's own part when something of it is first asked for.

        A till's Statements never ask, and it takes a quarter of what opening a session takes.
        """
        if self._awake:
            raise AttributeError(f"a session has no {name}")
        self._awake = True
        super().__init__(expire_on_commit=False)
        self._let_orm_join(within=self._within_savepoint)
        return getattr(self, name)

    @property
    def brand_id(self) -> UUID:
        """The scope's brand."""
        return self.scope.brand_id

    @property
    def store_id(self) -> UUID | None:
        """The scope's store, if it is a store's."""
        return self.scope.store_id

    @property
    def owner_store_id(self) -> UUID | None:
        """The `store_id` of a customer's row: the store's where each store owns its customers."""
        if self.customers == "brand":
            return None
        if self.scope.store_id is None:
            raise WallBreach("this brand's customers belong to stores: open a store's scope")
        return self.scope.store_id

    @property
    def realm_id(self) -> UUID:
        """Who owns customer keys (cards, phones): the brand's id or the store's."""
        return self.owner_store_id or self.scope.brand_id

    def flush(self, objects: Sequence[Any] | None = None) -> None:
        """Write pending rows. Raises WallBreach in a reading session or for a foreign row."""
        if not self._awake or self._is_clean():
            return
        self.flushing = True
        try:
            super().flush(objects)
        finally:
            self.flushing = False

    def get_bind(self, *_of: Any, **_what: Any) -> sa.Connection:
        """The one connection. A till's Statements never ask, and so never pay for it."""
        if self._view is None:
            if self._driver is GONE:
                raise WallBreach("the session is closed: nothing of it may be used again")
            self._view = View(self._engine, self._lease)
            self._view.execution_options(
                highstreet_session=self, highstreet_write=self.writing, highstreet_begun=True
            )
            self._view.begin()  # the transaction that this session is in already
        return self._view

    def is_aborted(self) -> bool:
        """Whether a statement failed and PostgreSQL refuses everything until a rollback."""
        return engines.is_aborted(self._driver, self.dialect)

    def commit(self) -> None:
        """Raise RuntimeError: a tool that commits or rolls back ends what others have begun."""
        refuse_to_end("commit")

    def rollback(self) -> None:
        """Raise RuntimeError."""
        refuse_to_end("rollback")

    def close(self) -> None:
        """Raise RuntimeError."""
        refuse_to_end("close")

    def invalidate(self) -> None:
        """Raise RuntimeError."""
        refuse_to_end("invalidate")

    def raw(self) -> Any:
        """The driver's own connection in this session's transaction, for bulk."""
        if self._awake and self.in_transaction():
            self._follow_orm()
        return self._driver

    def send(self, sql: str, values: Any) -> Any:
        """Send a text on the driver's own connection, for Statement, which has judged it.

        Gives a cursor that is good until the next text is sent.
        """
        if self._awake and self.in_transaction():
            self._follow_orm()
        try:
            return self._execute(sql, values)
        except Exception as error:
            trouble.name(error, sql)
            raise

    def send_many(self, sql: str, rows: Sequence[Any]) -> None:
        """The same for many rows of values."""
        self.raw().cursor().executemany(sql, rows)

    def _follow_orm(self) -> None:
        """See that what the ORM holds back is there first, and that its savepoint is set."""
        self.flush()
        nested = self.get_nested_transaction()
        if nested is not self._enlisted:
            if nested is not None:
                # begin_nested() alone sends nothing: SQLAlchemy sets the savepoint when somebody
                # first asks for the connection. What the driver did before could not be undone.
                self.connection()
            self._enlisted = nested

    def allow(self, seconds: float) -> None:
        """From now on let PostgreSQL work so long on one statement."""
        if self.dialect == "postgresql" and seconds != self.seconds:
            self.raw().execute(engines.allowing(seconds))
            self.seconds = seconds

    @contextmanager
    def savepoint(self, seconds: float = 0) -> Iterator[None]:
        """All of the block or nothing, as `begin_nested`, which keeps the ORM's objects in step.

        seconds: that PostgreSQL may work on one statement in it, if less than otherwise (0: no).

        That costs more than most of what is done inside. Where the ORM is not in use, the driver
        sets the savepoint; should the ORM come in later, it sets its own within and ends with it.

        Raises what the block raises, what the database says of a block that hid its refusal, and
        TransactionEnded, after which nothing of the session works, for one that ended it all.
        """
        before = self.seconds
        less = self.dialect == "postgresql" and 0 < seconds < (before or math.inf)
        try:
            if self._awake and (self.in_transaction() or self.identity_map):
                with self.begin_nested() as nested:
                    if less:
                        self.allow(seconds)
                    yield
                    if not nested.is_active:
                        raise sa.exc.PendingRollbackError("a flush failed, and somebody hid it")
                    if self.is_aborted():
                        self._execute("SELECT 1")  # raises what PostgreSQL says of it
                if less:
                    self.allow(before)
            else:
                with self._savepoint_of_the_driver(seconds if less else before):
                    yield
        except BaseException as error:
            self.seconds = before
            if not engines.is_within(self._driver, self.scope, self.dialect):
                self._driver = self._execute = GONE
                if self._lease is not None:
                    self._lease.invalidate()
                raise TransactionEnded("a commit or rollback on the driver itself") from error
            raise

    @contextmanager
    def _savepoint_of_the_driver(self, seconds: float) -> Iterator[None]:
        self._savepoints, before = self._savepoints + 1, self.seconds
        name, within = f"hs_savepoint_{self._savepoints}", self._within_savepoint
        self._let_orm_join(within=True)
        self._say(f"SAVEPOINT {name}", seconds)
        try:
            yield
            if self._awake and self.in_transaction():
                super().commit()
            # PostgreSQL refuses this after a failed statement, though the block hid the failure.
            self._say(f"RELEASE SAVEPOINT {name}", before)
        except BaseException:
            if self._awake and self.in_transaction():
                super().rollback()
            else:
                self.dispatch.after_soft_rollback(self, None)
            if self._awake:
                self.expunge_all()
            self._execute(f"ROLLBACK TO SAVEPOINT {name}")
            self._execute(f"RELEASE SAVEPOINT {name}")
            raise
        finally:
            self._let_orm_join(within=within)

    def _say(self, words: str, seconds: float) -> None:
        """Send words of a savepoint and, in the same message, what is allowed from then on."""
        if seconds == self.seconds:
            self._execute(words)
        else:
            self._execute(f"{words}; {engines.allowing(seconds)}")
            self.seconds = seconds

    def _let_orm_join(self, *, within: bool) -> None:
        """Whether an ORM that comes in sets a savepoint of its own."""
        self._within_savepoint = within
        if self._awake:
            self.join_transaction_mode = "create_savepoint" if within else "conditional_savepoint"

    def open(self, engine: sa.Engine, lease: sa.PoolProxiedConnection) -> None:
        """Begin on a connection of the engine's, and tell it the scope. For Tenancy.

        The ORM gets its own view of the connection when it asks. Raises NotFound for a brand that
        is gone.
        """
        self._engine, self._lease, self._driver = engine, lease, lease.dbapi_connection
        self._execute = execute = engines.executor(lease, self.dialect)
        engines.begin(execute, self.dialect, self.writing)
        if self.founding is not None:
            brand = sa.insert(Base.metadata.tables["core_brand"])
            self.get_bind().execute(brand.values(id=self.scope.brand_id, **self.founding))
        opening = engines.open_scope(execute, self.scope, self.dialect, self.writing)
        if opening is None:
            raise NotFound(_("There is no such brand."))
        self.state_version, self.customers = opening
        if self.seconds or self._seconds_differ:
            engines.bound(lease, self.seconds, writing=self.writing, anew=self._seconds_differ)

    def settle(self) -> None:
        """Commit. For Tenancy."""
        if self._awake and self.in_transaction():
            super().commit()
        self._driver.commit()

    def abandon(self) -> None:
        """Roll back; a connection that can't is thrown away. For Tenancy."""
        if self._lease is None:
            return  # none was to be had
        try:
            if self._awake and self.in_transaction():
                super().rollback()
            self._driver.rollback()
        except Exception:
            if self._lease.is_valid:
                self._lease.invalidate()

    def hand_back(self) -> sa.PoolProxiedConnection | None:
        """Forget everything; gives the connection, unless the ORM's view of it was closed with it.
        For Tenancy."""
        if self._awake and (self.in_transaction() or self.identity_map):
            super().close()
        # Or whoever kept this session would meet another's scope on it.
        self._driver = self._execute = GONE
        self.info.clear()  # what hangs there points back at the session
        lease, self._lease = self._lease, None
        if lease is not None and self.seconds:
            engines.unbound(lease)
        if self._view is not None:
            sa.Connection.close(self._view)
            return None
        return lease


orm_walls.stand_around(ScopedSession)


class Tenancy:
    """Opens sessions on one database.

    `engine` signs in as the role that row-level security binds; `seconds`: see `ScopedSession`.
    `on_open` holds what app.py wants done with each session (hang the host on `s.info`).
    """

    def __init__(self, engine: sa.Engine, *, seconds: float = 0) -> None:
        engines.prepare(engine, seconds)
        walls.install(engine)
        self.engine = engine
        self.on_open: list[Callable[[ScopedSession], None]] = []
        self._dialect = engine.dialect.name
        self._leases = Leases(engine)
        self._pen = engines.Pen(self._dialect)
        self._seconds = seconds
        #: Something was erased and SQLite's log may hold it still.
        self.to_scrub = False

    def session(
        self, scope: Scope, *, write: bool = False, seconds: float | None = None
    ) -> AbstractContextManager[ScopedSession]:
        """A session for `scope`: one transaction, committed at the end if `write`.

        seconds: see `ScopedSession`; None: as the tenancy has it.

        Raises NotFound for a brand that is gone, WallBreach for any reach beyond the scope.
        """
        session = ScopedSession(scope, self._dialect, writing=write)
        session.seconds = self._seconds if seconds is None else seconds
        session._seconds_differ = session.seconds != self._seconds
        session.info["tenancy"] = self
        return Opening(session, self._leases, self._pen, self.on_open)

    def found(
        self, scope: Scope, brand: Mapping[str, Any]
    ) -> AbstractContextManager[ScopedSession]:
        """A writing session for a brand that is made in the same transaction: all of it or nothing
        is there afterwards. `brand`: the columns of its row, without the id, which is the scope's.

        Raises IntegrityError where a brand of this slug is there.
        """
        session = ScopedSession(scope, self._dialect, writing=True)
        session.founding = brand
        session.info["tenancy"] = self
        return Opening(session, self._leases, self._pen, self.on_open)

    def scrub(self) -> bool:
        """See that what was deleted is gone from SQLite's log, too; whether it is. Outside of a
        session. If others are busy now, `Upkeep` tries again. On PostgreSQL nothing is done: its
        vacuum does it.
        """
        if self._dialect != "sqlite":
            return True
        self.to_scrub = True
        lease = self._leases.take()
        try:
            self.to_scrub = not engines.empty_log(lease.dbapi_connection)
        except sqlite3.OperationalError:  # somebody else is at it
            pass
        finally:
            self._leases.give_back(lease)
        return not self.to_scrub

    @contextmanager
    def control(self, *, write: bool = False) -> Iterator[orm.Session]:
        """A plain session for control-plane tables. Tenant tables raise WallBreach."""
        with (
            self._pen.held(write),
            sa.Connection(self.engine, self._leases.take()) as connection,
        ):
            connection.execution_options(highstreet_write=write)
            session = orm.Session(bind=connection, expire_on_commit=False)
            try:
                yield session
                if write:
                    session.commit()
            except BaseException:
                session.rollback()
                raise
            finally:
                session.close()
