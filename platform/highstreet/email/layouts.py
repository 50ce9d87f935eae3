"""Versions of head office's frame: each kept as it was, for a message names the one it was in."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa

from highstreet.email import frames
from highstreet.email.models import EmailLayout
from highstreet.email.senders import office_only
from highstreet_tenants.clock import now
from highstreet_tenants.models import Brand
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.trail import record


def current(s: ScopedSession) -> EmailLayout | None:
    """The frame that holds; None as long as head office has made none of its own."""
    return s.scalar(
        sa.select(EmailLayout)
        .order_by(EmailLayout.chosen_at.desc(), EmailLayout.number.desc())
        .limit(1)
    )


def html(s: ScopedSession, layout: EmailLayout | None) -> str:
    """A frame's HTML, or that of the plain one in the brand's colour."""
    if layout is not None:
        return layout.html
    return frames.compiled(frames.plain(accent(s)))


def accent(s: ScopedSession) -> str | None:
    """The brand's own colour."""
    return s.scalar(sa.select(Brand.accent).where(Brand.id == s.brand_id))


def choose(s: ScopedSession, source: str) -> EmailLayout:
    """Let a frame (MJML) hold from now on: a new version, or an earlier one again. Raises Invalid
    for one that may not be sent, Forbidden in a store."""
    office_only(s)
    source = source.replace("\r\n", "\n").strip() + "\n"
    made = frames.compiled(source)
    digest = hashlib.sha256(f"{source}\0{made}".encode()).hexdigest()
    row = s.scalar(sa.select(EmailLayout).where(EmailLayout.digest == digest))
    if row is None:
        last = s.scalar(sa.select(sa.func.max(EmailLayout.number)))
        row = EmailLayout(
            brand_id=s.brand_id, number=(last or 0) + 1, digest=digest, source=source, html=made
        )
        s.add(row)
    row.chosen_at = now()
    s.flush()
    record(s, "email.layout_chosen", "email", row.id, str(row.number), store_id=None)
    return row
