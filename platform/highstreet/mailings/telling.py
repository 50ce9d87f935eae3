"""“Why did I get this?”: the chain from a piece back to the word that allowed it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from babel.dates import format_datetime
from msgspec import Struct

from highstreet.consent import queries as consent
from highstreet.consent.facts import ConsentState
from highstreet.customers import places
from highstreet.host import facts as hosts
from highstreet.i18n import format_locale, ngettext
from highstreet.i18n import gettext as _
from highstreet.mailings import queries
from highstreet.mailings.facts import PieceFact
from highstreet.mailings.models import Mailing
from highstreet.segments import queries as segments
from highstreet.segments.rules import load
from highstreet_tenants.clock import now
from highstreet_tenants.errors import NotFound
from highstreet_tenants.models import Owner
from highstreet_tenants.sessions import ScopedSession


class Chain(Struct, frozen=True):
    """What stands behind a piece. sender: the place, legal_entity: in whose name. audience: the
    rule as it was, in words. consent: the yes to the purpose and channel that was on file when the
    piece went out, else when people were selected; None where there was none. reached_at: the
    address as it was. taken_over: by another system, of whose consents nobody knows here."""

    mailing: str
    purpose: str
    channel: str
    sender: str
    legal_entity: str
    audience: Sequence[tuple[int, str]]
    selected_at: datetime | None
    consent: ConsentState | None
    state: str
    reason: str
    sent_at: datetime | None
    reached_at: Sequence[str]
    taken_over: bool = False

    def lines(self) -> Iterator[str]:
        """The chain as a member and a regulator read it."""
        yield from self._behind()
        if self.consent is not None:
            yield _("Consent of %(day)s: “%(wording)s”", day=_said(self.consent.at),
                    wording=self.consent.wording or self.consent.method)  # fmt: skip
        elif self.state != "withheld" and not self.taken_over:
            yield _("No consent was needed: nobody had refused.")
        if self.reached_at:
            yield _("Address: %(lines)s", lines=_(", ").join(self.reached_at))
        if self.sent_at is not None:
            yield _("Sent on %(day)s.", day=_said(self.sent_at))
        if self.reason:
            yield _("Not sent: %(reason)s", reason=self.reason)

    def unnamed(self) -> Iterator[str]:
        """The same without what is known of the person, for whoever holds the piece."""
        yield from self._behind()
        if self.consent is not None and self.consent.wording:
            yield _("They had agreed to these words: “%(wording)s”", wording=self.consent.wording)
        elif self.consent is not None:
            yield _("They had agreed to it.")
        elif not self.taken_over:
            yield _("No consent was needed: nobody had refused.")

    def _behind(self) -> Iterator[str]:
        yield _("Mailing: %(name)s, for the purpose “%(purpose)s”.", name=self.mailing,
                purpose=self.purpose)  # fmt: skip
        yield _("Sender: %(place)s (%(entity)s).", place=self.sender, entity=self.legal_entity)
        yield _("It went to:")
        for depth, words in self.audience:
            yield f"{'  ' * (depth + 1)}{words}"


def audience(s: ScopedSession, mailing_id: UUID) -> list[tuple[int, str]]:
    """Whom a mailing goes to, in words: by the rule as it was when people were selected, else as it
    is. Raises NotFound."""
    return _audience(s, queries.row(s, mailing_id))


def _audience(s: ScopedSession, row: Mailing) -> list[tuple[int, str]]:
    found = _rule_words(s, row)
    if row.series and row.again_after:
        had = ngettext(
            "Not: who got one of “%(series)s” on the day before",
            "Not: who got one of “%(series)s” within the %(num)s days before",
            row.again_after,
            series=row.series,
        )
        found = [*found, (0, had)]
    return found


def _rule_words(s: ScopedSession, row: Mailing) -> list[tuple[int, str]]:
    if row.rule or row.audience:
        return segments.in_words(s, load(row.rule or row.audience))
    if row.segment_id is None:
        return [(0, _("Whom the mailing went to, as it was taken over from elsewhere"))]
    try:
        segment = segments.get(s, row.segment_id)
    except NotFound:  # a store's, of which its brand's club asks
        return [(0, _("On a list of the store’s"))]
    if segment.rule is not None:
        return segments.in_words(s, segment.rule)
    return [(0, _("On the list “%(name)s”", name=segment.name))]


def why(s: ScopedSession, piece: PieceFact) -> Chain:
    """The chain behind a piece: head office's in a store as well, and a store's in its brand's
    club. Raises NotFound where its mailing or its person is not here."""
    mailing = s.scalar(sa.select(Mailing).where(Mailing.id == piece.mailing_id))
    if mailing is None:
        raise NotFound(_("There is no such mailing here."))
    at = piece.sent_at or mailing.selected_at or now()
    said = consent.yes_on_file(s, piece.customer_id, mailing.purpose, mailing.channel, at)
    place = places.place(s, mailing.store_id) if mailing.store_id else None
    brand = hosts.brand(s)
    owner_id = place.owner_id if place and s.customers == "store" else None
    entity = (
        s.scalar(sa.select(Owner.legal_name).where(Owner.id == owner_id))
        if owner_id
        else brand.name
    )
    reached = piece.lines or ([piece.reached_at] if piece.reached_at else [])
    return Chain(
        mailing.name,
        mailing.purpose,
        mailing.channel,
        place.name if place else brand.name,
        entity or brand.name,
        _audience(s, mailing),
        mailing.selected_at,
        said,
        piece.state,
        queries.words_of(mailing, piece.reason) if piece.reason else "",
        piece.sent_at,
        reached,
        taken_over=not mailing.rule and mailing.segment_id is None,
    )


def _said(at: datetime) -> str:
    return str(format_datetime(at, "medium", locale=format_locale()))
