"""Sessions: one scope, one transaction, nothing that survives it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import event, orm

from highstreet_tenants import engines, walls
from highstreet_tenants.base import BrandOwned
from highstreet_tenants.control import CONTROL_TABLES
from highstreet_tenants.errors import NotFound, WallBreach
from highstreet_tenants.scopes import Scope
from highstreet_tenants.words import gettext as _


class _Gone:
    """In place of the driver's connection once it is given back."""

    def __getattr__(self, name: str) -> Any:
        raise WallBreach("the session is closed: nothing of it may be used again")


_GONE = _Gone()


class TransactionEnded(RuntimeError):
    """Somebody ended the transaction under a session's feet, on the driver itself."""


class _View(sa.Connection):
    """The ORM's view of a session's connection. Its end is the session's to say."""

    def commit(self) -> None:
        """Raise RuntimeError."""
        _refuse_to_end("commit")

    def rollback(self) -> None:
        """Raise RuntimeError."""
        _refuse_to_end("rollback")

    def close(self) -> None:
        """Raise RuntimeError."""
        _refuse_to_end("close")


def _refuse_to_end(what: str) -> NoReturn:
    raise RuntimeError(
        f"{what}(): the transaction is its opener's, who commits it or takes it back. To undo a"
        " part of your own, use begin_nested()"
    )


class ScopedSession(orm.Session):
    """A SQLAlchemy session for one `Scope`. Ask `Tenancy.session` for one; never build it.

    state_version: the brand's count of changes to tools, policy and settings.
    customers: "brand" or "store", who owns customer records in this brand.
    dialect: "sqlite" or "postgresql".
    """

    scope: Scope
    writing: bool
    dialect: str
    state_version: int
    customers: str
    flushing = False
    grouped = False
    _engine: sa.Engine
    _lease: sa.PoolProxiedConnection
    _driver: Any
    _view: sa.Connection | None = None
    _enlisted: orm.SessionTransaction | None = None
    _savepoints = 0
    #: What to do once the transaction has ended, however it ended, and its connection is free.
    on_end: list[Callable[[], None]]

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
        if self._is_clean():
            return
        self.flushing = True
        try:
            super().flush(objects)
        finally:
            self.flushing = False

    def lend(self, engine: sa.Engine, lease: sa.PoolProxiedConnection) -> None:
        """Work on a connection of the pool's. The ORM gets its own view of it when it asks."""
        self._engine, self._lease = engine, lease
        self._driver = lease.dbapi_connection

    def get_bind(self, *_of: Any, **_what: Any) -> sa.Connection:
        """The one connection. A till's Statements never ask, and so never pay for it."""
        if self._view is None:
            if self._driver is _GONE:
                raise WallBreach("the session is closed: nothing of it may be used again")
            self._view = _View(self._engine, self._lease)
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
        _refuse_to_end("commit")

    def rollback(self) -> None:
        """Raise RuntimeError."""
        _refuse_to_end("rollback")

    def close(self) -> None:
        """Raise RuntimeError."""
        _refuse_to_end("close")

    def invalidate(self) -> None:
        """Raise RuntimeError."""
        _refuse_to_end("invalidate")

    def raw(self) -> Any:
        """The driver's own connection in this session's transaction, for Statement and bulk."""
        nested = self.get_nested_transaction()
        if nested is not self._enlisted:
            if nested is not None:
                # begin_nested() alone sends nothing: SQLAlchemy sets the savepoint when somebody
                # first asks for the connection. What the driver did before could not be undone.
                self.connection()
            self._enlisted = nested
        return self._driver

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """All of the block or nothing, as `begin_nested`, which keeps the ORM's objects in step.

        That costs more than most of what is done inside. Where the ORM is not in use, the driver
        sets the savepoint; should the ORM come in later, it sets its own within and ends with it.

        Raises what the block raises, what the database says of a block that hid its refusal, and
        TransactionEnded, after which nothing of the session works, for one that ended it all.
        """
        try:
            if self.in_transaction() or self.identity_map:
                with self.begin_nested() as nested:
                    yield
                    if not nested.is_active:
                        raise sa.exc.PendingRollbackError("a flush failed, and somebody hid it")
                    if self.is_aborted():
                        self._driver.execute("SELECT 1")  # raises what PostgreSQL says of it
            else:
                with self._savepoint_of_the_driver():
                    yield
        except BaseException as error:
            if not engines.is_within(self._driver, self.scope, self.dialect):
                self._driver = _GONE
                self._lease.invalidate()
                raise TransactionEnded("a commit or rollback on the driver itself") from error
            raise

    @contextmanager
    def _savepoint_of_the_driver(self) -> Iterator[None]:
        self._savepoints += 1
        name, mode = f"hs_savepoint_{self._savepoints}", self.join_transaction_mode
        self.join_transaction_mode = "create_savepoint"  # for an ORM that comes in
        self._driver.execute(f"SAVEPOINT {name}")
        try:
            yield
            if self.in_transaction():
                super().commit()
            # PostgreSQL refuses this after a failed statement, though the block hid the failure.
            self._driver.execute(f"RELEASE SAVEPOINT {name}")
        except BaseException:
            if self.in_transaction():
                super().rollback()
            else:
                self.dispatch.after_soft_rollback(self, None)
            self.expunge_all()
            self._driver.execute(f"ROLLBACK TO SAVEPOINT {name}")
            self._driver.execute(f"RELEASE SAVEPOINT {name}")
            raise
        finally:
            self.join_transaction_mode = mode

    def settle(self) -> None:
        """Commit. For Tenancy."""
        if self.in_transaction():
            super().commit()
        self._driver.commit()

    def abandon(self) -> None:
        """Roll back; a connection that can't is thrown away. For Tenancy."""
        try:
            if self.in_transaction():
                super().rollback()
            self._driver.rollback()
        except Exception:
            if self._lease.is_valid:
                self._lease.invalidate()

    def hand_back(self) -> None:
        """Forget everything and give the connection back. For Tenancy."""
        if self.in_transaction() or self.identity_map:
            super().close()
        self._driver = _GONE  # or whoever kept this session would meet another's scope on it
        if self._view is None:
            self._lease.close()
        else:
            sa.Connection.close(self._view)


