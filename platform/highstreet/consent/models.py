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


class ContactSuppression(StoreOwned, Base):
    """Why somebody must not be contacted on a channel ("*": on any), whatever they agreed to.

    reason: see `facts.SUPPRESSIONS`. address: the e-mail address that it holds for, address_id: the
    postal one; with another it holds no longer. source: who or what says so; actor_kind, actor_id:
    who wrote it down (every store of a club reads the row, so it names nobody; the trail does). at,
    until, lifted_at: UTC; until None: for good.
    """

    __tablename__ = "core_contact_suppression"
    __constraints__ = (
        brand_fk("customer_id", "core_customer"),
        sa.Index(None, "brand_id", "customer_id"),
        sa.Index(
            "ix_core_contact_suppression_open",
            "brand_id",
            "channel",
            postgresql_where=sa.text("lifted_at IS NULL"),
            sqlite_where=sa.text("lifted_at IS NULL"),
        ),
    )

    customer_id: Mapped[UUID]
    reason: Mapped[str] = mapped_column(sa.String(20))
    channel: Mapped[str] = mapped_column(sa.String(20), default="*")
    address: Mapped[str | None] = mapped_column(sa.String(320), default=None)
    address_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    source: Mapped[str] = mapped_column(sa.String(40))
    actor_kind: Mapped[str] = mapped_column(sa.String(10))
    actor_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    at: Mapped[datetime] = mapped_column(default=now)
    until: Mapped[datetime | None] = mapped_column(default=None)
    lifted_at: Mapped[datetime | None] = mapped_column(default=None)


class ContactRule(BrandOwned, Base):
    """What head office lays down about contacting people, for the brand, a region or a store.

    kind "cap": at most `most` contacts on `channel` ("*": on all together) within `days`, whoever
    of the brand, its regions and stores they come from. kind "quiet": not from `starts` to `ends`
    (minutes of the day in the place's zone; past midnight if it ends before it starts). kind
    "basis": on `channel` no yes is needed, only that they did not refuse.
    """

    __tablename__ = "core_contact_rule"
    __constraints__ = (
        brand_fk("region_id", "core_region"),
        brand_fk("place_id", "core_store"),
        sa.CheckConstraint("kind IN ('cap', 'quiet', 'basis')", name="kind"),
        sa.CheckConstraint("region_id IS NULL OR place_id IS NULL", name="place"),
    )

    kind: Mapped[str] = mapped_column(sa.String(5))
    channel: Mapped[str] = mapped_column(sa.String(20))
    region_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    place_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    most: Mapped[int | None] = mapped_column(default=None)
    days: Mapped[int | None] = mapped_column(default=None)
    starts: Mapped[int | None] = mapped_column(default=None)
    ends: Mapped[int | None] = mapped_column(default=None)
    changed_by: Mapped[str] = mapped_column(sa.String(120))
    changed_at: Mapped[datetime] = mapped_column(default=now)


class Contact(StoreOwned, Base):
    """That somebody was contacted: a piece of post was made, a message handed over.

    The row is its customer's owner's, so that every store of a club counts it. sender_id: the store
    that sent it, None head office. used_for: such as "mailing:<id>". at: UTC.
    """

    __tablename__ = "core_contact"
    __constraints__ = (
        brand_fk("customer_id", "core_customer"),
        brand_fk("sender_id", "core_store"),
        sa.UniqueConstraint("brand_id", "customer_id", "channel", "used_for"),
        sa.Index(None, "brand_id", "at"),
    )

    customer_id: Mapped[UUID]
    channel: Mapped[str] = mapped_column(sa.String(20))
    purpose: Mapped[str] = mapped_column(sa.String(40))
    sender_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    used_for: Mapped[str] = mapped_column(sa.String(80))
    at: Mapped[datetime] = mapped_column(default=now)


append_only.register(ConsentEvent.metadata.tables[ConsentEvent.__tablename__])
