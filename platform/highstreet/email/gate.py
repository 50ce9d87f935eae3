"""Whether somebody may be written to by e-mail: the consent gate, asked when a message is queued
and once more, for a whole chunk, when it goes out."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Final
from uuid import UUID

from msgspec import Struct

from highstreet.consent import gate, suppressions
from highstreet.consent.gate import Asking, Told
from highstreet_tenants.errors import NotFound
from highstreet_tenants.sessions import ScopedSession

CHANNEL: Final = "email"


def ask(s: ScopedSession, customer_id: UUID, purpose: str) -> Told:
    """Whether a customer may be written to for a purpose, and at which address."""
    return gate.told(s, [customer_id], Asking(purpose, CHANNEL))[customer_id]


class Asked(Struct, frozen=True):
    """A message that is about to go out. address: where to. used_for: as of the message."""

    message_id: UUID
    customer_id: UUID
    purpose: str
    address: str
    used_for: str | None = None


def may_go(s: ScopedSession, letters: Collection[Asked]) -> dict[UUID, str | None]:
    """By the message's id, why it must not go out at this very moment: the gate's reason, or
    "new_address" where the customer's is another by now; None for one that may. A statement for
    each purpose and use."""
    found: dict[UUID, str | None] = {}
    for purpose, used_for in {(one.purpose, one.used_for) for one in letters}:
        some = [one for one in letters if (one.purpose, one.used_for) == (purpose, used_for)]
        asking = Asking(purpose, CHANNEL, used_for=used_for or "")
        told = gate.told(s, {one.customer_id for one in some}, asking)
        for one in some:
            answer = told[one.customer_id]
            moved = answer.reason is None and answer.reached_at != one.address
            found[one.message_id] = "new_address" if moved else answer.reason
    return found


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
