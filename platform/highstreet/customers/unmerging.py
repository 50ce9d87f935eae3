"""Taking a merge back: two records that were made one become two again.

What was the gone record's comes back to it: its name and details, its cards, phones, e-mails and
notes as far as they are still there, and everything that was written under its id or under those
merged into it before. What happened since the merge stays with the record that was kept, for
nobody can tell afterwards which of two people it was. Consent is the exception, on the safe side:
see `consent.part`. Where not everything can be parted exactly, nothing is.
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet import host as hosts
from highstreet.customers import dismissing, parts, queries
from highstreet.customers.enrolment import write_name_keys
from highstreet.customers.facts import IdentityFact, StandingMerge, UnmergeFact
from highstreet.customers.forgetting import WITHIN
from highstreet.customers.merging import locked
from highstreet.customers.models import Customer, Identity, Merge, NameKey, Note
from highstreet.customers.places import Realm
from highstreet.host import dispatch
from highstreet.i18n import gettext as _
from highstreet.i18n import language
from highstreet.i18n import lazy_gettext as _l
from highstreet.webhooks import outbox
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Conflict
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.trail import record


class _Rehearsed(Exception):
    """Lets go of what a dry run did."""


def standing(s: ScopedSession, customer_id: UUID) -> list[StandingMerge]:
    """The merges into a record that may still be taken back, the latest first.

    Only the first of them can be at once: they are undone in the order opposite to that in which
    they were made. Raises NotFound.
    """
    fact = queries.get(s, customer_id)
    rows = s.scalars(
        sa.select(Merge)
        .where(
            Merge.keep_id == fact.id,
            Merge.undone_at.is_(None),
            Merge.undo.is_not(None),
            Merge.at > now() - WITHIN,
        )
        .order_by(Merge.at.desc(), Merge.id.desc())
    )
    return [
        StandingMerge(row.gone_id, _undo(row)["gone"]["name"], row.at, row.at + WITHIN, row.actor)
        for row in rows
    ]


def unmerge(s: ScopedSession, gone_id: UUID, *, dry_run: bool = False) -> UnmergeFact:
    """Take back the merge by which `gone_id` went into another record.

    dry_run: do all of it and let it go, so that what is told is what would happen. The two are
    dismissed as duplicates. Every tool that took part in the merge takes part in this, or it is
    not done.

    Raises NotFound; Conflict, saying what to do, for a record that is not merged, a merge older
    than `WITHIN`, one that others were built on, or one that a tool can't take back exactly.
    """
    done: UnmergeFact | None = None
    try:
        with s.savepoint():
            done = _unmerge(s, gone_id)
            if dry_run:
                raise _Rehearsed
    except _Rehearsed:
        pass
    assert done is not None
    return done


def _unmerge(s: ScopedSession, gone_id: UUID) -> UnmergeFact:
    rooms = parts.everyone()
    merge = _merge(s, gone_id)
    rows = locked(s, merge.keep_id, gone_id)
    if _merge(s, gone_id).id != merge.id:  # somebody was quicker: this one is taken back already
        raise _not_merged()
    keep, gone = rows[merge.keep_id], rows[gone_id]
    undo = _possible(s, merge, keep)
    back = [gone.id, *(UUID(one) for one in undo["flattened"])]
    kept = [one for one in queries.lineage(s, keep.id) if one not in back]
    counts = {room.name: room.unmerge(s, kept, back) for room in rooms}
    at = now()
    identities, missing = _identities(s, undo, keep, gone)
    notes = _notes(s, undo, keep.id, gone.id)
    returned = _take_out(s, keep, undo["before"], undo["gone"])
    s.execute(
        sa.update(Customer)
        .where(Customer.id.in_(back[1:]), Customer.merged_into == keep.id)
        .values(merged_into=gone.id)
    )
    gone.status, gone.merged_into = "active", None
    gone.suppressed_at = gone.suppressed_at or keep.suppressed_at
    keep.updated_at = gone.updated_at = at
    write_name_keys(s, gone.id, _realm(s, gone), gone.name)
    merge.undone_at, merge.undone_by, merge.undo = at, s.scope.actor.name[:120], None
    s.flush()
    if "name" in returned:
        parts.renamed(s, keep.id)
    stays, comes = queries.record(s, keep.id), queries.record(s, gone.id)
    for one in (stays, comes):
        parts.tell(
            s, one.id, "unmerged", _l("A merge of two records was taken back"), occurred_at=at
        )
    dismissing.dismiss_pair(s, stays.id, comes.id)
    record(s, "customer.unmerged", "customer", gone.id, details={"kept": keep.id})
    answers = dispatch.together(
        s, "customers_unmerged", store_id=s.store_id or keep.home_store_id, kept=stays, gone=comes
    )
    outbox.publish(
        s,
        "customer.unmerged",
        {"customer_id": stays.id, "gone_id": comes.id},
        store_id=s.store_id or keep.home_store_id,
        at=at,
    )
    return UnmergeFact(
        stays,
        comes,
        merge.at,
        at,
        identities,
        missing,
        notes,
        len(back) - 1,
        returned,
        counts,
        {answer.plugin: answer.value for answer in answers},
    )


def _merge(s: ScopedSession, gone_id: UUID) -> Merge:
    """The merge of a record. Raises NotFound, Conflict for one that is not merged."""
    fact = queries.record(s, gone_id)
    if fact.status == "erased":
        raise queries.no_customer()
    row = s.scalar(sa.select(Merge).where(Merge.gone_id == gone_id, Merge.undone_at.is_(None)))
    if row is None:
        raise _not_merged()
    return row


def _not_merged() -> Conflict:
    return Conflict(_("This record is not merged with another. There is nothing to take back."))


def _possible(s: ScopedSession, merge: Merge, keep: Customer) -> dict[str, Any]:
    """What the merge wrote down, if it can be taken back. Raises Conflict, NotFound."""
    if keep.status == "erased":
        raise queries.no_customer()
    if keep.status == "merged":
        raise Conflict(
            _(
                "“%(name)s” was itself merged into another record since. Take that merge back"
                " first, then this one.",
                name=keep.name or _("No name"),
            )
        )
    if merge.undo is None or merge.at <= now() - WITHIN:
        raise Conflict(
            _(
                "A merge can be taken back within %(days)s days. The record stays one: enrol the"
                " other person anew, and give them their card and points by hand.",
                days=WITHIN.days,
            )
        )
    later = s.scalars(
        sa.select(Merge)
        .where(
            Merge.keep_id == keep.id,
            Merge.undone_at.is_(None),
            sa.tuple_(Merge.at, Merge.id) > sa.tuple_(merge.at, merge.id),
        )
        .order_by(Merge.at.desc(), Merge.id.desc())
    ).first()
    if later is not None:
        raise Conflict(
            _(
                "“%(name)s” was merged into the same record later. Take that back first; you can"
                " merge it again afterwards.",
                name=_undo(later).get("gone", {}).get("name") or _("No name"),
            )
        )
    undo = _undo(merge)
    able = hosts.of(s).calls.get("customers_unmerged", {})
    for tool in undo["tools"]:
        if tool not in able:
            raise Conflict(
                _(
                    "“%(tool)s” took part in the merge, and can't take part in this: it is not"
                    " installed now, or does not know how. Have it installed, then try again.",
                    tool=hosts.of(s).title(tool, language()),
                )
            )
    return undo


def _undo(merge: Merge) -> dict[str, Any]:
    return merge.undo or {}


def _identities(
    s: ScopedSession, undo: dict[str, Any], keep: Customer, gone: Customer
) -> tuple[tuple[IdentityFact, ...], int]:
    """Give back what moved and is still there; what was removed since stays removed."""
    held = {
        row.id: row for row in s.scalars(sa.select(Identity).where(Identity.customer_id == keep.id))
    }
    moved = [held[one] for one in map(UUID, undo["identities"]) if one in held]
    for row in moved:
        row.customer_id = gone.id
    twins = {(row.kind, row.value) for row in held.values()}
    shared = [
        Identity(
            brand_id=s.brand_id,
            store_id=gone.store_id,
            customer_id=gone.id,
            realm_id=_realm(s, gone).id,
            kind=one["kind"],
            value=one["value"],
            shown=one["shown"],
            created_at=datetime.fromisoformat(one["created_at"]),
        )
        for one in undo["identities_dropped"]
        if (one["kind"], one["value"]) in twins
    ]
    s.add_all(shared)
    s.flush()
    back = sorted((*moved, *shared), key=lambda row: (row.kind, row.created_at, row.id))
    there = len(undo["identities"]) + len(undo["identities_dropped"])
    return tuple(queries.identity_fact(row) for row in back), there - len(back)


def _notes(s: ScopedSession, undo: dict[str, Any], keep_id: UUID, gone_id: UUID) -> int:
    result = s.execute(
        sa.update(Note)
        .where(Note.id.in_(list(map(UUID, undo["notes"]))), Note.customer_id == keep_id)
        .values(customer_id=gone_id)
    )
    return int(getattr(result, "rowcount", 0))


def _take_out(
    s: ScopedSession, keep: Customer, before: dict[str, Any], theirs: dict[str, Any]
) -> tuple[str, ...]:
    """Let the kept record give up what only the other had answered, unless it changed since."""
    returned = []
    plain: dict[str, Callable[[str], object]] = {
        "name": str,
        "language": str,
        "birthday": date.fromisoformat,
        "home_store_id": UUID,
    }
    for name, read in plain.items():
        had, got = before[name], theirs[name]
        if not had and got and getattr(keep, name) == read(got):
            setattr(keep, name, had)
            returned.append(name)
    if "name" in returned:
        s.execute(sa.delete(NameKey).where(NameKey.customer_id == keep.id))
    joined, earlier = map(datetime.fromisoformat, (before["joined_at"], theirs["joined_at"]))
    if earlier < joined and keep.joined_at == earlier:
        keep.joined_at = joined
        returned.append("joined_at")
    answers = dict(keep.fields)
    for key, answer in theirs["fields"].items():
        if key not in before["fields"] and answers.get(key) == answer:
            del answers[key]
            returned.append(f"fields.{key}")
    keep.fields = answers
    return tuple(returned)


def _realm(s: ScopedSession, row: Customer) -> Realm:
    return Realm(row.store_id or s.brand_id, row.store_id)
