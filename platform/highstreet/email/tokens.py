"""Tokens that come back from outside: in a link that stops mail, in the address it bounces to.

Both are made from the installation's secret and kept nowhere, so a link works as long as the
message that holds it lies in somebody's mailbox.
"""

from __future__ import annotations

import base64
import hmac
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import UUID

from msgspec import Struct

from highstreet.i18n import gettext as _
from highstreet_tenants.errors import NotFound

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

_NOBODY = bytes(16)
#: Bytes of a return path's proof: with the message's id they fit before the @ (RFC 5321 4.5.3.1).
_PROOF = 10
#: Characters of a token that anybody looks at.
MOST = 400


class Stop(Struct, frozen=True):
    """What a link stops. store_id: the store that owns the customer's record, None for the
    brand's. purpose: of the message that holds the link."""

    brand_id: UUID
    store_id: UUID | None
    customer_id: UUID
    message_id: UUID
    purpose: str


class Tokens:
    """Makes and reads them, with keys from the installation's secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def stop(self, of: Stop) -> str:
        """Opaque and URL-safe; the same for the same message."""
        store = of.store_id.bytes if of.store_id else _NOBODY
        plain = (
            b"".join((of.brand_id.bytes, store, of.customer_id.bytes, of.message_id.bytes))
            + of.purpose.encode()
        )
        return base64.urlsafe_b64encode(self._cipher.encrypt(plain, None)).decode().rstrip("=")

    def read_stop(self, token: str) -> Stop:
        """What it stops. Raises NotFound for anything that this installation did not make."""
        from cryptography.exceptions import InvalidTag

        try:
            if len(token) > MOST or not token.isascii():
                raise ValueError
            sealed = base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True)
            if base64.urlsafe_b64encode(sealed).decode().rstrip("=") != token:
                raise ValueError  # the last letter may hold bits that mean nothing
            plain = self._cipher.decrypt(sealed, None)
            brand, store, customer, message = (plain[at : at + 16] for at in (0, 16, 32, 48))
            return Stop(
                UUID(bytes=brand),
                None if store == _NOBODY else UUID(bytes=store),
                UUID(bytes=customer),
                UUID(bytes=message),
                plain[64:].decode(),
            )
        except (ValueError, InvalidTag):
            raise NotFound(
                _("This link does not work: it is cut off, or was made by another installation.")
            ) from None

    def tag(self, brand_id: UUID, message_id: UUID) -> str:
        """What stands in a message's return path, between + and @: small letters and digits."""
        told = message_id.bytes + self._proof(brand_id, message_id.bytes)
        return base64.b32encode(told).decode().rstrip("=").lower()

    def read_tag(self, brand_id: UUID, tag: str) -> UUID | None:
        """The message of a brand that a tag names; None if the tag is none of it."""
        try:
            told = base64.b32decode(tag.upper() + "=" * (-len(tag) % 8))
        except ValueError:
            return None
        # Two bits of the last letter say nothing: other letters would stand for the same.
        if len(told) != 16 + _PROOF or base64.b32encode(told).rstrip(b"=") != tag.upper().encode():
            return None
        fine = hmac.compare_digest(told[16:], self._proof(brand_id, told[:16]))
        return UUID(bytes=told[:16]) if fine else None

    def _proof(self, brand_id: UUID, message: bytes) -> bytes:
        return hmac.digest(self._bouncing, brand_id.bytes + message, "sha256")[:_PROOF]

    @cached_property
    def _bouncing(self) -> bytes:
        return self._key(b"return path", 32)

    @cached_property
    def _cipher(self) -> AESSIV:
        # Deterministic and authenticated (RFC 5297): a link shows no ids and needs no nonce.
        from cryptography.hazmat.primitives.ciphers import aead

        return aead.AESSIV(self._key(b"stop", 64))

    def _key(self, what: bytes, length: int) -> bytes:
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        info = b"highstreet email " + what
        return HKDF(SHA256(), length=length, salt=None, info=info).derive(self._secret)
