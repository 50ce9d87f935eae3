"""Trying settings before they are saved: what a tool offers for that, and what it answers.

The core checks what was typed as if it were saved, works out what would hold, and shows the answer
beside the form. The tool reckons: by the settings as they stand and as they would be, on what
happened in one store in the last whole month. It gets a session that can't write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Literal

from msgspec import Struct

#: How a figure is written: whole numbers, or whole minor units of the store's currency.
Kind = Literal["count", "points", "money"]
KINDS: tuple[Kind, ...] = ("count", "points", "money")


class TrialPeriod(Struct, frozen=True):
    """Days from `first` to `last`, both included: business dates of the store."""

    first: date
    last: date


class TrialFact(Struct, frozen=True):
    """One figure. label: translated. value: None where it can't be said.

    people: how many the figure is about, where that is not everybody; where head office may not see
    the store's people, a figure about fewer than five is left out.
    """

    label: str
    kind: Kind
    value: int | None
    people: int | None = None


class TrialLine(Struct, frozen=True):
    """One figure by the settings as they stand (`now`) and as they would be (`proposed`); None
    where it can't be said on that side. label, people: as of TrialFact."""

    label: str
    kind: Kind
    now: int | None
    proposed: int | None
    people: int | None = None


class TrialOutcome(Struct, frozen=True):
    """What a tool answers.

    facts: what it was tried on. lines: what comes of it, what matters most first. changes: for
    whom it changes what; together they are `people`. parts: what the first of the lines is made of.
    notes: sentences on what is left out. people: how many all of it is about. read, there: of how
    many things how many were reckoned, the latest; fewer only where there are very many.
    """

    facts: Sequence[TrialFact] = ()
    lines: Sequence[TrialLine] = ()
    changes: Sequence[TrialFact] = ()
    parts: Sequence[TrialLine] = ()
    notes: Sequence[str] = ()
    people: int = 0
    read: int = 0
    there: int = 0


class SettingsTrial(Struct, frozen=True):
    """How the settings of a tool can be tried before they are saved.

    label: what the button says (a lazy translation). run: gets `ctx` of a store, the settings as
    they stand, as they would be, and the period; gives a TrialOutcome. It writes nothing, and is
    done within some seconds: of very much it reads the latest and says so (`read`, `there`).
    """

    label: object
    run: Callable[[Any, Mapping[str, Any], Mapping[str, Any], TrialPeriod], TrialOutcome]
