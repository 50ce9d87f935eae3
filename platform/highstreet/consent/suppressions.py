"""Reasons not to contact somebody, beside their own word: written down, lifted, told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa

from highstreet.consent.facts import SUPPRESSIONS, SuppressionFact
from highstreet.consent.models import ContactSuppression
from highstreet.customers import anchors
from highstreet.customers import queries as customers
from highstreet.customers.text import bad
from highstreet.i18n import gettext as _
from highstreet.i18n import lazy_gettext as _l
from highstreet.timeline.service import write
from highstreet_tenants import bulk
from highstreet_tenants.clock import now
from highstreet_tenants.errors import NotFound
from highstreet_tenants.ids import new_id
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.trail import record

_TABLE = cast(sa.Table, ContactSuppression.__table__)


def suppress(
    s: ScopedSession,
    customer_id: UUID,
    *,
    reason: str,
    source: str,
    address: str | None = None,
    address_id: UUID | None = None,
    until: datetime | None = None,
) -> SuppressionFact:
    """Write down that somebody must not be contacted: one of SUPPRESSIONS, on its channel.

    source: what says so ("console", "bounce", "piece", "import"). address, address_id: what it
    holds for, else the person. Where the same is written already nothing is added. Raises NotFound,
    Invalid.
    """
    known_reason(reason)
    if until is not None and until <= now():
        raise bad("until", _("Choose a day to come."))
    customer = customers.get(s, customer_id)
    standing = s.scalar(
        _open(s, customers.lineage(s, customer.id)).where(
            ContactSuppression.reason == reason,
            _same(ContactSuppression.address, address),
            _same(ContactSuppression.address_id, address_id),
        )
    )
    if standing is not None:
        return _fact(standing)
    row = ContactSuppression(
        brand_id=s.brand_id,
        id=new_id(),
        store_id=customer.store_id,
        customer_id=customer.id,
        reason=reason,
        channel=SUPPRESSIONS[reason],
        address=address,
        address_id=address_id,
        source=source,
        actor_kind=s.scope.actor.kind,
        actor_id=s.scope.actor.id,
        at=now(),
        until=until,
    )
    s.add(row)
    s.flush()
    write(
        s,
        customer.id,
        "suppressed",
        _l("Not to be contacted: %(reason)s"),
        occurred_at=row.at,
        data={"reason": reason, "channel": row.channel},
        ref_id=row.id,
        store_id=None,
    )
    if source == "console":
        record(s, "suppression.added", "customer", customer.id, details={"reason": reason})
    return _fact(row)


def known_reason(reason: str) -> None:
    """Raise Invalid for what is none of SUPPRESSIONS."""
    if reason not in SUPPRESSIONS:
        raise bad("reason", _("Choose one of: %(reasons)s.", reasons=", ".join(SUPPRESSIONS)))


def suppress_many(
    s: ScopedSession, customer_ids: Iterable[UUID], *, reason: str, source: str
) -> int:
    """The same for many at once, as a list of the deceased or a do-not-mail list brings them; gives
    how many are new. Whoever is out of reach is left out. Raises Invalid."""
    known_reason(reason)
    known = anchors.roots(s, customer_ids)
    wanted = {root.id: root.store_id for root in known.values()}
    there = set(
        s.scalars(
            sa.select(ContactSuppression.customer_id).where(
                ContactSuppression.reason == reason, ContactSuppression.lifted_at.is_(None)
            )
        )
    )
    at, actor = now(), s.scope.actor
    rows = [
        {
            "id": new_id(),
            "store_id": store_id,
            "customer_id": customer_id,
            "reason": reason,
            "channel": SUPPRESSIONS[reason],
            "source": source,
            "actor_kind": actor.kind,
            "actor_id": actor.id,
            "at": at,
        }
        for customer_id, store_id in wanted.items()
        if customer_id not in there
    ]
    if not rows:
        return 0
    record(s, "suppression.added", "customer", details={"reason": reason, "people": len(rows)})
    return bulk.insert(s, _TABLE, rows)


def lift(s: ScopedSession, suppression_id: UUID, *, customer_id: UUID | None = None) -> None:
    """It holds no longer: the person is alive, the address was right.

    customer_id: that it must stand against, merges followed. Raises NotFound.
    """
    query = sa.select(ContactSuppression).where(
        ContactSuppression.id == suppression_id, ContactSuppression.lifted_at.is_(None)
    )
    if customer_id is not None:
        ids = customers.lineage(s, customers.get(s, customer_id).id)
        query = query.where(ContactSuppression.customer_id.in_(ids))
    row = s.scalar(query)
    if row is None:
        raise NotFound(_("There is no such suppression, or it was lifted."))
    row.lifted_at = now()
    s.flush()
    record(s, "suppression.lifted", "customer", row.customer_id, details={"reason": row.reason})


def lift_for(
    s: ScopedSession, customer_id: UUID, reason: str, *, address_id: UUID | None = None
) -> None:
    """Lift what stands against somebody (merges followed) for a reason and an address, if it
    does. Raises NotFound for a customer out of reach."""
    ids = customers.lineage(s, customers.get(s, customer_id).id)
    standing = s.scalars(
        _open(s, ids).where(
            ContactSuppression.reason == reason,
            _same(ContactSuppression.address_id, address_id),
        )
    ).all()
    for row in standing:
        lift(s, row.id)


def of_customer(s: ScopedSession, customer_id: UUID) -> list[SuppressionFact]:
    """What stands against contacting somebody now, the newest first. Raises NotFound."""
    ids = customers.lineage(s, customers.get(s, customer_id).id)
    query = _open(s, ids).order_by(ContactSuppression.at.desc(), ContactSuppression.id)
    return [_fact(row) for row in s.scalars(query)]


def stands(s: ScopedSession, customer_id: UUID, reason: str, address: str) -> bool:
    """Whether a reason stands against an address of somebody (merges followed)."""
    query = _open(s, customers.lineage(s, customer_id)).where(
        ContactSuppression.reason == reason, ContactSuppression.address == address
    )
    return s.scalar(query.limit(1)) is not None


def _open(s: ScopedSession, ids: list[UUID]) -> sa.Select[ContactSuppression]:
    return sa.select(ContactSuppression).where(
        ContactSuppression.customer_id.in_(ids),
        ContactSuppression.lifted_at.is_(None),
        sa.or_(ContactSuppression.until.is_(None), ContactSuppression.until > now()),
    )


def _same(column: Any, value: object) -> sa.ColumnElement[bool]:
    same: sa.ColumnElement[bool] = column.is_(None) if value is None else column == value
    return same


def _fact(row: ContactSuppression) -> SuppressionFact:
    return SuppressionFact(row.id, row.reason, row.channel, row.source, row.at, row.until)
