"""What is remembered about tools: policy, choices, settings, pauses, faults and what is owed.

None of these rows is about a person, so head office sees its stores' rows, with two exceptions:
what an error said or the arguments of an owed call may name a customer.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from highstreet_tenants.base import Base, BrandOwned, StoreOwned, brand_fk
from highstreet_tenants.clock import now

# `node_id` is the store's, region's or (for head office itself) the brand's id. It is what the
# unique keys stand on: a key with NULL in it would let the same row in twice.


class PluginPolicy(BrandOwned, Base):
    """What head office (node = brand) or a region says about a tool."""

    __tablename__ = "core_plugin_policy"
    __constraints__ = (
        sa.UniqueConstraint("brand_id", "plugin", "node_id"),
        brand_fk("region_id", "core_region"),
        sa.CheckConstraint(
            "level IN ('required', 'default_on', 'optional', 'restricted', 'forbidden')",
            name="level",
        ),
    )

    plugin: Mapped[str] = mapped_column(sa.String(30))
    node_id: Mapped[UUID]
    region_id: Mapped[UUID | None] = mapped_column(default=None)
    level: Mapped[str] = mapped_column(sa.String(12))
    note: Mapped[str | None] = mapped_column(sa.String(300), default=None)
    set_by: Mapped[str] = mapped_column(sa.String(120))
    set_at: Mapped[datetime] = mapped_column(default=now)


class PluginChoice(StoreOwned, Base):
    """What a store (or head office for itself) wants, and what was answered where it had to ask."""

    __tablename__ = "core_plugin_choice"
    __personal__ = False
    __constraints__ = (
        sa.UniqueConstraint("brand_id", "plugin", "node_id"),
        sa.Index(None, "brand_id", "node_id"),
        sa.CheckConstraint("approval IN ('granted', 'refused')", name="approval"),
    )

    plugin: Mapped[str] = mapped_column(sa.String(30))
    node_id: Mapped[UUID]
    wanted: Mapped[bool]
    chosen_by: Mapped[str] = mapped_column(sa.String(120))
    chosen_at: Mapped[datetime] = mapped_column(default=now)
    approval: Mapped[str | None] = mapped_column(sa.String(8), default=None)
    decided_by: Mapped[str | None] = mapped_column(sa.String(120), default=None)
    decided_at: Mapped[datetime | None] = mapped_column(default=None)
    note: Mapped[str | None] = mapped_column(sa.String(300), default=None)


class PluginSetting(StoreOwned, Base):
    """One value given to one setting, append-only: the newest that was valid at a moment counts.

    given=False takes the value back, so that the level above holds again. locked: no level below
    may differ. seq orders rows that were written in the same microsecond.
    """

    __tablename__ = "core_plugin_setting"
    __personal__ = False
    __constraints__ = (
        sa.UniqueConstraint("brand_id", "plugin", "node_id", "key", "seq"),
        brand_fk("region_id", "core_region"),
        sa.CheckConstraint("level IN ('brand', 'region', 'store')", name="level"),
    )

    plugin: Mapped[str] = mapped_column(sa.String(30))
    key: Mapped[str] = mapped_column(sa.String(60))
    level: Mapped[str] = mapped_column(sa.String(6))
    node_id: Mapped[UUID]
    region_id: Mapped[UUID | None] = mapped_column(default=None)
    seq: Mapped[int]
    value: Mapped[Any] = mapped_column(sa.JSON, nullable=False)
    given: Mapped[bool] = mapped_column(default=True)
    locked: Mapped[bool] = mapped_column(default=False)
    set_by: Mapped[str] = mapped_column(sa.String(120))
    set_at: Mapped[datetime] = mapped_column(default=now)
    valid_from: Mapped[datetime] = mapped_column(default=now)


class PluginPause(StoreOwned, Base):
    """A tool that stands still in a place; over once `resumed_at` is set."""

    __tablename__ = "core_plugin_pause"
    __personal__ = False
    __constraints__ = (
        sa.UniqueConstraint("brand_id", "plugin", "node_id"),
        sa.Index(None, "brand_id", "node_id"),
    )

    plugin: Mapped[str] = mapped_column(sa.String(30))
    node_id: Mapped[UUID]
    faults: Mapped[int] = mapped_column(default=0)
    paused_by: Mapped[str] = mapped_column(sa.String(120))
    paused_at: Mapped[datetime] = mapped_column(default=now)
    resumed_by: Mapped[str | None] = mapped_column(sa.String(120), default=None)
    resumed_at: Mapped[datetime | None] = mapped_column(default=None)


class PluginAgreement(StoreOwned, Base):
    """What somebody agreed to when they switched a tool on, in a place or for all beneath it.

    declared: what the tool said then that it brings, as `declared.of` names it. A later version
    that says more is held where nobody has agreed to that.
    """

    __tablename__ = "core_plugin_agreement"
    __personal__ = False
    __constraints__ = (
        sa.UniqueConstraint("brand_id", "plugin", "node_id"),
        sa.Index(None, "brand_id", "node_id"),
    )

    plugin: Mapped[str] = mapped_column(sa.String(30))
    node_id: Mapped[UUID]
    version: Mapped[str] = mapped_column(sa.String(60))
    declared: Mapped[list[str]] = mapped_column(sa.JSON, nullable=False)
    agreed_by: Mapped[str] = mapped_column(sa.String(120))
    agreed_at: Mapped[datetime] = mapped_column(default=now)


class PluginFault(StoreOwned, Base):
    """A hook that raised or was too slow; "again": it raised while the tool did what it owed.
    Personal, for what an error says may name a customer.

    error: the kind of error; message: what it said, empty once somebody of the place was erased.
    traceback: files, lines and functions, never what an error said.
    """

    __tablename__ = "core_plugin_fault"
    __constraints__ = (
        sa.Index(None, "brand_id", "plugin", "node_id", "at"),
        sa.CheckConstraint("kind IN ('error', 'again', 'slow')", name="kind"),
    )

    plugin: Mapped[str] = mapped_column(sa.String(30))
    node_id: Mapped[UUID]
    hook: Mapped[str] = mapped_column(sa.String(80))
    kind: Mapped[str] = mapped_column(sa.String(5))
    error: Mapped[str] = mapped_column(sa.String(120), default="")
    message: Mapped[str] = mapped_column(sa.String(500))
    traceback: Mapped[str] = mapped_column(sa.Text, default="")
    milliseconds: Mapped[float] = mapped_column(sa.Float, default=0.0)
    at: Mapped[datetime] = mapped_column(default=now)


class PluginUse(StoreOwned, Base):
    """How often a tool's hook was called in a place on one of its days, how often it failed, and
    how many seconds that took: all together, and the longest. Added up by `counting`.
    """

    __tablename__ = "core_plugin_use"
    __personal__ = False
    __constraints__ = (
        sa.UniqueConstraint("brand_id", "plugin", "node_id", "hook", "day"),
        sa.Index(None, "brand_id", "day"),
    )

    plugin: Mapped[str] = mapped_column(sa.String(30))
    node_id: Mapped[UUID]
    hook: Mapped[str] = mapped_column(sa.String(80))
    day: Mapped[date]
    calls: Mapped[int]
    failures: Mapped[int]
    seconds: Mapped[float] = mapped_column(sa.Float)
    slowest: Mapped[float] = mapped_column(sa.Float)


class PluginOwed(StoreOwned, Base):
    """A tool's part in a writing hook that is still to be done: it failed, or the tool stood still.

    arguments: as the hook's retry codec wrote them. due_at: when it is tried next, if the tool is
    on then. outcome: NULL while owed, then "done", "dropped" (the tool no longer answers that hook)
    or "gone" (what it was about no longer exists).
    """

    __tablename__ = "core_plugin_owed"
    __constraints__ = (
        sa.Index(None, "brand_id", "plugin", "node_id", "outcome"),
        sa.Index(
            "ix_core_plugin_owed_due",
            "brand_id",
            "due_at",
            sqlite_where=sa.text("outcome IS NULL"),
            postgresql_where=sa.text("outcome IS NULL"),
        ),
        sa.CheckConstraint("outcome IN ('done', 'dropped', 'gone')", name="outcome"),
    )

    plugin: Mapped[str] = mapped_column(sa.String(30))
    node_id: Mapped[UUID]
    hook: Mapped[str] = mapped_column(sa.String(80))
    arguments: Mapped[dict[str, Any]]
    tries: Mapped[int] = mapped_column(default=0)
    owed_at: Mapped[datetime] = mapped_column(default=now)
    due_at: Mapped[datetime] = mapped_column(default=now)
    outcome: Mapped[str | None] = mapped_column(sa.String(7), default=None)
    settled_at: Mapped[datetime | None] = mapped_column(default=None)
