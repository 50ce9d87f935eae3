"""Cards, phone numbers and e-mail addresses of a customer."""

from collections.abc import Iterable
from contextlib import suppress
from typing import get_args
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet.customers import keys, parts, places, queries, suppression
from highstreet.customers.facts import CardStatus, IdentityFact
from highstreet.customers.keys import Kind
from highstreet.customers.models import Customer, Identity
from highstreet.customers.places import Realm
from highstreet.customers.text import bad
from highstreet.i18n import gettext as _
from highstreet.i18n import lazy_gettext as _l
from highstreet.webhooks import outbox
from highstreet_tenants import bulk
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Conflict, Invalid, NotFound
from highstreet_tenants.ids import new_id
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement

MOST_IDENTITIES = 50
#: Cards that are looked up by one statement.
_LOOKED_UP = 500

_ADD = Statement(
    "INSERT INTO core_customer_identity (brand_id, id, store_id, customer_id, realm_id, kind,"
    " value, shown, status, created_at) VALUES (:brand_id, :id, :owner_store_id, :customer_id,"
    " :realm_id, :kind, :value, :shown, 'active', :created_at) ON CONFLICT DO NOTHING",
    returns="count",
)


class Key(Struct, frozen=True):
    """A key in one form with how to show it."""

    kind: Kind
    value: str
    shown: str


def read(kind: Kind, text: str, region: str | None) -> Key:
    """The key that `text` means. Raises Invalid, naming the field."""
    if kind == "phone":
        return Key(kind, *keys.phone_forms(text, region))
    value = keys.key_of(kind, text, region)
    return Key(kind, value, value)


def read_all(
    region: str | None, card: str | None, phone: str | None, email: str | None
) -> list[Key]:
    """The keys of those that are given. Raises Invalid, naming the field."""
    found = []
    if card:
        found.append(read("card", card, region))
    if phone:
        found.append(read("phone", phone, region))
    if email:
        found.append(read("email", email, region))
    return found


def holders(s: ScopedSession, numbers: Iterable[str]) -> dict[str, UUID]:
    """Whose each card is, by its number as it was given and whatever its status; one that is
    nobody's, or no card's number at all, is missing. Raises Invalid where each store has its own
    customers and the session is in none."""
    realm_id = places.realm(s).id
    given: dict[str, str] = {}
    for number in numbers:
        with suppress(Invalid):
            given[keys.key_of("card", number, None)] = number
    found: dict[str, UUID] = {}
    for some in bulk.chunks(given, _LOOKED_UP):
        rows = s.execute(
            sa.select(Identity.value, Identity.customer_id).where(
                Identity.realm_id == realm_id, Identity.kind == "card", Identity.value.in_(some)
            )
        )
        found.update({given[row.value]: row.customer_id for row in rows})
    return found


def attach(s: ScopedSession, customer_id: UUID, realm: Realm, key: Key) -> bool:
    """Write one key; False if this customer already had it.

    Raises Conflict for a card that another customer holds, also when both are given at once.
    """
    added = _ADD(
        s,
        id=new_id(),
        owner_store_id=realm.store_id,
        customer_id=customer_id,
        realm_id=realm.id,
        kind=key.kind,
        value=key.value,
        shown=key.shown,
        created_at=now(),
    )
    if added:
        return True
    if key.kind == "card":
        holder = s.scalar(
            sa.select(Identity.customer_id).where(
                Identity.realm_id == realm.id,
                Identity.kind == "card",
                Identity.value == key.value,
            )
        )
        if holder != customer_id:
            raise taken(key.shown)
    return False


def taken(number: str) -> Conflict:
    """The error for a card that is somebody else's."""
    words = _(
        "Card %(number)s already belongs to another customer. Take another card, or find that"
        " customer and merge the two.",
        number=number,
    )
    return Conflict(words, fields={"card": [words]})


def issue_card(s: ScopedSession, customer_id: UUID, number: str) -> IdentityFact:
    """Give a customer a (further) card. Giving the same card again changes nothing.

    Raises NotFound, Invalid for what is no card number, Conflict if another customer holds it.
    """
    return add(s, customer_id, "card", number)


