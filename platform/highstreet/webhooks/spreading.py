"""From what happened to a delivery for each webhook that wants it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa

from highstreet import jobs
from highstreet.host import state
from highstreet.jobs import JobHandler, handler
from highstreet.webhooks import catalogue, outbox, retention, subscriptions
from highstreet.webhooks.models import (
    ACTIVE,
    CLOSED,
    DISABLED,
    Webhook,
    WebhookDelivery,
    WebhookEvent,
    WebhookInterest,
)
from highstreet_tenants import bulk
from highstreet_tenants.clock import now
from highstreet_tenants.ids import new_id
from highstreet_tenants.sessions import ScopedSession

CHUNK = 500
_event = cast(sa.Table, WebhookEvent.__table__)
_delivery = cast(sa.Table, WebhookDelivery.__table__)


@handler(outbox.SPREAD, max_seconds=300)
def spread_job(s: ScopedSession, _payload: Mapping[str, Any]) -> None:
    """What a store, or the brand, has to hand on."""
    if spread(s) == CHUNK:
        jobs.enqueue(s, outbox.SPREAD)


@handler("core.webhooks.forget-interest", max_seconds=300)
def forget_interest_job(s: ScopedSession, _payload: Mapping[str, Any]) -> None:
    """The last who asked for something of the whole club has gone: no store writes it down."""
    if s.store_id is None:
        forget_interest(s)


def forget_interest(s: ScopedSession) -> int:
    """Delete the brand's interest in what no webhook asks for any more; gives in how many kinds.

    Nobody subscribes meanwhile: `subscribe` and `change` take the same turn.
    """
    state.one_at_a_time(s)
    asked = {kind for events in s.scalars(sa.select(Webhook.events)) for kind in events}
    left = [one for one in s.scalars(sa.select(WebhookInterest)) if one.type not in asked]
    for one in left:
        s.delete(one)
    if left:
        s.flush()
        state.touch(s)
    return len(left)


def spread(s: ScopedSession) -> int:
    """Make deliveries of up to `CHUNK` events of the scope's place; gives of how many."""
    here = _event.c.place_id.is_(None) if s.store_id is None else _event.c.place_id == s.store_id
    events = s.execute(
        sa.select(_event.c.id, _event.c.store_id, _event.c.type, _event.c.body, _event.c.at)
        .where(*s.scope.owns(_event), here)
        .order_by(_event.c.id)
        .limit(CHUNK)
        .with_for_update(skip_locked=True)
    ).all()
    if not events:
        return 0
    # Under lock: a job that is about to end looks once more for what was written meanwhile.
    webhooks = s.scalars(
        sa.select(Webhook)
        .where(Webhook.status != DISABLED)
        .order_by(Webhook.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    if s.store_id is not None and not state.place(s).open:
        for one in webhooks:
            if one.store_id == s.store_id:
                subscriptions.disable(s, one, CLOSED)
        webhooks = [one for one in webhooks if one.store_id is None]
    rows = _rows(s, events, webhooks)
    bulk.insert(s, _delivery, rows)
    s.execute(
        sa.delete(_event).where(*s.scope.owns(_event), _event.c.id.in_([one.id for one in events]))
    )
    told = {row["webhook_id"] for row in rows}
    for one in webhooks:
        if one.id in told and one.status == ACTIVE:
            subscriptions.order(s, one)
    if rows:
        retention.order(s)
    if s.store_id is None and {one.type for one in events} - {row["type"] for row in rows}:
        jobs.enqueue(s, forget_interest_job.name, unique_key=forget_interest_job.name)
    return len(events)


def _rows(
    s: ScopedSession, events: Sequence[Any], webhooks: Sequence[Webhook]
) -> list[dict[str, Any]]:
    kinds = catalogue.known(s)
    at = now()
    rows: list[dict[str, Any]] = []
    for event in events:
        kind = kinds.get(event.type)
        if kind is None:
            continue  # its tool was removed a moment ago
        club = kind.club and s.customers == "brand"
        tool = catalogue.tool_of(kind)
        for one in webhooks:
            if event.type not in one.events or one.created_at > event.at:
                continue
            if one.store_id is None:
                if kind.personal and s.customers != "brand":
                    continue
            elif not (club or one.store_id == s.store_id):
                continue
            elif club and tool is not None and not state.is_on(s, tool, one.store_id):
                continue  # it happened in another store: here the tool is off
            owner: UUID | None = one.store_id or event.store_id
            rows.append(
                {
                    "id": new_id(),
                    "store_id": owner,
                    "webhook_id": one.id,
                    "event_id": event.id,
                    "type": event.type,
                    "body": event.body,
                    "status": "pending",
                    "attempts": 0,
                    "due_at": at,
                    "created_at": at,
                }
            )
    return rows


JOBS: tuple[JobHandler, ...] = (spread_job, forget_interest_job, retention.purge_job)
