"""Tables of customers. Rows are the brand's or one store's, as the brand decided for all.

`realm_id` says where a key is unique: the brand's id, or the store's where each store keeps its
own customers (a nullable store_id can't stand in a unique key).
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from highstreet_tenants.base import Base, BrandOwned, StoreOwned, brand_fk
from highstreet_tenants.clock import now

# Byte order on both databases: a locale's own order would not serve a prefix search, and under
# row-level security LIKE can't use an index at all (DESIGN §2).
SEARCHED = sa.String(80).with_variant(sa.String(80, collation="C"), "postgresql")


class Customer(StoreOwned, Base):
    """A person, or, once erased, the empty stub that anonymous purchases still hang on.

    joined_at: UTC. merged_into: the record that took this one's place; always a record that is
    not merged itself. suppressed_at: an erased phone or e-mail came back then (see consent).
    """

    __tablename__ = "core_customer"
    __constraints__ = (
        brand_fk("home_store_id", "core_store"),
        brand_fk("merged_into", "core_customer"),
        sa.Index(
            None,
            "brand_id",
            "merged_into",
            postgresql_where=sa.text("merged_into IS NOT NULL"),
            sqlite_where=sa.text("merged_into IS NOT NULL"),
        ),
        sa.Index(None, "brand_id", "home_store_id", "joined_at"),
        sa.CheckConstraint("status IN ('active', 'merged', 'erased')", name="status"),
        sa.CheckConstraint("(status = 'merged') = (merged_into IS NOT NULL)", name="merged"),
    )

    home_store_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    name: Mapped[str] = mapped_column(sa.String(200), default="")
    language: Mapped[str | None] = mapped_column(sa.String(35), default=None)
    birthday: Mapped[date | None] = mapped_column(sa.Date(), default=None)
    fields: Mapped[dict[str, Any]] = mapped_column(default=dict)
    status: Mapped[str] = mapped_column(sa.String(6), default="active")
    merged_into: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    suppressed_at: Mapped[datetime | None] = mapped_column(default=None)
    joined_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)


class Identity(StoreOwned, Base):
    """A card, phone number or e-mail address by which a customer is found.

    A card is one customer's; a family may share a phone or an address.
    """

    __tablename__ = "core_customer_identity"
    __constraints__ = (
        brand_fk("customer_id", "core_customer"),
        sa.UniqueConstraint("brand_id", "realm_id", "kind", "value", "customer_id"),
        sa.Index(
            "uq_core_customer_identity_card",
            "brand_id",
            "realm_id",
            "value",
            unique=True,
            postgresql_where=sa.text("kind = 'card'"),
            sqlite_where=sa.text("kind = 'card'"),
        ),
        sa.Index(None, "brand_id", "customer_id"),
        sa.CheckConstraint("kind IN ('card', 'phone', 'email')", name="kind"),
        sa.CheckConstraint("status IN ('active', 'lost', 'blocked')", name="status"),
    )

    customer_id: Mapped[UUID]
    realm_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(sa.String(5))
    value: Mapped[str] = mapped_column(sa.String(320))
    shown: Mapped[str] = mapped_column(sa.String(320))
    status: Mapped[str] = mapped_column(sa.String(7), default="active")
    created_at: Mapped[datetime] = mapped_column(default=now)


class NameKey(StoreOwned, Base):
    """A form of a customer's name to search by prefix; see keys.name_keys."""

    __tablename__ = "core_customer_name_key"
    __constraints__ = (
        brand_fk("customer_id", "core_customer"),
        sa.Index(None, "brand_id", "realm_id", "word", "customer_id"),
        sa.Index(None, "brand_id", "customer_id"),
    )

    customer_id: Mapped[UUID]
    realm_id: Mapped[UUID]
    word: Mapped[str] = mapped_column(SEARCHED)


class Note(StoreOwned, Base):
    """What staff wrote down about a customer ("flat white with oat milk")."""

    __tablename__ = "core_customer_note"
    __constraints__ = (
        brand_fk("customer_id", "core_customer"),
        sa.Index(None, "brand_id", "customer_id", "created_at"),
    )

    customer_id: Mapped[UUID]
    text: Mapped[str] = mapped_column(sa.String(2000))
    author: Mapped[str] = mapped_column(sa.String(120))
    author_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    created_at: Mapped[datetime] = mapped_column(default=now)


class FieldDef(BrandOwned, Base):
    """A custom field of the brand: the skin type, the genre, the car."""

    __tablename__ = "core_customer_field"
    __constraints__ = (
        sa.UniqueConstraint("brand_id", "key"),
        sa.CheckConstraint("kind IN ('text', 'choice', 'date', 'number', 'yes-no')", name="kind"),
    )

    key: Mapped[str] = mapped_column(sa.String(40))
    label: Mapped[str] = mapped_column(sa.String(80))
    kind: Mapped[str] = mapped_column(sa.String(6))
    choices: Mapped[list[str]] = mapped_column(default=list)
    required: Mapped[bool] = mapped_column(default=False)
    position: Mapped[int] = mapped_column(default=0)
    retired_at: Mapped[datetime | None] = mapped_column(default=None)


