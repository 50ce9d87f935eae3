"""API keys: what a till carries. A key belongs to one store and may do what its scopes say.

A key reads `hs_<id>_<32 random bytes, URL-safe>`. The id finds the row, the secret's SHA-256 is
compared; a key is shown once, at its making.
"""

import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.orm import Session

from highstreet_tenants.clock import now
from highstreet_tenants.errors import Conflict, Forbidden, Invalid, NotFound
from highstreet_tenants.models import Brand
from highstreet_tenants.people.accounts import same_text
from highstreet_tenants.people.logins import Person
from highstreet_tenants.people.models import ApiKey
from highstreet_tenants.people.permissions import Catalogue
from highstreet_tenants.people.tokens import digest, new_token
from highstreet_tenants.people.tree import Node, may
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.trail import record
from highstreet_tenants.words import gettext as _

#: How long a rotated key goes on, so that tills can be changed one after another.
OVERLAP = timedelta(days=7)
#: `last_used_at` is written at most this often.
USED_EVERY = timedelta(minutes=1)
_PREFIX = "hs"


class NewKey(Struct, frozen=True):
    """A key at its making: `token` is the key itself, kept nowhere else."""

    id: UUID
    token: str


class KeyHolder(Struct, frozen=True):
    """What one query tells of a live key: whose it is and what it may do.

    `customers` ("brand" or "store") and `state_version` are the brand's, as of the query.
    """

    id: UUID
    name: str
    secret_hash: str
    brand_id: UUID
    brand_slug: str
    store_id: UUID
    customers: str
    state_version: int
    scopes: frozenset[str]
    last_used_at: datetime | None


def create_key(
    s: ScopedSession,
    node: Node,
    name: str,
    scopes: Iterable[str],
    *,
    by: Person | None,
    catalogue: Catalogue,
    expires_at: datetime | None = None,
    replaces: UUID | None = None,
) -> NewKey:
    """A new key for the store at `node`. `by` None is the operator.

    Raises Invalid (fields "name", "scopes", "expires"), Forbidden for a scope whose permission
    the maker lacks in the store: a key must not open what its maker could not. Raises Conflict for
    a store that has closed.
    """
    wanted = sorted(set(scopes))
    label = " ".join(same_text(name).split())
    if not 1 <= len(label) <= 120:
        message = _("Name the till or programme that will carry the key.")
        raise Invalid(message, fields={"name": [message]})
    if not wanted or any(scope not in catalogue.scopes for scope in wanted):
        message = _("Choose at least one thing that the key may do.")
        raise Invalid(message, fields={"scopes": [message]})
    if expires_at is not None and expires_at <= now():
        message = _("Choose a day that is still to come.")
        raise Invalid(message, fields={"expires": [message]})
    if node.store_id is None:
        raise Invalid(_("A key belongs to one store. Choose the store first."))
    if node.closed:
        raise Conflict(_("This store has closed, so there is no key to make."))
    _refuse_beyond(by, wanted, node, catalogue)
    token = new_token()
    row = ApiKey(
        brand_id=node.brand_id,
        store_id=node.store_id,
        name=label,
        secret_hash=digest(token),
        scopes=wanted,
        created_by=by.id if by else None,
        replaces_id=replaces,
        expires_at=expires_at,
    )
    s.add(row)
    s.flush()
    _record(s, "key.rotated" if replaces else "key.created", row)
    return NewKey(row.id, f"{_PREFIX}_{row.id.hex}_{token}")


def rotate_key(
    s: ScopedSession,
    key_id: UUID,
    node: Node,
    *,
    by: Person | None,
    catalogue: Catalogue,
    overlap: timedelta = OVERLAP,
) -> NewKey:
    """A new key with the same name and scopes; the old one goes on for `overlap`, then ends.

    Raises NotFound, Conflict for a key that has ended, Forbidden as `create_key`.
    """
    row = _key_of(s, key_id, node)
    if not is_live(row):
        raise Conflict(_("This key has ended. Create a new one."))
    ends = now() + overlap
    made = create_key(
        s,
        node,
        row.name,
        row.scopes,
        by=by,
        catalogue=catalogue,
        # A key that was to end goes on no longer for having been rotated.
        expires_at=row.expires_at,
        replaces=row.id,
    )
    row.expires_at = min(ends, row.expires_at) if row.expires_at else ends
    s.flush()
    return made


