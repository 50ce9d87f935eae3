"""Showing somebody everything that is held about them, and forgetting them."""

import json
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet.customers import dismissing, parts, queries, suppression
from highstreet.customers import fields as custom
from highstreet.customers.facts import CustomerFact, ErasureFact
from highstreet.customers.models import Customer, Erasure, Identity, Merge, NameKey, Note
from highstreet.customers.text import clean
from highstreet.host import dispatch, faults, state
from highstreet.i18n import gettext as _
from highstreet.webhooks import outbox, retention
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Forbidden
from highstreet_tenants.ids import new_id
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.trail import record


def whole(s: ScopedSession, customer_id: UUID) -> CustomerFact:
    """A customer of whom all that is held is within reach, to be shown or forgotten.

    Raises NotFound; Forbidden in a store's scope where the club is the brand's, for a store sees
    its own purchases only.
    """
    fact = queries.get(s, customer_id)
    if fact.store_id is None and s.store_id is not None:
        raise Forbidden(
            _("This member belongs to the brand's club. Ask head office to do this for them.")
        )
    return fact


def export(s: ScopedSession, customer_id: UUID) -> dict[str, Any]:
    """Everything held about a customer, by the core and by every tool, as JSON-able values.

    Tools that are off take part too; `tools` holds each one's answer, and `missing` names those
    that failed or did not load, so that nobody takes it for the whole. Who but the member asked is
    written down, so the session must write. Raises NotFound; Forbidden
    in a store's scope where the club is the brand's, for a store can't see all of it.
    """
    fact = whole(s, customer_id)
    rooms = parts.everyone()
    ids = queries.lineage(s, fact.id)
    detail = queries.detail(s, fact.id)
    labels = {f.key: f.label for f in custom.listed(s, retired=True)}
    answers = dispatch.collect(s, "export_customer", store_id=_at(s, fact), customer=fact)
    told = {answer.plugin: answer.value for answer in answers if _is_json(answer.value)}
    missing = {*_failed(s, fact, "export_customer"), *(a.plugin for a in answers)} - told.keys()
    if s.scope.actor.kind != "member":  # who looks at their own data leaves no trail
        record(s, "customer.exported", "customer", fact.id, store_id=_at(s, fact))
    return {
        "format": "highstreet-customer-1",
        "exported_at": now().isoformat(),
        "customer": {
            "id": str(fact.id),
            "earlier_ids": [str(one) for one in ids[1:]],
            "name": fact.name,
            "language": fact.language,
            "birthday": detail.birthday.isoformat() if detail.birthday else None,
            "joined_at": fact.joined_at.isoformat(),
            "home_store_id": str(fact.home_store_id) if fact.home_store_id else None,
            "fields": [
                {"key": key, "label": labels.get(key, key), "value": value}
                for key, value in detail.fields.items()
            ],
            "identities": [
                {
                    "kind": i.kind,
                    "value": i.value,
                    "status": i.status,
                    "since": i.created_at.isoformat(),
                }
                for i in detail.identities
            ],
            "notes": [
                {"text": n.text, "by": n.author, "at": n.created_at.isoformat()}
                for n in detail.notes
            ],
            "not_the_same_as_others": dismissing.held(s, ids),
        },
        **{room.name: room.export(s, ids) for room in rooms},
        "tools": told,
        "missing": sorted(missing),
    }


def erase(s: ScopedSession, customer_id: UUID, reason: str) -> ErasureFact:
    """Forget a customer: tools first, then every room; nobody finds them afterwards.

    What errors of tools said is forgotten, and SQLite's file keeps no trace of what was deleted.
    Purchases stay for the store's books, hung on an empty stub. Of phone and e-mail a keyed hash
    stays, so that an old list does not bring consent back. The log keeps when, why and by whom,
    never who. `reason` is shown to auditors: it must not name the person. Raises NotFound (also
    when already erased), Forbidden like `export`, Invalid.
    """
    reason = clean(reason, "reason", 200, required=True)
    fact = whole(s, customer_id)
    rooms = parts.everyone()
    ids = queries.lineage(s, fact.id)
    rows = list(
        s.scalars(
            sa.select(Customer)
            .where(Customer.id.in_(ids))
            .order_by(Customer.id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
    )
    if any(row.status == "erased" for row in rows):
        raise queries.no_customer()  # somebody else was quicker
    answers = dispatch.collect(s, "erase_customer", store_id=_at(s, fact), customer=fact)
    held = s.execute(
        sa.select(Identity.realm_id, Identity.kind, Identity.value).where(
            Identity.customer_id.in_(ids)
        )
    ).all()
    for realm_id in {row.realm_id for row in held}:
        pairs = [(row.kind, row.value) for row in held if row.realm_id == realm_id]
        suppression.remember(s, realm_id, fact.store_id, pairs)
    counts: dict[str, Any] = {room.name: room.erase(s, ids) for room in rooms}
    counts["faults"] = {"words": faults.forget(s)}
    counts["webhooks"] = {"messages": retention.forget(s, ids)}
    counts["customers"] = {
        "identities": _delete(s, Identity, ids),
        "name_keys": _delete(s, NameKey, ids),
        "notes": _delete(s, Note, ids),
        "dismissals": dismissing.forget(s, ids),
    }
    s.execute(sa.update(Merge).where(Merge.keep_id.in_(ids)).values(undo=None))
    at = now()
    for row in rows:
        row.name, row.language, row.birthday, row.fields = "", None, None, {}
        row.status, row.merged_into, row.suppressed_at, row.updated_at = "erased", None, None, at
    actor = s.scope.actor
    counts["tools"] = sorted(answer.plugin for answer in answers)
    if late := _failed(s, fact, "erase_customer"):
        counts["tools_later"] = late  # by the job that does what a tool owes
    s.add(
        Erasure(
            brand_id=s.brand_id,
            id=new_id(),
            store_id=fact.store_id,
            customer_id=fact.id,
            reason=reason,
            actor=actor.name[:120],
            actor_id=actor.id,
            at=at,
            parts=counts,
        )
    )
    record(s, "customer.erased", "customer", fact.id, store_id=_at(s, fact))
    s.flush()
    outbox.publish(s, "customer.erased", {"customer_id": fact.id}, store_id=_at(s, fact), at=at)
    s.on_end.append(s.info["tenancy"].scrub)
    return ErasureFact(fact.id, at, reason, counts)


def _is_json(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _failed(s: ScopedSession, fact: CustomerFact, hook: str) -> list[str]:
    """Tools that should have taken part and could not: they failed now, or did not load."""
    away = state.here(s, _at(s, fact)).active.away
    return sorted({*away, *(fault.plugin for fault in faults.of_session(s, hook))})


def _delete(s: ScopedSession, table: type[Identity | NameKey | Note], ids: list[UUID]) -> int:
    result = s.execute(sa.delete(table).where(table.customer_id.in_(ids)))
    return int(getattr(result, "rowcount", 0))


def _at(s: ScopedSession, fact: CustomerFact) -> UUID | None:
    return s.store_id or fact.home_store_id
