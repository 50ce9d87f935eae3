"""A store closes, or opens again: what ends with it, and what becomes of its members."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet.host import state
from highstreet.i18n import gettext as _
from highstreet.stores import owing
from highstreet.stores.owing import Debts
from highstreet_tenants.errors import Conflict, Forbidden, NotFound
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.people import ending
from highstreet_tenants.people.tree import Node
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.trail import record

_NOTHING = Debts()


class Closing(Struct, frozen=True):
    """What ends with a store: its API keys, its tills with their open sessions, its PINs."""

    keys: int
    tills: int
    pins: int


class _Undone(Exception):
    """Takes a dry run back."""


def close(s: ScopedSession, slug: str, *, owes: Debts = _NOTHING, dry_run: bool = False) -> Closing:
    """Close a store: its keys, tills, sessions and PINs end at once and for good.

    Records, points and what tools owe stay; returns, expiry, export and erasure go on. owes: what
    it still owes (`owing.ask`), for the trail. dry_run does it and takes it back. Raises NotFound,
    Forbidden from a store, Conflict for one that is closed.
    """
    ended: ending.Ended | None = None
    try:
        with s.savepoint():
            store = _store(s, slug, lock=True)
            if store.status != "open":
                raise Conflict(_("This store has closed already."))
            store.status = "closed"
            s.flush()
            state.touch(s)
            ended = ending.end_store(s, Node.of(s.get_one(Brand, s.brand_id), store))
            told = {"keys": ended.keys, "tills": ended.tills, "pins": ended.pins}
            _record(s, store, "store.closed", told | owing.kept(owes))
            s.flush()
            if dry_run:
                raise _Undone
    except _Undone:
        pass
    assert ended is not None
    return Closing(ended.keys, ended.tills, ended.pins)


def look(s: ScopedSession, slug: str) -> tuple[Store, Closing]:
    """The store, and what closing it would end, counted by the rule that ends it.

    For a page, in a reading session. Raises as `close`.
    """
    store = _store(s, slug)
    if store.status != "open":
        raise Conflict(_("This store has closed already."))
    ended = ending.count_store(s, Node.of(s.get_one(Brand, s.brand_id), store))
    return store, Closing(ended.keys, ended.tills, ended.pins)


def reopen(s: ScopedSession, slug: str) -> None:
    """Open a closed store again. Keys, tills and PINs are made anew; roles are as they were.

    Raises as `close`.
    """
    store = _store(s, slug, lock=True)
    if store.status == "open":
        raise Conflict(_("This store is open."))
    store.status = "open"
    state.touch(s)
    _record(s, store, "store.reopened", {})
    s.flush()


def _store(s: ScopedSession, slug: str, *, lock: bool = False) -> Store:
    if s.scope.store_id is not None:
        raise Forbidden(_("Only head office closes stores and opens them."))
    query = sa.select(Store).where(Store.slug == slug)
    store = s.scalar(query.with_for_update() if lock else query)
    if store is None:
        raise NotFound(_("There is no such store."))
    return store


def _record(s: ScopedSession, store: Store, action: str, told: dict[str, Any]) -> None:
    store_id: UUID = store.id
    record(s, action, "store", store_id, store.name, store_id=store_id, details=told)
