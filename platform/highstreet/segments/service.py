"""Saving segments, making lists, taking snapshots for a use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa

from highstreet.customers import queries as customers
from highstreet.customers.text import bad, clean
from highstreet.i18n import gettext as _
from highstreet.segments import queries
from highstreet.segments.compiling import Compiler
from highstreet.segments.facts import SegmentFact, SnapshotFact
from highstreet.segments.models import Segment, Snapshot, SnapshotPerson
from highstreet.segments.queries import May
from highstreet.segments.rules import Rule, digest, dump
from highstreet_tenants import bulk
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Conflict, Forbidden
from highstreet_tenants.ids import new_id
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.trail import record

_PERSON = cast(sa.Table, SnapshotPerson.__table__)


def save(
    s: ScopedSession,
    *,
    name: str,
    rule: Rule,
    about: str = "",
    segment_id: UUID | None = None,
    may: May = None,
) -> SegmentFact:
    """Keep a rule under a name: a new segment of this place, or `segment_id` changed.

    Raises Invalid for a rule that can't be asked here, Conflict where it would ask itself or its
    tool is off, NotFound, Forbidden for a store that would change head office's.
    """
    name = clean(name, "name", 80, required=True)
    about = clean(about, "about", 400, lines=True)
    row = None
    if segment_id is not None:
        row = _own(s, segment_id)
        if row.kind == "list":
            raise Conflict(_("A list of people has no rule. Make a new segment."))
    _refuse_namesake(s, name, segment_id)
    compiler = Compiler(s, may=may)
    if segment_id is not None:
        compiler.within(segment_id)
    compiler.people(rule)
    created = row is None
    if row is None:
        row = Segment(brand_id=s.brand_id, id=new_id(), store_id=s.store_id, kind="rule")
        s.add(row)
    row.name, row.about, row.rule, row.digest = name, about, dump(rule), digest(rule)
    row.changed_by, row.changed_at, row.retired_at = s.scope.actor.name, now(), None
    s.flush()
    record(
        s,
        "segment.created" if created else "segment.changed",
        "segment",
        row.id,
        name,
        store_id=row.store_id,
    )
    return queries.fact(row)


def make_list(
    s: ScopedSession, *, name: str, people: Iterable[UUID], about: str = ""
) -> SegmentFact:
    """Keep customers as a list, as their records stand now; those out of reach are left out.

    Raises Invalid for a bad name or nobody, Conflict where head office has no customers.
    """
    name = clean(name, "name", 80, required=True)
    about = clean(about, "about", 400, lines=True)
    _refuse_namesake(s, name, None)
    found = sorted(set(customers.followed(s, people).values()))
    if not found:
        raise bad("people", _("None of these customers is here."))
    kept = _keep(s, name, found, used_for="list")
    row = Segment(
        brand_id=s.brand_id,
        id=new_id(),
        store_id=s.store_id,
        name=name,
        about=about,
        kind="list",
        list_id=kept.id,
        changed_by=s.scope.actor.name,
    )
    s.add(row)
    s.flush()
    record(s, "segment.created", "segment", row.id, name, details={"people": len(found)})
    return queries.fact(row)


def freeze(s: ScopedSession, segment_id: UUID, *, name: str, may: May = None) -> SegmentFact:
    """A list of whoever is in a segment now. Raises as `make_list`, and NotFound."""
    people = s.scalars(queries.ids(s, queries.get(s, segment_id), may=may)).all()
    return make_list(s, name=name, people=people)


def retire(s: ScopedSession, segment_id: UUID) -> None:
    """Take a segment out of use; its snapshots stay. Raises NotFound, Forbidden, Conflict while
    another segment asks it."""
    row = _own(s, segment_id)
    asking = [one.name for one in queries.used_by(s, segment_id) if one.kind == "segment"]
    if asking:
        raise Conflict(
            _("“%(name)s” is asked by: %(others)s.", name=row.name, others=", ".join(asking))
        )
    if row.retired_at is None:
        row.retired_at = now()
        record(s, "segment.retired", "segment", row.id, row.name, store_id=row.store_id)
    s.flush()


def restore(s: ScopedSession, segment_id: UUID) -> SegmentFact:
    """Take it back into use. Raises NotFound, Forbidden, Conflict where its name is taken."""
    row = _own(s, segment_id)
    if row.retired_at is not None:
        _refuse_namesake(s, row.name, segment_id)
        row.retired_at = None
        record(s, "segment.restored", "segment", row.id, row.name, store_id=row.store_id)
    s.flush()
    return queries.fact(row)


def take(s: ScopedSession, segment_id: UUID, *, used_for: str, may: May = None) -> SnapshotFact:
    """Write down who is in a segment now, for a use such as "mailing:<id>".

    Raises NotFound, Invalid, Conflict as `queries.count`.
    """
    segment = queries.get(s, segment_id)
    people = s.scalars(queries.ids(s, segment, may=may)).all()
    return queries.snapshot_fact(_keep(s, segment.name, people, used_for=used_for, of=segment))


def _keep(
    s: ScopedSession,
    name: str,
    people: Iterable[UUID],
    *,
    used_for: str,
    of: SegmentFact | None = None,
) -> Snapshot:
    if s.store_id is None and s.customers == "store":
        raise Conflict(_("The stores own their customers: each store makes its own lists."))
    found = list(people)
    row = Snapshot(
        brand_id=s.brand_id,
        id=new_id(),
        store_id=s.store_id,
        segment_id=of.id if of else None,
        name=name,
        rule=dump(of.rule) if of and of.rule is not None else {},
        digest=of.digest if of else "",
        used_for=used_for,
        people=len(found),
        taken_by=s.scope.actor.name,
    )
    s.add(row)
    s.flush()
    rows: list[dict[str, Any]] = [
        {"id": new_id(), "store_id": s.store_id, "snapshot_id": row.id, "customer_id": one}
        for one in found
    ]
    if rows:
        bulk.insert(s, _PERSON, rows)
    return row


def _own(s: ScopedSession, segment_id: UUID) -> Segment:
    row = queries.row(s, segment_id)
    if s.store_id is not None and row.store_id is None:
        raise Forbidden(_("This segment is head office's. Make one of your own from it."))
    return row


def _refuse_namesake(s: ScopedSession, name: str, but: UUID | None) -> None:
    taken = s.scalar(
        sa.select(Segment.id).where(
            sa.func.lower(Segment.name) == name.lower(),
            Segment.retired_at.is_(None),
            *([Segment.id != but] if but else []),
        )
    )
    if taken is not None:
        raise bad("name", _("There is a segment of this name already."))
