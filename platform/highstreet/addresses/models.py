"""Tables of addresses and households. Rows are the brand's or one store's, as customers are."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from highstreet_tenants.base import Base, StoreOwned, brand_fk
from highstreet_tenants.clock import now


class Household(StoreOwned, Base):
    """People of one surname who get their post at one place.

    It holds two keys and nothing to read (`delivery`, `surnames`); both are hashes, and can be
    guessed by whoever tries names and streets, so a household goes with its last member.
    """

    __tablename__ = "core_household"
    __constraints__ = (
        sa.UniqueConstraint("brand_id", "realm_id", "delivery_point", "surname_key"),
    )

    realm_id: Mapped[UUID]
    delivery_point: Mapped[str] = mapped_column(sa.String(32))
    surname_key: Mapped[str] = mapped_column(sa.String(32))
    created_at: Mapped[datetime] = mapped_column(default=now)


class Address(StoreOwned, Base):
    """Where a customer gets post, or got it: at most one row of a customer is current.

    country: ISO 3166 alpha-2. street: up to four lines. lines: the place as it is printed in its
    country's own order, without the name and the country. state: "good" when the country's rules
    hold, "unverified" when it has none or they do not know the town, "bad" when post came back.
    valid_to: None while current (UTC); a row of the past belongs to no household.
    """

    __tablename__ = "core_address"
    __constraints__ = (
        brand_fk("customer_id", "core_customer"),
        brand_fk("household_id", "core_household"),
        sa.Index(
            "uq_core_address_current",
            "brand_id",
            "customer_id",
            unique=True,
            postgresql_where=sa.text("valid_to IS NULL"),
            sqlite_where=sa.text("valid_to IS NULL"),
        ),
        sa.Index(None, "brand_id", "customer_id", "valid_from"),
        sa.Index(
            "ix_core_address_household",
            "brand_id",
            "household_id",
            postgresql_where=sa.text("household_id IS NOT NULL"),
            sqlite_where=sa.text("household_id IS NOT NULL"),
        ),
        sa.CheckConstraint("state IN ('unverified', 'good', 'bad')", name="state"),
        sa.CheckConstraint("(valid_to IS NULL) = (household_id IS NOT NULL)", name="current"),
    )

    customer_id: Mapped[UUID]
    household_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    country: Mapped[str] = mapped_column(sa.String(2))
    recipient: Mapped[str] = mapped_column(sa.String(120), default="")
    street: Mapped[list[str]] = mapped_column(default=list)
    dependent_locality: Mapped[str] = mapped_column(sa.String(80), default="")
    city: Mapped[str] = mapped_column(sa.String(80), default="")
    area: Mapped[str] = mapped_column(sa.String(80), default="")
    postal_code: Mapped[str] = mapped_column(sa.String(20), default="")
    sorting_code: Mapped[str] = mapped_column(sa.String(20), default="")
    lines: Mapped[list[str]] = mapped_column(default=list)
    delivery_point: Mapped[str] = mapped_column(sa.String(32))
    state: Mapped[str] = mapped_column(sa.String(10))
    source: Mapped[str] = mapped_column(sa.String(20))
    valid_from: Mapped[datetime] = mapped_column(default=now)
    valid_to: Mapped[datetime | None] = mapped_column(default=None)
