"""Letting people stop mail: by one click of their mail programme, or on a page that a link opens.

Who has the link may take back what its reader agreed to, and nothing else: a message that was
forwarded must not let a stranger agree in somebody's name.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from msgspec import Struct

from highstreet.consent import queries as consent
from highstreet.consent import service
from highstreet.consent.facts import EVERY, ConsentState
from highstreet.customers import queries as customers
from highstreet.customers.facts import CustomerFact
from highstreet.email import gate
from highstreet.email.tokens import Stop, Tokens
from highstreet_tenants.errors import NotFound
from highstreet_tenants.models import Brand
from highstreet_tenants.scopes import Actor, Scope
from highstreet_tenants.sessions import ScopedSession, Tenancy

#: How it was said, in the consent event (RFC 8058; the page behind the link).
ONE_CLICK, PAGE, COMPLAINT = "one-click", "unsubscribe-page", "complaint"


class Opened(Struct, frozen=True):
    """What a link leads to: the brand, and the scope in which its reader's records are."""

    brand: Brand
    scope: Scope
    stop: Stop


class Choice(Struct, frozen=True):
    """One thing that a customer agreed to and can take back here."""

    purpose: str
    channel: str

    @property
    def id(self) -> str:
        """For a form."""
        return f"{self.purpose}:{self.channel}"


def open_stop(tenancy: Tenancy, tokens: Tokens, token: str) -> Opened:
    """What a link leads to. Raises NotFound for one that was not made here."""
    stop = tokens.read_stop(token)
    with tenancy.control() as c:
        brand = c.get(Brand, stop.brand_id)
    if brand is None or (brand.customers == "store") != (stop.store_id is not None):
        raise NotFound("")
    actor = Actor("member", stop.customer_id, "member")
    if stop.store_id is None:
        return Opened(brand, Scope.brand(brand, actor), stop)
    return Opened(brand, Scope.store(brand.id, stop.store_id, actor), stop)


def reader(s: ScopedSession, customer_id: UUID) -> CustomerFact | None:
    """Whom a link is about, merges followed; None once they are erased."""
    try:
        return customers.get(s, customer_id)
    except NotFound:
        return None


def one_click(s: ScopedSession, stop: Stop, method: str = ONE_CLICK) -> bool:
    """Stop e-mail for the purpose of the message that holds the link; whether it was not yet."""
    who = reader(s, stop.customer_id)
    if who is None or stopped(s, who, stop.purpose):
        return False
    service.record(
        s,
        who.id,
        purpose=stop.purpose,
        channel=gate.CHANNEL,
        status="withdrawn",
        wording="",
        method=method,
        evidence=f"Message-ID {stop.message_id.hex}",
    )
    return True


def stopped(s: ScopedSession, who: CustomerFact, purpose: str) -> bool:
    """Whether e-mail for a purpose has been refused, and not agreed to since."""
    if consent.may_contact(s, who.id, purpose, gate.CHANNEL):
        return False
    owner_id = consent.owner_of(s, who, None)
    return any(
        said.status == "withdrawn" and said.purpose in (purpose, EVERY)
        for said in _said(s, who, owner_id)
        if said.channel in (gate.CHANNEL, EVERY)
    )


def choices(s: ScopedSession, who: CustomerFact) -> list[Choice]:
    """What they agreed to that still holds, by purpose and channel."""
    owner_id = consent.owner_of(s, who, None)
    return [
        Choice(said.purpose, said.channel)
        for said in _said(s, who, owner_id)
        if said.status == "given" and consent.may_contact(s, who.id, said.purpose, said.channel)
    ]


def keep_only(s: ScopedSession, stop: Stop, kept: Collection[str]) -> int:
    """Take back all that they agreed to but what is `kept` (ids of choices); gives how many."""
    who = reader(s, stop.customer_id)
    gone = [] if who is None else [one for one in choices(s, who) if one.id not in kept]
    for one in gone:
        service.record(
            s,
            stop.customer_id,
            purpose=one.purpose,
            channel=one.channel,
            status="withdrawn",
            wording="",
            method=PAGE,
            evidence=f"Message-ID {stop.message_id.hex}",
        )
    return len(gone)


def stop_all(s: ScopedSession, stop: Stop) -> bool:
    """Stop everything on every channel; whether there was anybody to stop it for."""
    who = reader(s, stop.customer_id)
    if who is None:
        return False
    if not _all_stopped(s, who):
        service.refuse_all(s, who.id, method=PAGE, evidence=f"Message-ID {stop.message_id.hex}")
    return True


def _all_stopped(s: ScopedSession, who: CustomerFact) -> bool:
    owner_id = consent.owner_of(s, who, None)
    said = _said(s, who, owner_id)
    last = max((one.at for one in said if one.status == "given"), default=None)
    return any(
        one.purpose == one.channel == EVERY
        and one.status == "withdrawn"
        and (last is None or one.at >= last)
        for one in said
    )


def _said(s: ScopedSession, who: CustomerFact, owner_id: UUID | None) -> list[ConsentState]:
    return [one for one in consent.state(s, who.id) if one.owner_id == owner_id]
