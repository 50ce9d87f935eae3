"""What was meant for somebody, sent or not: for themselves, and for whoever they ask in a store."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet.customers import queries as customers
from highstreet.i18n import gettext as _
from highstreet.mailings import queries
from highstreet.mailings.facts import PieceFact
from highstreet.mailings.models import Mailing, Piece
from highstreet_tenants.errors import NotFound
from highstreet_tenants.sessions import ScopedSession


class Meant(Struct, frozen=True):
    """What was meant for somebody. at: when it went out, else when its mailing did (UTC)."""

    piece: PieceFact
    mailing: str
    purpose: str
    channel: str
    at: datetime


def listed(s: ScopedSession, customer_id: UUID, most: int = 50) -> list[Meant]:
    """The pieces of mailings that were released which were meant for somebody (merges followed),
    sent or not, the newest first: in a store its own and head office's. Raises NotFound."""
    ids = customers.lineage(s, customers.get(s, customer_id).id)
    at: sa.ColumnElement[datetime] = sa.func.coalesce(Piece.sent_at, Mailing.released_at)
    rows = s.execute(
        sa.select(Piece, Mailing.name, Mailing.purpose, Mailing.channel, at)
        .join(Mailing, sa.and_(Mailing.brand_id == Piece.brand_id, Mailing.id == Piece.mailing_id))
        .where(Piece.customer_id.in_(ids), at.is_not(None), *s.scope.owns(Mailing))
        .order_by(at.desc(), Piece.id.desc())
        .limit(most)
    )
    return [
        Meant(queries.piece_fact(piece), name, purpose, channel, when)
        for piece, name, purpose, channel, when in rows
    ]


def names(s: ScopedSession, mailing_ids: Collection[UUID]) -> dict[UUID, str]:
    """What mailings within reach are called, head office's in a store among them."""
    rows = s.execute(sa.select(Mailing.id, Mailing.name).where(Mailing.id.in_(mailing_ids)))
    return {row.id: row.name for row in rows}


def by_code(s: ScopedSession, code: str) -> PieceFact:
    """The piece that went out with a code, as typed or scanned. Raises NotFound, for one that is
    still to go out as well."""
    found = queries.piece_by_code(s, code)
    if found.sent_at is None:
        raise NotFound(_("No piece of ours bears this code."))
    return found
