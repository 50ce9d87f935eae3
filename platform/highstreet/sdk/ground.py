"""What all of a tool's work stands on: a session, the tool itself, the place, what it declared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from highstreet.host import guard
from highstreet.i18n import gettext as _
from highstreet.i18n import language
from highstreet_tenants.errors import Forbidden
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import ScopedSession

if TYPE_CHECKING:
    from highstreet.host.event_types import EventType
    from highstreet.host.notices import Notice
    from highstreet.host.registry import Loaded


class Ground:
    """The part of `Ctx` that its rooms are built on."""

    __slots__ = ("_loaded", "_s", "store_id")

    def __init__(self, s: ScopedSession, loaded: Loaded, store_id: UUID | None) -> None:
        self._s = s
        self._loaded = loaded
        # In a store's session the place is that store: a tool that took None for it would write
        # the brand's own rows, which every store reads.
        self.store_id = s.scope.store_id if store_id is None else store_id

    @property
    def s(self) -> ScopedSession:
        """The session: the tool's own tables, within the scope. Never commit or roll back."""
        guard.arm(self._s)
        return self._s

    @property
    def plugin(self) -> str:
        """The tool's name."""
        return self._loaded.name

    @property
    def scope(self) -> Scope:
        """Whose rows are within reach, and who acts (`scope.actor`)."""
        return self._s.scope

    @property
    def events_declared(self) -> Sequence[EventType]:
        """The kinds of events that the tool may publish."""
        return self._loaded.plugin.events

    @property
    def notices_declared(self) -> Sequence[Notice]:
        """The messages to members that the tool may send."""
        return self._loaded.plugin.notices

    def need(self, capability: str) -> None:
        """Raise Forbidden unless plugin.toml declares a capability."""
        if capability not in self._loaded.manifest.capabilities:
            raise Forbidden(
                _(
                    "%(tool)s did not declare “%(capability)s” among the capabilities in its"
                    " plugin.toml.",
                    tool=self._loaded.manifest.titled(language()),
                    capability=capability,
                )
            )


class Room:
    """One room's verbs, for one `ctx`."""

    __slots__ = ("_ctx",)

    def __init__(self, ctx: Ground) -> None:
        self._ctx = ctx
