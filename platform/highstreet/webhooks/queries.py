"""What there is to see of the webhooks of a place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, cast
from uuid import UUID

import sqlalchemy as sa

from highstreet.webhooks.models import DISABLED, FAILED, PENDING, Webhook, WebhookDelivery
from highstreet.webhooks.subscriptions import get, mine, no_delivery
from highstreet_tenants.sessions import ScopedSession

_delivery = cast(sa.Table, WebhookDelivery.__table__)


class Undelivered(NamedTuple):
    """Messages that wait to be tried (again), and those that were given up."""

    pending: int
    failed: int

    @property
    def all(self) -> int:
        """Both together."""
        return self.pending + self.failed


def listed(s: ScopedSession) -> Sequence[Webhook]:
    """The place's webhooks, in the order in which they were made."""
    return s.scalars(sa.select(Webhook).where(*mine(s)).order_by(Webhook.id)).all()


def everywhere(s: ScopedSession) -> Sequence[Webhook]:
    """All webhooks of the whole brand that the scope reaches: for whoever runs the installation.

    A store's scope gets its own alone.
    """
    query = sa.select(Webhook)
    if s.store_id is not None:
        query = query.where(*mine(s))
    return s.scalars(query.order_by(Webhook.store_id, Webhook.id)).all()


def disabled(s: ScopedSession) -> list[tuple[Webhook, int]]:
    """Those of the place that were switched off by what happened, and wait for somebody; each with
    how many messages did not get there."""
    off = [one for one in listed(s) if one.status == DISABLED]
    waiting = undelivered(s, [one.id for one in off])
    return [(one, waiting[one.id].all) for one in off]


def deliveries(
    s: ScopedSession,
    webhook_id: UUID,
    *,
    status: str | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> Sequence[WebhookDelivery]:
    """A webhook's messages, the latest first; before: the id of the last one seen. status:
    pending, sent or failed, any unless named.

    Raises NotFound.
    """
    get(s, webhook_id)
    query = sa.select(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook_id)
    if before is not None:
        query = query.where(WebhookDelivery.id < before)
    if status is not None:
        query = query.where(WebhookDelivery.status == status)
    return s.scalars(query.order_by(WebhookDelivery.id.desc()).limit(limit)).all()


def delivery(s: ScopedSession, webhook_id: UUID, delivery_id: UUID) -> WebhookDelivery:
    """One message. Raises NotFound."""
    get(s, webhook_id)
    row = s.scalar(
        sa.select(WebhookDelivery).where(
            WebhookDelivery.webhook_id == webhook_id, WebhookDelivery.id == delivery_id
        )
    )
    if row is None:
        raise no_delivery()
    return row


def undelivered(s: ScopedSession, ids: Iterable[UUID]) -> dict[UUID, Undelivered]:
    """Of some of the place's webhooks, by id, how many messages did not get there."""
    wanted = list(ids)
    if not wanted:
        return {}
    found = {one: Undelivered(0, 0) for one in wanted}
    rows = s.execute(
        sa.select(_delivery.c.webhook_id, _delivery.c.status, sa.func.count().label("many"))
        .where(
            *s.scope.owns(_delivery),
            _delivery.c.webhook_id.in_(wanted),
            _delivery.c.status.in_((PENDING, FAILED)),
        )
        .group_by(_delivery.c.webhook_id, _delivery.c.status)
    )
    for webhook_id, status, many in rows:
        found[webhook_id] = found[webhook_id]._replace(**{status: int(many)})
    return found


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
