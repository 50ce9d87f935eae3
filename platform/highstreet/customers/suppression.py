"""What erasure keeps: a keyed hash per phone and e-mail, so that an old list can't wake them up.

The key is the brand's own and stays in its database: hashes of two brands can't be compared, and
without the key nobody can try out numbers against them.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from uuid import UUID

import sqlalchemy as sa

from highstreet.customers.models import Suppression, SuppressionSecret
from highstreet_tenants.clock import now
from highstreet_tenants.ids import new_id
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement, own

_MAKE = Statement(
    "INSERT INTO core_suppression_secret (brand_id, id, secret)"
    " VALUES (:brand_id, :id, :secret) ON CONFLICT DO NOTHING",
    returns="none",
)
_KNOWN = Statement(
    "SELECT x.id FROM core_customer_suppression AS x WHERE x.realm_id = :realm_id"
    f" AND x.kind = :kind AND x.digest = :digest AND {own('x')}",
    returns="value",
)
_ANY = Statement(
    f"SELECT x.id FROM core_customer_suppression AS x WHERE x.realm_id = :realm_id AND {own('x')}"
    " LIMIT 1",
    returns="value",
)


def _secret(s: ScopedSession) -> bytes | None:
    value = s.scalar(sa.select(SuppressionSecret.secret))
    return bytes.fromhex(value) if value else None


def _digest(secret: bytes, realm_id: UUID, kind: str, value: str) -> str:
    message = f"{realm_id.hex}\n{kind}\n{value}".encode()
    return hmac.new(secret, message, hashlib.sha256).hexdigest()


def remember(
    s: ScopedSession, realm_id: UUID, owner: UUID | None, found: Iterable[tuple[str, str]]
) -> int:
    """Keep the hashes of (kind, value) pairs of phones and e-mails; gives how many are new."""
    pairs = sorted({p for p in found if p[0] in ("phone", "email")})
    if not pairs:
        return 0
    secret = _secret(s)
    if secret is None:
        _MAKE(s, id=new_id(), secret=secrets.token_hex(32))
        secret = _secret(s)
        assert secret is not None
    added = 0
    for kind, value in pairs:
        digest = _digest(secret, realm_id, kind, value)
        if _KNOWN(s, realm_id=realm_id, kind=kind, digest=digest) is None:
            s.add(
                Suppression(
                    brand_id=s.brand_id,
                    store_id=owner,
                    realm_id=realm_id,
                    kind=kind,
                    digest=digest,
                    at=now(),
                )
            )
            added += 1
    s.flush()
    return added


def anybody(s: ScopedSession, realm_id: UUID) -> bool:
    """Whether anybody was ever erased here; else a batch need not ask for each of its rows."""
    return _ANY(s, realm_id=realm_id) is not None


def suppressed(s: ScopedSession, realm_id: UUID, found: Iterable[tuple[str, str]]) -> bool:
    """Whether one of these (kind, value) pairs belonged to somebody who was erased."""
    pairs = [p for p in found if p[0] in ("phone", "email")]
    if not pairs or not anybody(s, realm_id):
        return False
    secret = _secret(s)
    return secret is not None and any(
        _KNOWN(s, realm_id=realm_id, kind=kind, digest=_digest(secret, realm_id, kind, value))
        is not None
        for kind, value in pairs
    )
