"""Identifiers: UUIDv7 (RFC 9562), so that rows written together lie together in the index."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A fresh, time-ordered id. Ordered per process only: where order matters, keep a `seq`."""
    return uuid7()