@event.listens_for(ScopedSession, "do_orm_execute")
def _hold_to_scope(state: orm.ORMExecuteState) -> None:
    """Wall one: entities get their scope's criteria; what has none is judged by its text."""
    session = state.session
    assert isinstance(session, ScopedSession)
    if state.is_select or state.is_update or state.is_delete:
        scope = session.scope
        state.statement = state.statement.options(
            *(
                orm.with_loader_criteria(
                    mapper.class_, sa.and_(*scope.owns(mapper.class_)), include_aliases=True
                )
                for mapper in state.all_mappers
                if issubclass(mapper.class_, BrandOwned)
                and getattr(mapper.class_, "__tablename__", "") not in CONTROL_TABLES
            )
        )


@event.listens_for(ScopedSession, "before_flush")
def _check_owners(session: ScopedSession, _context: Any, _objects: Any) -> None:
    """Wall two."""
    rows = [*session.new, *session.dirty, *session.deleted]
    if rows and not session.writing:
        raise WallBreach("a reading session cannot write: open it with write=True")
    walls.check_rows(session.scope, rows)


class Tenancy:
    """Opens sessions on one database.

    `engine` signs in as the role that row-level security binds. `on_open` holds what app.py wants
    done with each new session (hang the plugin host and the job registry on `s.info`).
    """

    def __init__(self, engine: sa.Engine) -> None:
        engines.prepare(engine)
        walls.install(engine)
        self.engine = engine
        self.on_open: list[Callable[[ScopedSession], None]] = []
        self._pen = engines.Pen(engine.dialect.name)

    @contextmanager
    def session(self, scope: Scope, *, write: bool = False) -> Iterator[ScopedSession]:
        """A session for `scope`: one transaction, committed at the end if `write`.

        Raises NotFound for a brand that is gone, WallBreach for any reach beyond the scope.
        """
        session = ScopedSession(expire_on_commit=False)
        session.scope, session.writing = scope, write
        session.dialect = self.engine.dialect.name
        session.info["tenancy"] = self
        session.on_end = []
        try:
            with self._pen.held(write):
                yield from self._in_transaction(session)
        finally:
            for call in session.on_end:
                call()

    def _in_transaction(self, session: ScopedSession) -> Iterator[ScopedSession]:
        scope, write = session.scope, session.writing
        session.lend(self.engine, self.engine.raw_connection())
        try:
            driver = session.raw()
            engines.begin(driver, session.dialect, write)
            opening = engines.open_scope(driver, scope, session.dialect, write)
            if opening is None:
                raise NotFound(_("There is no such brand."))
            session.state_version, session.customers = opening
            for prepare in self.on_open:
                prepare(session)
            yield session
            if write:
                session.settle()
        except BaseException:
            session.abandon()
            raise
        finally:
            session.hand_back()

    @contextmanager
    def control(self, *, write: bool = False) -> Iterator[orm.Session]:
        """A plain session for control-plane tables. Tenant tables raise WallBreach."""
        with self._pen.held(write), self.engine.connect() as connection:
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
