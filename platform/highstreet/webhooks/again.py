"""Trying a webhook, and sending again what it was sent or should have been.

Every verb works for the scope's place: a store's own webhooks, or head office's.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import cast
from uuid import UUID

import sqlalchemy as sa

from highstreet.i18n import gettext as _
from highstreet.webhooks import catalogue, queries, retention, subscriptions
from highstreet.webhooks.models import (
    ACTIVE,
    FAILED,
    PENDING,
    Webhook,
    WebhookDelivery,
)
from highstreet.webhooks.subscriptions import get, no_delivery, order
from highstreet_tenants import bulk
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Conflict
from highstreet_tenants.ids import new_id
from highstreet_tenants.sessions import ScopedSession

_delivery = cast(sa.Table, WebhookDelivery.__table__)


def test(s: ScopedSession, webhook_id: UUID) -> UUID:
    """Send a message that says it is a test; gives the delivery's id. Raises NotFound, Conflict."""
    row = _on(s, webhook_id)
    body = {"type": catalogue.TEST, "timestamp": now().isoformat(), "data": {"webhook": row.name}}
    made = new_id()
    # Not by the ORM: head office's names nobody, and so no store, in a table that is about people.
    bulk.insert(
        s,
        _delivery,
        [
            {
                "id": made,
                "store_id": row.store_id,
                "webhook_id": row.id,
                "event_id": new_id(),
                "type": catalogue.TEST,
                "body": json.dumps(body, ensure_ascii=False, separators=(",", ":")),
                "status": PENDING,
                "attempts": 0,
                "due_at": now(),
                "created_at": now(),
            }
        ],
    )
    order(s, row)
    retention.order(s)
    return made


def resume(s: ScopedSession, webhook_id: UUID) -> int:
    """Switch on again what was switched off, and send all that did not get there; gives how many.
    What is on already stays on.

    Raises NotFound, Conflict.
    """
    row = subscriptions.switch(s, webhook_id, True)
    waiting = queries.undelivered(s, [row.id])[row.id].all  # also what was never tried
    resend_failed(s, webhook_id)
    return waiting


def resend(s: ScopedSession, webhook_id: UUID, delivery_id: UUID) -> None:
    """Send one message again, with the same id, whatever became of it.

    Raises NotFound, Conflict.
    """
    row = _on(s, webhook_id)
    if not _again(s, row, _delivery.c.id == delivery_id):
        raise no_delivery()


def resend_failed(s: ScopedSession, webhook_id: UUID, since: datetime | None = None) -> int:
    """Send again what failed, or waits for another try; since (aware): what happened from then on.

    Gives how many. Raises NotFound, Conflict.
    """
    row = _on(s, webhook_id)
    return _again(
        s,
        row,
        sa.or_(
            _delivery.c.status == FAILED,
            sa.and_(_delivery.c.status == PENDING, _delivery.c.attempts > 0),
        ),
        sa.true() if since is None else _delivery.c.created_at >= since,
    )


def _on(s: ScopedSession, webhook_id: UUID) -> Webhook:
    row = get(s, webhook_id, lock=True)
    if row.status != ACTIVE:
        raise Conflict(_("Switch the webhook on first."))
    return row


def _again(s: ScopedSession, row: Webhook, *which: sa.ColumnElement[bool]) -> int:
    at = now()
    done = s.execute(
        sa.update(_delivery)
        .where(*s.scope.owns(_delivery), _delivery.c.webhook_id == row.id, *which)
        .values(status=PENDING, attempts=0, first_at=None, due_at=at)
        .returning(_delivery.c.id)
    ).all()
    row.rest_until = None
    s.flush()
    if done:
        order(s, row)
    return len(done)
