"""Telling whoever queued messages what became of them: what a room above keeps of its own must
not go on saying that they were sent."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Protocol
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet.email.models import QUEUED, STOPPED, EmailMessage
from highstreet.i18n import LazyText
from highstreet.i18n import lazy_gettext as _l
from highstreet_tenants.sessions import ScopedSession

#: Why a message did not arrive, beside the gate's reasons.
WORDS: dict[str, LazyText] = {
    "new_address": _l("Their e-mail address is another one now."),
    "bad_address": _l("This is no address that mail can be sent to."),
    "unwritten": _l("The message could not be put together for them."),
    "refused": _l("Their mail server refused it."),
    "not_taken": _l("No mail server took it, however often it was tried."),
}


class Ended(Struct, frozen=True):
    """A message that did not arrive, or came back. key: what it was queued for. state: as of
    `models`. reason: the gate's or one of WORDS; "too_late", "erased"."""

    key: str
    customer_id: UUID
    state: str
    reason: str


class Teller(Protocol):
    """Who queued messages of a kind."""

    def ended(self, s: ScopedSession, messages: Collection[Ended]) -> None:
        """So many did not arrive; in the transaction that writes it down."""

    def rested(self, s: ScopedSession) -> None:
        """A job that sends what this place has in its outbox comes to its end."""


_tellers: dict[str, Teller] = {}


def register(kind: str, teller: Teller) -> None:
    """Let a room above hear of messages of a kind. Registering again replaces."""
    _tellers[kind] = teller


def is_told(kind: str) -> bool:
    """Whether anybody wants to know."""
    return kind in _tellers


def tell(s: ScopedSession, ends: Collection[tuple[str, Ended]]) -> None:
    """Tell of (kind, ended)."""
    for kind, teller in _tellers.items():
        if theirs := [one for named, one in ends if named == kind]:
            teller.ended(s, theirs)


def rested(s: ScopedSession) -> None:
    """A job has sent what it could here."""
    for teller in _tellers.values():
        teller.rested(s)


def waiting_of(s: ScopedSession, ids: list[UUID]) -> list[tuple[str, Ended]]:
    """What waits for customers who are about to be erased, as it will have ended."""
    rows: Any = s.execute(
        sa.select(EmailMessage.kind, EmailMessage.key, EmailMessage.customer_id).where(
            EmailMessage.customer_id.in_(ids),
            EmailMessage.state == QUEUED,
            EmailMessage.key.is_not(None),
        )
    )
    return [
        (kind, Ended(key, customer_id, STOPPED, "erased"))
        for kind, key, customer_id in rows
        if is_told(kind)
    ]
