"""The verbs of the room: the only way in which addresses and households are written."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet.addresses import joining, queries
from highstreet.addresses.facts import (
    AddressFact,
    AddressIn,
    Normal,
    PutIn,
    PutOutcome,
    Source,
)
from highstreet.addresses.joining import Key
from highstreet.addresses.models import Address
from highstreet.addresses.normalising import normalise
from highstreet.addresses.surnames import surname_key
from highstreet.customers import parts
from highstreet.customers import queries as customers
from highstreet.customers.facts import CustomerFact, Refused
from highstreet.i18n import gettext as _
from highstreet.i18n import lazy_gettext as _l
from highstreet.webhooks import outbox
from highstreet_tenants import bulk
from highstreet_tenants.clock import now
from highstreet_tenants.errors import HighstreetError, NotFound
from highstreet_tenants.ids import new_id
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement, own

_CURRENT_SQL = (
    "SELECT a.id, a.customer_id, a.household_id FROM core_address AS a"
    f" WHERE a.customer_id {{}} AND a.valid_to IS NULL AND {own('a')}"
)
_CURRENT = Statement(
    _CURRENT_SQL.format("IN (SELECT value FROM json_each(:ids))"),
    postgresql=_CURRENT_SQL.format("= ANY(:ids)"),
    types={"id": UUID, "customer_id": UUID, "household_id": UUID},
)
_EVER_SQL = (
    f"SELECT DISTINCT a.customer_id FROM core_address AS a WHERE a.customer_id {{}} AND {own('a')}"
)
_EVER = Statement(
    _EVER_SQL.format("IN (SELECT value FROM json_each(:ids))"),
    postgresql=_EVER_SQL.format("= ANY(:ids)"),
    types={"customer_id": UUID},
)
_CLOSE_SQL = (
    "UPDATE core_address AS a SET valid_to = :at, household_id = NULL"
    f" WHERE a.id {{}} AND a.valid_to IS NULL AND {own('a')}"
)
_CLOSE = Statement(
    _CLOSE_SQL.format("IN (SELECT value FROM json_each(:ids))"),
    postgresql=_CLOSE_SQL.format("= ANY(:ids)"),
    returns="count",
)
_LOCK_SQL = f"SELECT c.id FROM core_customer AS c WHERE c.id {{}} AND {own('c')} ORDER BY c.id"
# Two addresses at once for one customer would both be the current one.
_LOCK = Statement(
    _LOCK_SQL.format("IN (SELECT value FROM json_each(:ids))"),
    postgresql=_LOCK_SQL.format("= ANY(:ids)") + " FOR NO KEY UPDATE",
    types={"id": UUID},
)
_table = cast(sa.Table, Address.__table__)


class _Row(Struct, frozen=True):
    """Somebody's address that is to be written."""

    customer: CustomerFact
    normal: Normal

    def key(self, brand_id: UUID) -> Key:
        """The household that it belongs to."""
        return _key(brand_id, self.customer, self.normal.delivery_point, self.normal.country)


def _key(brand_id: UUID, customer: CustomerFact, delivery_point: str, country: str) -> Key:
    return Key(
        customer.store_id or brand_id,
        delivery_point,
        surname_key(customer.name, country, customer.id),
    )


def put(
    s: ScopedSession, customer_id: UUID, given: AddressIn, *, source: Source = "staff"
) -> AddressFact:
    """Write down where a customer gets post. What was there becomes the past; the same again
    changes nothing.

    Raises NotFound; Invalid, naming each part that breaks the country's rules.
    """
    customer = customers.get(s, customer_id)
    normal = normalise(given)
    _LOCK(s, ids=[customer.id])
    there = queries.current(s, customer.id)
    if there is not None and _same(there, normal):
        return there
    _write(s, [_Row(customer, normal)], source)
    _tell(s, customer, "address-changed")
    found = queries.current(s, customer.id)
    assert found is not None
    return found


def put_many(
    s: ScopedSession,
    items: Sequence[PutIn],
    *,
    source: Source = "import",
    newcomers: bool = False,
) -> PutOutcome:
    """Write down many addresses in a few statements; no timeline is written (valid_from tells).

    A row that is refused (its index, the error's type, its words) leaves the others be; of two
    for one customer the later counts. newcomers: leave whoever has, or ever had, an address as
    they are, so that an old file brings nobody back to where they moved from. Hand in some
    thousands at a time.
    """
    refused: list[Refused] = []
    found = _people(s, (item.customer_id for item in items))
    rows: dict[UUID, _Row] = {}
    for index, item in enumerate(items):
        try:
            customer = found.get(item.customer_id)
            if customer is None:
                raise customers.no_customer()
            given = item.address
            normal = given if isinstance(given, Normal) else normalise(given)
            rows[customer.id] = _Row(customer, normal)
        except HighstreetError as error:
            refused.append(Refused(index, error.type, error.detail))
    _LOCK(s, ids=list(rows))
    if newcomers:
        had = {row[0] for row in _EVER(s, ids=list(rows))}
        new = [row for id_, row in rows.items() if id_ not in had]
    else:
        there = queries.of_many(s, rows)
        new = [
            row
            for id_, row in rows.items()
            if id_ not in there or not _same(there[id_], row.normal)
        ]
    _write(s, new, source)
    return PutOutcome(len(new), len(items) - len(refused) - len(new), tuple(refused))


