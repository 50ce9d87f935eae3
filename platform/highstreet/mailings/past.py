"""Mailings that went out before, or by other means: who got what when, for results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet.consent import contacts
from highstreet.customers import anchors
from highstreet.customers.text import bad, clean
from highstreet.i18n import gettext as _
from highstreet.mailings import drafting, selecting
from highstreet.mailings.models import Mailing, Piece
from highstreet_tenants import bulk, turns
from highstreet_tenants.clock import now
from highstreet_tenants.ids import new_id
from highstreet_tenants.sessions import ScopedSession

_TABLE = cast(sa.Table, Piece.__table__)
#: Customers that are asked about in one statement.
_ASKED = 500


class PastIn(Struct, frozen=True):
    """A mailing that went out, by its name and its moment (aware). source: as of MailingIn."""

    name: str
    purpose: str
    channel: str
    sent_at: datetime
    source: str = "core"


class Past(Struct, frozen=True):
    """mailing_id: of all that was taken over under this name and moment. added: pieces that are
    new; those out of reach, and those that were there, are left out. codes: of the pieces of all
    who were told, by the ids that were given."""

    mailing_id: UUID
    added: int
    codes: Mapping[UUID, str]


def take_over(s: ScopedSession, given: PastIn, people: Iterable[UUID]) -> Past:
    """Write down who got a mailing that is over: each once, however often it is told.

    No gate is asked, for nothing goes out. Raises Invalid for a moment to come.
    """
    name = clean(given.name, "name", 80, required=True)
    purpose = clean(given.purpose, "purpose", 40, required=True)
    if given.sent_at.tzinfo is None or given.sent_at > now():
        raise bad("sent_at", _("It went out at a moment that is past, with its zone."))
    row = _row(s, name, purpose, given)
    known = anchors.roots(s, people)
    there = row.selected or 0
    codes = selecting.codes()
    rows: list[dict[str, Any]] = [
        {
            "id": new_id(),
            "store_id": row.store_id,
            "mailing_id": row.id,
            "customer_id": customer_id,
            "unit": customer_id,
            "place": there + place,
            "state": "sent",
            "code": next(codes),
            "late": False,
            "batch": 1,
            "sent_at": given.sent_at,
        }
        for place, customer_id in enumerate(dict.fromkeys(root.id for root in known.values()))
    ]
    added = bulk.insert(s, _TABLE, rows, ignore_conflicts=True) if rows else 0
    row.selected = there + added
    s.flush()
    contacts.note(
        s,
        [one["customer_id"] for one in rows],
        channel=row.channel,
        purpose=row.purpose,
        used_for=selecting.used_for(row.id),
        at=given.sent_at,
    )
    return Past(row.id, added, _codes(s, row.id, {asked: root.id for asked, root in known.items()}))


def _codes(s: ScopedSession, mailing_id: UUID, asked: Mapping[UUID, UUID]) -> dict[UUID, str]:
    theirs: dict[UUID, str] = {}
    people = list(set(asked.values()))
    for start in range(0, len(people), _ASKED):
        found = s.execute(
            sa.select(Piece.customer_id, Piece.code).where(
                Piece.mailing_id == mailing_id,
                Piece.customer_id.in_(people[start : start + _ASKED]),
            )
        )
        theirs |= {who: code for who, code in found if code is not None}
    return {one: theirs[root] for one, root in asked.items() if root in theirs}


def _row(s: ScopedSession, name: str, purpose: str, given: PastIn) -> Mailing:
    turns.take(s, "core", "mailing")
    place_id = s.store_id or s.brand_id
    found = s.scalar(
        sa.select(Mailing).where(
            Mailing.place_id == place_id,
            Mailing.source == given.source,
            Mailing.name == name,
            Mailing.released_at == given.sent_at,
            Mailing.manifest == "",
        )
    )
    if found is not None:
        return found
    row = Mailing(
        brand_id=s.brand_id,
        id=new_id(),
        store_id=s.store_id,
        place_id=place_id,
        number=drafting.next_number(s),
        name=name,
        source=given.source,
        purpose=purpose,
        channel=given.channel,
        by_household=False,
        status="finished",
        selected=0,
        selected_at=given.sent_at,
        released_at=given.sent_at,
        ended_at=given.sent_at,
        currency=drafting.currency_of(s),
        changed_by=s.scope.actor.name,
    )
    s.add(row)
    s.flush()
    return row
