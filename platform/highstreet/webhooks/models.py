"""Tables: subscriptions, what happened and is not handed on yet, and what is to be delivered."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from highstreet_tenants.base import Base, BrandOwned, StoreOwned, brand_fk
from highstreet_tenants.clock import now

ACTIVE, PAUSED, DISABLED = "active", "paused", "disabled"
PENDING, SENT, FAILED = "pending", "sent", "failed"
#: Why a webhook was disabled: the receiver said so, nothing was taken for days, its secret can't be
#: read, the store has closed, its address is one that nothing is sent to (any more).
GONE, FAILING, SECRET, CLOSED, ADDRESS = "gone", "failing", "secret", "closed", "address"


class Webhook(StoreOwned, Base):
    """A subscription of a store's, or of head office's (`store_id` null).

    secret, old_secret: sealed; the old ones (a list, see `secrets`) sign as well, the last of them
    until `old_until`. failures: deliveries that failed in a row; while there are, nothing is tried
    before `rest_until`. busy_by: the job that delivers now; if it dies, another may from
    `busy_until` on.
    """

    __tablename__ = "core_webhook"
    __personal__ = False
    __constraints__ = (
        sa.CheckConstraint("status IN ('active', 'paused', 'disabled')", name="status"),
        sa.Index(None, "brand_id", "store_id"),
    )

    name: Mapped[str] = mapped_column(sa.String(80))
    url: Mapped[str] = mapped_column(sa.String(500))
    events: Mapped[list[str]] = mapped_column(sa.JSON())
    secret: Mapped[str] = mapped_column(sa.Text())
    old_secret: Mapped[str | None] = mapped_column(sa.Text(), default=None)
    old_until: Mapped[datetime | None] = mapped_column(default=None)
    status: Mapped[str] = mapped_column(sa.String(8), default=ACTIVE)
    reason: Mapped[str | None] = mapped_column(sa.String(8), default=None)
    status_at: Mapped[datetime] = mapped_column(default=now)
    failures: Mapped[int] = mapped_column(default=0)
    rest_until: Mapped[datetime | None] = mapped_column(default=None)
    last_sent_at: Mapped[datetime | None] = mapped_column(default=None)
    last_failed_at: Mapped[datetime | None] = mapped_column(default=None)
    busy_by: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    busy_until: Mapped[datetime | None] = mapped_column(default=None)
    created_by: Mapped[str] = mapped_column(sa.String(120), default="")
    created_at: Mapped[datetime] = mapped_column(default=now)


class WebhookEvent(StoreOwned, Base):
    """What happened and somebody wants to hear of; gone once deliveries are made of it.

    store_id: whose it is, null for what names nobody or is the club's. place_id: the store whose
    job hands it on, null for the brand's.
    """

    __tablename__ = "core_webhook_event"
    __constraints__ = (sa.Index(None, "brand_id", "place_id", "id"),)

    place_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    type: Mapped[str] = mapped_column(sa.String(80))
    body: Mapped[str] = mapped_column(sa.Text())
    at: Mapped[datetime] = mapped_column()


class WebhookDelivery(StoreOwned, Base):
    """One event for one webhook. `event_id` is its message's id, the same at every try.

    answer: the first characters of what the receiver said, or why nobody did.
    """

    __tablename__ = "core_webhook_delivery"
    __constraints__ = (
        brand_fk("webhook_id", "core_webhook"),
        sa.UniqueConstraint("brand_id", "webhook_id", "event_id"),
        sa.CheckConstraint("status IN ('pending', 'sent', 'failed')", name="status"),
        sa.Index(None, "brand_id", "webhook_id", "status", "due_at"),
        sa.Index(None, "brand_id", "webhook_id", "id"),
        sa.Index(None, "brand_id", "created_at"),
    )

    webhook_id: Mapped[UUID] = mapped_column(sa.Uuid())
    event_id: Mapped[UUID] = mapped_column(sa.Uuid())
    type: Mapped[str] = mapped_column(sa.String(80))
    body: Mapped[str] = mapped_column(sa.Text())
    status: Mapped[str] = mapped_column(sa.String(7), default=PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(default=now)
    first_at: Mapped[datetime | None] = mapped_column(default=None)
    last_at: Mapped[datetime | None] = mapped_column(default=None)
    answer_status: Mapped[int | None] = mapped_column(default=None)
    answer: Mapped[str | None] = mapped_column(sa.String(300), default=None)
    took_ms: Mapped[int | None] = mapped_column(default=None)
    created_at: Mapped[datetime] = mapped_column(default=now)


class WebhookInterest(BrandOwned, Base):
    """A kind of the whole club's events that somebody in the brand has asked for.

    A store can't see what other stores subscribed to; this is all it needs to know of it.
    """

    __tablename__ = "core_webhook_interest"
    __constraints__ = (sa.UniqueConstraint("brand_id", "type"),)

    type: Mapped[str] = mapped_column(sa.String(80))
