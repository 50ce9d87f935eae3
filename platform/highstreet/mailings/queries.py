"""Mailings and their pieces, as they stand."""

from __future__ import annotations

from secrets import SystemRandom
from uuid import UUID

import sqlalchemy as sa

from highstreet.consent.gate import WORDS as GATE_WORDS
from highstreet.customers import queries as customers
from highstreet.i18n import LazyText
from highstreet.i18n import gettext as _
from highstreet.mailings.facts import REASONS, MailingFact, PieceFact, Step, Waterfall
from highstreet.mailings.models import Mailing, Piece
from highstreet.segments.facts import Use
from highstreet_tenants.errors import NotFound
from highstreet_tenants.sessions import ScopedSession

_CHANCE = SystemRandom()
#: States of pieces that somebody gets.
_GOING = ("ready", "sent", "returned")
#: Drawn for each that is shown: of some mailings few get anything.
_DRAWS = 20


def listed(s: ScopedSession, *, source: str | None = None) -> list[MailingFact]:
    """The mailings of a place, the newest first: in a store its own, in head office the brand's."""
    query = sa.select(Mailing).where(*_of_here(s), Mailing.status != "discarded")
    if source is not None:
        query = query.where(Mailing.source == source)
    return [fact(one) for one in s.scalars(query.order_by(Mailing.number.desc()))]


def using(s: ScopedSession, segment_id: UUID) -> list[Use]:
    """The mailings of a place that go to a segment, the newest first."""
    rows = s.execute(
        sa.select(Mailing.id, Mailing.name, Mailing.selected_at)
        .where(*_of_here(s), Mailing.status != "discarded", Mailing.segment_id == segment_id)
        .order_by(Mailing.number.desc())
    )
    return [Use("mailing", one.id, one.name, one.selected_at) for one in rows]


def get(s: ScopedSession, mailing_id: UUID) -> MailingFact:
    """One mailing. Raises NotFound."""
    return fact(row(s, mailing_id))


def row(s: ScopedSession, mailing_id: UUID, *, lock: bool = False) -> Mailing:
    """Its row; lock: until the transaction ends. Raises NotFound."""
    query = sa.select(Mailing).where(Mailing.id == mailing_id, *_of_here(s))
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = s.scalar(query)
    if found is None:
        raise NotFound(_("There is no such mailing here."))
    return found


def waterfall(s: ScopedSession, mailing_id: UUID) -> Waterfall:
    """Where everybody who was selected went. Raises NotFound."""
    mailing = row(s, mailing_id)
    counts = s.execute(
        sa.select(Piece.state, Piece.reason, Piece.late, sa.func.count())
        .where(Piece.mailing_id == mailing_id)
        .group_by(Piece.state, Piece.reason, Piece.late)
    ).all()
    states: dict[str, int] = {}
    steps = []
    for state, reason, late, people in counts:
        states[state] = states.get(state, 0) + people
        if state == "withheld":
            steps.append(Step(str(reason), people, late, words_of(mailing, str(reason))))
    order = _order(mailing)
    return Waterfall(
        sum(states.values()),
        sorted(steps, key=lambda one: (one.late, order.get(one.reason, len(order)), one.reason)),
        states.get("ready", 0),
        states.get("sent", 0) + states.get("returned", 0),
        states.get("failed", 0),
        states.get("returned", 0),
    )


def words_of(mailing: Mailing | MailingFact, reason: str) -> str:
    """Why somebody gets nothing of a mailing, in the reader's language."""
    for one in mailing.leave_out:
        if one["reason"] == reason:
            return str(LazyText(one["words"], **one["values"]))
    return str(REASONS.get(reason, reason))


def _order(mailing: Mailing) -> dict[str, int]:
    """The place of each reason: what the law and people say first, then the mailing's own, then
    what the numbers ask."""
    own = [one["reason"] for one in mailing.leave_out]
    reasons = [*GATE_WORDS, *own, *(one for one in REASONS if one not in GATE_WORDS)]
    return {reason: place for place, reason in enumerate(reasons)}


def piece_by_code(s: ScopedSession, code: str, *, source: str | None = None) -> PieceFact:
    """The piece that bears a code, as typed or scanned; source: of a tool's mailings whose pieces
    may turn up here. Raises NotFound."""
    found = s.scalar(_turning_up(s, source).where(Piece.code == plain_code(code)))
    if found is None:
        raise NotFound(_("No piece of ours bears this code."))
    return piece_fact(found)


