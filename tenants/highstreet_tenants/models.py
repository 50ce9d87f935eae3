"""The tree: a brand, its regions, the legal entities that own stores, and the stores."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from highstreet_tenants.base import Base, BrandOwned, brand_fk
from highstreet_tenants.clock import now
from highstreet_tenants.ids import new_id


class Brand(Base):
    """A franchise. Control plane: it is read before a scope exists.

    `second_factor_roles`: whoever holds one of these roles in the brand needs a second factor.
    `customers` says who owns customer records: "store" (each store its own database) or "brand"
    (one club); it can't change once there are customers. `state_version` counts changes of tools,
    policy and settings, so that what is kept in memory knows when it is stale.
    """

    __tablename__ = "core_brand"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    slug: Mapped[str] = mapped_column(sa.String(60), unique=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    currency: Mapped[str] = mapped_column(sa.String(3))
    locale: Mapped[str] = mapped_column(sa.String(20))
    zone: Mapped[str] = mapped_column(sa.String(60))
    customers: Mapped[str] = mapped_column(sa.String(5))
    accent: Mapped[str | None] = mapped_column(sa.String(7), default=None)
    second_factor_roles: Mapped[list[str]] = mapped_column(default=list)
    state_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=now)

    __table_args__ = (sa.CheckConstraint("customers IN ('brand', 'store')", name="customers"),)


class Region(BrandOwned, Base):
    """A part of a brand; it may narrow what head office allows."""

    __tablename__ = "core_region"
    __constraints__ = (sa.UniqueConstraint("brand_id", "slug"),)

    slug: Mapped[str] = mapped_column(sa.String(60))
    name: Mapped[str] = mapped_column(sa.String(120))


class Owner(BrandOwned, Base):
    """A legal entity that holds one or more stores of a brand."""

    __tablename__ = "core_owner"
    __constraints__ = (sa.UniqueConstraint("brand_id", "slug"),)

    slug: Mapped[str] = mapped_column(sa.String(60))
    name: Mapped[str] = mapped_column(sa.String(120))
    legal_name: Mapped[str] = mapped_column(sa.String(200))


class Store(BrandOwned, Base):
    """A shop. `code` is its number in tills and files, `zone` sets its business day."""

    __tablename__ = "core_store"
    __constraints__ = (
        sa.UniqueConstraint("brand_id", "slug"),
        sa.UniqueConstraint("brand_id", "code"),
        brand_fk("region_id", "core_region"),
        brand_fk("owner_id", "core_owner"),
        sa.Index(None, "brand_id", "region_id"),
        sa.Index(None, "brand_id", "owner_id"),
        sa.CheckConstraint("status IN ('open', 'closed')", name="status"),
    )

    slug: Mapped[str] = mapped_column(sa.String(60))
    code: Mapped[str] = mapped_column(sa.String(40))
    name: Mapped[str] = mapped_column(sa.String(120))
    region_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    owner_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    zone: Mapped[str] = mapped_column(sa.String(60))
    currency: Mapped[str] = mapped_column(sa.String(3))
    locale: Mapped[str] = mapped_column(sa.String(20))
    address: Mapped[dict[str, Any]] = mapped_column(default=dict)
    status: Mapped[str] = mapped_column(sa.String(6), default="open")
    opened_on: Mapped[date | None] = mapped_column(sa.Date(), default=None)
