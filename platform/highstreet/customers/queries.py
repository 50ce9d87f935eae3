"""Finding customers. Each look-up reads a bounded stretch of one index, however many there are."""

import unicodedata
from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa

from highstreet.customers import keys, places
from highstreet.customers.facts import (
    CardStatus,
    CustomerDetail,
    CustomerFact,
    Found,
    IdentityFact,
    NoteFact,
)
from highstreet.customers.models import Customer, Identity, Note
from highstreet.customers.text import clean
from highstreet.i18n import gettext as _
from highstreet_tenants.errors import Conflict, Invalid, NotFound
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement, own

FACT = "c.id, c.name, c.store_id, c.home_store_id, c.language, c.joined_at, c.status"
TYPES: dict[str, type] = {
    "id": UUID,
    "store_id": UUID,
    "home_store_id": UUID,
    "joined_at": datetime,
}
# Names that share a prefix and are looked through when the words were typed in another order.
_MOST_LOOKED_THROUGH = 200

_BY_KEY = Statement(
    f"SELECT {FACT}, i.status AS key_status, i.shown"
    " FROM core_customer_identity AS i"
    " JOIN core_customer AS c ON c.brand_id = i.brand_id AND c.id = i.customer_id"
    " WHERE i.realm_id = :realm_id AND i.kind = :kind AND i.value = :value"
    f" AND {own('i')} AND {own('c')} ORDER BY c.id LIMIT :most",
    types=TYPES,
)
_BY_NAME = Statement(
    f"SELECT {FACT} FROM"
    " (SELECT k.customer_id, k.word FROM core_customer_name_key AS k"
    f"  WHERE k.realm_id = :realm_id AND k.word >= :low AND k.word < :high AND {own('k')}"
    "  ORDER BY k.word, k.customer_id LIMIT :most) AS f"
    " JOIN core_customer AS c ON c.id = f.customer_id"
    f" WHERE {own('c')} ORDER BY f.word, f.customer_id",
    types=TYPES,
)
# The record that g stands for. Not COALESCE: to PostgreSQL it may tell of rows behind row-level
# security, so that it reads the whole table rather than look the id up.
_NOW = "CASE WHEN g.merged_into IS NULL THEN g.id ELSE g.merged_into END"
_FOLLOWED = Statement(
    f"SELECT {FACT} FROM core_customer AS g"
    f" JOIN core_customer AS c ON c.id = {_NOW}"
    f" WHERE g.id = :id AND {own('g')} AND {own('c')}",
    returns="row",
    types=TYPES,
)
_FOLLOWED_ALL_SQL = (
    f"SELECT DISTINCT {FACT} FROM core_customer AS g"
    f" JOIN core_customer AS c ON c.brand_id = g.brand_id AND c.id = {_NOW}"
    f" WHERE g.id {{}} AND c.status <> 'erased' AND {own('g')} AND {own('c')} ORDER BY c.id"
)
_FOLLOWED_ALL = Statement(
    _FOLLOWED_ALL_SQL.format("IN (SELECT value FROM json_each(:ids))"),
    postgresql=_FOLLOWED_ALL_SQL.format("= ANY(:ids)"),
    types=TYPES,
)
_NOW_ALL_SQL = (
    f"SELECT g.id, c.id FROM core_customer AS g"
    f" JOIN core_customer AS c ON c.brand_id = g.brand_id AND c.id = {_NOW}"
    f" WHERE g.id {{}} AND c.status <> 'erased' AND {own('g')} AND {own('c')}"
)
_NOW_ALL = Statement(
    _NOW_ALL_SQL.format("IN (SELECT value FROM json_each(:ids))"),
    postgresql=_NOW_ALL_SQL.format("= ANY(:ids)"),
    types=TYPES,
)
_RECORD = Statement(
    f"SELECT {FACT} FROM core_customer AS c WHERE c.id = :id AND {own('c')}",
    returns="row",
    types=TYPES,
)
_LINEAGE = Statement(
    f"SELECT c.id FROM core_customer AS c WHERE c.merged_into = :id AND {own('c')} ORDER BY c.id",
    types={"id": UUID},
)


