"""What tools add to the consoles' navigation."""

from collections.abc import Callable
from uuid import UUID

from highstreet import host as hosts
from highstreet.host import state
from highstreet.host.plugin import Face, NavEntry
from highstreet_tenants.sessions import ScopedSession


def entries(
    s: ScopedSession, face: Face, may: Callable[[str], bool], store_id: UUID | None = None
) -> list[NavEntry]:
    """The entries of tools that are on, as far as the reader may follow them.

    may: whether the reader holds a permission at this place.
    """
    on = state.enabled(s, store_id)
    return [
        entry
        for name, loaded in hosts.of(s).plugins.items()
        if name in on
        for entry in loaded.plugin.nav
        if entry.face == face and may(entry.permission)
    ]
