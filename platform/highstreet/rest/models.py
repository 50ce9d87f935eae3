"""The table of Idempotency-Keys; see `idempotency` for how it is used."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from highstreet_tenants.base import Base, StoreOwned


class IdempotencyKey(StoreOwned, Base):
    """One key of one API key: which request it stands for, and its answer.

    fingerprint: SHA-256 (hex) of method, address and body. headers: JSON.
    """

    __tablename__ = "core_idempotency"
    __constraints__ = (
        # An API key belongs to one store, which therefore need not stand here (it may be null).
        sa.UniqueConstraint("brand_id", "api_key_id", "key"),
        sa.Index(None, "brand_id", "store_id", "created_at"),
    )

    api_key_id: Mapped[UUID]
    key: Mapped[str] = mapped_column(sa.String(200))
    fingerprint: Mapped[str] = mapped_column(sa.String(64))
    created_at: Mapped[datetime]
    status: Mapped[int] = mapped_column(sa.SmallInteger)
    body: Mapped[str] = mapped_column(sa.Text)
    headers: Mapped[str] = mapped_column(sa.Text)
