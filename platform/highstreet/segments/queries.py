"""Segments and whom they pick: count, sample, why somebody is in one, what uses it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet.customers import queries as customers
from highstreet.i18n import gettext as _
from highstreet.segments import words
from highstreet.segments.compiling import Compiler
from highstreet.segments.facts import Counted, Person, SegmentFact, SnapshotFact, Use, Why
from highstreet.segments.models import Segment, Snapshot
from highstreet.segments.rules import All, InSegment, Not, OneOf, Rule, load, referred
from highstreet_tenants.errors import Conflict, Forbidden, Invalid, NotFound
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.sets import by_sets

May = Callable[[str], bool] | None
_users: dict[str, Callable[[ScopedSession, UUID], list[Use]]] = {}
#: Segments that are asked for one customer.
MOST_ASKED = 20


def listed(s: ScopedSession, *, retired: bool = False) -> list[SegmentFact]:
    """The segments of a place, head office's among them, by name."""
    query = sa.select(Segment).where(*_of_here(s)).order_by(Segment.name, Segment.id)
    if not retired:
        query = query.where(Segment.retired_at.is_(None))
    return [fact(one) for one in s.scalars(query)]


def get(s: ScopedSession, segment_id: UUID) -> SegmentFact:
    """A segment, retired or not. Raises NotFound."""
    return fact(row(s, segment_id))


def row(s: ScopedSession, segment_id: UUID) -> Segment:
    """Its row. Raises NotFound."""
    found = s.scalar(sa.select(Segment).where(Segment.id == segment_id, *_of_here(s)))
    if found is None:
        raise NotFound(_("There is no such segment here."))
    return found


def _of_here(s: ScopedSession) -> list[sa.ColumnElement[bool]]:
    """Head office could read what stores call theirs, but has no use for it."""
    return [Segment.store_id.is_(None)] if s.store_id is None else []


def snapshot(s: ScopedSession, snapshot_id: UUID) -> SnapshotFact:
    """A snapshot. Raises NotFound."""
    found = s.scalar(sa.select(Snapshot).where(Snapshot.id == snapshot_id))
    if found is None:
        raise NotFound(_("There is no such snapshot here."))
    return snapshot_fact(found)


def ids(
    s: ScopedSession, segment: SegmentFact, *, may: May = None, compiler: Compiler | None = None
) -> Any:
    """A select of the ids of all who are in it now: within reach here, and active. compiler: to
    hold (`Compiler.held`) a larger statement that the select becomes a part of.

    Raises as `Compiler.people`.
    """
    compiler = compiler or Compiler(s, may=may)
    if segment.list_id is None:
        assert segment.rule is not None
        return compiler.people(segment.rule)
    listed_ = compiler.listed(segment.list_id)
    return sa.select(compiler.c.id).where(*compiler.reach(), compiler.c.id.in_(listed_))


def page(
    s: ScopedSession, segment: SegmentFact, behind: UUID | None, limit: int, *, may: May = None
) -> list[UUID]:
    """The next `limit` ids of those who are in it now, in order, after one of them. Raises as
    `ids`."""
    return _paged(s, ids(s, segment, may=may), behind, limit)


def people_of(
    s: ScopedSession, rule: Rule, behind: UUID | None, limit: int, *, may: May = None
) -> list[UUID]:
    """The same of a rule that is kept under no name. Raises as `count`."""
    compiler = Compiler(s, may=may)
    return _paged(s, compiler.people(rule), behind, limit)


def _paged(s: ScopedSession, found: Any, behind: UUID | None, limit: int) -> list[UUID]:
    which = found.selected_columns[0]
    if behind is not None:
        found = found.where(which > behind)
    return list(s.scalars(found.order_by(which).limit(limit)))


def lock(s: ScopedSession, segment_id: UUID) -> None:
    """Keep others from changing a segment until this transaction ends."""
    s.execute(sa.select(Segment.id).where(Segment.id == segment_id).with_for_update())


def count(s: ScopedSession, rule: Rule, *, may: May = None) -> int:
    """How many are in it. Raises Invalid, Conflict for a rule that can't be asked here."""
    compiler = Compiler(s, may=may)
    return _count(s, compiler.people(rule))


def counted(s: ScopedSession, rule: Rule, *, may: May = None, sample: int = 10) -> Counted:
    """How many, of how many, and a few of them by chance. Raises as `count`."""
    compiler = Compiler(s, may=may)
    some = compiler.people(rule).add_columns(compiler.c.name)
    found = s.execute(some.order_by(sa.func.random()).limit(sample)).all() if sample else []
    return Counted(
        _count(s, compiler.people(rule)),
        _count(s, compiler.people(All())),
        [Person(id_, name) for id_, name in found],
    )


def _count(s: ScopedSession, people: Any) -> int:
    with by_sets(s):
        return s.scalar(people.with_only_columns(sa.func.count())) or 0


