"""Recording what customers agree to and refuse; each time a new event, never a change."""

import hashlib
import re
from datetime import datetime, timedelta
from typing import get_args
from uuid import UUID

import sqlalchemy as sa

from highstreet.consent.facts import CHANNELS, EVERY, ConsentState, Status
from highstreet.consent.models import ConsentEvent, ConsentEvidence, Wording
from highstreet.consent.queries import Controller, owner_of
from highstreet.customers import queries as customers
from highstreet.customers.models import Customer
from highstreet.customers.text import bad, clean
from highstreet.i18n import gettext as _
from highstreet.i18n import lazy_gettext as _l
from highstreet.timeline.service import write
from highstreet.webhooks import outbox
from highstreet_tenants.clock import now
from highstreet_tenants.errors import NotFound
from highstreet_tenants.ids import new_id
from highstreet_tenants.models import Owner
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement

_SLUG = re.compile(r"[a-z][a-z0-9_.-]{0,39}")
#: A list's or another system's word for it: no act of the customer that we witnessed.
IMPORTED = "import"

_WORDING = Statement(
    "INSERT INTO core_consent_wording (brand_id, id, digest, version, text, first_used_at)"
    " VALUES (:brand_id, :id, :digest, :version, :text, :at) ON CONFLICT DO NOTHING",
    returns="none",
)


def record(
    s: ScopedSession,
    customer_id: UUID,
    *,
    purpose: str,
    channel: str,
    status: Status,
    wording: str,
    method: str,
    evidence: str | None = None,
    controller: Controller = None,
    version: str | None = None,
    at: datetime | None = None,
) -> ConsentState:
    """Write down that a customer agreed ("given") or refused ("withdrawn"); gives what was written.

    purpose: such as "marketing" or "magazine". channel: one of CHANNELS. Withdrawals may use "*"
    for all purposes or channels. wording: the very words they saw ("" only for a withdrawal), of
    `version` (made from the words if not given). method: "till", "form", "import", … evidence:
    what proves it; erased with the person. controller: who may use it, "brand" or a legal
    entity's id; by default the owner of the customer record. at: when it was said (aware), now if
    not given.

    Where an erased person's phone or e-mail came back, an import's "given" is written down as
    withdrawn: only the person can change their mind. Raises NotFound, Invalid.
    """
    customer = customers.get(s, customer_id)
    owner_id = owner_of(s, customer, controller)
    if isinstance(controller, UUID):
        known = s.scalar(sa.select(Owner.id).where(Owner.id == controller))
        if known is None:
            raise NotFound(_("There is no such legal entity in this brand."))
    _check(purpose, channel, status)
    method = _slug(method, "method")
    said_at = at or now()
    if said_at.tzinfo is None or said_at > now() + timedelta(days=1):
        raise bad("at", _("Say when they agreed: a time with its zone, not in the future."))
    text = clean(wording, "wording", 4000, required=status == "given", lines=True)
    proof = clean(evidence, "evidence", 1000, lines=True) if evidence else None
    if status == "given" and method == IMPORTED and _suppressed(s, customer.id):
        status, method = "withdrawn", "suppressed"
    kept = _keep_wording(s, text, version) if text else None
    actor = s.scope.actor
    event = ConsentEvent(
        brand_id=s.brand_id,
        id=new_id(),
        store_id=customer.store_id,
        customer_id=customer.id,
        purpose=purpose,
        channel=channel,
        owner_id=owner_id,
        status=status,
        wording_id=kept.id if kept else None,
        method=method,
        actor_kind=actor.kind,
        actor_id=actor.id,
        at=said_at,
        recorded_at=now(),
    )
    s.add(event)
    s.flush()
    if proof:
        s.add(
            ConsentEvidence(
                brand_id=s.brand_id,
                store_id=customer.store_id,
                event_id=event.id,
                customer_id=customer.id,
                evidence=proof,
            )
        )
        s.flush()
    write(
        s,
        customer.id,
        f"consent-{status}",
        _l("Agreed to %(purpose)s by %(channel)s")
        if status == "given"
        else _l("Refused %(purpose)s by %(channel)s"),
        occurred_at=said_at,
        data={"purpose": purpose, "channel": channel},
        ref_id=event.id,
        store_id=None,
    )
    outbox.publish(
        s,
        "consent.changed",
        {
            "customer_id": customer.id,
            "purpose": purpose,
            "channel": channel,
            "status": status,
        },
        store_id=s.store_id or customer.home_store_id,
        at=said_at,
    )
    return ConsentState(
        purpose,
        channel,
        owner_id,
        status,
        method,
        said_at,
        kept.version if kept else None,
        kept.text if kept else None,
    )


def refuse_all(
    s: ScopedSession,
    customer_id: UUID,
    *,
    method: str,
    evidence: str | None = None,
    controller: Controller = None,
) -> ConsentState:
    """Stop everything, on every channel, for a controller. Raises NotFound, Invalid."""
    return record(
        s,
        customer_id,
        purpose=EVERY,
        channel=EVERY,
        status="withdrawn",
        wording="",
        method=method,
        evidence=evidence,
        controller=controller,
    )


def _check(purpose: str, channel: str, status: str) -> None:
    if status not in get_args(Status):
        raise bad("status", _("Choose given or withdrawn."))
    if status == "given" and EVERY in (purpose, channel):
        raise bad("purpose", _("Consent is for one purpose and one channel. Record each."))
    if purpose != EVERY:
        _slug(purpose, "purpose")
    if channel != EVERY and channel not in CHANNELS:
        known = ", ".join(sorted(CHANNELS))
        raise bad("channel", _("Choose one of: %(channels)s.", channels=known))


def _slug(value: str, field: str) -> str:
    if not isinstance(value, str) or not _SLUG.fullmatch(value):
        raise bad(field, _("Use small letters, digits, dots and dashes, such as club-magazine."))
    return value


def _suppressed(s: ScopedSession, customer_id: UUID) -> bool:
    return s.scalar(sa.select(Customer.suppressed_at).where(Customer.id == customer_id)) is not None


def _keep_wording(s: ScopedSession, text: str, version: str | None) -> Wording:
    named = clean(version or "", "version", 40)
    digest = hashlib.sha256(f"{named}\n{text}".encode()).hexdigest()
    _WORDING(s, id=new_id(), digest=digest, version=named or digest[:12], text=text, at=now())
    return s.scalars(sa.select(Wording).where(Wording.digest == digest)).one()