class CardBlocked(Conflict):
    """The card is known but was reported lost, or blocked."""

    type = "card-blocked"


def by_card(s: ScopedSession, number: str, *, store_id: UUID | None = None) -> CustomerFact:
    """The customer who holds a card; the till's first look-up.

    `store_id` is needed only outside of a store's scope where stores own their customers. Raises
    Invalid for what is no card number, NotFound for an unknown card, CardBlocked for a lost or
    blocked one.
    """
    found = _by_key(s, "card", keys.card_key(number), places.realm(s, store_id).id, 1)
    if not found:
        raise NotFound(_("No customer here has this card. Scan it again, or enrol a new member."))
    if found[0].card_status == "lost":
        raise CardBlocked(
            _("This card was reported lost. Find the customer by phone or name and give a new one.")
        )
    if found[0].card_status == "blocked":
        raise CardBlocked(_("This card is blocked. Ask the store's manager."))
    return found[0].customer


def find(
    s: ScopedSession, text: str, limit: int = 20, *, store_id: UUID | None = None
) -> list[Found]:
    """Customers by card, else phone, else e-mail, else the first letters of any of their names.

    At most `limit` (1–100). Raises Invalid for control characters or an absurdly long text.
    """
    text = clean(unicodedata.normalize("NFKC", text.strip("\r\n\t\x1d ")), "text", 200)
    limit = max(1, min(limit, 100))
    if not text:
        return []
    realm = places.realm(s, store_id)
    for kind, value in _candidates(text, places.region(s, store_id)):
        found = _by_key(s, kind, value, realm.id, limit)
        if found:
            return found
    return _by_name(s, text, realm.id, limit)


def by_key(
    s: ScopedSession, kind: keys.Kind, text: str, limit: int = 20, *, store_id: UUID | None = None
) -> list[Found]:
    """Customers by one kind of key only, for a machine that knows which it has.

    Lost and blocked cards are found too, with their status. Raises Invalid for what is no key of
    that kind.
    """
    value = keys.key_of(kind, text, places.region(s, store_id))
    return _by_key(s, kind, value, places.realm(s, store_id).id, max(1, min(limit, 100)))


def _candidates(text: str, region: str | None) -> list[tuple[keys.Kind, str]]:
    """The keys that a text may mean, likeliest first."""
    tries: list[tuple[keys.Kind, str]] = []
    # What is not a key of one kind may be one of the next.
    if any(c.isdigit() for c in text):
        with suppress(Invalid):
            tries.append(("card", keys.card_key(text)))
        with suppress(Invalid):
            tries.append(("phone", keys.phone_key(text, region)))
    if "@" in text:
        with suppress(Invalid):
            tries.append(("email", keys.email_key(text)))
    return tries


def _by_key(s: ScopedSession, kind: str, value: str, realm_id: UUID, most: int) -> list[Found]:
    rows = _BY_KEY(s, realm_id=realm_id, kind=kind, value=value, most=most)
    return [
        Found(
            CustomerFact(*row[:7]),
            cast(Any, kind),
            row[8],
            cast(CardStatus, row[7]) if kind == "card" else None,
        )
        for row in rows
    ]


