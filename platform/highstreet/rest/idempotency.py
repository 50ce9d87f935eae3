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
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Request, Response

from highstreet.i18n import gettext as _
from highstreet.rest import sweep
from highstreet.rest.errors import KeyInFlight, KeyMissing, KeyReused
from highstreet_tenants.clock import now
from highstreet_tenants.ids import new_id
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement, own

HEADER = "Idempotency-Key"
REPLAY_HEADER = "Idempotent-Replay"
PATTERN = r"[!-~]{1,200}"
_SHAPE = re.compile(PATTERN)
_HEADERS_KEPT = ("Content-Type", "Location", "ETag")


# A row that is older than a day but not yet swept stands for nothing: it is taken over.
_CLAIM_CONFLICT = """
ON CONFLICT (brand_id, api_key_id, key) DO UPDATE
SET id = excluded.id, fingerprint = excluded.fingerprint, created_at = excluded.created_at,
    status = NULL, body = NULL, headers = NULL
WHERE core_idempotency.created_at < :expired
RETURNING id
"""
_CLAIM = Statement(
    """
INSERT INTO core_idempotency (brand_id, store_id, id, api_key_id, key, fingerprint, created_at)
VALUES (:brand_id, :store_id, :id, :api_key_id, :key, :fingerprint, :at)
"""
    + _CLAIM_CONFLICT,
    # Without the lock the second of two equal requests would wait, and hold a thread, for as long
    # as the first works. The lock is tried before the unique index is touched.
    postgresql="""
INSERT INTO core_idempotency (brand_id, store_id, id, api_key_id, key, fingerprint, created_at)
SELECT :brand_id, :store_id, :id, :api_key_id, :key, :fingerprint, :at
WHERE pg_try_advisory_xact_lock(:lock)
"""
    + _CLAIM_CONFLICT,
    returns="value",
)
_LOOK = Statement(
    f"""
SELECT k.fingerprint, k.status, k.body, k.headers FROM core_idempotency AS k
WHERE {own("k")} AND k.api_key_id = :api_key_id AND k.key = :key
""",
    returns="row",
)
_KEEP = Statement(
    """
UPDATE core_idempotency SET status = :status, body = :body, headers = :headers
WHERE core_idempotency.brand_id = :brand_id AND core_idempotency.store_id = :store_id
  AND core_idempotency.id = :id
""",
    returns="none",
)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to answer a key, held until the transaction ends."""

    row_id: UUID


def key_of(request: Request) -> str:
    """The request's Idempotency-Key. Raises KeyMissing if it is absent or not visible ASCII."""
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
    return key


def fingerprint(request: Request, body: Any) -> str:
    """SHA-256 of what is asked for. The order of JSON keys and white space do not matter."""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    asked = f"{request.method} {request.full_path}\n{canonical}"
    return hashlib.sha256(asked.encode()).hexdigest()


def claim(s: ScopedSession, api_key_id: UUID, key: str, asked: str) -> Claim | Response:
    """The right to work on this request, or the answer that was given to it before.

    Raises KeyReused if the key came with another request, KeyInFlight while the first is at work.
    """
    at, row_id = now(), new_id()
    binds: dict[str, Any] = {
        "id": row_id,
        "api_key_id": api_key_id,
        "key": key,
        "fingerprint": asked,
        "at": at,
        "expired": at - sweep.KEPT_FOR,
    }
    if s.dialect == "postgresql":
        binds["lock"] = _lock_number(s.brand_id, api_key_id, key)
    if _CLAIM(s, **binds) is not None:
        return Claim(row_id)
    row = _LOOK(s, api_key_id=api_key_id, key=key)
    if row is None or row[1] is None:
        raise KeyInFlight(
            _("The first request with this Idempotency-Key is still at work. Send it again soon.")
        )
    first, status, body, headers = row
    if first != asked:
        raise KeyReused(
            _("This Idempotency-Key came with another request before. Make a new key for this one.")
        )
    return _answer(status, body, json.loads(headers))


def keep(s: ScopedSession, held: Claim, response: Response) -> None:
    """Keep the answer beside the effect, in the same transaction."""
    sweep.order(s)
    _KEEP(
        s,
        id=held.row_id,
        status=response.status_code,
        body=response.get_data(as_text=True),
        headers=json.dumps(
            {n: response.headers[n] for n in _HEADERS_KEPT if n in response.headers}
        ),
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
