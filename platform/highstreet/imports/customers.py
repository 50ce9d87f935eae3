"""Reads rows of customers and takes them on, a chunk at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct

from highstreet.addresses import service as addresses
from highstreet.addresses.facts import AddressIn, Normal, PutIn
from highstreet.addresses.normalising import normalise
from highstreet.customers.facts import EnrolIn, FieldFact
from highstreet.i18n import gettext as _
from highstreet.imports import answers, dates, people, rows, values
from highstreet.imports.errors import Refusal
from highstreet.imports.mapping import FileMapping
from highstreet.imports.people import Who
from highstreet.imports.rows import Written
from highstreet.imports.shops import Shop, Shops
from highstreet.imports.survey import Record, Survey
from highstreet.imports.values import RowError
from highstreet_tenants.clock import now
from highstreet_tenants.errors import HighstreetError
from highstreet_tenants.sessions import ScopedSession

_STREET = ("street", "street_2", "street_3")
_ADDRESS = (
    *_STREET,
    *("dependent_locality", "city", "area", "postal_code", "country", "recipient"),
)


class Person(Struct):
    """One readable row."""

    record: Record
    shop: Shop
    who: Who
    enrol: EnrolIn
    address: Normal | None = None


class CustomerRows:
    """Turns records into customers by one mapping; made once for a file."""

    def __init__(
        self,
        found: Survey,
        columns: dict[str, int],
        mapping: FileMapping,
        shops: Shops,
        custom: Mapping[str, tuple[int, FieldFact]] | None = None,
    ) -> None:
        self._columns = columns
        self._width = len(found.header)
        self._shops = shops
        self._defaults = mapping.defaults
        self._pad = mapping.pad
        self._latest = now() + rows.AHEAD
        self._today = now().date()
        custom = custom or {}
        places = columns | {key: place for key, (place, _field) in custom.items()}
        days = [key for key, (_place, field) in custom.items() if field.kind == "date"]
        self._read_date = dates.moments(
            rows.date_order(found, places, mapping, "birthday", "joined", *days)
        )
        self._answers = {
            key: (
                place,
                answers.reader(field, mapping.decimal, mapping.thousands, self._read_date),
                field.label,
            )
            for key, (place, field) in custom.items()
        }
        self._asks_store = "store" in columns or "store" in mapping.defaults

    def read(self, record: Record) -> Person:
        """One record as a person. Raises RowError with what is wrong with it."""
        fields = record.fields
        if record.problem is not None:
            raise RowError(record.problem)
        if len(fields) != self._width:
            fields = rows.fit(fields, self._width)
        values.refuse_payment_card(fields)
        shop = self._shop(fields)
        person = rows.who(
            {name: self._text(fields, name) for name in rows.KEYS},
            shop,
            self._pad,
        )
        name = values.text(self._text(fields, "name")) or " ".join(
            part
            for part in (
                values.text(self._text(fields, "first_name")),
                values.text(self._text(fields, "last_name")),
            )
            if part
        )
        if not person.named:
            # By a name alone the same file would make everybody twice when it is run again.
            raise RowError(_("no number, card, phone or e-mail tells this customer from others"))
        return Person(
            record,
            shop,
            person,
            EnrolIn(
                store_id=shop.id,
                name=name or rows.member_name(person),
                phone=person.phone or None,
                email=person.email or None,
                card=person.card or None,
                language=values.text(self._text(fields, "language")) or None,
                birthday=self._birthday(fields),
                fields=self._custom(fields),
                joined_at=self._joined(fields, shop.zone),
            ),
            self._address(fields, shop),
        )

    def _text(self, fields: Sequence[str], name: str) -> str:
        place = self._columns.get(name)
        value = fields[place].strip() if place is not None else ""
        return value or self._defaults.get(name, "")

    def _shop(self, fields: Sequence[str]) -> Shop:
        if not self._asks_store:
            only = self._shops.only()
            if only is None:
                raise RowError(_("the row names no store; give one: [defaults] store in a mapping"))
            return only
        return self._shops.find(values.number(self._text(fields, "store")))

    def _address(self, fields: Sequence[str], shop: Shop) -> Normal | None:
        """The row's address in its country's form, or None where it names no street.

        Raises RowError with what is wrong with it.
        """
        said = {name: values.text(self._text(fields, name)) for name in _ADDRESS}
        street = tuple(said.pop(name) for name in _STREET)
        if not any(street):
            return None
        said["country"] = said["country"] or shop.country or ""
        try:
            return normalise(AddressIn(street=street, **said))
        except HighstreetError as error:
            raise RowError(error.detail) from error

    def _birthday(self, fields: Sequence[str]) -> date | None:
        written = self._text(fields, "birthday")
        if not written:
            return None
        return dates.birthday(written, self._read_date, self._today)

    def _joined(self, fields: Sequence[str], zone: ZoneInfo) -> datetime | None:
        written = self._text(fields, "joined")
        if not written:
            return None
        return dates.settle(self._read_date(written), zone, self._latest)

    def _custom(self, fields: Sequence[str]) -> dict[str, answers.Answer] | None:
        """What the row says of the brand's own fields; None if the mapping names none."""
        if not self._answers:
            return None
        given: dict[str, answers.Answer] = {}
        for key, (place, read, label) in self._answers.items():
            if written := fields[place].strip():
                try:
                    given[key] = read(written)
                except RowError as error:
                    raise RowError(f"{label}: {error}") from error
        return given

    def write(self, s: ScopedSession, chunk: Sequence[Person]) -> Written:
        """Take on those of a chunk who are new, in the session's transaction."""
        refused: list[Refusal] = []
        found = people.find(s, {row.who for row in chunk})
        people.remember(s, {one: id_ for one, id_ in found.items() if isinstance(id_, UUID)})
        first: dict[Who, Person] = {}
        known = 0
        for row in chunk:
            if row.who in found:
                known += 1
            elif row.who in first:
                refused.append(_repeated(row, first[row.who]))
            else:
                first[row.who] = row
        taken = people.take_on(s, {one: row.enrol for one, row in first.items()})
        ids = {**found, **taken.ids}
        addresses.put_many(
            s,
            [
                PutIn(id_, row.address)
                for row in (*first.values(), *(row for row in chunk if row.who in found))
                if row.address is not None and isinstance(id_ := ids.get(row.who), UUID)
            ],
            newcomers=True,
        )
        for one, reason in taken.refused.items():
            record = first[one].record
            refused.append(Refusal(record.line, reason, record.fields))
        return Written(taken.created, known + taken.known, taken.created, refused)


def _repeated(row: Person, before: Person) -> Refusal:
    reason = _("the same customer stands in line %(line)s already", line=before.record.line)
    return Refusal(row.record.line, reason, row.record.fields)
