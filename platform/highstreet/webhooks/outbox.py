"""Writing down what happened, in the caller's own transaction, where somebody wants to hear of it.

Who wants what is kept in memory until the brand's state_version moves on, so where nobody
subscribed a sale pays two looks into a dictionary.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from marshmallow import Schema
from msgspec import Struct

from highstreet import jobs
from highstreet.host import state
from highstreet.host.event_types import EventType
from highstreet.webhooks import catalogue
from highstreet.webhooks.models import DISABLED, Webhook, WebhookInterest
from highstreet_tenants.clock import now
from highstreet_tenants.ids import new_id
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement

SPREAD = "core.webhooks.spread"
_WRITE = Statement(
    "INSERT INTO core_webhook_event (brand_id, id, store_id, place_id, type, body, at)"
    " VALUES (:brand_id, :id, :owner_store_id, :place_id, :type, :body, :at)",
    returns="none",
)


class Wishes(Struct, frozen=True):
    """Who wants to hear of what, as far as a scope can see it. Kinds of events by their names.

    office: head office. stores: by store. club: anybody in the brand, of what concerns every store.
    """

    office: frozenset[str]
    stores: Mapping[UUID, frozenset[str]]
    club: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.office or self.stores or self.club)


_NONE = Wishes(frozenset(), {}, frozenset())


class Happened(NamedTuple):
    """One event. at: when it happened (UTC). data: what its kind says, as Python has it."""

    store_id: UUID | None
    at: datetime
    data: Mapping[str, Any]


def wishes(s: ScopedSession) -> Wishes:
    """What is wanted within the scope's reach."""
    if s.info.get("host") is None:
        return _NONE
    kept = state.here(s).kept  # shared for as long as nothing of the brand changes
    key = ("webhooks", s.scope.reach)
    found: Wishes | None = kept.get(key)
    if found is None:
        found = kept[key] = _load(s) or _NONE
    return found


def wanted(s: ScopedSession, kind: str) -> bool:
    """Whether anybody within reach wants to hear of such events; asked before data is put
    together."""
    all_of = wishes(s)
    return all_of is not _NONE and (
        kind in all_of.office
        or kind in all_of.club
        or any(kind in theirs for theirs in all_of.stores.values())
    )


def publish(
    s: ScopedSession,
    kind: str,
    data: Mapping[str, Any],
    *,
    store_id: UUID | None,
    at: datetime | None = None,
) -> None:
    """Write down one event, if somebody wants to hear of it.

    store_id: where it happened, None at head office. at: when, now if not given. Raises ValueError
    for data that is not what the kind's schema says.
    """
    if wishes(s):
        publish_many(s, kind, [Happened(store_id, at or now(), data)])


def publish_many(s: ScopedSession, kind: str, happened: Iterable[Happened]) -> None:
    """Write down many events of a kind, those that somebody wants to hear of."""
    all_of = wishes(s)
    if not all_of:
        return
    one = catalogue.known(s)[kind]
    schema = one.schema()
    rows, lanes = [], set()
    for event in happened:
        route = _route(s, one, all_of, event.store_id)
        if route is None:
            continue
        place_id, owner = route
        lanes.add(place_id)
        rows.append(
            {
                "id": new_id(),
                "owner_store_id": owner,
                "place_id": place_id,
                "type": kind,
                "body": _body(s, one, schema, event),
                "at": now(),
            }
        )
    _WRITE.many(s, rows)
    for place_id in lanes:
        _order(s, place_id)


def _route(
    s: ScopedSession, one: EventType, all_of: Wishes, store_id: UUID | None
) -> tuple[UUID | None, UUID | None] | None:
    """(The store whose job hands it on, the store that owns it), None where nobody listens."""
    if one.club and s.customers == "brand":
        return (None, None) if one.name in all_of.club else None
    own = store_id is not None and one.name in all_of.stores.get(store_id, ())
    office = one.name in all_of.office and (not one.personal or s.customers == "brand")
    if not own and not office:
        return None
    return store_id if own else None, store_id if one.personal else None


def _body(s: ScopedSession, one: EventType, schema: Schema, event: Happened) -> str:
    if set(event.data) != set(schema.fields):
        raise ValueError(
            f"{one.name} says {', '.join(sorted(schema.fields))},"
            f" not {', '.join(sorted(event.data))}"
        )
    place = state.place(s, event.store_id) if event.store_id is not None else None
    data = schema.dump(event.data)
    data["store_id"] = str(event.store_id) if event.store_id else None
    data["store"] = place.code if place else None
    return json.dumps(
        {"type": one.name, "timestamp": event.at.isoformat(), "data": data},
        separators=(",", ":"),
        ensure_ascii=False,
    )


def _order(s: ScopedSession, place_id: UUID | None) -> None:
    """Have what was written handed on: a job for each transaction that wrote something.

    Never one job for several: that which runs may have looked before this one commits.
    """
    memory = state.memory(s)  # a savepoint that is rolled back takes the job and this with it
    if memory.get((SPREAD, place_id)) is None:
        memory[SPREAD, place_id] = True
        jobs.enqueue(s, SPREAD, store_id=place_id)


def _load(s: ScopedSession) -> Wishes:
    office: set[str] = set()
    stores: dict[UUID, set[str]] = {}
    for store_id, kinds in s.execute(
        sa.select(Webhook.store_id, Webhook.events).where(Webhook.status != DISABLED)
    ):
        (office if store_id is None else stores.setdefault(store_id, set())).update(kinds)
    club = s.scalars(sa.select(WebhookInterest.type)).all()
    return Wishes(
        frozenset(office),
        {one: frozenset(kinds) for one, kinds in stores.items()},
        frozenset(club) if s.customers == "brand" else frozenset(),
    )
