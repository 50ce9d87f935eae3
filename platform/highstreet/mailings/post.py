"""The post as carrier: what is released is in a batch, which the printer or the mail house gets."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from highstreet.customers import anchors
from highstreet.i18n import gettext as _
from highstreet.mailings import designs, queries
from highstreet.mailings.facts import MailingFact, PieceFact
from highstreet.mailings.models import Piece
from highstreet_tenants.sessions import ScopedSession

#: Pieces that are read at a time.
_READ = 2000


class Post:
    """Hands over by writing down the batch; files are made of it as often as they are asked for.

    Content: {"design": the id of a print design}; without one a mail house prints it.
    """

    chunk = 2500
    disturbs = False

    def pin(self, s: ScopedSession, content: Mapping[str, Any]) -> Mapping[str, Any]:
        """With the version of the design that is approved now. Raises Invalid."""
        return designs.pin(s, content)

    def check(self, s: ScopedSession, content: Mapping[str, Any]) -> str:
        """sha256 of the content as JSON, with its design as it is approved now and what the store
        fills in of it. Raises Invalid for a design that is not approved, or is for nobody."""
        held = designs.pin(s, content)
        return hashlib.sha256(msgspec.json.encode(held, order="sorted")).hexdigest()

    def hand_over(
        self, s: ScopedSession, mailing: MailingFact, pieces: Sequence[PieceFact]
    ) -> Mapping[UUID, str]:
        """Nothing can go wrong before the printer has them."""
        return {}

    def holds(self, s: ScopedSession, mailing: MailingFact) -> bool:
        """Nothing: a batch is out of the house."""
        return False

    def call_back(
        self, s: ScopedSession, mailing: MailingFact, *, for_good: bool
    ) -> Sequence[UUID]:
        """Nothing comes back from the printer."""
        return ()


def rows(s: ScopedSession, mailing_id: UUID, batch: int | None = None) -> Iterator[list[Any]]:
    """For the mail house, in the order of the manifest: a row of headings, then one for each piece
    that is sent: code, name, address lines, postal batch. Names are those of today.

    Raises NotFound.
    """
    queries.row(s, mailing_id)
    yield [_("Code"), _("Name"), *(_("Line %(number)s", number=n) for n in range(1, 7)), _("Batch")]
    last = -1
    while True:
        query = (
            sa.select(Piece.place, Piece.customer_id, Piece.code, Piece.lines, Piece.batch)
            .where(
                Piece.mailing_id == mailing_id,
                Piece.state.in_(("sent", "returned")),
                Piece.place > last,
                *([Piece.batch == batch] if batch is not None else []),
            )
            .order_by(Piece.place)
            .limit(_READ)
        )
        found = s.execute(query).all()
        if not found:
            return
        named = anchors.names(s, [one.customer_id for one in found])
        for one in found:
            lines = [*(one.lines or [])][:6]
            yield [
                one.code,
                named.get(one.customer_id, ""),
                *lines,
                *[""] * (6 - len(lines)),
                one.batch,
            ]
        last = found[-1].place
