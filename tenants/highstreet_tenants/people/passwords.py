"""Passwords: argon2id, and the few rules that help (NIST SP 800-63B: length, no known ones)."""

import itertools
import secrets
import threading
import unicodedata
from functools import lru_cache

from msgspec import Struct

from highstreet_tenants.errors import Invalid
from highstreet_tenants.people.commonest import COMMONEST
from highstreet_tenants.words import gettext as _

#: Characters.
MINIMUM, MAXIMUM = 10, 500
#: Each argon2 run takes 64 MiB; more at once would fill a small machine and none would be faster.
_AT_ONCE = threading.BoundedSemaphore(4)


class Checked(Struct, frozen=True):
    """Whether a password was right, and a hash to store instead if the stored one is outdated."""

    right: bool
    newer_hash: str | None


class Passwords:
    """Makes and checks password hashes. `kind`: "argon2id", or "cheap" for tests alone."""

    def __init__(self, kind: str = "argon2id") -> None:
        """Raises ValueError for another kind."""
        # argon2 is a tenth of the CPU that `highstreet --help` may take: only who needs it pays.
        from pwdlib import PasswordHash
        from pwdlib.hashers.argon2 import Argon2Hasher

        if kind == "argon2id":
            hasher = Argon2Hasher()
        elif kind == "cheap":
            hasher = Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)
        else:
            raise ValueError(f"{kind!r} is not a kind of password hash: argon2id or cheap")
        self._hash = PasswordHash((hasher,))
        self._decoy = self._hash.hash(secrets.token_urlsafe(16))

    def hash(self, password: str, *, salt: bytes | None = None) -> str:
        """The hash to store. Only what is looked up by its hash (a PIN) comes with a `salt`."""
        with _AT_ONCE:
            return self._hash.hash(_normal(password), salt=salt)

    def check(self, password: str, stored: str | None) -> Checked:
        """Compare. Where nothing is stored (no such user) it takes as long, and is wrong."""
        with _AT_ONCE:
            right, newer = self._hash.verify_and_update(
                _normal(password)[:MAXIMUM], stored or self._decoy
            )
        return Checked(right and stored is not None, newer if right and stored else None)


@lru_cache(maxsize=4)
def passwords(kind: str = "argon2id") -> Passwords:
    """The shared `Passwords` of that kind."""
    return Passwords(kind)


def refuse_weak(password: str, email: str) -> None:
    """Raises Invalid (field "password") for one that is short, known, or the person's e-mail."""
    text = _normal(password)
    plain = text.casefold()
    if len(text) < MINIMUM:
        message = _(
            "Use at least %(count)s characters; three or four words do well.", count=MINIMUM
        )
    elif len(text) > MAXIMUM:
        message = _("Use at most %(count)s characters.", count=MAXIMUM)
    elif plain in (email.casefold(), email.casefold().split("@")[0]):
        message = _("This is your e-mail address. Choose something that others do not know.")
    elif plain in COMMONEST or len(set(plain)) < 4 or _is_run(plain):
        message = _("This is among the first that an attacker tries. Choose another.")
    else:
        return
    raise Invalid(message, fields={"password": [message]})


def _normal(password: str) -> str:
    # The same key pressed on another keyboard may send another composition of the same letter.
    # Lone surrogates cannot be encoded; they come from broken clients only.
    clean = password.encode("utf-8", "replace").decode("utf-8")
    return unicodedata.normalize("NFKC", clean)


def _is_run(text: str) -> bool:
    steps = {ord(after) - ord(before) for before, after in itertools.pairwise(text)}
    return steps <= {1} or steps <= {-1}
