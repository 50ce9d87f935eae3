"""What a tool tells one member: its notice, in the member's language, through gate and outbox."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from highstreet.consent.facts import Answer
from highstreet.customers import queries as customers
from highstreet.email import house as houses
from highstreet.email import outbox, pieces
from highstreet.email.outbox import MessageIn
from highstreet.email.pieces import PieceIn
from highstreet.host import state
from highstreet.i18n import DEFAULT, LANGUAGES
from highstreet.i18n import gettext as _
from highstreet_tenants.sessions import ScopedSession

if TYPE_CHECKING:
    from highstreet.host.notices import Notice

#: Kinds of values that are kept as they are; all others as they are written.
_PLAIN = (str, int, float, bool)


def send(
    s: ScopedSession,
    notice: Notice,
    tool: str,
    customer_id: UUID,
    values: Mapping[str, Any],
    *,
    key: str,
    place_id: UUID | None,
    not_after: datetime | None = None,
) -> Answer:
    """Queue a notice to a member, if it may be sent; see `ctx.mail.notice`."""
    if not state.is_on(s, tool, place_id):
        return Answer(False, _("The tool is off here."))
    if (reason := outbox.not_ready(s)) is not None:
        return Answer(False, reason)
    customer = customers.get(s, customer_id)
    spoken = spoken_for(customer.language)
    with houses.of(s).speaking(spoken):
        subject, text = str(notice.subject), str(notice.text)
    piece = pieces.keep(
        s,
        PieceIn(
            notice.name,
            notice.purpose,
            subject,
            text=text,
            language=spoken,
            fields=frozenset(notice.sample),
        ),
    )
    return outbox.queue(
        s,
        MessageIn(
            customer.id,
            piece,
            notice.name,
            notice.purpose,
            {name: one if type(one) in _PLAIN else str(one) for name, one in values.items()},
            key=f"{notice.name}:{customer.id.hex}:{key}"[:200],
            place_id=place_id,
            not_after=not_after,
        ),
    )


def spoken_for(tag: str | None) -> str:
    """The language to write in: that of a tag (a member's, a place's) if we speak it."""
    if tag and tag.lower().startswith("zh"):
        return "zh_Hans"
    return tag if tag in LANGUAGES else DEFAULT
