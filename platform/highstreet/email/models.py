"""Tables of e-mail: who sends, in which frame, what was written, and every message one by one."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from highstreet_tenants.base import Base, BrandOwned, StoreOwned, brand_fk
from highstreet_tenants.clock import now

QUEUED, SENDING, SENT, FAILED = "queued", "sending", "sent", "failed"
#: bounced: it came back, or was refused as a dead address. unknown: its worker was killed, or the
#: connection failed, between handing it over and the answer. stopped: at the moment of sending the
#: person could not be written to (any more). late: its last moment passed first.
BOUNCED, UNKNOWN, STOPPED, LATE = "bounced", "unknown", "stopped", "late"
STATES = (QUEUED, SENDING, SENT, FAILED, BOUNCED, UNKNOWN, STOPPED, LATE)


class EmailSender(BrandOwned, Base):
    """In whose name a brand's mail goes out; at most one for each brand.

    return_path: address to which mail comes back ("" for none), each message's with a tag of its
    own (VERP). postal: the postal address that stands in every footer.
    """

    __tablename__ = "core_email_sender"
    __constraints__ = (sa.UniqueConstraint("brand_id"),)

    name: Mapped[str] = mapped_column(sa.String(120))
    address: Mapped[str] = mapped_column(sa.String(320))
    reply_to: Mapped[str] = mapped_column(sa.String(320), default="")
    return_path: Mapped[str] = mapped_column(sa.String(320), default="")
    postal: Mapped[str] = mapped_column(sa.String(500))
    changed_at: Mapped[datetime] = mapped_column(default=now)


class EmailLayout(BrandOwned, Base):
    """A version of head office's frame; the one that was chosen last holds. Never changed.

    source: MJML. html: what came of it, with {{ fields }} for what each message fills in.
    """

    __tablename__ = "core_email_layout"
    __constraints__ = (
        sa.UniqueConstraint("brand_id", "digest"),
        sa.UniqueConstraint("brand_id", "number"),
    )

    number: Mapped[int]
    digest: Mapped[str] = mapped_column(sa.String(64))
    source: Mapped[str] = mapped_column(sa.Text())
    html: Mapped[str] = mapped_column(sa.Text())
    created_at: Mapped[datetime] = mapped_column(default=now)
    chosen_at: Mapped[datetime] = mapped_column(default=now)


class EmailPiece(StoreOwned, Base):
    """What a message says, in Liquid; one row for each text, never changed once it is there.

    store_id: whose it is, None for head office's. html: cleaned; "" for text alone. digest: over
    all of it.
    """

    __tablename__ = "core_email_piece"
    __personal__ = False
    __constraints__ = (
        brand_fk("layout_id", "core_email_layout"),
        sa.UniqueConstraint("brand_id", "digest"),
    )

    layout_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    kind: Mapped[str] = mapped_column(sa.String(80))
    purpose: Mapped[str] = mapped_column(sa.String(40))
    language: Mapped[str] = mapped_column(sa.String(20))
    subject: Mapped[str] = mapped_column(sa.String(500))
    text: Mapped[str] = mapped_column(sa.Text())
    html: Mapped[str] = mapped_column(sa.Text())
    digest: Mapped[str] = mapped_column(sa.String(64))
    created_at: Mapped[datetime] = mapped_column(default=now)


class EmailMessage(StoreOwned, Base):
    """One message to one person; its id is in its Message-ID and in its return path.

    place_id: the store that sends it, None for head office. kind: a notice's name, or "mailing".
    key: what it may be sent for only once. used_for: what it is a part of ("mailing:<id>"), under
    which its contact counts; None: it counts by itself. address, called, fills: as they were when
    it was queued; empty once the person is erased. taken_by: the job that sends it.
    """

    __tablename__ = "core_email_message"
    __constraints__ = (
        brand_fk("place_id", "core_store"),
        brand_fk("customer_id", "core_customer"),
        brand_fk("piece_id", "core_email_piece"),
        sa.UniqueConstraint("brand_id", "key"),
        sa.CheckConstraint(
            "state IN ('queued', 'sending', 'sent', 'failed', 'bounced', 'unknown', 'stopped',"
            " 'late')",
            name="state",
        ),
        sa.Index(None, "brand_id", "place_id", "state", "due_at"),
        sa.Index(None, "brand_id", "state", "id"),
        sa.Index(None, "brand_id", "customer_id", "id"),
        sa.Index(
            None,
            "brand_id",
            "used_for",
            "state",
            postgresql_where=sa.text("used_for IS NOT NULL"),
            sqlite_where=sa.text("used_for IS NOT NULL"),
        ),
    )

    place_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    customer_id: Mapped[UUID]
    piece_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(sa.String(80))
    purpose: Mapped[str] = mapped_column(sa.String(40))
    key: Mapped[str | None] = mapped_column(sa.String(200), default=None)
    used_for: Mapped[str | None] = mapped_column(sa.String(80), default=None)
    address: Mapped[str] = mapped_column(sa.String(320))
    called: Mapped[str] = mapped_column(sa.String(200), default="")
    fills: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(sa.String(8), default=QUEUED)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(default=now)
    not_after: Mapped[datetime]
    taken_by: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    taken_at: Mapped[datetime | None] = mapped_column(default=None)
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    code: Mapped[int | None] = mapped_column(default=None)
    answer: Mapped[str] = mapped_column(sa.String(300), default="")
    created_at: Mapped[datetime] = mapped_column(default=now)


class EmailReport(StoreOwned, Base):
    """That a message came back, or that its reader complained; each report counts once.

    kind: "hard" (the address is dead), "soft" (not now), "complaint". digest: of the report as it
    came. code: the status it names (RFC 3463), such as "5.1.1".
    """

    __tablename__ = "core_email_report"
    __constraints__ = (
        brand_fk("message_id", "core_email_message"),
        sa.UniqueConstraint("brand_id", "digest"),
        sa.CheckConstraint("kind IN ('hard', 'soft', 'complaint')", name="kind"),
        sa.Index(None, "brand_id", "message_id"),
    )

    message_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(sa.String(9))
    code: Mapped[str] = mapped_column(sa.String(12), default="")
    digest: Mapped[str] = mapped_column(sa.String(64))
    at: Mapped[datetime] = mapped_column(default=now)
