"""The outcomes of trying settings, added up over stores, and without what is about too few people.
Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from highstreet.host.settings_trial import Kind, TrialFact, TrialLine, TrialOutcome, TrialPeriod
from highstreet.host.snapshot import Place
from highstreet_tenants import aggregates

Figure = TypeVar("Figure", TrialFact, TrialLine)


class Tried(Struct, frozen=True):
    """One store's trial. outcome: None where the tool failed. unchanged: what was proposed changes
    nothing there, for the store or its region has set it otherwise.
    """

    place: Place
    period: TrialPeriod
    outcome: TrialOutcome | None
    unchanged: bool = False


class Row(Struct):
    """A figure of one store or several. currency: of money, else empty. A fact has `now` alone."""

    label: str
    kind: Kind
    currency: str
    now: int | None = None
    proposed: int | None = None

    @property
    def change(self) -> int | None:
        """What is more (below zero: less) as proposed; None where a side is unknown."""
        if self.now is None or self.proposed is None:
            return None
        return self.proposed - self.now


class Summed(Struct):
    """What is shown of one store or several; see TrialOutcome."""

    facts: list[Row] = field(default_factory=list)
    lines: list[Row] = field(default_factory=list)
    changes: list[Row] = field(default_factory=list)
    parts: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    read: int = 0
    there: int = 0


def summed(tried: Iterable[Tried]) -> Summed:
    """The outcomes of stores in one: figures of one label (and, of money, one currency) are added
    up as far as they are known."""
    found = Summed()
    notes: dict[str, None] = {}
    for one in tried:
        outcome, currency = one.outcome, one.place.currency
        if outcome is None:
            continue
        for rows, facts in ((found.facts, outcome.facts), (found.changes, outcome.changes)):
            for fact in facts:
                row = _row(rows, fact, currency)
                row.now = _added(row.now, fact.value)
        for rows, lines in ((found.lines, outcome.lines), (found.parts, outcome.parts)):
            for line in lines:
                row = _row(rows, line, currency)
                row.now = _added(row.now, line.now)
                row.proposed = _added(row.proposed, line.proposed)
        notes.update(dict.fromkeys(outcome.notes))
        found.read += outcome.read
        found.there += outcome.there
    found.notes = list(notes)
    return found


def hidden(outcome: TrialOutcome) -> TrialOutcome:
    """The outcome without what is about so few people that it could point at one of them. Parts of
    a whole are hidden so that none can be told from the others."""
    everybody = outcome.people
    if 0 < everybody < aggregates.SMALLEST_CELL:
        return TrialOutcome(
            facts=[_without(one) for one in outcome.facts],
            lines=[_without(one) for one in outcome.lines],
            changes=[_without(one) for one in outcome.changes],
            parts=[_without(one) for one in outcome.parts],
            notes=outcome.notes,
        )
    return replace(
        outcome,
        facts=_small(outcome.facts),
        lines=_small(outcome.lines),
        changes=_parts(outcome.changes),
        parts=_parts(outcome.parts),
    )


def _small(figures: Sequence[Figure]) -> list[Figure]:
    return [
        _without(one)
        if one.people is not None and 0 < one.people < aggregates.SMALLEST_CELL
        else one
        for one in figures
    ]


def _parts(figures: Sequence[Figure]) -> list[Figure]:
    everybody = aggregates.SMALLEST_CELL
    people = [everybody if one.people is None else one.people for one in figures]
    small = aggregates.too_small(people)
    return [_without(one) if number in small else one for number, one in enumerate(figures)]


def _without(figure: Figure) -> Figure:
    if isinstance(figure, TrialFact):
        return replace(figure, value=None)
    return replace(figure, now=None, proposed=None)


def _row(rows: list[Row], figure: TrialFact | TrialLine, currency: str) -> Row:
    key = (figure.label, figure.kind, currency if figure.kind == "money" else "")
    for row in rows:
        if (row.label, row.kind, row.currency) == key:
            return row
    rows.append(Row(*key))
    return rows[-1]


def _added(so_far: int | None, more: int | None) -> int | None:
    return so_far if more is None else more + (so_far or 0)
