"""Connections between two sessions."""

from collections import deque
from contextlib import suppress
from threading import get_ident

import sqlalchemy as sa
from sqlalchemy import event

#: Connections that rest at most.
MOST = 10


class Leases:
    """Lends an engine's connections to sessions.

    SQLAlchemy's pool takes 6 µs to lend one and to take it back, as long as SQLite takes for an
    insert. So a connection that comes back rests here, still lent as far as the pool knows, and the
    next session gets the one used last: its pages and prepared statements are warm.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self._resting: deque[sa.PoolProxiedConnection] = deque()
        self._waiting: set[int] = set()
        event.listen(engine, "engine_disposed", self._close_all)

    def take(self) -> sa.PoolProxiedConnection:
        """A connection, in no transaction."""
        try:
            return self._resting.pop()
        except IndexError:
            return self._ask_the_pool()

    def give_back(self, lease: sa.PoolProxiedConnection) -> None:
        """Take back a connection; whatever transaction it is in is rolled back.

        Where one is broken the server was probably restarted, so those that rest go too.
        """
        if lease.dbapi_connection is None:  # the session found it broken
            lease.close()
            self._close_all()
            return
        try:
            lease.dbapi_connection.rollback()
        except Exception:
            lease.invalidate()
            self._close_all()
            return
        self._resting.append(lease)
        if self._waiting or len(self._resting) > MOST:
            self._hand_on()

    def _ask_the_pool(self) -> sa.PoolProxiedConnection:
        # First say so, then look once more; `give_back` first lays down, then looks who waits. So
        # nobody waits at the pool while one rests here.
        self._waiting.add(get_ident())
        try:
            return self._resting.pop()
        except IndexError:
            return self.engine.raw_connection()
        finally:
            self._waiting.discard(get_ident())

    def _hand_on(self) -> None:
        with suppress(IndexError):  # somebody took it
            self._resting.popleft().close()  # to the pool, where others wait

    def _close_all(self, *_of: sa.Engine) -> None:
        with suppress(IndexError):
            while True:
                self._resting.pop().invalidate()