def revoke_key(s: ScopedSession, key_id: UUID, node: Node) -> ApiKey:
    """End a key at once; again changes nothing. Raises NotFound for another store's key."""
    row = _key_of(s, key_id, node)
    if row.revoked_at is None:
        row.revoked_at = now()
        _record(s, "key.revoked", row)
    s.flush()
    return row


def _record(s: ScopedSession, action: str, row: ApiKey) -> None:
    details = {"scopes": row.scopes}
    record(s, action, "key", row.id, row.name, store_id=row.store_id, details=details)


def keys_of(s: Session, node: Node) -> list[ApiKey]:
    """The store's keys: live ones first, then those that ended, the newest first."""
    rows = s.scalars(
        sa.select(ApiKey).where(ApiKey.brand_id == node.brand_id, ApiKey.store_id == node.store_id)
    )
    return sorted(rows, key=lambda row: (is_live(row), row.created_at), reverse=True)


def is_live(row: ApiKey) -> bool:
    """Whether the key opens anything now."""
    return row.revoked_at is None and (row.expires_at is None or row.expires_at > now())


def read_token(token: str) -> tuple[UUID, str] | None:
    """(id, SHA-256 of the secret) of something that looks like a key; None if it doesn't."""
    prefix, _1, rest = token.partition("_")
    id_text, _2, secret = rest.partition("_")
    if prefix != _PREFIX or len(id_text) != 32 or not 40 <= len(secret) <= 60:
        return None
    try:
        return UUID(hex=id_text), digest(secret)
    except ValueError:
        return None


def same_secret(secret_hash: str, holder: KeyHolder) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(secret_hash, holder.secret_hash)


_LIVE = (
    sa.select(
        ApiKey.id,
        ApiKey.name,
        ApiKey.secret_hash,
        ApiKey.brand_id,
        Brand.slug,
        ApiKey.store_id,
        Brand.customers,
        Brand.state_version,
        ApiKey.scopes,
        ApiKey.last_used_at,
    )
    .join_from(ApiKey, Brand, Brand.id == ApiKey.brand_id)
    .where(
        ApiKey.id == sa.bindparam("key_id"),
        ApiKey.revoked_at.is_(None),
        sa.or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > sa.bindparam("at")),
    )
)


def find_key(s: Session, token: str) -> KeyHolder | None:
    """Whose key this is, in one query by primary key; None if it is not a live key."""
    read = read_token(token)
    if read is None:
        return None
    key_id, secret_hash = read
    row = s.execute(_LIVE, {"key_id": key_id, "at": now()}).one_or_none()
    if row is None:
        return None
    holder = KeyHolder(
        id=row.id,
        name=row.name,
        secret_hash=row.secret_hash,
        brand_id=row.brand_id,
        brand_slug=row.slug,
        store_id=row.store_id,
        customers=row.customers,
        state_version=row.state_version,
        scopes=frozenset(row.scopes),
        last_used_at=row.last_used_at,
    )
    return holder if same_secret(secret_hash, holder) else None


def note_use(s: Session, key_id: UUID) -> None:
    """Remember that the key was used, at most once a minute however many processes serve it."""
    s.execute(
        sa.update(ApiKey)
        .where(
            ApiKey.id == key_id,
            ApiKey.revoked_at.is_(None),
            sa.or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < now() - USED_EVERY),
        )
        .values(last_used_at=now())
    )


def _key_of(s: Session, key_id: UUID, node: Node) -> ApiKey:
    row = s.scalar(
        sa.select(ApiKey)
        .where(
            ApiKey.id == key_id,
            ApiKey.brand_id == node.brand_id,
            ApiKey.store_id == node.store_id,
        )
        .with_for_update()
    )
    if row is None:
        raise NotFound(_("There is no such key in this store."))
    return row


def _refuse_beyond(by: Person | None, scopes: list[str], node: Node, catalogue: Catalogue) -> None:
    if by is None:
        return
    lacking = [
        scope
        for scope in scopes
        if not may(by.grants, catalogue.scopes[scope].permission, node, catalogue)
    ]
    if lacking:
        labels = ", ".join(catalogue.scopes[scope].label for scope in lacking)
        raise Forbidden(
            _("A key cannot do what you may not do yourself in this store: %(what)s.", what=labels)
        )
