"""The one way into the trail."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from highstreet_tenants.cards import mask_payment_cards
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.trail.actions import ACTIONS
from highstreet_tenants.trail.models import TrailEntry

#: Letters of an entry's details, as JSON; what is longer is cut value by value.
MOST = 4_000
_LONGEST = 200


class _Here:
    """The store at hand."""


HERE = _Here()


def record(
    s: ScopedSession,
    action: str,
    kind: str,
    id: UUID | None = None,  # noqa: A002 - the id of what it was done to
    name: str = "",
    *,
    store_id: UUID | _Here | None = HERE,
    details: Mapping[str, Any] | None = None,
    known: Mapping[str, object] = ACTIONS,
) -> None:
    """Write down that the session's actor did `action` to a thing, in the session's transaction.

    kind, id, name: what it was done to; of a customer the id alone, never the name. store_id: the
    store that it concerns, the session's own unless said. details: a few plain facts, such as
    {"role": "store_manager"}; a change is [before, after]. known: the actions there are.

    Raises ValueError for an unknown action, WallBreach in a reading session or for a store out of
    reach.
    """
    if action not in known:
        raise ValueError(f"{action!r} is not an action that the trail knows")
    actor = s.scope.actor
    origin = actor.origin
    words = mask_payment_cards(name)[:200]
    s.add(
        TrailEntry(
            brand_id=s.scope.brand_id,
            store_id=s.scope.store_id if isinstance(store_id, _Here) else store_id,
            actor_kind=actor.kind,
            actor_id=actor.id,
            actor_name=actor.name[:120],
            action=action,
            object_kind=kind,
            object_id=id,
            object_name=words,
            object_key=search_key(words),
            origin_kind=origin.kind if origin else None,
            origin_id=origin.id if origin else None,
            origin_name=origin.name[:64] if origin else "",
            details=_small(details or {}),
        )
    )


def search_key(name: str) -> str:
    """The form in which names of things are compared."""
    return " ".join(name.casefold().split())[:200]


def _small(details: Mapping[str, Any]) -> dict[str, Any]:
    """Plain JSON of a bearable length, without payment cards."""
    plain = json.loads(json.dumps(dict(details), default=str), object_hook=_masked)
    if len(json.dumps(plain)) <= MOST:
        return dict(plain)
    short = {str(k)[:60]: _short(v) for k, v in list(plain.items())[:12]}
    return short | {"cut": True}


def _masked(found: dict[str, Any]) -> dict[str, Any]:
    return {k: mask_payment_cards(v) if isinstance(v, str) else v for k, v in found.items()}


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