class Merge(StoreOwned, Base):
    """That `gone_id` became part of `keep_id`, and what it takes to part them again.

    undo: what `merging` wrote down, personal; None once the merge can't be taken back any more.
    undone_at: when it was taken back, by `undone_by`.
    """

    __tablename__ = "core_customer_merge"
    __constraints__ = (
        brand_fk("keep_id", "core_customer"),
        brand_fk("gone_id", "core_customer"),
        sa.Index(
            "uq_core_customer_merge_gone",
            "brand_id",
            "gone_id",
            unique=True,
            postgresql_where=sa.text("undone_at IS NULL"),
            sqlite_where=sa.text("undone_at IS NULL"),
        ),
        sa.Index(None, "brand_id", "keep_id"),
        sa.Index(
            "ix_core_customer_merge_undo",
            "brand_id",
            "at",
            postgresql_where=sa.text("undo IS NOT NULL"),
            sqlite_where=sa.text("undo IS NOT NULL"),
        ),
    )

    keep_id: Mapped[UUID]
    gone_id: Mapped[UUID]
    at: Mapped[datetime] = mapped_column(default=now)
    actor: Mapped[str] = mapped_column(sa.String(120))
    actor_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    undo: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True), default=None)
    undone_at: Mapped[datetime | None] = mapped_column(default=None)
    undone_by: Mapped[str | None] = mapped_column(sa.String(120), default=None)


class Dismissal(StoreOwned, Base):
    """That two records were looked at and are two people; `one_id` is the smaller of the ids.

    The ids stay those of the records that were looked at: whoever reads it follows merges, so it
    holds for whatever the two became, and taking a merge back needs no change here.
    """

    __tablename__ = "core_customer_dismissal"
    __constraints__ = (
        brand_fk("one_id", "core_customer"),
        brand_fk("other_id", "core_customer"),
        sa.UniqueConstraint("brand_id", "one_id", "other_id"),
        sa.Index(None, "brand_id", "other_id"),
        sa.CheckConstraint("one_id < other_id", name="ordered"),
    )

    one_id: Mapped[UUID]
    other_id: Mapped[UUID]
    at: Mapped[datetime] = mapped_column(default=now)
    actor: Mapped[str] = mapped_column(sa.String(120))
    actor_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)


class Erasure(StoreOwned, Base):
    """That a customer was erased, why, by whom, and how much went. No personal data."""

    __tablename__ = "core_customer_erasure"
    __constraints__ = (
        brand_fk("customer_id", "core_customer"),
        sa.UniqueConstraint("brand_id", "customer_id"),
    )

    customer_id: Mapped[UUID]
    reason: Mapped[str] = mapped_column(sa.String(200))
    actor: Mapped[str] = mapped_column(sa.String(120))
    actor_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    at: Mapped[datetime] = mapped_column(default=now)
    parts: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Suppression(StoreOwned, Base):
    """The keyed hash of an erased phone number or e-mail address; all that erasure keeps."""

    __tablename__ = "core_customer_suppression"
    __constraints__ = (sa.UniqueConstraint("brand_id", "realm_id", "kind", "digest"),)

    realm_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(sa.String(5))
    digest: Mapped[str] = mapped_column(sa.String(64))
    at: Mapped[datetime] = mapped_column(default=now)


class Measure(StoreOwned, Base):
    """What a customer bought in one store, summed up, under the id it was bought under.

    Kept beside the purchases by whoever records them (`purchases.measuring`) and derived again by
    the audit. purchases: how many. spent_minor: what they paid less what they got back, minor
    units of `currency`. first_at, last_at: of the earliest and latest purchase (UTC).
    """

    __tablename__ = "core_customer_measure"
    __constraints__ = (
        brand_fk("customer_id", "core_customer"),
        sa.UniqueConstraint("brand_id", "customer_id", "store_id"),
        # Of no moment, which each purchase moves: an index that stands still costs a sale nothing.
        sa.Index(None, "brand_id", "store_id"),
        sa.CheckConstraint("store_id IS NOT NULL", name="store"),
    )

    customer_id: Mapped[UUID]
    purchases: Mapped[int]
    spent_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(sa.String(3))
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]


class SuppressionSecret(BrandOwned, Base):
    """The key of a brand's suppression hashes: without it they can't be tried out elsewhere."""

    __tablename__ = "core_suppression_secret"
    __constraints__ = (sa.UniqueConstraint("brand_id"),)

    secret: Mapped[str] = mapped_column(sa.String(64))
