"""Tables of the points club.

They hold no personal data: an account knows its customer by id only. Entries and allocations are
facts that the database itself refuses to change; an account's balance, debt and number of entries
and a lot's remaining points are sums of them, kept for speed and derived again by `audit`.

`store_id` is the owner of the customer (NULL where the brand owns its customers); `at_store_id` is
where something happened.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from highstreet.sdk import Base, BrandOwned, StoreOwned, append_only, brand_fk, clock

KINDS = (
    "earn", "reverse_earn", "burn", "reverse_burn", "hold", "release", "expire", "adjust",
    "revive", "opening", "welcome", "birthday", "forfeit", "merge_out", "merge_in", "unmerge_out",
    "unmerge_in",
)  # fmt: skip
STATUSES = ("issued", "redeemed", "released", "returned", "lapsed")
_OPEN = "remaining <> 0"


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def _index(name: str, *columns: str, when: str, unique: bool = False) -> sa.Index:
    """A partial index, the same on both databases: it stays as small as what it is for."""
    condition = sa.text(when)
    return sa.Index(
        name,
        "brand_id",
        *columns,
        unique=unique,
        postgresql_where=condition,
        sqlite_where=condition,
    )


class Account(StoreOwned, Base):
    """A member's points. customer_id is NULL once merged away or erased; merged_customer_id: whose
    it was before it was merged into another account.

    balance: points, below zero when more was returned than was left. debt: what is below zero.
    seq: number of entries. last_at: the latest event, before which nothing is booked. idle_at: when
    idle lots end unless the member comes before (NULL: no day is set). A day, so that a second
    visit on it changes no index.
    """

    __tablename__ = "points_club_account"
    __constraints__ = (
        brand_fk("customer_id", "core_customer"),
        brand_fk("merged_into_id", "points_club_account"),
        brand_fk("merged_customer_id", "core_customer"),
        sa.UniqueConstraint("brand_id", "customer_id"),
        _index(
            "ix_points_club_account_merged", "merged_into_id", when="merged_into_id IS NOT NULL"
        ),
        _index("ix_points_club_account_idle", "idle_at", when="idle_at IS NOT NULL"),
        sa.CheckConstraint("debt >= 0 AND (debt = 0 OR balance = -debt)", name="debt"),
    )

    customer_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    balance: Mapped[int] = mapped_column(default=0)
    debt: Mapped[int] = mapped_column(default=0)
    seq: Mapped[int] = mapped_column(default=0)
    last_at: Mapped[datetime | None] = mapped_column(default=None)
    idle_at: Mapped[datetime | None] = mapped_column(default=None)
    merged_into_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    merged_customer_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    opened_at: Mapped[datetime] = mapped_column(default=clock.now)


class Rule(BrandOwned, Base):
    """The earning rules that an entry was reckoned by; its id is made from its content."""

    __tablename__ = "points_club_rule"

    body: Mapped[dict[str, Any]]
    recorded_at: Mapped[datetime] = mapped_column(default=clock.now)


class Entry(StoreOwned, Base):
    """One line of the ledger; never changed.

    idem_key: what it was written for; the same cause is written once in a brand. amount_minor:
    what was paid, for an earn. occurred_at: when it counts. business_date: the store's day of that.
    """

    __tablename__ = "points_club_entry"
    __constraints__ = (
        brand_fk("account_id", "points_club_account"),
        brand_fk("at_store_id", "core_store"),
        brand_fk("rule_id", "points_club_rule"),
        brand_fk("reverses_id", "points_club_entry"),
        sa.UniqueConstraint("brand_id", "account_id", "seq"),
        # A purchase earns once, whatever is said twice.
        _index("uq_points_club_entry_earn", "purchase_id", when="kind = 'earn'", unique=True),
        _index("uq_points_club_entry_key", "idem_key", when="idem_key IS NOT NULL", unique=True),
        _index("ix_points_club_entry_reverses", "reverses_id", when="reverses_id IS NOT NULL"),
        _index(
            "ix_points_club_entry_adjust", "at_store_id", "business_date", when="kind = 'adjust'"
        ),
        sa.CheckConstraint(_one_of("kind", KINDS), name="kind"),
    )

    account_id: Mapped[UUID]
    seq: Mapped[int]
    kind: Mapped[str] = mapped_column(sa.String(12))
    points: Mapped[int]
    at_store_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    purchase_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    amount_minor: Mapped[int | None] = mapped_column(default=None)
    rule_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    reverses_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    idem_key: Mapped[str | None] = mapped_column(sa.String(120), default=None)
    occurred_at: Mapped[datetime]
    business_date: Mapped[date] = mapped_column(sa.Date())
    recorded_at: Mapped[datetime] = mapped_column(default=clock.now)
    actor_kind: Mapped[str] = mapped_column(sa.String(10))
    actor_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)


class Lot(StoreOwned, Base):
    """Points that came together. points: at first (below zero: a debt). remaining: now.

    at_store_id: the store that gave them, whose liability they are. Not spendable before
    activates_at, nor from expires_at on. idle: they end with the account's idle_at, too. id: that
    of the entry that made it.
    """

    __tablename__ = "points_club_lot"
    __constraints__ = (
        brand_fk("account_id", "points_club_account"),
        brand_fk("id", "points_club_entry"),
        brand_fk("at_store_id", "core_store"),
        _index("ix_points_club_lot_open", "account_id", when=_OPEN),
        # The store, so that what lapses in one is counted without looking at the lots of others.
        _index(
            "ix_points_club_lot_ends",
            "expires_at",
            "at_store_id",
            when=f"{_OPEN} AND expires_at IS NOT NULL",
        ),
        _index(
            "ix_points_club_lot_begins",
            "activates_at",
            when=f"{_OPEN} AND activates_at IS NOT NULL",
        ),
        sa.CheckConstraint(
            "points > 0 AND remaining BETWEEN 0 AND points"
            " OR points < 0 AND remaining BETWEEN points AND 0",
            name="remaining",
        ),
    )

    account_id: Mapped[UUID]
    points: Mapped[int]
    remaining: Mapped[int]
    at_store_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    earned_at: Mapped[datetime]
    activates_at: Mapped[datetime | None] = mapped_column(default=None)
    expires_at: Mapped[datetime | None] = mapped_column(default=None)
    idle: Mapped[bool] = mapped_column(default=False)


class Allocation(StoreOwned, Base):
    """Points that an entry put into or took out of a lot; never changed."""

    __tablename__ = "points_club_allocation"
    __constraints__ = (
        brand_fk("entry_id", "points_club_entry"),
        brand_fk("lot_id", "points_club_lot"),
        sa.Index(None, "brand_id", "entry_id"),
        sa.Index(None, "brand_id", "lot_id"),
        sa.CheckConstraint("points <> 0", name="points"),
    )

    entry_id: Mapped[UUID]
    lot_id: Mapped[UUID]
    points: Mapped[int]


class Reward(StoreOwned, Base):
    """Something that points were given for: a product, or money off.

    id: that of the entry that took the points. issued: they are held. redeemed: handed over.
    released, returned: the points went back before, after that. lapsed: it ended unused. Name and
    value are as they were then. redeemed_at: when it was handed over, also of one that came back;
    closed_at: when its status last changed.
    """

    __tablename__ = "points_club_reward"
    __constraints__ = (
        brand_fk("id", "points_club_entry"),
        brand_fk("account_id", "points_club_account"),
        brand_fk("issued_store_id", "core_store"),
        brand_fk("redeemed_store_id", "core_store"),
        sa.Index(None, "brand_id", "account_id", "issued_at"),
        _index("ix_points_club_reward_open", "account_id", when="status = 'issued'"),
        _index(
            "ix_points_club_reward_ends",
            "ends_at",
            when="status = 'issued' AND ends_at IS NOT NULL",
        ),
        _index(
            "ix_points_club_reward_redeemed",
            "redeemed_store_id",
            "redeemed_at",
            when="redeemed_at IS NOT NULL",
        ),
        _index("ix_points_club_reward_purchase", "purchase_id", when="purchase_id IS NOT NULL"),
        sa.CheckConstraint(_one_of("status", STATUSES), name="status"),
    )

    account_id: Mapped[UUID]
    key: Mapped[str] = mapped_column(sa.String(40))
    name: Mapped[str] = mapped_column(sa.String(60))
    kind: Mapped[str] = mapped_column(sa.String(7))
    points: Mapped[int]
    value_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(sa.String(3))
    automatic: Mapped[bool] = mapped_column(default=False)
    status: Mapped[str] = mapped_column(sa.String(8), default="issued")
    issued_at: Mapped[datetime]
    issued_store_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    ends_at: Mapped[datetime | None] = mapped_column(default=None)
    closed_at: Mapped[datetime | None] = mapped_column(default=None)
    redeemed_at: Mapped[datetime | None] = mapped_column(default=None)
    redeemed_store_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    purchase_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)


class Gain(StoreOwned, Base):
    """What a campaign of head office's gave of an entry's points, or what of it a return took back;
    never changed. at_store_id: the store of the purchase."""

    __tablename__ = "points_club_gain"
    __constraints__ = (
        brand_fk("entry_id", "points_club_entry"),
        brand_fk("campaign_id", "core_campaign"),
        brand_fk("at_store_id", "core_store"),
        sa.UniqueConstraint("brand_id", "entry_id", "campaign_id"),
        sa.Index(None, "brand_id", "campaign_id", "at_store_id"),
        sa.CheckConstraint("points <> 0", name="points"),
    )

    entry_id: Mapped[UUID]
    campaign_id: Mapped[UUID]
    at_store_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    points: Mapped[int]


class Reason(StoreOwned, Base):
    """Who corrected a balance and why, in their words; kept apart so that it can be erased."""

    __tablename__ = "points_club_reason"
    __constraints__ = (
        brand_fk("entry_id", "points_club_entry"),
        sa.UniqueConstraint("brand_id", "entry_id"),
    )

    entry_id: Mapped[UUID]
    text: Mapped[str] = mapped_column(sa.String(200))
    by: Mapped[str] = mapped_column(sa.String(120), default="")


append_only.register(Entry.__table__)  # type: ignore[arg-type]  # declarative says FromClause
append_only.register(Gain.__table__)  # type: ignore[arg-type]
append_only.register(Allocation.__table__)  # type: ignore[arg-type]
