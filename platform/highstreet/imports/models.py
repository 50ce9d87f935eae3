"""What is remembered of imports: how far each file got, and other systems' numbers of customers."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from highstreet_tenants.base import Base, BrandOwned, StoreOwned, brand_fk
from highstreet_tenants.clock import now


class Import(BrandOwned, Base):
    """One run of one file. It is written in the transaction of each chunk, so that a run killed
    at any moment goes on exactly where its last chunk ended.

    ``records`` counts the records of the file dealt with, the header left out; ``created`` new
    purchases or customers, ``known`` those that were there, ``refused`` rows in the errors file,
    which is ``error_bytes`` long; ``customers`` people made on the way.
    """

    __tablename__ = "core_import"
    __constraints__ = (
        sa.Index(None, "brand_id", "kind", "sha256"),
        sa.CheckConstraint("kind IN ('purchases', 'customers')", name="kind"),
    )

    kind: Mapped[str] = mapped_column(sa.String(9))
    file_name: Mapped[str] = mapped_column(sa.String(255))
    sha256: Mapped[str] = mapped_column(sa.String(64))
    mapping_sha256: Mapped[str] = mapped_column(sa.String(64))
    actor: Mapped[str] = mapped_column(sa.String(120))
    started_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)
    finished_at: Mapped[datetime | None] = mapped_column(default=None)
    records: Mapped[int] = mapped_column(default=0)
    created: Mapped[int] = mapped_column(default=0)
    known: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    customers: Mapped[int] = mapped_column(default=0)
    error_bytes: Mapped[int] = mapped_column(default=0)


class CustomerRef(StoreOwned, Base):
    """The number that another system gave a customer, so that later files find the same person."""

    __tablename__ = "core_customer_ref"
    __constraints__ = (
        brand_fk("customer_id", "core_customer"),
        sa.UniqueConstraint("brand_id", "realm_id", "ref"),
        sa.Index(None, "brand_id", "customer_id"),
    )

    customer_id: Mapped[UUID]
    realm_id: Mapped[UUID]
    ref: Mapped[str] = mapped_column(sa.String(80))
    created_at: Mapped[datetime] = mapped_column(default=now)
