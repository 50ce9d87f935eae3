"""What there is to see of the webhooks of a place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast
from uuid import UUID

import sqlalchemy as sa

from highstreet.webhooks.models import DISABLED, Webhook, WebhookDelivery
from highstreet.webhooks.subscriptions import get, mine
from highstreet_tenants.sessions import ScopedSession

_delivery = cast(sa.Table, WebhookDelivery.__table__)


def listed(s: ScopedSession) -> Sequence[Webhook]:
    """The place's webhooks, in the order in which they were made."""
    return s.scalars(sa.select(Webhook).where(*mine(s)).order_by(Webhook.id)).all()


def disabled(s: ScopedSession) -> Sequence[Webhook]:
    """Those of the place that were switched off by what happened, and wait for somebody."""
    return [one for one in listed(s) if one.status == DISABLED]


def deliveries(
    s: ScopedSession, webhook_id: UUID, *, before: UUID | None = None, limit: int = 50
) -> Sequence[WebhookDelivery]:
    """A webhook's messages, the latest first; before: the id of the last one seen.

    Raises NotFound.
    """
    get(s, webhook_id)
    query = sa.select(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook_id)
    if before is not None:
        query = query.where(WebhookDelivery.id < before)
    return s.scalars(query.order_by(WebhookDelivery.id.desc()).limit(limit)).all()


def counts(s: ScopedSession, webhook_id: UUID) -> dict[str, int]:
    """How many messages are pending, sent, failed. Raises NotFound."""
    get(s, webhook_id)
    rows = s.execute(
        sa.select(_delivery.c.status, sa.func.count().label("many"))
        .where(*s.scope.owns(_delivery), _delivery.c.webhook_id == webhook_id)
        .group_by(_delivery.c.status)
    )
    return {
        "pending": 0,
        "sent": 0,
        "failed": 0,
        **{str(one.status): int(one.many) for one in rows},
    }
