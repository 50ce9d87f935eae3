"""The one table that every tool writes a customer's story to."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from highstreet_tenants.base import Base, StoreOwned, brand_fk
from highstreet_tenants.clock import now


class TimelineEntry(StoreOwned, Base):
    """Something that happened with a customer.

    title: an English message, translated when shown, whose `%(name)s` places are filled from
    `data`. source: "core" or the tool that wrote it. ref_id: the row it is about. Times are UTC.
    """

    __tablename__ = "core_timeline_entry"
    __constraints__ = (
        brand_fk("customer_id", "core_customer"),
        sa.Index(None, "brand_id", "customer_id", "occurred_at", "id"),
    )

    customer_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(sa.String(60))
    title: Mapped[str] = mapped_column(sa.String(300))
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    source: Mapped[str] = mapped_column(sa.String(60), default="core")
    ref_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(default=now)
