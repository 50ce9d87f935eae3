"""Tables of purchases and returns. Money is whole minor units of the store's currency."""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from highstreet_tenants.base import Base, StoreOwned, brand_fk
from highstreet_tenants.clock import now


class Purchase(StoreOwned, Base):
    """One receipt, always of one store. `pos_ref` is the till's own number for it.

    returned_minor: the sum of its returns, kept beside them so that a return can be checked under
    the row's lock; queries.check_returned derives it again. business_date: the store's own day.
    actor_kind, actor_id: who rang it up (see scopes.Actor).
    """

    __tablename__ = "core_purchase"
    __constraints__ = (
        brand_fk("customer_id", "core_customer"),
        sa.UniqueConstraint("brand_id", "store_id", "pos_ref"),
        sa.Index(None, "brand_id", "customer_id", "occurred_at"),
        sa.Index(None, "brand_id", "store_id", "business_date"),
        sa.CheckConstraint("store_id IS NOT NULL", name="store"),
        sa.CheckConstraint("returned_minor BETWEEN 0 AND total_minor", name="returned"),
    )

    customer_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    pos_ref: Mapped[str] = mapped_column(sa.String(100))
    occurred_at: Mapped[datetime]
    business_date: Mapped[date]
    recorded_at: Mapped[datetime] = mapped_column(default=now)
    total_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(sa.String(3))
    returned_minor: Mapped[int] = mapped_column(default=0)
    actor_kind: Mapped[str] = mapped_column(sa.String(10))
    actor_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)


class PurchaseLine(StoreOwned, Base):
    """A line of a receipt. quantity_milli: thousandths, so that 0.532 kg is exact."""

    __tablename__ = "core_purchase_line"
    __constraints__ = (
        brand_fk("purchase_id", "core_purchase"),
        sa.UniqueConstraint("brand_id", "purchase_id", "line_no"),
    )

    purchase_id: Mapped[UUID]
    line_no: Mapped[int] = mapped_column(sa.Integer())
    product: Mapped[str] = mapped_column(sa.String(100))
    department: Mapped[str] = mapped_column(sa.String(100), default="")
    quantity_milli: Mapped[int]
    amount_minor: Mapped[int]


class Return(StoreOwned, Base):
    """Money given back for (part of) a purchase.

    The row belongs to the purchase's store, which has to know what is left of it; `at_store_id` is
    where the money was given back, and whose receipt number `pos_ref` is. actor_kind, actor_id: who
    gave it.
    """

    __tablename__ = "core_return"
    __constraints__ = (
        brand_fk("purchase_id", "core_purchase"),
        brand_fk("at_store_id", "core_store"),
        sa.UniqueConstraint("brand_id", "at_store_id", "pos_ref"),
        sa.Index(None, "brand_id", "purchase_id"),
        sa.CheckConstraint("store_id IS NOT NULL", name="store"),
        sa.CheckConstraint("amount_minor >= 0", name="amount"),
    )

    purchase_id: Mapped[UUID]
    at_store_id: Mapped[UUID]
    pos_ref: Mapped[str] = mapped_column(sa.String(100))
    occurred_at: Mapped[datetime]
    business_date: Mapped[date]
    recorded_at: Mapped[datetime] = mapped_column(default=now)
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(sa.String(3))
    actor_kind: Mapped[str] = mapped_column(sa.String(10))
    actor_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)


class ReturnLine(StoreOwned, Base):
    """What was brought back, in terms of the purchase's own lines."""

    __tablename__ = "core_return_line"
    __constraints__ = (
        brand_fk("return_id", "core_return"),
        sa.UniqueConstraint("brand_id", "return_id", "line_no"),
    )

    return_id: Mapped[UUID]
    line_no: Mapped[int] = mapped_column(sa.Integer())
    quantity_milli: Mapped[int]
    amount_minor: Mapped[int]
