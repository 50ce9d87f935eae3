"""Finds the customers whom the rows of a chunk name, and takes on those who are new, in sets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet.customers import service
from highstreet.customers.facts import EnrolIn
from highstreet.imports.models import CustomerRef
from highstreet_tenants import bulk
from highstreet_tenants.clock import now
from highstreet_tenants.ids import new_id
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement, own

# A pair travels as one text, the realm's 32 hexadecimal digits and then the value: SQLite has no
# array of pairs, and two arrays side by side it would join by trying all of them. CROSS JOIN makes
# it begin with the pairs and look each up in the index. The customer's own row is not joined:
# on a table that has just grown, PostgreSQL would choose to read all of it for each pair.
_FIND = "SELECT x.realm_id, x.{column} AS value, x.customer_id FROM {pairs} {table} AS x WHERE "
_LITE = "x.realm_id = substr(p.value, 1, 32) AND x.{column} = substr(p.value, 33)"
# Under row-level security PostgreSQL uses an index only for what is leakproof, and substr() is not.
_GRES = "x.realm_id = p.realm_id AND x.{column} = p.value"


def _finder(table: str, column: str, extra: str = "") -> Statement:
    own_rows = f"{extra} AND {own('x')}"
    names = {"table": table, "column": column}
    return Statement(
        (_FIND + _LITE).format(pairs="json_each(:pairs) AS p CROSS JOIN", **names) + own_rows,
        postgresql=(_FIND + _GRES)
        .format(
            pairs="unnest(CAST(:realms AS uuid[]), CAST(:values AS text[])) AS p(realm_id, value)"
            " JOIN",
            **names,
        )
        .replace(" WHERE ", " ON ")
        + own_rows,
        types={"realm_id": UUID, "customer_id": UUID},
    )


def _pairs(wanted: Iterable[tuple[UUID, str]]) -> dict[str, list[Any]]:
    """The binds of a finder, for both databases."""
    pairs = list(wanted)
    return {
        "pairs": [realm.hex + value for realm, value in pairs],
        "realms": [realm for realm, _value in pairs],
        "values": [value for _realm, value in pairs],
    }


_FINDERS = {
    "ref": _finder("core_customer_ref", "ref"),
    **{
        kind: _finder("core_customer_identity", "value", f" AND x.kind = '{kind}'")
        for kind in ("card", "phone", "email")
    },
}


class Who(Struct, frozen=True):
    """A person as a row names one, keys already in one form; ``realm_id`` is where they count."""

    realm_id: UUID
    ref: str = ""
    card: str = ""
    phone: str = ""
    email: str = ""

    @property
    def named(self) -> bool:
        """Whether anything names the person."""
        return bool(self.ref or self.card or self.phone or self.email)


class Erased:
    """The type of ERASED."""


#: Stands for a person who has been erased: their rows stay without a name.
ERASED = Erased()

Found = dict[Who, UUID | Erased]


def find(s: ScopedSession, people: Iterable[Who]) -> Found:
    """The customers there are, by reference, else card, phone, e-mail.

    Somebody may since have been merged into another; whoever writes for them follows that.
    """
    missing = {who for who in people if who.named}
    found: Found = {}
    for kind, statement in _FINDERS.items():
        wanted = {(who.realm_id, value) for who in missing if (value := getattr(who, kind))}
        if not wanted:
            continue
        known: dict[tuple[UUID, str], UUID] = {}
        for realm, value, customer in statement(s, **_pairs(wanted)):
            # A family may share a phone: the oldest record is meant.
            key = (realm, value)
            known[key] = min(customer, known.get(key, customer))
        for who in missing:
            if customer_id := known.get((who.realm_id, getattr(who, kind))):
                found[who] = customer_id
        missing -= found.keys()
        if kind == "ref":
            found |= _erased(s, missing)
            missing -= found.keys()
    return found


def _erased(s: ScopedSession, people: Iterable[Who]) -> Found:
    """Those whose reference belonged to somebody who is erased."""
    hidden = {_hidden(who.realm_id, who.ref): who for who in people if who.ref}
    if not hidden:
        return {}
    rows = _FINDERS["ref"](s, **_pairs([(who.realm_id, digest) for digest, who in hidden.items()]))
    return {hidden[row[1]]: ERASED for row in rows}


def _hidden(realm_id: UUID, ref: str) -> str:
    """What is kept of an erased customer's reference, so that an old file can't bring them back."""
    return "~" + sha256(realm_id.bytes + ref.encode()).hexdigest()


class Taken(Struct, frozen=True):
    """Outcome of :func:`take_on`: everybody's ids, and who was refused with the reason.

    ``known``: how many turned out to be somebody who is there, by card, phone or e-mail.
    """

    ids: Mapping[Who, UUID]
    refused: Mapping[Who, str]
    created: int
    known: int


def take_on(s: ScopedSession, people: Mapping[Who, EnrolIn]) -> Taken:
    """Enrol the people in one set and remember their references."""
    if not people:
        return Taken({}, {}, 0, 0)
    order = list(people)
    outcome = service.enrol_batch(s, [people[who] for who in order])
    refused = {order[one.index]: one.detail for one in outcome.refused}
    ids = {
        who: customer_id
        for who, customer_id in zip(order, outcome.ids, strict=True)
        if customer_id is not None
    }
    remember(s, ids)
    return Taken(ids, refused, outcome.created, outcome.known)


def remember(s: ScopedSession, ids: Mapping[Who, UUID]) -> None:
    """Note the references of customers; those already noted stay as they are."""
    at = now()
    by_brand = s.customers == "brand"
    rows: Sequence[dict[str, Any]] = [
        {
            "id": new_id(),
            "store_id": None if by_brand else who.realm_id,
            "customer_id": customer_id,
            "realm_id": who.realm_id,
            "ref": who.ref,
            "created_at": at,
        }
        for who, customer_id in ids.items()
        if who.ref
    ]
    if rows:
        bulk.insert(s, cast(sa.Table, CustomerRef.__table__), rows, ignore_conflicts=True)


class RefPart:
    """This room's part in the export, merge and erasure of a customer: the references."""

    name = "imports"

    def export(self, s: ScopedSession, ids: list[UUID]) -> list[dict[str, Any]]:
        """The numbers under which other systems know the customer."""
        rows = s.scalars(
            sa.select(CustomerRef).where(CustomerRef.customer_id.in_(ids)).order_by(CustomerRef.ref)
        )
        return [{"ref": row.ref, "since": row.created_at.isoformat()} for row in rows]

    def merge(self, s: ScopedSession, keep_id: UUID, gone_id: UUID) -> dict[str, Any]:
        """Nothing moves: a reference leads to the old record, and from there to the new one."""
        return {}

    def unmerge(self, s: ScopedSession, kept: list[UUID], back: list[UUID]) -> dict[str, int]:
        """References go back with the record that they lead to."""
        query = sa.select(sa.func.count(CustomerRef.id)).where(CustomerRef.customer_id.in_(back))
        return {"refs": int(s.scalar(query) or 0)}

    def erase(self, s: ScopedSession, ids: list[UUID]) -> dict[str, int]:
        """Leave only hashes, without which the next file would take the same person on again."""
        rows = list(s.scalars(sa.select(CustomerRef).where(CustomerRef.customer_id.in_(ids))))
        for row in rows:
            if not row.ref.startswith("~"):
                row.ref = _hidden(row.realm_id, row.ref)
        s.flush()
        return {"refs": len(rows)}


__all__ = ["ERASED", "Erased", "Found", "RefPart", "Taken", "Who", "find", "remember", "take_on"]
