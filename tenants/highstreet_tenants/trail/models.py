"""The trail's table."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from highstreet_tenants import append_only
from highstreet_tenants.base import Base, StoreOwned
from highstreet_tenants.clock import now


class TrailEntry(StoreOwned, Base):
    """Somebody did something. `store_id`: the store that it concerns; None, the whole brand.

    `action` is a slug such as "key.created" (a tool's begins with its name), `object_*` what it was
    done to: `object_name` is its name as it was then, never a customer's; `object_key` the same as
    it is searched for. `origin_*`: the signed-in device or till through which it came.
    """

    __tablename__ = "core_trail_entry"
    # It names people who work here, and customers by id alone: head office sees every store's.
    __personal__ = False
    __constraints__ = (
        sa.Index("ix_core_trail_entry_at", "brand_id", "at", "id"),
        sa.Index("ix_core_trail_entry_store", "brand_id", "store_id", "at", "id"),
        sa.Index("ix_core_trail_entry_actor", "brand_id", "actor_id", "at", "id"),
        sa.Index("ix_core_trail_entry_action", "brand_id", "action", "at", "id"),
        sa.Index("ix_core_trail_entry_object", "brand_id", "object_id", "at", "id"),
        sa.Index("ix_core_trail_entry_name", "brand_id", "object_key", "at", "id"),
    )

    at: Mapped[datetime] = mapped_column(default=now)
    actor_kind: Mapped[str] = mapped_column(sa.String(8))
    actor_id: Mapped[UUID | None] = mapped_column(default=None)
    actor_name: Mapped[str] = mapped_column(sa.String(120))
    action: Mapped[str] = mapped_column(sa.String(80))
    object_kind: Mapped[str] = mapped_column(sa.String(20))
    object_id: Mapped[UUID | None] = mapped_column(default=None)
    object_name: Mapped[str] = mapped_column(sa.String(200), default="")
    object_key: Mapped[str] = mapped_column(sa.String(200), default="")
    origin_kind: Mapped[str | None] = mapped_column(sa.String(8), default=None)
    origin_id: Mapped[UUID | None] = mapped_column(default=None)
    origin_name: Mapped[str] = mapped_column(sa.String(64), default="")
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)


append_only.register(Base.metadata.tables[TrailEntry.__tablename__])