def moved(s: ScopedSession, customer_id: UUID, new: AddressIn | None = None) -> AddressFact | None:
    """The customer moved away, and gets post at `new`, if that is known. Whoever else is in their
    household stays there.

    Gives the new address. Raises NotFound, also where there is no address to move from; Invalid.
    """
    customer = customers.get(s, customer_id)
    if new is not None:
        return put(s, customer.id, new)
    there = _there(s, customer.id)
    _LOCK(s, ids=[customer.id])
    _close(s, [there.id], now())
    joining.drop_empty(s, [there.household_id])
    _tell(s, customer, "moved")
    return None


def remove(s: ScopedSession, customer_id: UUID) -> None:
    """Take a wrong address away, as if it had never been there. Raises NotFound."""
    customer = customers.get(s, customer_id)
    there = _there(s, customer.id)
    s.execute(sa.delete(Address).where(Address.id == there.id))
    joining.drop_empty(s, [there.household_id])
    _tell(s, customer, "address-removed")


def returned(s: ScopedSession, customer_id: UUID) -> AddressFact:
    """Post came back: the address is bad until it is written down anew. Raises NotFound."""
    customer = customers.get(s, customer_id)
    there = _there(s, customer.id)
    if there.state != "bad":
        row = s.scalars(sa.select(Address).where(Address.id == there.id)).one()
        row.state = "bad"
        s.flush()
        _tell(s, customer, "post-returned")
    return _there(s, customer.id)


def rejoin(s: ScopedSession, customer_id: UUID) -> None:
    """Put a customer into the household of their name, after it changed. Keeps the address."""
    row = s.scalar(
        sa.select(Address).where(Address.customer_id == customer_id, Address.valid_to.is_(None))
    )
    if row is not None:
        house(s, row, customers.record(s, customer_id))


def house(s: ScopedSession, row: Address, customer: CustomerFact) -> None:
    """Make an address the customer's current one, in the household of its door and their name."""
    before = row.household_id
    key = _key(s.brand_id, customer, row.delivery_point, row.country)
    joining.hold(s, [before], [key])
    row.household_id = joining.find_or_make(s, [key])[key]
    row.customer_id, row.valid_to = customer.id, None
    s.flush()
    if before != row.household_id:
        joining.drop_empty(s, [before])


def _there(s: ScopedSession, customer_id: UUID) -> AddressFact:
    found = queries.current(s, customer_id)
    if found is None:
        raise NotFound(_("No address of this customer is written down."))
    return found


def _people(s: ScopedSession, ids: Iterable[UUID]) -> dict[UUID, CustomerFact]:
    """The customers that ids go by now, by the ids asked for."""
    asked = list(dict.fromkeys(ids))
    now_by = customers.followed(s, asked)
    facts = {fact.id: fact for fact in customers.by_ids(s, now_by.values())}
    return {one: facts[id_] for one, id_ in now_by.items() if id_ in facts}


def _same(there: AddressFact, normal: Normal) -> bool:
    return there.state != "bad" and all(
        getattr(there, part) == getattr(normal, part)
        for part in (
            "country",
            "recipient",
            "street",
            "dependent_locality",
            "city",
            "area",
            "postal_code",
            "sorting_code",
            "lines",
        )
    )


def _write(s: ScopedSession, rows: Sequence[_Row], source: Source) -> None:
    """Close what is current and write the new ones."""
    if not rows:
        return
    at = now()
    before = _CURRENT(s, ids=[row.customer.id for row in rows])
    keys = [row.key(s.brand_id) for row in rows]
    joining.hold(s, (household for _id, _customer, household in before), keys)
    homes = joining.find_or_make(s, keys)
    _close(s, [id_ for id_, _customer, _household in before], at)
    written: list[dict[str, Any]] = [
        {
            "id": new_id(),
            "store_id": row.customer.store_id,
            "customer_id": row.customer.id,
            "household_id": homes[key],
            "country": row.normal.country,
            "recipient": row.normal.recipient,
            "street": list(row.normal.street),
            "dependent_locality": row.normal.dependent_locality,
            "city": row.normal.city,
            "area": row.normal.area,
            "postal_code": row.normal.postal_code,
            "sorting_code": row.normal.sorting_code,
            "lines": list(row.normal.lines),
            "delivery_point": row.normal.delivery_point,
            "state": row.normal.state,
            "source": source,
            "valid_from": at,
            "valid_to": None,
        }
        for row, key in zip(rows, keys, strict=True)
    ]
    bulk.insert(s, _table, written)
    left = {household for _id, _customer, household in before} - set(homes.values())
    joining.drop_empty(s, left)


def _close(s: ScopedSession, ids: Sequence[UUID], at: datetime) -> None:
    if ids:
        s.flush()
        _CLOSE(s, ids=list(ids), at=at)
        for row in s.identity_map.values():
            if isinstance(row, Address):
                s.expire(row)


_TITLES = {
    "address-changed": _l("Address changed"),
    "address-removed": _l("Address removed"),
    "moved": _l("Moved away"),
    "post-returned": _l("Post came back"),
}


def _tell(s: ScopedSession, customer: CustomerFact, kind: str) -> None:
    at = now()
    parts.tell(s, customer.id, kind, _TITLES[kind], occurred_at=at)
    outbox.publish(
        s,
        "customer.updated",
        {"customer_id": customer.id},
        store_id=s.store_id or customer.home_store_id,
        at=at,
    )
