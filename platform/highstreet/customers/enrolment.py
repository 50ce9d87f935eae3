"""Joining, and keeping a record right."""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from highstreet.customers import fields as custom
from highstreet.customers import identities, keys, parts, places, queries, suppression
from highstreet.customers.facts import CustomerFact, NoteFact
from highstreet.customers.keys import Kind
from highstreet.customers.models import Customer, Identity, NameKey, Note
from highstreet.customers.places import Realm
from highstreet.customers.text import bad, clean
from highstreet.host import dispatch
from highstreet.i18n import gettext as _
from highstreet.i18n import lazy_gettext as _l
from highstreet.webhooks import outbox
from highstreet_tenants.clock import now
from highstreet_tenants.ids import new_id
from highstreet_tenants.sessions import ScopedSession

NAME_LENGTH = 200
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}")
_OLDEST = 1900


class Keep:
    """The type of KEEP."""


#: An argument of `update` that leaves what is there, as None takes it away.
KEEP: Final = Keep()


def enrol(
    s: ScopedSession,
    *,
    name: str,
    phone: str | None = None,
    email: str | None = None,
    card: str | None = None,
    language: str | None = None,
    birthday: date | None = None,
    fields: Mapping[str, Any] | None = None,
    at: datetime | None = None,
    store_id: UUID | None = None,
) -> CustomerFact:
    """Take somebody on. A name, or one of card, phone and e-mail is enough; the rest can follow.

    `fields` are answers to the brand's custom fields; None puts the question off, {} does not.
    `at` (aware) is when they joined, now if not given; `store_id` the home store, the scope's own
    if not given. Raises Invalid, naming fields (`joined_at` for `at`); Conflict for a card that
    is somebody else's; NotFound for a store out of reach.
    """
    home = store_id or s.store_id
    realm = places.realm(s, home)
    if home is not None:
        places.place(s, home)  # it must exist within reach
    region = places.region(s, home)
    name = clean(name, "name", NAME_LENGTH)
    given = identities.read_all(region, card, phone, email)
    if not name and not given:
        raise bad("name", _("Give a name, a card, a phone number or an e-mail address."))
    joined = at or now()
    check_moment(joined, "joined_at")
    found = [(k.kind, k.value) for k in given]
    customer = Customer(
        brand_id=s.brand_id,
        id=new_id(),
        store_id=realm.store_id,
        home_store_id=home,
        name=name,
        language=check_language(language),
        birthday=check_birthday(birthday),
        fields=custom.check(s, fields) if fields is not None else {},
        joined_at=joined,
        updated_at=now(),
        suppressed_at=now() if suppression.suppressed(s, realm.id, found) else None,
    )
    s.add(customer)
    write_name_keys(s, customer.id, realm, name)
    s.flush()
    for key in given:
        identities.attach(s, customer.id, realm, key)
    fact = queries.record(s, customer.id)
    parts.tell(s, fact.id, "enrolled", _l("Joined"), occurred_at=joined)
    dispatch.collect(s, "customers_enrolled", store_id=home, customers=(fact,))
    outbox.publish(s, "customer.enrolled", {"customer_id": fact.id}, store_id=home, at=joined)
    return fact


def update(
    s: ScopedSession,
    customer_id: UUID,
    *,
    name: str | Keep = KEEP,
    phone: str | Keep | None = KEEP,
    email: str | Keep | None = KEEP,
    language: str | Keep | None = KEEP,
    birthday: date | Keep | None = KEEP,
    fields: Mapping[str, Any] | Keep = KEEP,
) -> CustomerFact:
    """Correct a record. What is not given stays; None takes it away; a phone or e-mail replaces
    all of that kind; `fields` are laid over those that are there.

    Raises NotFound, Invalid.
    """
    fact = queries.get(s, customer_id)
    row = s.scalars(sa.select(Customer).where(Customer.id == fact.id).with_for_update()).one()
    realm = Realm(row.store_id or s.brand_id, row.store_id)
    region = places.region(s, row.home_store_id if s.store_id is None else None)
    changed: list[str] = []
    if not isinstance(name, Keep):
        cleaned = clean(name, "name", NAME_LENGTH)
        if cleaned != row.name:
            row.name = cleaned
            s.execute(sa.delete(NameKey).where(NameKey.customer_id == row.id))
            write_name_keys(s, row.id, realm, cleaned)
            changed.append("name")
    if not isinstance(phone, Keep) and _replace(s, row.id, realm, "phone", phone, region):
        changed.append("phone")
    if not isinstance(email, Keep) and _replace(s, row.id, realm, "email", email, region):
        changed.append("email")
    if not isinstance(language, Keep) and row.language != check_language(language):
        row.language = check_language(language)
        changed.append("language")
    if not isinstance(birthday, Keep) and row.birthday != birthday:
        row.birthday = check_birthday(birthday)
        changed.append("birthday")
    if not isinstance(fields, Keep):
        answers = custom.check(s, fields, before=row.fields)
        if answers != row.fields:
            row.fields = answers
            changed.append("fields")
    if changed:
        row.updated_at = now()
        s.flush()
        if "name" in changed:
            parts.renamed(s, row.id)
        parts.tell(
            s, row.id, "updated", _l("Details changed"), occurred_at=now(), data={"what": changed}
        )
        outbox.publish(
            s,
            "customer.updated",
            {"customer_id": row.id},
            store_id=s.store_id or row.home_store_id,
        )
    return queries.record(s, row.id)


