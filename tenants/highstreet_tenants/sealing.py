"""Secrets that must be read again: webhooks' signing keys, second factors. Kept encrypted.

What only has to be recognised is kept as a hash (`people.tokens`, `people.passwords`); this is for
the few that we need in the clear. The key comes from the installation's secret, which is not in the
database: a copy of the database alone opens nothing. Each kind of secret and each row has a key of
its own (HKDF, RFC 5869), so a sealed text that is copied to another row does not open there.

Whoever changes the installation's secret loses what was sealed under the old one: it can't be
opened, is said to be so, and has to be made anew.
"""

from __future__ import annotations

import base64
from uuid import UUID

from highstreet_tenants.errors import Conflict
from highstreet_tenants.words import gettext as _


class Unsealable(Conflict):
    """Sealed under another secret of the installation, for another row, or damaged."""


class Sealing:
    """Seals and opens texts with keys made from the installation's secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def seal(self, kind: str, owner: UUID, text: str) -> str:
        """The text, encrypted and authenticated (a Fernet token: URL-safe ASCII).

        `kind` says what sort of secret it is ("webhook", "second-factor"), `owner` is the id of
        the row that keeps it. Both must be the same when it is opened.
        """
        from cryptography.fernet import Fernet

        return Fernet(self._key(kind, owner)).encrypt(text.encode()).decode("ascii")

    def open(self, kind: str, owner: UUID, sealed: str) -> str:
        """The text that was sealed. Raises Unsealable, saying what to do."""
        from cryptography.fernet import Fernet, InvalidToken

        try:
            return Fernet(self._key(kind, owner)).decrypt(sealed).decode()
        except InvalidToken as error:
            raise Unsealable(
                _(
                    "This secret was kept under another secret of the installation"
                    " (HIGHSTREET_SECRET_KEY) and can't be read. Make a new one."
                )
            ) from error

    def _key(self, kind: str, owner: UUID) -> bytes:
        # Imported where it is needed: few processes seal, and all of them start.
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        info = b"highstreet " + kind.encode() + b" " + owner.bytes
        derived = HKDF(SHA256(), length=32, salt=None, info=info).derive(self._secret)
        return base64.urlsafe_b64encode(derived)
