"""Taking on thousands at once, for imports: set-based, and the same file twice changes nothing."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from highstreet.customers import enrolment, identities, keys, places, suppression
from highstreet.customers import fields as custom
from highstreet.customers.facts import CustomerFact, EnrolIn, EnrolOutcome, FieldFact, Refused
from highstreet.customers.identities import Key
from highstreet.customers.models import Customer, Identity, NameKey
from highstreet.customers.places import Realm
from highstreet.customers.text import bad, clean
from highstreet.host import dispatch
from highstreet.i18n import gettext as _
from highstreet.webhooks import outbox
from highstreet_tenants import bulk
from highstreet_tenants.clock import now
from highstreet_tenants.errors import HighstreetError
from highstreet_tenants.ids import new_id
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement, own

_KNOWN_SQL = (
    "SELECT i.realm_id, i.kind, i.value, i.customer_id FROM core_customer_identity AS i"
    f" WHERE i.realm_id = :realm_id AND i.kind = :kind AND i.value {{}} AND {own('i')}"
)
_KNOWN = Statement(
    _KNOWN_SQL.format("IN (SELECT value FROM json_each(:found))"),
    postgresql=_KNOWN_SQL.format("= ANY(:found)"),
    types={"realm_id": UUID, "customer_id": UUID},
)
_tables = Customer.metadata.tables
_Mark = tuple[UUID, str, str]


class _Row(Struct):
    index: int
    given: EnrolIn
    realm: Realm
    name: str
    keys: list[Key]
    language: str | None
    fields: dict[str, Any]
    joined_at: datetime
    customer_id: UUID | None = None

    def mark(self) -> _Mark | None:
        """By what the row is known again: its card, else its e-mail, else its phone."""
        for kind in ("card", "email", "phone"):
            for key in self.keys:
                if key.kind == kind:
                    return (self.realm.id, kind, key.value)
        return None


def enrol_batch(s: ScopedSession, items: Sequence[EnrolIn]) -> EnrolOutcome:
    """Take on many customers, of one or many stores, in a few statements.

    A row whose card is known is that customer, and so is one without a card whose e-mail, or
    without both whose phone, is known: nothing of it is changed. A bad row is refused and the
    others go in. Tools hear of the new ones through `customers_enrolled`, all at once; no timeline
    is written (joined_at tells the same). Hand in some thousands at a time.
    """
    refused: list[Refused] = []
    ids: list[UUID | None] = [None] * len(items)
    rows: list[_Row] = []
    own_fields = custom.listed(s) if any(item.fields is not None for item in items) else []
    for index, item in enumerate(items):
        try:
            rows.append(_read(s, index, item, own_fields))
        except HighstreetError as error:
            refused.append(Refused(index, error.type, error.detail))
    known = _known(s, rows)
    new: list[_Row] = []
    for row in rows:
        mark = row.mark()
        if mark is not None and mark in known:
            row.customer_id = known[mark]
        else:
            row.customer_id = new_id()
            new.append(row)
            for key in row.keys:
                known.setdefault((row.realm.id, key.kind, key.value), row.customer_id)
        ids[row.index] = row.customer_id
    facts = tuple(_write(s, new))
    dispatch.collect_by_store(s, "customers_enrolled", facts, lambda fact: fact.home_store_id)
    outbox.publish_many(
        s,
        "customer.enrolled",
        (
            outbox.Happened(one.home_store_id, one.joined_at, {"customer_id": one.id})
            for one in facts
        ),
    )
    return EnrolOutcome(len(new), len(rows) - len(new), tuple(refused), tuple(ids))


def _read(s: ScopedSession, index: int, item: EnrolIn, own_fields: Sequence[FieldFact]) -> _Row:
    place = places.place(s, item.store_id)
    found = identities.read_all(place.country, item.card, item.phone, item.email)
    name = clean(item.name, "name", enrolment.NAME_LENGTH)
    if not name and not found:
        raise bad("name", _("Give a name, a card, a phone number or an e-mail address."))
    enrolment.check_birthday(item.birthday)
    return _Row(
        index,
        item,
        places.realm(s, item.store_id),
        name,
        found,
        enrolment.check_language(item.language),
        custom.check(s, item.fields, known=own_fields) if item.fields is not None else {},
        enrolment.check_moment(item.joined_at, "joined_at") if item.joined_at else now(),
    )


def _known(s: ScopedSession, rows: Sequence[_Row]) -> dict[_Mark, UUID]:
    wanted: dict[tuple[UUID, str], list[str]] = {}
    for row in rows:
        for key in row.keys:
            wanted.setdefault((row.realm.id, key.kind), []).append(key.value)
    return {
        (realm_id, kind, value): customer_id
        for (realm, asked), values in wanted.items()
        for realm_id, kind, value, customer_id in _KNOWN(
            s, realm_id=realm, kind=asked, found=values
        )
    }


def _write(s: ScopedSession, new: Sequence[_Row]) -> list[CustomerFact]:
    at = now()
    facts, people, held, words = [], [], [], []
    erased = {realm for realm in {r.realm.id for r in new} if suppression.anybody(s, realm)}
    for row in new:
        assert row.customer_id is not None
        people.append(
            {
                "id": row.customer_id,
                "store_id": row.realm.store_id,
                "home_store_id": row.given.store_id,
                "name": row.name,
                "language": row.language,
                "birthday": row.given.birthday,
                "fields": row.fields,
                "status": "active",
                "merged_into": None,
                "suppressed_at": at if _suppressed(s, row, erased) else None,
                "joined_at": row.joined_at,
                "updated_at": at,
            }
        )
        base = {
            "store_id": row.realm.store_id,
            "customer_id": row.customer_id,
            "realm_id": row.realm.id,
        }
        for key in row.keys:
            held.append(
                {
                    "id": new_id(),
                    **base,
                    "kind": key.kind,
                    "value": key.value,
                    "shown": key.shown,
                    "status": "active",
                    "created_at": at,
                }
            )
        words += [{"id": new_id(), **base, "word": word} for word in keys.name_keys(row.name)]
        facts.append(
            CustomerFact(
                row.customer_id,
                row.name,
                row.realm.store_id,
                row.given.store_id,
                row.language,
                row.joined_at,
                "active",
            )
        )
    bulk.insert(s, _tables[Customer.__tablename__], people)
    bulk.insert(s, _tables[Identity.__tablename__], held)
    bulk.insert(s, _tables[NameKey.__tablename__], words)
    return facts


def _suppressed(s: ScopedSession, row: _Row, erased: set[UUID]) -> bool:
    return row.realm.id in erased and suppression.suppressed(
        s, row.realm.id, [(key.kind, key.value) for key in row.keys]
    )
