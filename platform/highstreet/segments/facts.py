"""What the room tells others about segments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from highstreet.segments.rules import Rule


class SegmentFact(Struct, frozen=True):
    """A segment. rule: None for a list, whose people stand in the snapshot `list_id`.

    store_id: whose it is, None head office's. digest: changes with the rule.
    """

    id: UUID
    store_id: UUID | None
    name: str
    about: str
    rule: Rule | None
    digest: str
    list_id: UUID | None
    changed_by: str
    changed_at: datetime
    retired: bool


class SnapshotFact(Struct, frozen=True):
    """Who was in a segment when it was used: how many `people`, taken_at (UTC), by whom."""

    id: UUID
    segment_id: UUID | None
    name: str
    rule: Rule | None
    digest: str
    used_for: str
    people: int
    taken_by: str
    taken_at: datetime


class Person(Struct, frozen=True):
    """One of a sample."""

    id: UUID
    name: str


class Why(Struct, frozen=True):
    """One condition of a rule, in words, and whether it holds for a customer.

    depth: how far it is within others. reads: what is known of them, in words; empty where there is
    nothing to say.
    """

    depth: int
    words: str
    holds: bool
    reads: str = ""


class Use(Struct, frozen=True):
    """What asks for a segment. kind: "segment", or what snapshots were taken for ("mailing")."""

    kind: str
    id: UUID | None
    name: str
    at: datetime | None = None


class Counted(Struct, frozen=True):
    """How many are in a rule, of how many there are in this place, and some of them."""

    people: int
    of: int
    sample: Sequence[Person] = ()