def _by_name(s: ScopedSession, text: str, realm_id: UUID, limit: int) -> list[Found]:
    prefix = keys.name_key(text)[: keys.NAME_KEY_LENGTH]
    if not prefix:
        return []
    found = _with_prefix(s, prefix, realm_id, limit + limit // 2)
    words = prefix.split(" ")
    if len(words) > 1 and len(found) < limit:
        # "Smith Anna": look through those whose name has the longest word, in any order.
        for fact in _with_prefix(s, max(words, key=len), realm_id, _MOST_LOOKED_THROUGH).values():
            have = keys.name_words(fact.name)
            if all(any(h.startswith(w) for h in have) for w in words):
                found.setdefault(fact.id, fact)
    return [Found(fact, "name", fact.name) for fact in found.values()][:limit]


def _with_prefix(
    s: ScopedSession, prefix: str, realm_id: UUID, most: int
) -> dict[UUID, CustomerFact]:
    rows = _BY_NAME(s, realm_id=realm_id, low=prefix, high=prefix + keys.AFTER, most=most)
    found: dict[UUID, CustomerFact] = {}
    for row in rows:
        found.setdefault(row[0], CustomerFact(*row))
    return found


def get(s: ScopedSession, customer_id: UUID) -> CustomerFact:
    """The customer; of a merged record, the one that took its place.

    Raises NotFound for an erased customer and for one out of the scope's reach.
    """
    row = _FOLLOWED(s, id=customer_id)
    if row is None or row[6] == "erased":
        raise no_customer()
    return CustomerFact(*row)


def by_ids(s: ScopedSession, ids: Iterable[UUID]) -> list[CustomerFact]:
    """Those of the customers that are within reach and not erased, each once, in order of ids.

    Of a merged record, the one that took its place.
    """
    return [CustomerFact(*row) for row in _FOLLOWED_ALL(s, ids=list(ids))]


def followed(s: ScopedSession, ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """The id that each record goes by now: its own, or that of the one that took its place.

    Whoever is erased or out of reach is missing.
    """
    return {row[0]: row[1] for row in _NOW_ALL(s, ids=list(ids))}


def record(s: ScopedSession, customer_id: UUID) -> CustomerFact:
    """The record itself, merged or erased as it may be. Raises NotFound out of reach."""
    row = _RECORD(s, id=customer_id)
    if row is None:
        raise no_customer()
    return CustomerFact(*row)


def lineage(s: ScopedSession, customer_id: UUID) -> list[UUID]:
    """The customer's id, first, and those of all records that were merged into it.

    Purchases, timeline entries and consents keep the id they were written under (another store's
    rows can't be rewritten from here), so whoever reads them asks for all of these.
    """
    return [customer_id, *(row[0] for row in _LINEAGE(s, id=customer_id))]


def detail(s: ScopedSession, customer_id: UUID) -> CustomerDetail:
    """All that this room holds about a customer, merges followed. Raises NotFound."""
    fact = get(s, customer_id)
    row = s.scalars(sa.select(Customer).where(Customer.id == fact.id)).one()
    identities = s.scalars(
        sa.select(Identity)
        .where(Identity.customer_id == fact.id)
        .order_by(Identity.kind, Identity.created_at, Identity.id)
    )
    notes = s.scalars(
        sa.select(Note).where(Note.customer_id == fact.id).order_by(Note.created_at.desc(), Note.id)
    )
    return CustomerDetail(
        fact,
        row.birthday,
        dict(row.fields),
        tuple(identity_fact(i) for i in identities),
        tuple(NoteFact(n.id, n.text, n.author, n.created_at) for n in notes),
    )


def contacts(s: ScopedSession, ids: Collection[UUID]) -> dict[UUID, tuple[IdentityFact, ...]]:
    """Cards, phones and e-mails of several customers, the newest last: what tells namesakes apart.

    Customers with none, or out of the scope's reach, are not among the keys.
    """
    found: dict[UUID, list[IdentityFact]] = {}
    rows = s.scalars(
        sa.select(Identity)
        .where(Identity.customer_id.in_(ids))
        .order_by(Identity.created_at, Identity.id)
    )
    for row in rows:
        found.setdefault(row.customer_id, []).append(identity_fact(row))
    return {customer_id: tuple(facts) for customer_id, facts in found.items()}


def identity_fact(row: Identity) -> IdentityFact:
    """The fact of an identity's row."""
    return IdentityFact(
        cast(keys.Kind, row.kind),
        row.value,
        row.shown,
        cast(CardStatus, row.status),
        row.created_at,
    )


def no_customer() -> NotFound:
    """The error for a customer who is not within reach, or not at all."""
    return NotFound(_("There is no such customer here. Find them by card, phone or name."))
