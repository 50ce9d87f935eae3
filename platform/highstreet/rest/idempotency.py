"""Idempotency-Key: a POST that is sent twice happens once, and both get the first answer.

The key's row is written in the same transaction as the effect. So a process that is killed leaves
neither; a request that fails keeps no row, and may be mended and sent again with its key; and of
two equal requests at the same moment one acts, the other gets its answer (SQLite, where writers
queue) or 409 with Retry-After (PostgreSQL). Answers are kept for 24 hours.

A kept answer may hold a customer's name and phone. `sweep` deletes it within two days, and at
once when the customer is erased.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Request, Response
from msgspec import Struct

from highstreet.i18n import LazyText
from highstreet.i18n import gettext as _
from highstreet.rest import auth, sweep
from highstreet.rest.errors import KeyInFlight, KeyMissing, KeyReused
from highstreet_tenants.clock import now
from highstreet_tenants.ids import new_id
from highstreet_tenants.people.keys import KeyHolder
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement, own

HEADER = "Idempotency-Key"
REPLAY_HEADER = "Idempotent-Replay"
PATTERN = r"[!-~]{1,200}"
_SHAPE = re.compile(PATTERN)
_HEADERS_KEPT = ("Content-Type", "Location", "ETag")
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


# One statement asks whether the API key is live, takes the key's lock and looks for an answer. The
# lock is PostgreSQL's, tried and not waited for: the second of two equal requests would otherwise
# hold a thread for as long as the first works. On SQLite writers queue anyway.
_LOOK = f"""
SELECT a.id AS live, {{lock}} AS locked,
  k.fingerprint, k.created_at, k.status, k.body, k.headers
FROM (SELECT 1) AS one
LEFT JOIN core_api_key AS a
  ON a.id = :api_key_id AND a.secret_hash = :secret_hash AND a.revoked_at IS NULL
  AND (a.expires_at IS NULL OR a.expires_at > :at)
LEFT JOIN core_idempotency AS k
  ON k.api_key_id = :api_key_id AND k.key = :key AND {own("k")}
"""
_CLAIM = Statement(
    _LOOK.format(lock="1"),
    postgresql=_LOOK.format(lock="pg_try_advisory_xact_lock(:lock)"),
    returns="row",
    types={"created_at": datetime},
)
# A row that is older than a day but not yet swept stands for nothing: it is taken over.
_KEEP = Statement(
    f"""
INSERT INTO core_idempotency
  (brand_id, store_id, id, api_key_id, key, fingerprint, created_at, status, body, headers)
VALUES
  (:brand_id, :store_id, :id, :api_key_id, :key, :fingerprint, :at, :status, :body, :headers)
ON CONFLICT (brand_id, api_key_id, key) DO UPDATE
SET id = excluded.id, fingerprint = excluded.fingerprint, created_at = excluded.created_at,
    status = excluded.status, body = excluded.body, headers = excluded.headers
WHERE core_idempotency.created_at < :expired AND {own("core_idempotency")}
RETURNING id
""",
    returns="value",
)


class Claim(Struct, frozen=True):
    """The right to answer a key, held until the transaction ends."""

    api_key_id: UUID
    key: str
    fingerprint: str
    at: datetime


def key_of(request: Request) -> str:
    """The request's Idempotency-Key, as its digest.

    Tills make keys of what they have: a phone number would outlive its owner's erasure here, a
    payment card must not be kept at all. Raises KeyMissing if it is absent or not visible ASCII.
    """
    key = request.headers.get(HEADER, "").strip()
    if not _SHAPE.fullmatch(key):
        words = (
            _("The Idempotency-Key may have 1 to 200 visible ASCII characters.")
            if key
            else _(
                "Send an Idempotency-Key header: any text of your own, new for each thing you do"
                " and the same when you try it again, so that it is done only once."
            )
        )
        raise KeyMissing(words, fields={HEADER: [words]})
    return hashlib.sha256(key.encode()).hexdigest()


def fingerprint(request: Request, body: Any) -> str:
    """SHA-256 of what is asked for. The order of JSON keys and white space do not matter."""
    asked = f"{request.method} {request.full_path}\n{_CANONICAL.encode(body)}"
    return hashlib.sha256(asked.encode()).hexdigest()


def claim(s: ScopedSession, holder: KeyHolder, key: str, asked: str) -> Claim | Response:
    """The right to work on this request, or the answer that was given to it before.

    Raises Unauthenticated if the API key is no longer live, KeyReused if the key came with another
    request, KeyInFlight while the first is at work.
    """
    at = now()
    binds: dict[str, Any] = {
        "api_key_id": holder.id,
        "secret_hash": holder.secret_hash,
        "key": key,
        "at": at,
    }
    if s.dialect == "postgresql":
        binds["lock"] = _lock_number(s.brand_id, holder.id, key)
    live, locked, first, since, status, body, headers = _CLAIM(s, **binds)
    if live is None:
        auth.refuse(holder)
    # Compared here: with the age in the statement, PostgreSQL prefers the index of ages.
    if first is None or since < at - sweep.KEPT_FOR:
        if not locked:
            raise _in_flight()
        return Claim(holder.id, key, asked, at)
    if first != asked:
        raise KeyReused(
            _("This Idempotency-Key came with another request before. Make a new key for this one.")
        )
    return _answer(status, body, json.loads(headers))


def keep(
    s: ScopedSession,
    held: Claim,
    response: Response,
    without: tuple[str, LazyText] | None = None,
) -> None:
    """Keep the answer beside the effect, in the same transaction.

    without: a field of the answer that is a secret, and what a repeated answer says of it: the
    secret is not kept, for these rows are in every backup and lie there for a day or two.

    Raises KeyInFlight where another transaction kept one meanwhile: between the look at the row
    and the lock it may have ended.
    """
    sweep.order(s)
    kept = _KEEP(
        s,
        id=new_id(),
        api_key_id=held.api_key_id,
        key=held.key,
        fingerprint=held.fingerprint,
        at=held.at,
        expired=held.at - sweep.KEPT_FOR,
        status=response.status_code,
        body=_kept_body(response, without),
        headers=json.dumps({n: v for n, v in response.headers if n in _HEADERS_KEPT}),
    )
    if kept is None:
        raise _in_flight()


def _kept_body(response: Response, without: tuple[str, LazyText] | None) -> str:
    text = response.get_data(as_text=True)
    if without is None:
        return text
    field, why = without
    return json.dumps(json.loads(text) | {field: None, "notice": str(why)}, ensure_ascii=False)


def _in_flight() -> KeyInFlight:
    return KeyInFlight(
        _("The first request with this Idempotency-Key is still at work. Send it again soon.")
    )


def _answer(status: int, body: str, headers: Mapping[str, str]) -> Response:
    response = Response(body, status=status)
    for name, value in headers.items():
        response.headers[name] = value
    response.headers[REPLAY_HEADER] = "true"
    return response


def _lock_number(brand_id: UUID, api_key_id: UUID, key: str) -> int:
    digest = hashlib.blake2b(
        brand_id.bytes + api_key_id.bytes + key.encode(), digest_size=8, person=b"hs-idempotency"
    ).digest()
    return int.from_bytes(digest, "big", signed=True)