def holds(s: ScopedSession, rule: Rule, customer_id: UUID, *, may: May = None) -> bool:
    """Whether a customer (merges followed) is in it. Raises NotFound, and as `count`."""
    customer = customers.get(s, customer_id)
    compiler = Compiler(s, may=may)
    found = s.scalar(compiler.people(rule).where(compiler.c.id == customer.id))
    return found is not None


def why(s: ScopedSession, rule: Rule, customer_id: UUID, *, may: May = None) -> list[Why]:
    """Each condition of a rule in words, with whether it holds for a customer, in one statement.

    Raises NotFound, and as `count`.
    """
    customer = customers.get(s, customer_id)
    compiler = Compiler(s, may=may)
    nodes = list(_nodes(rule))
    told = [
        sa.case((compiler.condition(node), 1), else_=0).label(f"n{place}")
        for place, (_depth, node) in enumerate(nodes)
    ]
    owned = s.scope.owns(sa.inspect(compiler.c).selectable)
    asked = sa.select(*told).where(compiler.c.id == customer.id, *owned)
    truths = s.execute(compiler.held(asked)).one()
    speaker = words.Speaker(s, compiler)
    return [
        Why(depth, speaker.says(node), bool(truth), speaker.reads(node, customer.id))
        for (depth, node), truth in zip(nodes, truths, strict=True)
    ]


def _nodes(rule: Rule, depth: int = 0) -> Iterator[tuple[int, Rule]]:
    yield depth, rule
    if isinstance(rule, Not):
        yield from _nodes(rule.of, depth + 1)
    elif isinstance(rule, All | OneOf):
        for one in rule.of:
            yield from _nodes(one, depth + 1)


def used_by(s: ScopedSession, segment_id: UUID) -> list[Use]:
    """What asks for a segment: other segments, what rooms above say of theirs, and what its
    snapshots were taken for, the last hundred. Raises NotFound."""
    row(s, segment_id)
    uses = [
        Use("segment", one.id, one.name)
        for one in listed(s)
        if one.rule is not None and segment_id in referred(one.rule)
    ]
    taken = s.scalars(
        sa.select(Snapshot)
        .where(Snapshot.segment_id == segment_id)
        .order_by(Snapshot.taken_at.desc(), Snapshot.id)
        .limit(100)
    )
    for one in taken:
        kind, _colon, which = one.used_for.partition(":")
        uses.append(Use(kind, UUID(which) if which else None, one.name, one.taken_at))
    for users in _users.values():
        uses += users(s, segment_id)
    return uses


def register_users(kind: str, users: Callable[[ScopedSession, UUID], list[Use]]) -> None:
    """Let a room above say what of its own asks for a segment. Registering again replaces."""
    _users[kind] = users


def uses(s: ScopedSession) -> dict[UUID, int]:
    """How many uses each segment of a place has, as `used_by` would list them; none: missing."""
    found: Counter[UUID] = Counter()
    for one in listed(s):
        found.update(referred(one.rule) if one.rule is not None else ())
    taken = s.execute(
        sa.select(Snapshot.segment_id, sa.func.count(Snapshot.id))
        .where(Snapshot.segment_id.is_not(None))
        .group_by(Snapshot.segment_id)
    )
    found.update({which: many for which, many in taken if which is not None})
    return dict(found)


def memberships(
    s: ScopedSession, customer_id: UUID, *, may: May = None
) -> list[tuple[SegmentFact, bool | None]]:
    """Whether a customer is in each segment of a place, the first MOST_ASKED by name; None where
    it can't be asked. Raises NotFound."""
    customers.get(s, customer_id)
    found: list[tuple[SegmentFact, bool | None]] = []
    for one in listed(s)[:MOST_ASKED]:
        try:
            found.append((one, holds(s, InSegment(one.id), customer_id, may=may)))
        except (Invalid, Conflict, Forbidden, NotFound):
            found.append((one, None))
    return found


def in_words(s: ScopedSession, rule: Rule) -> list[tuple[int, str]]:
    """A rule as people read it: (how far within others, words)."""
    speaker = words.Speaker(s, Compiler(s))
    return [(depth, speaker.says(node)) for depth, node in _nodes(rule)]


def fact(one: Segment) -> SegmentFact:
    """The row as others see it."""
    return SegmentFact(
        one.id,
        one.store_id,
        one.name,
        one.about,
        load(one.rule) if one.kind == "rule" else None,
        one.digest,
        one.list_id,
        one.changed_by,
        one.changed_at,
        one.retired_at is not None,
    )


def snapshot_fact(one: Snapshot) -> SnapshotFact:
    """The row as others see it."""
    return SnapshotFact(
        one.id,
        one.segment_id,
        one.name,
        load(one.rule) if one.rule else None,
        one.digest,
        one.used_for,
        one.people,
        one.taken_by,
        one.taken_at,
    )
