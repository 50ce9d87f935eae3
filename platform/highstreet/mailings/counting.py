"""Counts of a mailing's pieces, for the post office and the printer."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet.addresses.models import Address
from highstreet.mailings import queries
from highstreet.mailings.models import Piece
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.sets import by_sets


class Postcode(Struct, frozen=True):
    """So many pieces to a postal code of a country (ISO 3166 alpha-2); "" where it has none."""

    country: str
    postal_code: str
    pieces: int


def by_postcode(s: ScopedSession, mailing_id: UUID) -> list[Postcode]:
    """The pieces that go, or went, by post, in the order of countries and codes. Raises
    NotFound."""
    queries.row(s, mailing_id)
    where = sa.cast(Address.id, sa.String(36))
    query = (
        sa.select(Address.country, Address.postal_code, sa.func.count(Piece.id))
        .select_from(Piece)
        .join(
            Address,
            sa.and_(
                Address.brand_id == Piece.brand_id,
                Address.customer_id == Piece.customer_id,
                where == Piece.reached_at,
            ),
        )
        .where(
            Piece.mailing_id == mailing_id,
            Piece.state.in_(("ready", "sent", "returned")),
            *s.scope.owns(Address),
        )
        .group_by(Address.country, Address.postal_code)
        .order_by(Address.country, Address.postal_code)
    )
    with by_sets(s):
        rows = s.execute(query).all()
    return [Postcode(*cast(Any, row)) for row in rows]
