"""Two records of one person become one."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet import host as hosts
from highstreet.customers import forgetting, parts, queries
from highstreet.customers.enrolment import write_name_keys
from highstreet.customers.facts import MergeFact
from highstreet.customers.models import Customer, Identity, Merge, NameKey, Note
from highstreet.customers.places import Realm
from highstreet.host import dispatch
from highstreet.i18n import gettext as _
from highstreet.i18n import lazy_gettext as _l
from highstreet.webhooks import outbox
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Conflict, Invalid
from highstreet_tenants.ids import new_id
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.trail import record

_STRICTNESS = {"active": 0, "lost": 1, "blocked": 2}


def merge(s: ScopedSession, keep_id: UUID, gone_id: UUID) -> MergeFact:
    """Make `gone_id` part of `keep_id`.

    Cards, phones, e-mails and notes move; a blocked or lost card stays so; where only the gone
    record answers a field, the answer moves; the earlier joining day counts; where one of the two
    refused to be contacted, the refusal holds. Purchases, timeline and consents are read through
    `queries.lineage`. The old id goes on working. Merging again changes nothing. `unmerging` takes
    it back, by what is written down here.

    Raises NotFound, Invalid for one and the same record or two of different owners, Conflict when
    one of them was already merged elsewhere or erased.
    """
    if keep_id == gone_id:
        raise Invalid(_("Choose two different customers to merge."))
    rooms = parts.everyone()
    rows = locked(s, keep_id, gone_id)
    keep, gone = rows[keep_id], rows[gone_id]
    if gone.merged_into == keep.id:
        done = s.scalars(
            sa.select(Merge).where(Merge.gone_id == gone.id, Merge.undone_at.is_(None))
        ).one()
        return MergeFact(queries.record(s, keep.id), gone.id, done.at, False)
    for row in (keep, gone):
        if row.status == "merged":
            raise Conflict(
                _("“%(name)s” was merged with another record before. Open that one.", name=row.name)
            )
        if row.status != "active":
            raise queries.no_customer()
    if keep.store_id != gone.store_id:
        raise Invalid(_("These customers belong to two stores. Each store keeps its own."))
    at = now()
    undo: dict[str, Any] = {
        "before": _snapshot(keep),
        "gone": _snapshot(gone),
        "rooms": {room.name: room.merge(s, keep.id, gone.id) for room in rooms},
        "flattened": _flatten(s, keep.id, gone.id),
        **_move_identities(s, keep.id, gone.id),
        "notes": _move(s, Note, keep.id, gone.id),
        "tools": sorted(hosts.of(s).calls.get("customers_merged", {})),
    }
    s.execute(sa.delete(NameKey).where(NameKey.customer_id == gone.id))
    named = bool(gone.name and not keep.name)
    if named:
        write_name_keys(s, keep.id, Realm(keep.store_id or s.brand_id, keep.store_id), gone.name)
    _fill(keep, gone)
    keep.updated_at = gone.updated_at = at
    gone.status, gone.merged_into = "merged", keep.id
    actor = s.scope.actor
    s.add(
        Merge(
            brand_id=s.brand_id,
            id=new_id(),
            store_id=keep.store_id,
            keep_id=keep.id,
            gone_id=gone.id,
            at=at,
            actor=actor.name[:120],
            actor_id=actor.id,
            undo=undo,
        )
    )
    s.flush()
    if named:
        parts.renamed(s, keep.id)
    forgetting.order(s)
    kept = queries.record(s, keep.id)
    parts.tell(s, keep.id, "merged", _l("Two records of this customer were merged"), occurred_at=at)
    dispatch.collect(
        s,
        "customers_merged",
        store_id=s.store_id or keep.home_store_id,
        kept=kept,
        gone=queries.record(s, gone.id),
    )
    outbox.publish(
        s,
        "customer.merged",
        {"customer_id": kept.id, "gone_id": gone.id},
        store_id=s.store_id or keep.home_store_id,
        at=at,
    )
    record(s, "customer.merged", "customer", kept.id, details={"gone": gone.id})
    return MergeFact(kept, gone.id, at, True)


def locked(s: ScopedSession, *ids: UUID) -> dict[UUID, Customer]:
    """The records, read anew under their locks. Raises NotFound if one is out of reach."""
    # In sorted order, so that two merges of the same pair can't wait for each other; the weaker
    # lock lets tills go on writing purchases that point at these rows.
    rows = s.scalars(
        sa.select(Customer)
        .where(Customer.id.in_(ids))
        .order_by(Customer.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    found = {row.id: row for row in rows}
    if len(found) < len(ids):
        raise queries.no_customer()
    return found


def _snapshot(row: Customer) -> dict[str, Any]:
    return {
        "name": row.name,
        "language": row.language,
        "birthday": row.birthday.isoformat() if row.birthday else None,
        "fields": dict(row.fields),
        "joined_at": row.joined_at.isoformat(),
        "suppressed_at": _iso(row.suppressed_at),
        "home_store_id": str(row.home_store_id) if row.home_store_id else None,
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _fill(keep: Customer, gone: Customer) -> None:
    """Lay what only the gone record knows beneath what is kept."""
    keep.name = keep.name or gone.name
    keep.language = keep.language or gone.language
    keep.birthday = keep.birthday or gone.birthday
    keep.fields = {**gone.fields, **keep.fields}
    keep.joined_at = min(keep.joined_at, gone.joined_at)
    keep.home_store_id = keep.home_store_id or gone.home_store_id
    keep.suppressed_at = keep.suppressed_at or gone.suppressed_at


def _move_identities(s: ScopedSession, keep_id: UUID, gone_id: UUID) -> dict[str, Any]:
    have = {
        (row.kind, row.value): row
        for row in s.scalars(sa.select(Identity).where(Identity.customer_id == keep_id))
    }
    moved, dropped = [], []
    for row in s.scalars(sa.select(Identity).where(Identity.customer_id == gone_id)):
        twin = have.get((row.kind, row.value))
        if twin is None:
            row.customer_id = keep_id
            moved.append(str(row.id))
        else:
            if _STRICTNESS[row.status] > _STRICTNESS[twin.status]:
                twin.status = row.status
            dropped.append(
                {
                    "kind": row.kind,
                    "value": row.value,
                    "shown": row.shown,
                    "created_at": row.created_at.isoformat(),
                }
            )
            s.delete(row)
    s.flush()
    return {"identities": moved, "identities_dropped": dropped}


def _move(s: ScopedSession, table: type[Note], keep_id: UUID, gone_id: UUID) -> list[str]:
    rows = list(s.scalars(sa.select(table).where(table.customer_id == gone_id)))
    for row in rows:
        row.customer_id = keep_id
    s.flush()
    return [str(row.id) for row in rows]


def _flatten(s: ScopedSession, keep_id: UUID, gone_id: UUID) -> list[str]:
    """Point what was merged into the gone record straight at the kept one."""
    rows = list(s.scalars(sa.select(Customer).where(Customer.merged_into == gone_id)))
    for row in rows:
        row.merged_into = keep_id
    s.flush()
    return [str(row.id) for row in rows]
