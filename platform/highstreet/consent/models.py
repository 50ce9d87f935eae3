"""Tables of consent. Events are never changed or deleted: the database itself refuses.

So they hold no personal data: what proves an event (an address, a scan's name, an IP) stands in a
table of its own, which erasure empties.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from highstreet_tenants import append_only
from highstreet_tenants.base import Base, BrandOwned, StoreOwned, brand_fk
from highstreet_tenants.clock import now


class Wording(BrandOwned, Base):
    """The exact words that were shown when somebody agreed; one row for each text."""

    __tablename__ = "core_consent_wording"
    __constraints__ = (sa.UniqueConstraint("brand_id", "digest"),)

    digest: Mapped[str] = mapped_column(sa.String(64))
    version: Mapped[str] = mapped_column(sa.String(40))
    text: Mapped[str] = mapped_column(sa.String(4000))
    first_used_at: Mapped[datetime] = mapped_column(default=now)


class ConsentEvent(StoreOwned, Base):
    """That consent was given or withdrawn, for a purpose, on a channel, to a controller.

    owner_id: the legal entity that is the controller; None for the brand itself. "*" as purpose or
    channel stands for all of them (withdrawals only). at: when it was said, UTC.
    """

    __tablename__ = "core_consent_event"
    __constraints__ = (
        brand_fk("customer_id", "core_customer"),
        brand_fk("owner_id", "core_owner"),
        brand_fk("wording_id", "core_consent_wording"),
        sa.Index(None, "brand_id", "customer_id"),
        sa.CheckConstraint("status IN ('given', 'withdrawn')", name="status"),
        sa.CheckConstraint(
            "status = 'withdrawn' OR (purpose <> '*' AND channel <> '*')", name="specific"
        ),
    )

    customer_id: Mapped[UUID]
    purpose: Mapped[str] = mapped_column(sa.String(40))
    channel: Mapped[str] = mapped_column(sa.String(20))
    owner_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    status: Mapped[str] = mapped_column(sa.String(9))
    wording_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    method: Mapped[str] = mapped_column(sa.String(40))
    actor_kind: Mapped[str] = mapped_column(sa.String(10))
    actor_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(default=now)


class ConsentEvidence(StoreOwned, Base):
    """What proves an event; personal, so erased with the person."""

    __tablename__ = "core_consent_evidence"
    __constraints__ = (
        brand_fk("event_id", "core_consent_event"),
        brand_fk("customer_id", "core_customer"),
        sa.UniqueConstraint("brand_id", "event_id"),
        sa.Index(None, "brand_id", "customer_id"),
    )

    event_id: Mapped[UUID]
    customer_id: Mapped[UUID]
    evidence: Mapped[str] = mapped_column(sa.String(1000))


append_only.register(ConsentEvent.metadata.tables[ConsentEvent.__tablename__])
