"""How rooms above take part when customers merge, are exported or erased.

Rooms may import only downwards, so the ones that hold a customer's purchases, timeline and consent
register here what they do. A verb that needs them all refuses to run while one is missing, for an
export without the purchases would be wrong without anyone noticing.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from highstreet.i18n import LazyText
from highstreet_tenants.sessions import ScopedSession


class Part(Protocol):
    """What a room does with its rows of a customer. `ids`: the record and all merged into it."""

    name: str

    def export(self, s: ScopedSession, ids: list[UUID]) -> Any:
        """All of it, as JSON-able values."""

    def merge(self, s: ScopedSession, keep_id: UUID, gone_id: UUID) -> dict[str, Any]:
        """Called before the two records become one; gives what undoing would need."""

    def unmerge(self, s: ScopedSession, kept: list[UUID], back: list[UUID]) -> dict[str, int]:
        """Called before two records part again, with the ids that stay one and those that come back
        as another; gives counts of what goes back."""

    def erase(self, s: ScopedSession, ids: list[UUID]) -> dict[str, int]:
        """Remove what is personal; gives counts."""


class Teller(Protocol):
    """Writes what happened to a customer into the timeline."""

    def __call__(
        self,
        s: ScopedSession,
        customer_id: UUID,
        kind: str,
        title: LazyText,
        *,
        occurred_at: datetime,
        data: dict[str, Any] | None = None,
    ) -> object:
        """Write one entry."""


EXPECTED = ("addresses", "consent", "purchases", "timeline")
_parts: dict[str, Part] = {}
_tellers: list[Teller] = []
_listeners: list[Callable[[ScopedSession, UUID], object]] = []


def register(part: Part) -> None:
    """Let a room take part. Registering again replaces."""
    _parts[part.name] = part


def register_teller(teller: Teller) -> None:
    """Let the timeline hear what this room does."""
    _tellers[:] = [teller]


def register_listener(listener: Callable[[ScopedSession, UUID], object]) -> None:
    """Let a room hear that a customer's name changed. Registering again changes nothing."""
    if listener not in _listeners:
        _listeners.append(listener)


def renamed(s: ScopedSession, customer_id: UUID) -> None:
    """Say that a customer has another name now; it is written already."""
    for listener in _listeners:
        listener(s, customer_id)


def everyone() -> list[Part]:
    """Every part: those of EXPECTED, then any others. Raises RuntimeError if one is missing."""
    missing = [name for name in EXPECTED if name not in _parts]
    if missing:
        raise RuntimeError(f"import highstreet.{missing[0]} first: its part is not registered")
    others = sorted(_parts.keys() - set(EXPECTED))
    return [_parts[name] for name in (*EXPECTED, *others)]


def tell(
    s: ScopedSession,
    customer_id: UUID,
    kind: str,
    title: LazyText,
    *,
    occurred_at: datetime,
    data: dict[str, Any] | None = None,
) -> None:
    """Write into the customer's timeline. Raises RuntimeError if there is no timeline."""
    if not _tellers:
        raise RuntimeError("import highstreet.timeline first: nobody writes the timeline")
    for teller in _tellers:
        teller(s, customer_id, kind, title, occurred_at=occurred_at, data=data)
