"""Pieces with what stands on the envelope, read in one go: for lists and labels of many."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet.addresses.models import Address
from highstreet.customers import anchors
from highstreet.mailings import queries
from highstreet.mailings.models import Piece
from highstreet_tenants.sessions import ScopedSession


class Addressed(Struct, frozen=True):
    """A piece that goes, or went, by post. place: in the order of the manifest. name: of today.
    lines: the address as it was; postal_code, country: of it."""

    place: int
    customer_id: UUID
    household_id: UUID | None
    state: str
    code: str
    name: str
    lines: Sequence[str]
    postal_code: str
    country: str
    sent_at: datetime | None


def addressed(
    s: ScopedSession, mailing_id: UUID, after: int = -1, most: int = 2000
) -> list[Addressed]:
    """The pieces of a mailing that are ready, sent or returned, in the order of the manifest behind
    a place; whoever was erased is none of them. Raises NotFound."""
    queries.row(s, mailing_id)
    query = (
        sa.select(
            Piece.place,
            Piece.customer_id,
            Piece.household_id,
            Piece.state,
            Piece.code,
            Piece.lines,
            Piece.sent_at,
            Address.postal_code,
            Address.country,
        )
        .select_from(Piece)
        .outerjoin(
            Address,
            sa.and_(
                Address.brand_id == Piece.brand_id,
                Address.customer_id == Piece.customer_id,
                sa.cast(Address.id, sa.String(36)) == Piece.reached_at,
                *s.scope.owns(Address),
            ),
        )
        .where(
            Piece.mailing_id == mailing_id,
            Piece.state.in_(("ready", "sent", "returned")),
            Piece.lines.is_not(None),
            Piece.place > after,
        )
        .order_by(Piece.place)
        .limit(most)
    )
    rows = s.execute(query).all()
    named = anchors.names(s, [row.customer_id for row in rows])
    return [
        Addressed(
            row.place,
            row.customer_id,
            row.household_id,
            row.state,
            row.code or "",
            named.get(row.customer_id, ""),
            row.lines,
            row.postal_code or "",
            row.country or "",
            row.sent_at,
        )
        for row in rows
    ]
