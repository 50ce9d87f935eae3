"""Whether somebody may be written to by e-mail right now: asked when a message is queued and once
more when it goes out."""

from __future__ import annotations

from contextlib import suppress
from typing import Final
from uuid import UUID

from highstreet.consent import queries as consent
from highstreet.consent import suppressions
from highstreet.consent.facts import EVERY, Answer
from highstreet.customers import queries as customers
from highstreet.i18n import gettext as _
from highstreet_tenants.errors import NotFound
from highstreet_tenants.sessions import ScopedSession

#: What a member is told about their own membership: needs no consent, but a refusal holds.
SERVICE: Final = "service"
CHANNEL: Final = "email"


def ask(s: ScopedSession, customer_id: UUID, purpose: str) -> Answer:
    """Whether a customer may be written to for a purpose, and why (not)."""
    if purpose != SERVICE:
        return consent.may_contact(s, customer_id, purpose, CHANNEL)
    try:
        customer = customers.get(s, customer_id)
    except NotFound as error:
        return Answer(False, error.detail)
    owner_id = consent.owner_of(s, customer, None)
    said = [
        one
        for one in consent.state(s, customer.id)
        if one.owner_id == owner_id
        and one.purpose in (SERVICE, EVERY)
        and one.channel in (CHANNEL, EVERY)
    ]
    last = max(said, key=lambda one: (one.at, one.status == "withdrawn"), default=None)
    if last is not None and last.status == "withdrawn":
        return consent.may_contact(s, customer_id, SERVICE, CHANNEL)
    return Answer(True, _("They are told what concerns their own membership."))


def dead(s: ScopedSession, customer_id: UUID, address: str) -> bool:
    """Whether mail to this customer at this address came back for good."""
    return suppressions.stands(s, customer_id, "bounced", address)


def died(s: ScopedSession, customer_id: UUID, address: str) -> None:
    """It has: nothing more is sent there, by mailings neither, until the address is another or
    somebody lifts it. Of whoever is no customer any more nothing is kept."""
    with suppress(NotFound):
        suppressions.suppress(s, customer_id, reason="bounced", source="bounce", address=address)


def address_of(s: ScopedSession, customer_id: UUID) -> str | None:
    """The e-mail address that a customer gave last; None without one."""
    found = customers.contacts(s, [customer_id]).get(customer_id, ())
    return next((one.value for one in reversed(found) if one.kind == "email"), None)