def of_customer(
    s: ScopedSession, customer_id: UUID, *, source: str | None = None, most: int | None = None
) -> list[PieceFact]:
    """What was meant for somebody (merges followed), the newest first; source: as of
    `piece_by_code`. Raises NotFound."""
    ids = customers.lineage(s, customers.get(s, customer_id).id)
    query = _turning_up(s, source).where(Piece.customer_id.in_(ids))
    return [piece_fact(one) for one in s.scalars(query.order_by(Piece.id.desc()).limit(most))]


def _turning_up(s: ScopedSession, source: str | None) -> sa.Select[Piece]:
    """Pieces; of a tool's mailings those that may turn up in a place: its own, and head
    office's."""
    if source is None:
        return sa.select(Piece)
    return (
        sa.select(Piece)
        .join(Mailing, sa.and_(Mailing.brand_id == Piece.brand_id, Mailing.id == Piece.mailing_id))
        .where(
            Mailing.source == source,
            Mailing.place_id.in_({s.store_id or s.brand_id, s.brand_id}),
            *s.scope.owns(Mailing),
        )
    )


def pieces(
    s: ScopedSession,
    mailing_id: UUID,
    after: int = -1,
    most: int = 500,
    *,
    state: str | None = None,
    reason: str | None = None,
    late: bool | None = None,
) -> list[PieceFact]:
    """The pieces of a mailing in the order of its manifest, behind a place; those of a state, of a
    reason; late: those withheld at the release, or all others. Raises NotFound."""
    row(s, mailing_id)
    query = sa.select(Piece).where(Piece.mailing_id == mailing_id, Piece.place > after)
    if state is not None:
        query = query.where(Piece.state == state)
    if reason is not None:
        query = query.where(Piece.reason == reason)
    if late is not None:
        query = query.where(Piece.late.is_(late))
    return [piece_fact(one) for one in s.scalars(query.order_by(Piece.place).limit(most))]


def sample(s: ScopedSession, mailing_id: UUID, most: int = 10) -> list[PieceFact]:
    """Some of the pieces that go or went out, by chance, in the order of the manifest. Raises
    NotFound."""
    selected = row(s, mailing_id).selected or 0
    drawn = sorted(_CHANCE.sample(range(selected), min(selected, most * _DRAWS)))
    query = (
        sa.select(Piece)
        .where(
            Piece.mailing_id == mailing_id,
            Piece.state.in_(_GOING),
            Piece.place.in_(drawn),
        )
        .order_by(Piece.place)
    )
    found = list(s.scalars(query))
    shown = _CHANCE.sample(found, min(len(found), most))
    return [piece_fact(one) for one in sorted(shown, key=lambda one: one.place)]


def sent(s: ScopedSession) -> dict[UUID, int]:
    """How many pieces of each of a place's mailings went out; what the post brought back did."""
    query = (
        sa.select(Piece.mailing_id, sa.func.count().label("pieces"))
        .join(Mailing, sa.and_(Mailing.brand_id == Piece.brand_id, Mailing.id == Piece.mailing_id))
        .where(
            *_of_here(s),
            *s.scope.owns(Mailing),
            Mailing.status != "discarded",
            Piece.state.in_(("sent", "returned")),
        )
        .group_by(Piece.mailing_id)
    )
    return {row.mailing_id: row.pieces for row in s.execute(query)}


def plain_code(code: str) -> str:
    """A code as it is kept: people type O for 0 and leave out what is there to be read easily."""
    plain = "".join(one for one in code.upper() if one.isalnum())
    return plain.translate(str.maketrans("OIL", "011"))[:12]


def fact(one: Mailing) -> MailingFact:
    """The row as others see it."""
    return MailingFact(**{name: getattr(one, name) for name in MailingFact.__struct_fields__})


def piece_fact(one: Piece) -> PieceFact:
    """The row as others see it."""
    return PieceFact(**{name: getattr(one, name) for name in PieceFact.__struct_fields__})


def _of_here(s: ScopedSession) -> list[sa.ColumnElement[bool]]:
    """A place's own: head office's are not a store's to see, nor a store's head office's."""
    return [Mailing.place_id == (s.store_id or s.brand_id)]
