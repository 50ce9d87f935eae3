"""What holds now, worked out from the events each time: a stored state could differ from them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from babel.dates import format_date
from msgspec import Struct

from highstreet.consent.facts import BRAND, EVERY, SERVICE, Answer, ConsentState, Status
from highstreet.customers import places
from highstreet.customers import queries as customers
from highstreet.customers.facts import CustomerFact
from highstreet.i18n import format_locale
from highstreet.i18n import gettext as _
from highstreet_tenants.errors import NotFound
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement, own

_EVENTS = Statement(
    "SELECT e.purpose, e.channel, e.owner_id, e.status, e.method, e.at, e.recorded_at,"
    " w.version, w.text FROM core_consent_event AS e"
    " LEFT JOIN core_consent_wording AS w ON w.brand_id = e.brand_id AND w.id = e.wording_id"
    f" WHERE e.customer_id = :customer_id AND {own('e')}",
    types={"owner_id": UUID, "at": datetime, "recorded_at": datetime},
)
# Reached here through the merged id as well: a purpose is asked of a person, not of a record.
Controller = UUID | Literal["brand"] | None


class Key(Struct, frozen=True):
    """What a word of consent is about. purpose, channel: "*" stands for all of them."""

    purpose: str
    channel: str
    owner_id: UUID | None


def owner_of(s: ScopedSession, customer: CustomerFact, controller: Controller) -> UUID | None:
    """The legal entity that is the controller; None for the brand.

    Without a `controller`: the brand for members of its club, the store's owner where each store
    keeps its customers.
    """
    if isinstance(controller, UUID):
        return controller
    if controller == BRAND or customer.store_id is None:
        return None
    return places.place(s, customer.store_id).owner_id


def latest(
    s: ScopedSession, ids: list[UUID], until: datetime | None = None
) -> dict[Key, ConsentState]:
    """The last word on each purpose, channel and controller; of two at one moment, the refusal.

    until: as it was at a moment (UTC), else now.
    """
    newest: dict[Key, tuple[tuple[datetime, bool, datetime], ConsentState]] = {}
    for one in ids:
        for row in _EVENTS(s, customer_id=one):
            purpose, channel, owner_id, status, method, at, recorded_at, version, text = row
            if until is not None and max(at, recorded_at) > until:
                continue
            key = Key(purpose, channel, owner_id)
            rank = (at, status == "withdrawn", recorded_at)
            if key not in newest or rank > newest[key][0]:
                word: Status = "withdrawn" if status == "withdrawn" else "given"
                newest[key] = (
                    rank,
                    ConsentState(purpose, channel, owner_id, word, method, at, version, text),
                )
    return {key: state for key, (_rank, state) in newest.items()}


def state(s: ScopedSession, customer_id: UUID) -> list[ConsentState]:
    """What holds now, per purpose, channel and controller; merges followed. Raises NotFound."""
    customer = customers.get(s, customer_id)
    found = latest(s, customers.lineage(s, customer.id))
    return sorted(found.values(), key=lambda c: (c.purpose, c.channel, str(c.owner_id or "")))


def yes_on_file(
    s: ScopedSession, customer_id: UUID, purpose: str, channel: str, at: datetime
) -> ConsentState | None:
    """The yes to a purpose and channel that was on file at a moment (UTC), whatever they said
    since; None where there was none. Raises NotFound."""
    found = latest(s, customers.lineage(s, customers.get(s, customer_id).id), at)
    said = [
        one
        for one in found.values()
        if (one.purpose, one.channel, one.status) == (purpose, channel, "given")
    ]
    return max(said, key=lambda one: one.at, default=None)


def may_contact(
    s: ScopedSession,
    customer_id: UUID,
    purpose: str,
    channel: str,
    *,
    controller: Controller = None,
) -> Answer:
    """What a customer's own word says: no, unless they said so and did not take it back since; to
    SERVICE yes, unless they refused. Whoever sends asks the gate, which has more reasons.

    Somebody erased or out of reach may not be contacted either.
    """
    try:
        customer = customers.get(s, customer_id)
    except NotFound:
        return Answer(False, _("There is no such customer here."))
    owner_id = owner_of(s, customer, controller)
    found = latest(s, customers.lineage(s, customer.id))
    given = found.get(Key(purpose, channel, owner_id))
    if given is None and not _refusals(found, purpose, channel, owner_id):
        if purpose == SERVICE:
            return Answer(True, _("They are told what concerns their own membership."))
        return Answer(False, _("They were never asked, or never said yes."))
    refused = [
        said
        for said in _refusals(found, purpose, channel, owner_id)
        if given is None or given.status == "withdrawn" or said.at >= given.at
    ]
    if refused:
        last = max(refused, key=lambda said: said.at)
        return Answer(False, _("They refused on %(day)s.", day=_day(last.at)))
    assert given is not None
    return Answer(True, _("They agreed on %(day)s.", day=_day(given.at)))


def _day(at: datetime) -> str:
    return format_date(at.date(), "medium", locale=format_locale())


def _refusals(
    found: dict[Key, ConsentState], purpose: str, channel: str, owner_id: UUID | None
) -> list[ConsentState]:
    """What was refused that covers this: itself, all channels, all purposes, or everything."""
    asked = {Key(p, c, owner_id) for p in (purpose, EVERY) for c in (channel, EVERY)}
    return [said for key, said in found.items() if key in asked and said.status == "withdrawn"]