def _replace(
    s: ScopedSession,
    customer_id: UUID,
    realm: Realm,
    kind: Kind,
    text: str | None,
    region: str | None,
) -> bool:
    key = identities.read(kind, text, region) if text else None
    have = list(
        s.scalars(
            sa.select(Identity).where(Identity.customer_id == customer_id, Identity.kind == kind)
        )
    )
    if [row.value for row in have] == ([key.value] if key else []):
        return False
    for row in have:
        if key is None or row.value != key.value:
            s.delete(row)
    s.flush()
    if key is not None:
        identities.attach(s, customer_id, realm, key)
        identities.note_suppression(s, customer_id, realm, [key])
    return True


def add_note(s: ScopedSession, customer_id: UUID, text: str) -> NoteFact:
    """Write down what staff should know. Raises NotFound, Invalid."""
    fact = queries.get(s, customer_id)
    actor = s.scope.actor
    note = Note(
        brand_id=s.brand_id,
        id=new_id(),
        store_id=fact.store_id,
        customer_id=fact.id,
        text=clean(text, "text", 2000, required=True, lines=True),
        author=actor.name[:120],
        author_id=actor.id,
        created_at=now(),
    )
    s.add(note)
    s.flush()
    return NoteFact(note.id, note.text, note.author, note.created_at)


def remove_note(s: ScopedSession, customer_id: UUID, note_id: UUID) -> None:
    """Take a note away. Raises NotFound."""
    fact = queries.get(s, customer_id)
    note = s.scalar(sa.select(Note).where(Note.id == note_id, Note.customer_id == fact.id))
    if note is None:
        raise queries.no_customer()
    s.delete(note)
    s.flush()


def write_name_keys(s: ScopedSession, customer_id: UUID, realm: Realm, name: str) -> None:
    """Add the keys under which `name` is found."""
    s.add_all(
        NameKey(
            brand_id=s.brand_id,
            store_id=realm.store_id,
            customer_id=customer_id,
            realm_id=realm.id,
            word=word,
        )
        for word in keys.name_keys(name)
    )


def check_language(language: str | None) -> str | None:
    """A language tag (BCP 47). Raises Invalid."""
    if not language:
        return None
    if not isinstance(language, str) or not _LANGUAGE.fullmatch(language):
        raise bad("language", _("Use a language tag such as en or zh-Hans."))
    return language.replace("_", "-")


def check_birthday(birthday: date | None) -> date | None:
    """A day on which a living person can have been born. Raises Invalid."""
    if birthday is None:
        return None
    if type(birthday) is not date or not (
        birthday.year >= _OLDEST and birthday <= now().date() + timedelta(days=1)
    ):
        raise bad("birthday", _("This is not a day somebody can have been born on."))
    return birthday


def check_moment(at: datetime, field: str) -> datetime:
    """An aware moment between 1990 and tomorrow. Raises Invalid."""
    if at.tzinfo is None:
        raise bad(field, _("Say in which zone this time is, such as 2026-05-31T12:00:00+10:00."))
    if at > now() + timedelta(days=1):
        raise bad(field, _("This time lies in the future. Check the clock and the date's order."))
    if at.year < 1990:
        raise bad(field, _("This time lies before 1990. Check the date's order."))
    return at
