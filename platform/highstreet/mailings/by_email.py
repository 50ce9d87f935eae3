"""E-mail as carrier: what passed the gate goes into the outbox, and the outbox tells what of it did
not arrive, so that a piece ends as what became of it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from highstreet import templating
from highstreet.customers import filling, places, published
from highstreet.customers.text import bad
from highstreet.email import layouts, notices, outbox, pieces
from highstreet.email.endings import Ended
from highstreet.email.mailboxes import on_the_wire
from highstreet.email.models import BOUNCED, FAILED, LATE
from highstreet.email.outbox import ManyIn, PartIn
from highstreet.email.pieces import PieceIn
from highstreet.host import facts as hosts
from highstreet.i18n import gettext as _
from highstreet.mailings import releasing, selecting
from highstreet.mailings.facts import MailingFact, PieceFact
from highstreet.mailings.models import Mailing, Piece
from highstreet_tenants.errors import Conflict, Invalid
from highstreet_tenants.sessions import ScopedSession

#: What its messages are called in the outbox.
KIND: Final = "mailing"
_TEXTS = ("subject", "text", "html")
#: What each message can name beside the fields that are published: what people answer by.
_OWN = frozenset({"code"})


class Email:
    """Content: {"subject": …, "text": …, "html": …}, each in Liquid; text or html may be left out,
    and is then made of the other. Fields: `name`, `brand`, `store`, `unsubscribe_url`, `code`, and
    all that are published of customers, such as `points_club.balance`."""

    chunk = 500
    disturbs = True

    def pin(self, s: ScopedSession, content: Mapping[str, Any]) -> Mapping[str, Any]:
        """As it is: the outbox keeps what the first message says."""
        return content

    def check(self, s: ScopedSession, content: Mapping[str, Any]) -> str:
        """sha256 of what is sent, cleaned, with the frame that it is sent in. Raises Invalid naming
        what is wrong, Conflict where no mail can be sent."""
        done = pieces.prepare(_piece(s, content))
        if (reason := outbox.not_ready(s)) is not None:
            raise Conflict(reason)
        layout = layouts.current(s)
        told = [done.language, done.subject, done.text, done.html, str(layout and layout.id)]
        return hashlib.sha256(msgspec.json.encode(told)).hexdigest()

    def hand_over(
        self, s: ScopedSession, mailing: MailingFact, pieces: Sequence[PieceFact]
    ) -> Mapping[UUID, str]:
        """Put them into the outbox, all at once. What they say is the same for all of a mailing,
        also where head office changes its frame meanwhile."""
        reasons: dict[UUID, str] = {}
        going: dict[UUID, str] = {}
        for one in pieces:
            try:
                on_the_wire(one.reached_at or "")
                going[one.id] = one.reached_at or ""
            except Invalid:
                reasons[one.id] = "bad_address"
        used_for = selecting.used_for(mailing.id)
        given = ManyIn(
            outbox.piece_of(s, used_for) or _kept(s, mailing),
            KIND,
            mailing.purpose,
            used_for,
            mailing.store_id,
            mailing.not_after,
        )
        said = filling.values(
            s,
            _named(mailing.content),
            [one.customer_id for one in pieces if one.id in going],
            s.store_id,
        )
        parts = [
            PartIn(
                one.customer_id,
                going[one.id],
                _key(one.id),
                {**said.get(one.customer_id, {}), "code": one.code},
            )
            for one in pieces
            if one.id in going
        ]
        queued = outbox.queue_many(s, given, parts)
        return reasons | {one: "not_a_customer" for one in going if _key(one) not in queued}

    def holds(self, s: ScopedSession, mailing: MailingFact) -> bool:
        """Whether the outbox has any of it."""
        return outbox.holds(s, selecting.used_for(mailing.id))

    def call_back(
        self, s: ScopedSession, mailing: MailingFact, *, for_good: bool
    ) -> Sequence[UUID]:
        """What the outbox has not sent."""
        keys = outbox.take_back(s, selecting.used_for(mailing.id), for_good=for_good)
        return list(_ids(keys))


class Told:
    """Hears of the outbox what did not arrive."""

    def ended(self, s: ScopedSession, messages: Collection[Ended]) -> None:
        """Write it down with the pieces, and that these people were not contacted after all."""
        became: dict[tuple[str, str | None], list[UUID]] = {}
        late = {one.key for one in messages if one.state == LATE}
        stopped = _of_stopped(s, list(_ids(late)))
        for one in messages:
            (piece_id,) = _ids([one.key])
            if one.state == BOUNCED and one.reason == "returned":
                end: tuple[str, str | None] = ("returned", None)
            elif one.state in (BOUNCED, FAILED):
                end = ("failed", one.reason)
            else:
                end = ("withheld", "stopped" if piece_id in stopped else one.reason)
            became.setdefault(end, []).append(piece_id)
        for (state, reason), ids in became.items():
            releasing.ended(s, ids, state, reason)

    def rested(self, s: ScopedSession) -> None:
        """A mailing of which nothing is left, here or in the outbox, is finished."""
        query = sa.select(Mailing.id).where(
            Mailing.place_id == (s.store_id or s.brand_id),
            Mailing.channel == "email",
            Mailing.status == "running",
        )
        for mailing_id in s.scalars(query).all():
            releasing.settle(s, mailing_id)


def _piece(s: ScopedSession, content: Mapping[str, Any], purpose: str = "marketing") -> PieceIn:
    """What a mailing's content says, for the outbox. Raises Invalid."""
    for name in _TEXTS:
        if not isinstance(content.get(name, ""), str):
            raise bad(name, _("Give this as text."))
    if strange := sorted(set(content) - set(_TEXTS)):
        raise bad(strange[0], _("An e-mail has a subject, a text and HTML, and nothing else."))
    subject, text, html = (str(content.get(name, "")) for name in _TEXTS)
    place = places.place(s, s.store_id) if s.store_id else hosts.brand(s)
    return PieceIn(
        KIND,
        purpose,
        subject,
        text,
        html,
        notices.spoken_for(place.locale.replace("-", "_").partition("_")[0]),
        frozenset(published.known(s, s.store_id)) | _OWN,
    )


def _kept(s: ScopedSession, mailing: MailingFact) -> UUID:
    return pieces.keep(s, _piece(s, mailing.content, mailing.purpose))


def _named(content: Mapping[str, Any]) -> set[str]:
    """Fields of customers that a content asks for."""
    found: set[str] = set()
    for name in _TEXTS:
        found |= templating.fields_of(str(content.get(name, "")))
    return found - pieces.ALWAYS - _OWN


def _key(piece_id: UUID) -> str:
    return f"{KIND}:{piece_id}"


def _ids(keys: Collection[str]) -> Iterator[UUID]:
    for key in keys:
        yield UUID(key.partition(":")[2])


def _of_stopped(s: ScopedSession, ids: Collection[UUID]) -> set[UUID]:
    """Those of pieces whose mailing was stopped."""
    if not ids:
        return set()
    query = sa.select(Piece.id).join(
        Mailing, sa.and_(Mailing.brand_id == Piece.brand_id, Mailing.id == Piece.mailing_id)
    )
    query = query.where(Piece.id.in_(ids), Mailing.status == "stopped", *s.scope.owns(Mailing))
    return set(s.scalars(query))
