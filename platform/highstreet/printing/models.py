"""Designs of printed matter, their approved versions, what stores filled in, and pictures.

None of these rows is about a customer.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from highstreet_tenants import append_only
from highstreet_tenants.base import Base, BrandOwned, StoreOwned, brand_fk
from highstreet_tenants.clock import now

STATUSES = ("draft", "approved", "retired")


class PrintTemplate(BrandOwned, Base):
    """A design of head office's, as it is being written. kind, size, window: of `kinds.KINDS`.

    areas: name → text with merge fields, or a picture's digest. store_areas: names of those that
    stores may fill in otherwise. version_id: what was approved last, which stores print. A draft
    may differ from it.
    """

    __tablename__ = "core_print_template"
    __constraints__ = (
        sa.UniqueConstraint("brand_id", "number"),
        sa.CheckConstraint("status IN ('draft', 'approved', 'retired')", name="status"),
    )

    number: Mapped[int]
    name: Mapped[str] = mapped_column(sa.String(80))
    kind: Mapped[str] = mapped_column(sa.String(20))
    size: Mapped[str] = mapped_column(sa.String(20))
    window: Mapped[str] = mapped_column(sa.String(20), default="")
    marks: Mapped[bool] = mapped_column(default=False)
    language: Mapped[str] = mapped_column(sa.String(20))
    areas: Mapped[dict[str, Any]]
    store_areas: Mapped[list[str]] = mapped_column(default=list)
    status: Mapped[str] = mapped_column(sa.String(8), default="draft")
    version_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    changed_by: Mapped[str] = mapped_column(sa.String(120))
    changed_at: Mapped[datetime] = mapped_column(default=now)


class PrintVersion(BrandOwned, Base):
    """A design as it was approved; never changed. digest: SHA-256 of `content`, hex.

    content: the design's fields, and "store_areas", "accent" and "on_accent" of that day.
    """

    __tablename__ = "core_print_version"
    __constraints__ = (
        sa.UniqueConstraint("brand_id", "template_id", "number"),
        brand_fk("template_id", "core_print_template"),
    )

    template_id: Mapped[UUID]
    number: Mapped[int]
    digest: Mapped[str] = mapped_column(sa.String(64))
    content: Mapped[dict[str, Any]]
    approved_by: Mapped[str] = mapped_column(sa.String(120))
    approved_at: Mapped[datetime] = mapped_column(default=now)


append_only.register(Base.metadata.tables[PrintVersion.__tablename__])


class PrintFilling(StoreOwned, Base):
    """What a store fills in of a design's areas that it may; the rest is head office's."""

    __tablename__ = "core_print_filling"
    __personal__ = False
    __constraints__ = (
        sa.UniqueConstraint("brand_id", "template_id", "store_id"),
        brand_fk("template_id", "core_print_template"),
        sa.CheckConstraint("store_id IS NOT NULL", name="store"),
    )

    template_id: Mapped[UUID]
    areas: Mapped[dict[str, Any]]
    changed_by: Mapped[str] = mapped_column(sa.String(120))
    changed_at: Mapped[datetime] = mapped_column(default=now)


class PrintPicture(StoreOwned, Base):
    """A picture that lies among the installation's files under its digest (SHA-256, hex). Head
    office's stand in every store; a store's own in that store alone.

    keeper: the store's id, or the brand's; a nullable column can't stand in a unique key.
    """

    __tablename__ = "core_print_picture"
    __personal__ = False
    __constraints__ = (sa.UniqueConstraint("brand_id", "keeper", "digest"),)

    keeper: Mapped[UUID]
    digest: Mapped[str] = mapped_column(sa.String(64))
    name: Mapped[str] = mapped_column(sa.String(80))
    kind: Mapped[str] = mapped_column(sa.String(4))
    width: Mapped[int]
    height: Mapped[int]
    size: Mapped[int]
    added_by: Mapped[str] = mapped_column(sa.String(120))
    added_at: Mapped[datetime] = mapped_column(default=now)
