"""Putting messages into the outbox, in the transaction of what they tell about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from highstreet.consent.facts import Answer
from highstreet.consent.gate import WORDS
from highstreet.customers import queries as customers
from highstreet.email import gate, senders
from highstreet.email import house as houses
from highstreet.i18n import gettext as _
from highstreet.jobs import enqueue
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Invalid
from highstreet_tenants.ids import new_id
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement

SEND: Final = "email.send"
#: For how long a message may wait for a server that does not take it, unless it says otherwise.
LASTS = timedelta(days=3)
_ORDERED = "email.ordered"

_PUT = Statement(
    "INSERT INTO core_email_message (brand_id, id, store_id, place_id, customer_id, piece_id, kind,"
    " purpose, key, address, called, fills, state, attempts, due_at, not_after, answer, created_at)"
    " VALUES (:brand_id, :id, :owner_store_id, :place_id, :customer_id, :piece_id, :kind, :purpose,"
    " :key, :address, :called, :fills, 'queued', 0, :at, :not_after, '', :at)"
    " ON CONFLICT DO NOTHING",
    returns="count",
)


class MessageIn(Struct, frozen=True):
    """One message to one customer. fills: what the piece's fields say. key: what it may be sent
    for only once in the brand. place_id: the store that sends it, None for head office."""

    customer_id: UUID
    piece_id: UUID
    kind: str
    purpose: str
    fills: Mapping[str, Any]
    key: str | None = None
    place_id: UUID | None = None
    not_after: datetime | None = None


def queue(s: ScopedSession, given: MessageIn) -> Answer:
    """Put a message into the outbox, if its customer may be written to; false, with the reason, if
    not, and for one that is there already. Raises NotFound for a customer out of reach."""
    if (reason := not_ready(s)) is not None:
        return Answer(False, reason)
    customer = customers.get(s, given.customer_id)
    told = gate.ask(s, customer.id, given.purpose)
    if told.reason is not None:
        return Answer(False, str(WORDS[told.reason]))
    at = now()
    not_after = given.not_after or at + LASTS
    if not_after <= at:
        raise Invalid(_("The message could never be sent: its last moment has passed."))
    put = _PUT(
        s,
        id=new_id(),
        owner_store_id=customer.store_id,
        place_id=given.place_id,
        customer_id=customer.id,
        piece_id=given.piece_id,
        kind=given.kind,
        purpose=given.purpose,
        key=given.key,
        address=told.reached_at,
        called=customer.name[:200],
        fills=dict(given.fills),
        at=at,
        not_after=not_after,
    )
    if not put:
        return Answer(False, _("It was sent for this before."))
    order(s, given.place_id)
    return Answer(True, _("It is on its way."))


def not_ready(s: ScopedSession) -> str | None:
    """Why no mail can be sent for this brand; None if it can."""
    mail = houses.known(s)
    if mail is None or not mail.ready:
        return _("No mail server is set up, so no mail leaves: ask whoever runs the installation.")
    if senders.current(s) is None:
        return _("Head office has not said yet in whose name e-mail is sent.")
    return None


def order(s: ScopedSession, place_id: UUID | None, run_at: datetime | None = None) -> None:
    """See to it that somebody sends what is in a place's outbox: one job for each transaction.

    Not one for all: a job that is about to end would not see what is being written meanwhile.
    """
    ordered: set[tuple[UUID | None, datetime | None]] = s.info.setdefault(_ORDERED, set())
    if (place_id, run_at) not in ordered:
        ordered.add((place_id, run_at))
        enqueue(s, SEND, run_at=run_at, store_id=place_id)
