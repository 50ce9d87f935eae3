"""Post that comes back: whoever scans a piece says so, and nothing more goes to that address."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from highstreet.consent import suppressions
from highstreet.i18n import gettext as _
from highstreet.mailings import queries
from highstreet.mailings.facts import PieceFact
from highstreet.mailings.models import Mailing, Piece
from highstreet_tenants.errors import Conflict, NotFound
from highstreet_tenants.sessions import ScopedSession

_REASON = "returned"


def came_back(s: ScopedSession, code: str) -> PieceFact:
    """The post returned the piece that bears a code. Its address is written to no more, until the
    person has another; others of the household are asked about their own. Scanned twice it is the
    same. Raises NotFound, Conflict for what was not sent, or not by post."""
    row, channel = _row(s, code)
    if channel != "post":
        raise Conflict(_("It went by e-mail; what bounces is seen to by itself."))
    if row.state == "returned":
        return queries.piece_fact(row)
    if row.state != "sent":
        raise Conflict(_("This piece was never sent."))
    row.state = "returned"
    s.flush()
    if row.reached_at:
        suppressions.suppress(
            s,
            row.customer_id,
            reason=_REASON,
            source="piece",
            address_id=UUID(row.reached_at),
        )
    return queries.piece_fact(row)


def undo(s: ScopedSession, code: str) -> PieceFact:
    """It was another one that came back. Raises NotFound, Conflict unless it is written down as
    returned."""
    row, _channel = _row(s, code)
    if row.state != "returned":
        raise Conflict(_("This piece is not written down as returned."))
    row.state = "sent"
    s.flush()
    if row.reached_at:
        suppressions.lift_for(s, row.customer_id, _REASON, address_id=UUID(row.reached_at))
    return queries.piece_fact(row)


def _row(s: ScopedSession, code: str) -> tuple[Piece, str]:
    found = s.execute(
        sa.select(Piece, Mailing.channel)
        .join(Mailing, sa.and_(Mailing.brand_id == Piece.brand_id, Mailing.id == Piece.mailing_id))
        .where(Piece.code == queries.plain_code(code), *s.scope.owns(Mailing))
        .with_for_update(of=Piece)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound(_("No piece of ours bears this code."))
    return found[0], found[1]
