"""What an operation under /api works with: its scope, its store, its one session.

`pipeline` puts these into `flask.g` before the view runs: `g.scope`, `g.actor`, `g.permissions`
(by `rest.auth`), `g.session` (one transaction for the whole request). Views never open a second
session: what they do, the kept answer of an Idempotency-Key and the check of the API key commit
together or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar, cast
from uuid import UUID

from flask import current_app, g
from werkzeug.local import LocalProxy

from highstreet.customers import places
from highstreet.customers.places import Place
from highstreet_tenants import clock
from highstreet_tenants.errors import WallBreach
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.scopes import Actor, Scope
from highstreet_tenants.sessions import ScopedSession

if TYPE_CHECKING:
    from highstreet.house import House


T = TypeVar("T")


def behind(proxy: T) -> T:
    """Flask's `request` or `g` itself, for whoever needs it more than once: each look through the
    proxy takes half a microsecond, and a sale took fifty."""
    return cast("LocalProxy[T]", proxy)._get_current_object()


class Current:
    """The request's parts; use the module's `current`."""

    @property
    def house(self) -> House:
        """The application's parts."""
        return cast("House", current_app.extensions["highstreet"])

    @property
    def scope(self) -> Scope:
        """The API key's store."""
        return cast(Scope, g.scope)

    @property
    def actor(self) -> Actor:
        """The API key."""
        return self.scope.actor

    @property
    def member_id(self) -> None:
        """Nobody's own page: an API key asks for a store."""
        return None

    def may(self, permission: str) -> bool:
        """Whether the API key holds a scope."""
        return permission in g.permissions

    @property
    def s(self) -> ScopedSession:
        """The request's session, already open."""
        return cast(ScopedSession, g.session)

    @contextmanager
    def session(self, *, write: bool = False) -> Iterator[ScopedSession]:
        """The request's session as a context, for code that is shared with the consoles.

        It neither commits nor closes: the pipeline does. Raises WallBreach where `write` is asked
        for in a reading operation.
        """
        if write and not self.s.writing:
            raise WallBreach("this operation reads only; a POST, PATCH, PUT or DELETE writes")
        yield self.s

    @property
    def store_id(self) -> UUID:
        """The API key's store."""
        store_id = self.scope.store_id
        assert store_id is not None, "API keys belong to stores"
        return store_id

    @property
    def place(self) -> Place:
        """Zone, currency and locale of the store: kept in memory, so it costs no statement."""
        return places.place(self.s, self.store_id)

    @property
    def store(self) -> Store:
        """The store's row; for anything but its name, `place` is cheaper."""
        return self.s.get_one(Store, (self.scope.brand_id, self.store_id))

    @property
    def brand(self) -> Brand:
        """The brand of the API key."""
        return self.s.get_one(Brand, self.scope.brand_id)

    def utc(self, at: datetime) -> datetime:
        """A till's time as UTC: without a zone it is the store's wall time.

        In the hour that repeats in autumn the first pass is meant; a time in the hour that is
        skipped in spring is read as if the clock had not changed.
        """
        if at.tzinfo is None:
            return clock.from_local(at, self.place.zone)
        return at.astimezone(UTC)


current = Current()
