"""Who calls the API: a store's key, sent as a bearer token (RFC 6750).

`authenticate` works out the scope before a transaction is open; `confirm` asks, inside the
operation's own transaction, whether the key is still good. What a key is for never changes, so it
is looked up once per process and kept; whether it is live is asked every time, in one statement
by primary key. So a revoked key is refused from the next request on, in every process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast

import sqlalchemy as sa
from flask import current_app, g, request

from highstreet.host import access
from highstreet.i18n import gettext as _
from highstreet.rest.current import behind
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Unauthenticated
from highstreet_tenants.people import keys
from highstreet_tenants.scopes import Actor, Scope
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement

if TYPE_CHECKING:
    from highstreet.house import House

V = TypeVar("V", bound=Callable[..., Any])

_STILL_LIVE = Statement(
    """
SELECT 1 FROM core_api_key
WHERE id = :key_id AND secret_hash = :secret_hash AND revoked_at IS NULL
  AND (expires_at IS NULL OR expires_at > :at)
""",
    returns="value",
)
#: Keys kept per process; far more than one process serves, so that forgetting them all is rare.
_MOST = 20_000


class Known:
    """The keys that this process has met, by id, and when it last noted their use."""

    def __init__(self) -> None:
        self._holders: dict[Any, keys.KeyHolder] = {}
        self._noted: dict[Any, datetime] = {}
        self._lock = threading.Lock()

    def get(self, key_id: object) -> keys.KeyHolder | None:
        """What is known of the key."""
        return self._holders.get(key_id)

    def keep(self, holder: keys.KeyHolder) -> None:
        """Remember a key that was found live."""
        with self._lock:
            if len(self._holders) >= _MOST:
                self._holders.clear()
                self._noted.clear()
            self._holders[holder.id] = holder
            if holder.last_used_at is not None:
                self._noted[holder.id] = holder.last_used_at

    def forget(self, key_id: object) -> None:
        """The key is no longer live."""
        with self._lock:
            self._holders.pop(key_id, None)
            self._noted.pop(key_id, None)

    def due(self, key_id: object) -> bool:
        """Whether the key's use should be noted now; says yes to one thread per minute."""
        with self._lock:
            last = self._noted.get(key_id)
            if last is not None and now() - last < keys.USED_EVERY:
                return False
            self._noted[key_id] = now()
            return True


def requires_scope(scope: str) -> Callable[[V], V]:
    """Let in the API keys that hold `scope` (such as "till.write")."""
    return access.requires(scope)


def authenticate() -> keys.KeyHolder:
    """Put the key's `g.scope`, `g.actor`, `g.permissions` (its scopes) and `g.key` in place, and
    `g.room`: how many requests are left to it.

    Raises Unauthenticated for a missing, malformed, unknown, revoked or expired key, RateExceeded
    for a key, or a stranger's address, that asks too often. `confirm` must follow in the
    operation's transaction.
    """
    known = _known()
    token = _bearer()
    read = keys.read_token(token)
    holder = known.get(read[0]) if read else None
    if read is not None and holder is not None and not keys.same_secret(read[1], holder):
        _turn_away(_refused())
    house = _house()
    if holder is None and read is not None:
        with house.tenancy.control() as s:
            holder = keys.find_key(s, token)
        if holder is not None:
            known.keep(holder)
    if holder is None:
        _turn_away(_refused())
    mine = behind(g)
    mine.room = house.rates.key(holder.id)
    if known.due(holder.id):
        _note_use(house, holder)
    mine.key = holder
    mine.actor = actor = Actor("key", holder.id, holder.name)
    mine.scope = Scope.store(holder.brand_id, holder.store_id, actor)
    mine.permissions = holder.scopes
    return holder


def confirm(s: ScopedSession) -> None:
    """Ask in this transaction whether the key is live. Raises Unauthenticated."""
    holder: keys.KeyHolder = g.key
    if _STILL_LIVE(s, key_id=holder.id, secret_hash=holder.secret_hash, at=now()) is None:
        refuse(holder)


def refuse(holder: keys.KeyHolder) -> NoReturn:
    """Forget a key that is no longer live. Raises Unauthenticated."""
    _known().forget(holder.id)
    raise Unauthenticated(_refused())


def _turn_away(why: str) -> NoReturn:
    # Counted only once the key is known to be none: a till with a good one must not be kept out by
    # a broken one behind the same address.
    g.room = _house().rates.stranger(request.remote_addr)
    raise Unauthenticated(why)


def _bearer() -> str:
    scheme, _blank, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        _turn_away(
            _("Send the store's API key as “Authorization: Bearer hs_…”. Make one in the console.")
        )
    return token.strip()


def _refused() -> str:
    return _("This API key is unknown, revoked or expired. Make a new one in the store's console.")


def _note_use(house: House, holder: keys.KeyHolder) -> None:
    try:
        with house.tenancy.control(write=True) as s:
            keys.note_use(s, holder.id)
    except sa.exc.OperationalError:
        # A long import holds SQLite's only pen; the sale matters more than this note.
        pass


def _known() -> Known:
    return cast(Known, current_app.extensions.setdefault("highstreet_keys", Known()))


def _house() -> House:
    return cast("House", current_app.extensions["highstreet"])
