"""Campaigns, whom they reach, and how each store stands. Who did what stands in the trail.

None of these rows is about a customer.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from highstreet_tenants.base import Base, BrandOwned, StoreOwned, brand_fk
from highstreet_tenants.clock import now

PARTICIPATIONS = ("mandatory", "opt_out", "opt_in")
REACHES = ("brand", "regions", "stores")
STATUSES = ("draft", "approved", "launched", "stopped")


def _one_of(column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    return sa.CheckConstraint(
        f"{column} IN ({', '.join(repr(value) for value in values)})", name=column
    )


class Campaign(BrandOwned, Base):
    """A campaign of head office's. Whether a launched one is scheduled, running or finished is told
    by the clock, from `begins_at` and `ends_at`: when it begins in the first store and ends in the
    last (UTC; set by the launch). reached_at: when the launch had been to every store there was.

    number: counted in the brand, for people to name it by. action: of a tool's, `<tool>.<what>`.
    terms: as the action's schema dumps them, money in minor units of `currency`. store_fields:
    names of terms that stores may change → their bounds ({"min": …, "max": …}, or {}).
    """

    __tablename__ = "core_campaign"
    __constraints__ = (
        sa.UniqueConstraint("brand_id", "number"),
        sa.Index(None, "brand_id", "status"),
        _one_of("participation", PARTICIPATIONS),
        _one_of("reach", REACHES),
        _one_of("status", STATUSES),
        sa.CheckConstraint("last_day >= first_day", name="days"),
    )

    number: Mapped[int]
    name: Mapped[str] = mapped_column(sa.String(80))
    description: Mapped[str] = mapped_column(sa.String(1000), default="")
    first_day: Mapped[date] = mapped_column(sa.Date())
    last_day: Mapped[date] = mapped_column(sa.Date())
    participation: Mapped[str] = mapped_column(sa.String(9))
    reach: Mapped[str] = mapped_column(sa.String(7), default="brand")
    action: Mapped[str] = mapped_column(sa.String(80))
    terms: Mapped[dict[str, Any]]
    store_fields: Mapped[dict[str, Any]] = mapped_column(default=dict)
    currency: Mapped[str] = mapped_column(sa.String(3))
    status: Mapped[str] = mapped_column(sa.String(8), default="draft")
    changed_by: Mapped[str] = mapped_column(sa.String(120))
    changed_at: Mapped[datetime] = mapped_column(default=now)
    approved_by: Mapped[str | None] = mapped_column(sa.String(120), default=None)
    approved_at: Mapped[datetime | None] = mapped_column(default=None)
    launched_by: Mapped[str | None] = mapped_column(sa.String(120), default=None)
    launched_at: Mapped[datetime | None] = mapped_column(default=None)
    reached_at: Mapped[datetime | None] = mapped_column(default=None)
    begins_at: Mapped[datetime | None] = mapped_column(default=None)
    ends_at: Mapped[datetime | None] = mapped_column(default=None)
    stopped_by: Mapped[str | None] = mapped_column(sa.String(120), default=None)
    stopped_at: Mapped[datetime | None] = mapped_column(default=None)
    stop_reason: Mapped[str] = mapped_column(sa.String(300), default="")


class CampaignReach(StoreOwned, Base):
    """One region or one store that a campaign is for; none where it is for the whole brand.

    node_id: the region's or the store's id.
    """

    __tablename__ = "core_campaign_reach"
    __personal__ = False
    __constraints__ = (
        sa.UniqueConstraint("brand_id", "campaign_id", "node_id"),
        brand_fk("campaign_id", "core_campaign"),
        brand_fk("region_id", "core_region"),
        sa.CheckConstraint("(region_id IS NULL) <> (store_id IS NULL)", name="one"),
    )

    campaign_id: Mapped[UUID]
    node_id: Mapped[UUID]
    region_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)


class CampaignPart(StoreOwned, Base):
    """How one store stands to one campaign; written once, by the launch.

    begins_at, ends_at: when it runs there (UTC; from then on, until before then). answer: "in" or
    "out", NULL while the store has said nothing. own: terms that the store has changed.
    """

    __tablename__ = "core_campaign_part"
    __personal__ = False
    __constraints__ = (
        sa.UniqueConstraint("brand_id", "campaign_id", "store_id"),
        brand_fk("campaign_id", "core_campaign"),
        sa.Index(None, "brand_id", "store_id", "ends_at"),
        sa.CheckConstraint("answer IN ('in', 'out')", name="answer"),
        sa.CheckConstraint("store_id IS NOT NULL", name="store"),
    )

    campaign_id: Mapped[UUID]
    begins_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    answer: Mapped[str | None] = mapped_column(sa.String(3), default=None)
    own: Mapped[dict[str, Any]] = mapped_column(default=dict)
    said_by: Mapped[str | None] = mapped_column(sa.String(120), default=None)
    said_at: Mapped[datetime | None] = mapped_column(default=None)
    reached_at: Mapped[datetime] = mapped_column(default=now)
