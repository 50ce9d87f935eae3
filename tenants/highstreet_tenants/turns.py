"""One at a time: for what no row stands that could be locked."""

from hashlib import blake2b

from highstreet_tenants.errors import WallBreach
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement

_TAKE = Statement("SELECT 1", postgresql="SELECT pg_advisory_xact_lock(:lock)", returns="none")


def take(s: ScopedSession, *what: object) -> None:
    """Wait until nobody else of the brand has the turn of `what`; it is over with the transaction.

    Take it before any row is locked, or two may wait for each other. On SQLite whoever writes is
    alone already. Raises WallBreach in a reading session.
    """
    if not s.writing:
        raise WallBreach("a reading session has no turn to take: open it with write=True")
    if s.dialect == "sqlite":
        return
    words = "\x1f".join((s.brand_id.hex, *map(str, what)))
    digest = blake2b(words.encode(), digest_size=8, person=b"hs-turns").digest()
    _TAKE(s, lock=int.from_bytes(digest, "big", signed=True))
