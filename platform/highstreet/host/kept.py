"""A bounded memory of what a brand's stores resolve to, stale as soon as their version moves on."""

from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """Values by key, each with the version it was made for. Safe between threads.

    The oldest entry goes when `limit` is reached; a brand of more places than that pays a query
    where it would have found one, nothing else.
    """

    __slots__ = ("_entries", "_limit", "_lock")

    def __init__(self, limit: int) -> None:
        self._entries: dict[object, tuple[int, T]] = {}
        self._limit = limit
        self._lock = Lock()

    def get(self, key: object, version: int) -> T | None:
        """The value kept for this key and version, or None."""
        entry = self._entries.get(key)
        return entry[1] if entry is not None and entry[0] == version else None

    def put(self, key: object, version: int, value: T) -> None:
        """Keep a value, unless a newer version's is there already."""
        with self._lock:
            entry = self._entries.pop(key, None)
            if entry is not None and entry[0] > version:
                self._entries[key] = entry
                return
            while len(self._entries) >= self._limit:
                del self._entries[next(iter(self._entries))]
            self._entries[key] = (version, value)

    def __len__(self) -> int:
        return len(self._entries)
