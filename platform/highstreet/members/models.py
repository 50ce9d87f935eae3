"""Links to a member's own page. Control plane: read before a scope exists, no customer data."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from highstreet_tenants.base import Base
from highstreet_tenants.clock import now
from highstreet_tenants.ids import new_id


class MemberLink(Base):
    """A link that opens one customer's page until it is revoked or too old.

    Only the SHA-256 (hex) of its token is kept. store_id: whose locale and tools the page has.
    """

    __tablename__ = "core_member_link"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    brand_id: Mapped[UUID] = mapped_column(sa.ForeignKey("core_brand.id"))
    store_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    customer_id: Mapped[UUID]
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    created_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("core_user.id"), default=None)
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)

    __table_args__ = (
        sa.ForeignKeyConstraint(["brand_id", "store_id"], ["core_store.brand_id", "core_store.id"]),
        sa.Index(None, "brand_id", "customer_id"),
    )
