"""Tables of mailings. A mailing names nobody; its pieces do, one for each who was selected."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from highstreet_tenants.base import Base, StoreOwned, brand_fk
from highstreet_tenants.clock import now

STATUSES = (
    "draft", "selected", "approved", "running", "paused", "finished", "stopped", "discarded",
)  # fmt: skip
STATES = ("ready", "sent", "withheld", "failed", "returned")


def _one_of(column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    return sa.CheckConstraint(
        f"{column} IN ({', '.join(repr(value) for value in values)})", name=column
    )


class Mailing(StoreOwned, Base):
    """One mailing of head office's, or of a store's.

    place_id: the store's id, or the brand's; number: counted there, for people to name it by.
    audience: a rule of the mailing's own, where it goes to no segment. leave_out: people of the
    audience who get nothing, each `{"reason", "words", "values", "rule" or "mailings"}`. most:
    pieces that go out, at most. series, again_after: nobody gets another of the series within so
    many days. rule, rule_digest: the audience's as it was when people were selected. content: what
    is sent, as the channel's carrier knows it; content_digest: of it when it was selected. holdout:
    hundredths of a percent. selected: how many people the audience had. manifest: sha256 of all
    pieces as they were then. cost_minor: written against it, minor units of `currency`. not_after:
    nothing of it goes out later (UTC).
    """

    __personal__ = False
    __tablename__ = "core_mailing"
    __constraints__ = (
        brand_fk("segment_id", "core_segment"),
        sa.UniqueConstraint("brand_id", "place_id", "number"),
        sa.Index(None, "brand_id", "segment_id"),
        _one_of("status", STATUSES),
        sa.CheckConstraint("channel IN ('post', 'email')", name="channel"),
        sa.CheckConstraint("holdout BETWEEN 0 AND 5000", name="holdout"),
        sa.Index(None, "brand_id", "place_id", "series"),
    )

    place_id: Mapped[UUID]
    number: Mapped[int]
    name: Mapped[str] = mapped_column(sa.String(80))
    source: Mapped[str] = mapped_column(sa.String(40), default="core")
    purpose: Mapped[str] = mapped_column(sa.String(40))
    channel: Mapped[str] = mapped_column(sa.String(5))
    segment_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    audience: Mapped[dict[str, Any]] = mapped_column(default=dict)
    leave_out: Mapped[list[Any]] = mapped_column(default=list)
    most: Mapped[int | None] = mapped_column(default=None)
    series: Mapped[str] = mapped_column(sa.String(80), default="")
    again_after: Mapped[int] = mapped_column(default=0)
    by_household: Mapped[bool] = mapped_column(default=True)
    verified: Mapped[bool] = mapped_column(default=False)
    holdout: Mapped[int] = mapped_column(default=0)
    content: Mapped[dict[str, Any]] = mapped_column(default=dict)
    content_digest: Mapped[str] = mapped_column(sa.String(64), default="")
    not_after: Mapped[datetime | None] = mapped_column(default=None)
    status: Mapped[str] = mapped_column(sa.String(9), default="draft")
    rule: Mapped[dict[str, Any]] = mapped_column(default=dict)
    rule_digest: Mapped[str] = mapped_column(sa.String(64), default="")
    selected: Mapped[int | None] = mapped_column(default=None)
    selected_at: Mapped[datetime | None] = mapped_column(default=None)
    manifest: Mapped[str] = mapped_column(sa.String(64), default="")
    approved_by: Mapped[str | None] = mapped_column(sa.String(120), default=None)
    approved_at: Mapped[datetime | None] = mapped_column(default=None)
    released_at: Mapped[datetime | None] = mapped_column(default=None)
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    cost_minor: Mapped[int | None] = mapped_column(default=None)
    currency: Mapped[str] = mapped_column(sa.String(3))
    changed_by: Mapped[str] = mapped_column(sa.String(120))
    changed_at: Mapped[datetime] = mapped_column(default=now)


class Piece(StoreOwned, Base):
    """What became of one who was selected: a row for each, whether they get anything or not.

    unit: the household's id, or the customer's where each gets one; only of pieces that go or went
    out, so that nobody's household gets two. state: "ready" to go, "sent" (handed to the carrier),
    "withheld" for `reason`, "failed" by the carrier, "returned" by the post. late: withheld at the
    release, not when people were selected. reached_at: the e-mail address, or the postal one's id;
    lines: that address as it was. code: what the recipient answers by. place: its order in the
    manifest. batch: with which others it went out.
    """

    __tablename__ = "core_mailing_piece"
    __constraints__ = (
        brand_fk("mailing_id", "core_mailing"),
        brand_fk("customer_id", "core_customer"),
        sa.UniqueConstraint("brand_id", "mailing_id", "customer_id"),
        sa.UniqueConstraint("brand_id", "mailing_id", "unit"),
        sa.UniqueConstraint("brand_id", "code"),
        sa.Index(None, "brand_id", "mailing_id", "state", "place"),
        sa.Index(None, "brand_id", "customer_id"),
        _one_of("state", STATES),
        sa.CheckConstraint(
            "(state IN ('withheld', 'failed')) = (reason IS NOT NULL)", name="reason"
        ),
        sa.CheckConstraint("(state = 'withheld') = (unit IS NULL)", name="unit"),
    )

    mailing_id: Mapped[UUID]
    customer_id: Mapped[UUID]
    household_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    unit: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    place: Mapped[int]
    state: Mapped[str] = mapped_column(sa.String(8))
    reason: Mapped[str | None] = mapped_column(sa.String(20), default=None)
    late: Mapped[bool] = mapped_column(default=False)
    reached_at: Mapped[str | None] = mapped_column(sa.String(320), default=None)
    lines: Mapped[list[str] | None] = mapped_column(sa.JSON(none_as_null=True), default=None)
    code: Mapped[str | None] = mapped_column(sa.String(12), default=None)
    batch: Mapped[int | None] = mapped_column(default=None)
    sent_at: Mapped[datetime | None] = mapped_column(default=None)
