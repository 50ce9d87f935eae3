"""Putting messages into the outbox, in the transaction of what they tell about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet.consent.facts import Answer
from highstreet.consent.gate import WORDS
from highstreet.customers import anchors
from highstreet.customers import queries as customers
from highstreet.email import gate, senders
from highstreet.email import house as houses
from highstreet.email.models import QUEUED, SENDING, EmailMessage
from highstreet.i18n import gettext as _
from highstreet.jobs import enqueue
from highstreet_tenants import bulk
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Conflict, Invalid
from highstreet_tenants.ids import new_id
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement

SEND: Final = "email.send"
#: For how long a message may wait for a server that does not take it, unless it says otherwise.
LASTS = timedelta(days=3)
_ORDERED = "email.ordered"
_TABLE = cast(sa.Table, EmailMessage.__table__)
#: Rows that one statement takes away.
_AT_ONCE = 5_000

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


class PartIn(Struct, frozen=True):
    """One message of many: to whom, at which address, what it may be sent for only once, and what
    its fields say."""

    customer_id: UUID
    address: str
    key: str
    fills: Mapping[str, Any]


class ManyIn(Struct, frozen=True):
    """What messages of one mailing have in common; used_for, place_id: as of `EmailMessage`."""

    piece_id: UUID
    kind: str
    purpose: str
    used_for: str
    place_id: UUID | None = None
    not_after: datetime | None = None


def queue_many(s: ScopedSession, given: ManyIn, parts: Sequence[PartIn]) -> set[str]:
    """Put messages into the outbox, all at once; gives the keys of those whose customer is there.
    What is there already stays as it is. The gate is not asked: whoever calls has asked it in this
    transaction, for all of them, and counted the contacts under `used_for`.

    Raises Conflict where no mail can be sent.
    """
    if (reason := not_ready(s)) is not None:
        raise Conflict(reason)
    at = now()
    roots = anchors.roots(s, [one.customer_id for one in parts])
    names = anchors.names(s, {root.id for root in roots.values()})
    rows = [
        {
            "id": new_id(),
            "store_id": roots[one.customer_id].store_id,
            "place_id": given.place_id,
            "customer_id": roots[one.customer_id].id,
            "piece_id": given.piece_id,
            "kind": given.kind,
            "purpose": given.purpose,
            "key": one.key,
            "used_for": given.used_for,
            "address": one.address,
            "called": names.get(roots[one.customer_id].id, "")[:200],
            "fills": dict(one.fills),
            "state": QUEUED,
            "attempts": 0,
            "due_at": at,
            "not_after": given.not_after or at + LASTS,
            "answer": "",
            "created_at": at,
        }
        for one in parts
        if one.customer_id in roots
    ]
    if rows:
        bulk.insert(s, _TABLE, rows, ignore_conflicts=True)
        order(s, given.place_id)
    return {str(row["key"]) for row in rows}


def holds(s: ScopedSession, used_for: str) -> bool:
    """Whether messages that were queued for something have not ended yet."""
    query = sa.select(EmailMessage.id).where(
        EmailMessage.used_for == used_for, EmailMessage.state.in_((QUEUED, SENDING))
    )
    return s.scalar(query.limit(1)) is not None


def piece_of(s: ScopedSession, used_for: str) -> UUID | None:
    """What the messages of a use say; None before there is one."""
    query = sa.select(EmailMessage.piece_id).where(EmailMessage.used_for == used_for)
    return s.scalar(query.limit(1))


def take_back(s: ScopedSession, used_for: str, *, for_good: bool) -> list[str]:
    """Take what has not left yet out of the outbox; gives the keys. for_good: what is being sent at
    this moment, and put off by the server, is not tried again either."""
    rows = s.execute(
        sa.select(EmailMessage.id, EmailMessage.key, EmailMessage.state)
        .where(EmailMessage.used_for == used_for, EmailMessage.state.in_((QUEUED, SENDING)))
        .with_for_update()
    ).all()
    waiting = [row for row in rows if row.state == QUEUED]
    for some in bulk.chunks(waiting, _AT_ONCE):
        s.execute(
            sa.delete(EmailMessage)
            .where(EmailMessage.id.in_([row.id for row in some]), *s.scope.owns(EmailMessage))
            .execution_options(synchronize_session=False)
        )
    if for_good and len(waiting) < len(rows):
        s.execute(
            sa.update(EmailMessage)
            .where(
                EmailMessage.used_for == used_for,
                EmailMessage.state == SENDING,
                *s.scope.owns(EmailMessage),
            )
            .values(not_after=now())
            .execution_options(synchronize_session=False)
        )
    return [row.key for row in waiting if row.key is not None]


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
