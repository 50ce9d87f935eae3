"""Whether somebody may be written to by e-mail: the consent gate, asked when a message is queued
and once more, for a whole chunk, when it goes out."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Final
from uuid import UUID

from highstreet.consent import gate, suppressions
from highstreet.consent.gate import Asking, Told
from highstreet_tenants.errors import NotFound
from highstreet_tenants.sessions import ScopedSession

CHANNEL: Final = "email"


def ask(s: ScopedSession, customer_id: UUID, purpose: str) -> Told:
    """Whether a customer may be written to for a purpose, and at which address."""
    return gate.told(s, [customer_id], Asking(purpose, CHANNEL))[customer_id]


def may_go(s: ScopedSession, letters: Collection[tuple[UUID, UUID, str, str]]) -> set[UUID]:
    """Of (message, customer, purpose, address) the messages that may go out at this very moment: to
    the address that is the customer's still. A statement for each purpose."""
    going = set()
    for purpose in {one[2] for one in letters}:
        asked = [one for one in letters if one[2] == purpose]
        told = gate.told(s, {one[1] for one in asked}, Asking(purpose, CHANNEL))
        going |= {
            message
            for message, customer_id, _purpose, address in asked
            if told[customer_id] == Told(None, address)
        }
    return going


def is_quiet(s: ScopedSession) -> bool:
    """Whether nobody is disturbed at this hour here."""
    return gate.is_quiet(s, CHANNEL)


def died(s: ScopedSession, dead: Iterable[tuple[UUID, str]]) -> None:
    """Mail to (customer, address) came back for good: nothing more is sent there, by mailings
    neither, until the address is another or somebody lifts it. Of whoever is no customer any more
    nothing is kept."""
    for customer_id, address in dead:
        with suppress(NotFound):
            suppressions.suppress(
                s, customer_id, reason="bounced", source="bounce", address=address
            )
