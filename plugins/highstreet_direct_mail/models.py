"""Tables of direct mail: what the core's mailings don't know of themselves.

`store_id` of a job and of a standing order is the place that sends (NULL: head office). Of a scan
it is the owner of the customer (NULL where the brand owns its customers); `at_store_id` is where
somebody scanned.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from highstreet.sdk import Base, StoreOwned, brand_fk, clock

KINDS = ("not_seen", "second_visit", "birthday")
ANSWERED, RETURNED = "answered", "returned"
_GOOD = sa.text("undone_at IS NULL")


class Trigger(StoreOwned, Base):
    """A standing order: post to whoever is due, day by day.

    days: not seen for so many, or so many before the birthday; of a second visit, within so many
    days after it. design_id: of the print design, None for a list alone. per_day, per_month: most
    pieces, None for what the settings say. active: whether it runs. ran_on: the last day (the
    place's) that was looked at, outcome: what came of that, "sent", "empty", "busy" (the last
    mailing still runs), "full" (the month's pieces are used up) or "failed".
    """

    __personal__ = False
    __tablename__ = "direct_mail_trigger"
    __constraints__ = (
        sa.CheckConstraint(f"kind IN {KINDS}", name="kind"),
        sa.CheckConstraint("days BETWEEN 1 AND 3650", name="days"),
        sa.Index(None, "brand_id", "active"),
    )

    name: Mapped[str] = mapped_column(sa.String(60))
    kind: Mapped[str] = mapped_column(sa.String(12))
    days: Mapped[int]
    design_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    offer: Mapped[str] = mapped_column(sa.String(200), default="")
    per_day: Mapped[int | None] = mapped_column(default=None)
    per_month: Mapped[int | None] = mapped_column(default=None)
    active: Mapped[bool] = mapped_column(default=False)
    ran_on: Mapped[date | None] = mapped_column(default=None)
    outcome: Mapped[str] = mapped_column(sa.String(8), default="")


class Posting(StoreOwned, Base):
    """A mail job: the core's mailing `mailing_id` with what is this tool's.

    name: as the mailing's, for stores that take the codes of head office's. filters: whom it goes
    to, see `filters`. offer: what an answer brings, in words. response_days: how long a code counts
    from the day the piece went out. piece_minor, fixed_minor: prices when it was planned, minor
    units. trigger_id, day: the standing order that made it, and for which of the place's days.
    """

    __personal__ = False
    __tablename__ = "direct_mail_posting"
    __constraints__ = (
        brand_fk("trigger_id", "direct_mail_trigger"),
        sa.UniqueConstraint("brand_id", "mailing_id"),
        sa.UniqueConstraint("brand_id", "trigger_id", "day"),
        sa.CheckConstraint("response_days BETWEEN 1 AND 366", name="response_days"),
    )

    mailing_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(sa.String(80))
    filters: Mapped[dict[str, Any]] = mapped_column(default=dict)
    offer: Mapped[str] = mapped_column(sa.String(200), default="")
    response_days: Mapped[int]
    piece_minor: Mapped[int] = mapped_column(default=0)
    fixed_minor: Mapped[int] = mapped_column(default=0)
    trigger_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    day: Mapped[date | None] = mapped_column(default=None)


class Scan(StoreOwned, Base):
    """A piece that somebody read in: "answered" at a till by its code, or "returned" by the post.

    Counts once for each code, unless undone. customer_id: whom the piece was meant for, NULL once
    they are erased; came_from: ids of the records it stood with before merges, the latest last.
    purchase_id: the receipt that was named, or found. day: the place's, at: UTC.
    """

    __tablename__ = "direct_mail_scan"
    __constraints__ = (
        brand_fk("posting_id", "direct_mail_posting"),
        brand_fk("customer_id", "core_customer"),
        brand_fk("at_store_id", "core_store"),
        brand_fk("purchase_id", "core_purchase"),
        sa.CheckConstraint("kind IN ('answered', 'returned')", name="kind"),
        sa.Index(
            "ix_direct_mail_scan_once", "brand_id", "kind", "code",
            unique=True, postgresql_where=_GOOD, sqlite_where=_GOOD,
        ),
        sa.Index(None, "brand_id", "posting_id"),
        sa.Index(None, "brand_id", "customer_id"),
        sa.Index(None, "brand_id", "purchase_id"),
        sa.Index("ix_direct_mail_scan_lately", "brand_id", "at_store_id", "at"),
    )  # fmt: skip

    kind: Mapped[str] = mapped_column(sa.String(8))
    code: Mapped[str] = mapped_column(sa.String(12))
    posting_id: Mapped[UUID]
    customer_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    came_from: Mapped[list[str]] = mapped_column(default=list)
    at_store_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    purchase_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    day: Mapped[date]
    at: Mapped[datetime] = mapped_column(default=clock.now)
    actor_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    undone_at: Mapped[datetime | None] = mapped_column(default=None)
