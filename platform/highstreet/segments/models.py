"""Tables of segments. A rule names nobody; the people of a list or of a snapshot do."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from highstreet_tenants.base import Base, StoreOwned, brand_fk
from highstreet_tenants.clock import now

KINDS = ("rule", "list")


class Segment(StoreOwned, Base):
    """Customers by a name. Head office's stand in every store; a store's own in that store alone.

    kind: "rule" picks them anew each time (`rule`, as `rules.dump` writes it); "list" is whom
    somebody put into it (`list_id`, a snapshot). digest: of the rule, so that a use can say which.
    """

    __personal__ = False
    __tablename__ = "core_segment"
    __constraints__ = (
        brand_fk("list_id", "core_segment_snapshot"),
        sa.Index(None, "brand_id", "store_id"),
        sa.CheckConstraint("kind IN ('rule', 'list')", name="kind"),
        sa.CheckConstraint("(kind = 'rule') = (list_id IS NULL)", name="list"),
    )

    name: Mapped[str] = mapped_column(sa.String(80))
    about: Mapped[str] = mapped_column(sa.String(400), default="")
    kind: Mapped[str] = mapped_column(sa.String(4))
    rule: Mapped[dict[str, Any]] = mapped_column(default=dict)
    digest: Mapped[str] = mapped_column(sa.String(64), default="")
    list_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    changed_by: Mapped[str] = mapped_column(sa.String(120))
    changed_at: Mapped[datetime] = mapped_column(default=now)
    retired_at: Mapped[datetime | None] = mapped_column(default=None)


class Snapshot(StoreOwned, Base):
    """Who was in a segment at a moment (UTC), and for what use; or the people of a list.

    rule, digest: as they were then. people: how many. used_for: such as "mailing:<id>".
    """

    __personal__ = False
    __tablename__ = "core_segment_snapshot"
    __constraints__ = (
        sa.Index(None, "brand_id", "segment_id", "taken_at"),
        sa.Index(None, "brand_id", "used_for"),
    )

    segment_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    name: Mapped[str] = mapped_column(sa.String(80))
    rule: Mapped[dict[str, Any]] = mapped_column(default=dict)
    digest: Mapped[str] = mapped_column(sa.String(64), default="")
    used_for: Mapped[str] = mapped_column(sa.String(80))
    people: Mapped[int]
    taken_by: Mapped[str] = mapped_column(sa.String(120))
    taken_at: Mapped[datetime] = mapped_column(default=now)


class SnapshotPerson(StoreOwned, Base):
    """One customer of a snapshot, under the id that they had then."""

    __tablename__ = "core_segment_person"
    __constraints__ = (
        brand_fk("snapshot_id", "core_segment_snapshot"),
        brand_fk("customer_id", "core_customer"),
        sa.UniqueConstraint("brand_id", "snapshot_id", "customer_id"),
        sa.Index(None, "brand_id", "customer_id"),
    )

    snapshot_id: Mapped[UUID]
    customer_id: Mapped[UUID]
