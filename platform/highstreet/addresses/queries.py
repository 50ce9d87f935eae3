"""Finding addresses and households. Merged records are followed to the one that took their place.

Whoever joins addresses in a statement of their own joins the current one, with its own alias held
to the scope like any table:

    LEFT JOIN core_address AS a ON a.customer_id = c.id AND a.valid_to IS NULL AND {own('a')}

`a.household_id` is then the household, `a.lines` what to print, `a.state` whether it is worth it.
"""

from collections.abc import Iterable
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa

from highstreet.addresses.facts import AddressFact, Member
from highstreet.addresses.models import Address
from highstreet.customers import queries as customers
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement, own

#: Ids that are asked about in one statement.
CHUNK = 500

_MEMBERS_SQL = (
    "SELECT a.household_id, c.id, c.name FROM core_address AS a"
    " JOIN core_customer AS c ON c.brand_id = a.brand_id AND c.id = a.customer_id"
    f" WHERE a.household_id {{}} AND a.valid_to IS NULL AND c.status = 'active'"
    f" AND {own('a')} AND {own('c')} ORDER BY c.joined_at, c.id"
)
_MEMBERS = Statement(
    _MEMBERS_SQL.format("IN (SELECT value FROM json_each(:ids))"),
    postgresql=_MEMBERS_SQL.format("= ANY(:ids)"),
    types={"household_id": UUID, "id": UUID},
)


def current(s: ScopedSession, customer_id: UUID) -> AddressFact | None:
    """The customer's address now, or None. Raises NotFound for a customer out of reach."""
    fact = customers.get(s, customer_id)
    row = s.scalar(
        sa.select(Address).where(Address.customer_id == fact.id, Address.valid_to.is_(None))
    )
    return address_fact(row) if row is not None else None


def of_many(s: ScopedSession, ids: Iterable[UUID]) -> dict[UUID, AddressFact]:
    """The addresses of customers now, by the ids asked for; who has none is missing."""
    asked = list(dict.fromkeys(ids))
    now = customers.followed(s, asked)
    wanted = list(dict.fromkeys(now.values()))
    found: dict[UUID, AddressFact] = {}
    for start in range(0, len(wanted), CHUNK):
        rows = s.scalars(
            sa.select(Address).where(
                Address.customer_id.in_(wanted[start : start + CHUNK]), Address.valid_to.is_(None)
            )
        )
        found |= {row.customer_id: address_fact(row) for row in rows}
    return {one: found[now[one]] for one in asked if one in now and now[one] in found}


def by_ids(s: ScopedSession, ids: Iterable[UUID]) -> dict[UUID, AddressFact]:
    """Addresses by their own ids, also those of the past; what is out of reach is missing."""
    asked = list(dict.fromkeys(ids))
    found: dict[UUID, AddressFact] = {}
    for start in range(0, len(asked), CHUNK):
        rows = s.scalars(sa.select(Address).where(Address.id.in_(asked[start : start + CHUNK])))
        found |= {row.id: address_fact(row) for row in rows}
    return found


def households(s: ScopedSession, ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """The household of each customer who has an address, by the ids asked for."""
    found = of_many(s, ids)
    return {one: fact.household_id for one, fact in found.items() if fact.household_id is not None}


def members_of(s: ScopedSession, household_id: UUID) -> list[Member]:
    """Who is in a household, as far as the scope reaches; the one who joined first, first."""
    return members_of_many(s, [household_id]).get(household_id, [])


def members_of_many(s: ScopedSession, household_ids: Iterable[UUID]) -> dict[UUID, list[Member]]:
    """The same for several households, in one statement."""
    found: dict[UUID, list[Member]] = {}
    for household_id, customer_id, name in _MEMBERS(s, ids=list(household_ids)):
        found.setdefault(household_id, []).append(Member(customer_id, name))
    return found


def history(s: ScopedSession, customer_id: UUID) -> list[AddressFact]:
    """All addresses of a customer and of the records merged into them, the newest first.

    Raises NotFound.
    """
    fact = customers.get(s, customer_id)
    rows = s.scalars(
        sa.select(Address)
        .where(Address.customer_id.in_(customers.lineage(s, fact.id)))
        .order_by(Address.valid_from.desc(), Address.id.desc())
    )
    return [address_fact(row) for row in rows]


def address_fact(row: Address) -> AddressFact:
    """The fact of an address's row."""
    return AddressFact(
        row.id,
        row.customer_id,
        row.household_id,
        row.country,
        row.recipient,
        tuple(row.street),
        row.dependent_locality,
        row.city,
        row.area,
        row.postal_code,
        row.sorting_code,
        tuple(row.lines),
        row.delivery_point,
        cast(Any, row.state),
        row.source,
        row.valid_from,
        row.valid_to,
    )
