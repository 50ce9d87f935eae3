"""Which design a mailing by post is printed in: pinned when people are selected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from highstreet.customers.text import bad
from highstreet.i18n import gettext as _
from highstreet.printing import queries
from highstreet.printing.kinds import KINDS
from highstreet_tenants.errors import NotFound
from highstreet_tenants.sessions import ScopedSession

#: Where a mailing's content keeps what of its design was approved.
PINNED: Final = "pinned"


class Pinned(Struct, frozen=True):
    """A version, and what the store filled in of it."""

    version_id: UUID
    own: Mapping[str, str]


def pin(s: ScopedSession, content: Mapping[str, Any]) -> dict[str, Any]:
    """The content with the version of its design that holds now, and the store's own words in it.
    One without a design stays as it is. Raises Invalid naming "design"."""
    plain = {name: value for name, value in content.items() if name != PINNED}
    if plain.get("design") in (None, ""):
        return plain
    try:
        design_id = UUID(str(plain["design"]))
        version = queries.current(s, design_id)
    except (ValueError, NotFound):
        raise bad("design", _("Choose a print design that is approved.")) from None
    if not KINDS[version.content["kind"]].per_person:
        raise bad("design", _("This design is for walls and shelves, not for people."))
    own = queries.own(s, design_id)
    return {**plain, PINNED: {"version": str(version.id), "own": own}}


def pinned(content: Mapping[str, Any]) -> Pinned | None:
    """What of its design a mailing was approved with; None where it has none."""
    held = content.get(PINNED)
    return Pinned(UUID(held["version"]), held["own"]) if held else None
