"""A session's beginning and end, whatever happens between."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Generic, Protocol, TypeVar

import sqlalchemy as sa

from highstreet_tenants.engines import Pen
from highstreet_tenants.leases import Leases


class Openable(Protocol):
    """What opens and ends a session: `ScopedSession` has it."""

    writing: bool
    on_end: list[Callable[[], None]]

    def open(self, engine: sa.Engine, lease: sa.PoolProxiedConnection) -> None: ...

    def settle(self) -> None: ...

    def abandon(self) -> None: ...

    def hand_back(self) -> sa.PoolProxiedConnection | None: ...


S = TypeVar("S", bound=Openable)


class Opening(AbstractContextManager[S], Generic[S]):
    """What `Tenancy.session` gives: takes pen and connection, begins, ends, gives them back.

    A class where a generator would be shorter: every request pays for it, and generators within
    generators took three times as long.
    """

    __slots__ = ("_has_pen", "_leases", "_on_open", "_pen", "_session")

    def __init__(
        self,
        session: S,
        leases: Leases,
        pen: Pen,
        on_open: Sequence[Callable[[S], None]],
    ) -> None:
        self._session, self._leases, self._pen, self._on_open = session, leases, pen, on_open

    def __enter__(self) -> S:
        session = self._session
        self._has_pen = session.writing and self._pen.take()
        try:
            session.open(self._leases.engine, self._leases.take())
            for prepare in self._on_open:
                prepare(session)
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise
        return session

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        session = self._session
        try:
            self._end(session, well=kind is None)
        finally:
            if self._has_pen:
                self._pen.give()
            for call in session.on_end:
                call()

    def _end(self, session: S, *, well: bool) -> None:
        try:
            if not well:
                session.abandon()
            elif session.writing:
                session.settle()
        except BaseException:
            session.abandon()
            raise
        finally:
            lease = session.hand_back()
            if lease is not None:
                self._leases.give_back(lease)
