"""What is sent: each text kept once and never changed, so that what somebody got can be shown."""

from __future__ import annotations

import hashlib
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet import templating
from highstreet.email import cleaning, filling, layouts
from highstreet.email.mailboxes import holds_control
from highstreet.email.models import EmailPiece
from highstreet.i18n import LANGUAGES
from highstreet.i18n import gettext as _
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Invalid
from highstreet_tenants.ids import new_id
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement, own

#: Fields that every message can name, whatever it is about.
ALWAYS: Final = frozenset({"name", "brand", "store", "unsubscribe_url"})
MOST_TEXT, MOST_SUBJECT = templating.LONGEST, 200

_KEEP = Statement(
    "INSERT INTO core_email_piece (brand_id, id, store_id, layout_id, kind, purpose, language,"
    " subject, text, html, digest, created_at) VALUES (:brand_id, :id, :owner_store_id, :layout_id,"
    " :kind, :purpose, :language, :subject, :text, :html, :digest, :at) ON CONFLICT DO NOTHING",
    returns="none",
)
_KNOWN = Statement(
    f"SELECT p.id FROM core_email_piece AS p WHERE p.digest = :digest AND {own('p')}",
    returns="value",
    types={"id": UUID},
)


class PieceIn(Struct, frozen=True):
    """What a message says, in Liquid. html: as a person typed it; made of the text if "". text:
    made of the HTML if "". fields: names that it may use beside ALWAYS."""

    kind: str
    purpose: str
    subject: str
    text: str = ""
    html: str = ""
    language: str = "en"
    fields: frozenset[str] = frozenset()


def keep(s: ScopedSession, given: PieceIn) -> UUID:
    """Keep a text, cleaned, in the frame that holds now; gives the id of the piece, the same for
    the same text. Raises Invalid, naming the field that is wrong."""
    done = prepare(given)
    layout = layouts.current(s)
    layout_id = layout.id if layout else None
    told = (s.store_id, layout_id, done.kind, done.purpose, done.language, done.subject)
    digest = hashlib.sha256(repr((*told, done.text, done.html)).encode()).hexdigest()
    known: UUID | None = _KNOWN(s, digest=digest)
    if known is None:
        _KEEP(
            s,
            id=new_id(),
            owner_store_id=s.store_id,
            layout_id=layout_id,
            kind=done.kind,
            purpose=done.purpose,
            language=done.language,
            subject=done.subject,
            text=done.text,
            html=done.html,
            digest=digest,
            at=now(),
        )
        known = _KNOWN(s, digest=digest)
    assert known is not None
    return known


def prepare(given: PieceIn) -> PieceIn:
    """The same, cleaned and whole. Raises Invalid."""
    subject = given.subject.strip()
    if not subject or len(subject) > MOST_SUBJECT or holds_control(subject):
        raise _bad("subject", _("Give a subject in one line, at most 200 characters."))
    if given.language not in LANGUAGES:
        raise _bad("language", _("There is no such language here."))
    if max(len(given.text), len(given.html)) > MOST_TEXT:
        raise _bad(
            "text", _("The text is too long: use at most %(most)s characters.", most=MOST_TEXT)
        )
    filling.check_html(given.html)
    html = cleaning.clean(given.html or cleaning.as_html(given.text))
    text = given.text or cleaning.as_text(html)
    if not text.strip():
        raise _bad("text", _("Write what the message says."))
    fields = set(ALWAYS | given.fields)
    # What would only be found when it is filled, thousands of times, is found now.
    for where, template in (("subject", subject), ("text", text), ("html", html)):
        filling.check(template, fields, where)
    return PieceIn(
        given.kind, given.purpose, subject, text, html, given.language, frozenset(fields)
    )


def get(s: ScopedSession, piece_id: UUID) -> EmailPiece | None:
    """A piece within reach."""
    return s.scalar(sa.select(EmailPiece).where(EmailPiece.id == piece_id))


def _bad(field: str, words: str) -> Invalid:
    return Invalid(words, fields={field: [words]})