def add(s: ScopedSession, customer_id: UUID, kind: Kind, text: str) -> IdentityFact:
    """Add a card, phone or e-mail. Raises NotFound, Invalid, and Conflict for another's card."""
    if kind not in get_args(Kind):
        raise bad("kind", _("Choose card, phone or email."))
    fact = queries.get(s, customer_id)
    realm = Realm(fact.store_id or s.brand_id, fact.store_id)
    key = read(kind, text, places.region(s, fact.home_store_id if s.store_id is None else None))
    count = s.scalar(sa.select(sa.func.count(Identity.id)).where(Identity.customer_id == fact.id))
    if (count or 0) >= MOST_IDENTITIES:
        raise bad(kind, _("A customer has at most %(most)s of these.", most=MOST_IDENTITIES))
    if attach(s, fact.id, realm, key):
        note_suppression(s, fact.id, realm, [key])
        if kind == "card":
            parts.tell(
                s,
                fact.id,
                "card-issued",
                _l("Card %(number)s given"),
                occurred_at=now(),
                data={"number": key.shown},
            )
            _told(s, fact.id, "active", fact.home_store_id)
    row = s.scalars(
        sa.select(Identity).where(
            Identity.customer_id == fact.id, Identity.kind == kind, Identity.value == key.value
        )
    ).one()
    return queries.identity_fact(row)


def remove(s: ScopedSession, customer_id: UUID, kind: Kind, value: str) -> None:
    """Take a phone or e-mail away. Cards stay, as lost or blocked, so that nobody reuses them.

    Raises NotFound, Invalid for a card.
    """
    if kind == "card":
        raise bad("kind", _("Cards are not removed. Report the card lost, or block it."))
    fact = queries.get(s, customer_id)
    row = s.scalar(
        sa.select(Identity).where(
            Identity.customer_id == fact.id, Identity.kind == kind, Identity.value == value
        )
    )
    if row is None:
        raise NotFound(_("The customer has no such phone number or e-mail address."))
    s.delete(row)
    s.flush()


def set_card_status(
    s: ScopedSession, number: str, status: CardStatus, *, store_id: UUID | None = None
) -> IdentityFact:
    """Report a card lost, block it, or make it good again. The points stay the customer's.

    Raises NotFound for an unknown card, Invalid.
    """
    if status not in get_args(CardStatus):
        raise bad("status", _("Choose active, lost or blocked."))
    value = keys.card_key(number)
    row = s.scalar(
        sa.select(Identity)
        .where(
            Identity.realm_id == places.realm(s, store_id).id,
            Identity.kind == "card",
            Identity.value == value,
        )
        .with_for_update()
    )
    if row is None:
        raise NotFound(_("No customer here has this card. Check the number."))
    if row.status != status:
        row.status = status
        s.flush()
        titles = {
            "active": _l("Card %(number)s works again"),
            "lost": _l("Card %(number)s reported lost"),
            "blocked": _l("Card %(number)s blocked"),
        }
        parts.tell(
            s,
            row.customer_id,
            f"card-{status}",
            titles[status],
            occurred_at=now(),
            data={"number": row.shown},
        )
        _told(s, row.customer_id, status, store_id)
    return queries.identity_fact(row)


def _told(s: ScopedSession, customer_id: UUID, status: str, store_id: UUID | None) -> None:
    data = {"customer_id": customer_id, "status": status}
    outbox.publish(s, "customer.card_changed", data, store_id=s.store_id or store_id)


def note_suppression(s: ScopedSession, customer_id: UUID, realm: Realm, found: list[Key]) -> None:
    """Mark a customer who brings back an erased phone or e-mail: old consents stay withdrawn."""
    if suppression.suppressed(s, realm.id, [(k.kind, k.value) for k in found]):
        row = s.scalars(sa.select(Customer).where(Customer.id == customer_id)).one()
        row.suppressed_at = row.suppressed_at or now()
        s.flush()
