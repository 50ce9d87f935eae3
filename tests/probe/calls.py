"""Calls of functions with what is not the caller's, and all the text that they give."""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from highstreet.kit import marks
from highstreet.sdk import ctx_of
from highstreet_tenants.values import fields_of
from probe.bait import Bait, names_property
from probe.functions import Function
from probe.world import CLUB, TOOL, TOOLS

#: Parameters that say for whom; the probe fills them when it calls.
FIRST = ("s", "ctx")
#: Facts that the core hands over together, after it has seen to it that they are one owner's.
TOGETHER = frozenset({"kept", "gone"})


@dataclass(frozen=True)
class Call:
    """A function with its arguments, all but the session. what: said of it in a finding."""

    what: str
    name: str
    function: Function
    given: Mapping[str, Any]

    @property
    def says(self) -> bool:
        """Whether some argument is itself somebody's secret (a name to search for, a card)."""
        return bool(marks.found(texts(self.given)))

    def run(self, s: Any) -> Any:
        """Call it in a session."""
        given = dict(self.given)
        for name in FIRST:
            if name in inspect.signature(self.function).parameters:
                package = self.name.partition(".")[0].removeprefix("highstreet_")
                tool = TOOL if package == "ctx" else package if package in TOOLS else CLUB
                given[name] = ctx_of(s, tool) if name == "ctx" else s
        return self.function(**given)


def calls(name: str, function: Function, theirs: Bait, own: "Bait | None") -> Iterator[Call]:
    """Every way to call a function with what is theirs. Raises Untaught.

    All that it needs is theirs; then that and all that it may be given besides; then, for the
    second thing that it is given may be the one it does not look at, each of them alone beside
    things of one's `own` (None: nobody's here, so that is left out).
    """
    parameters = [
        p
        for p in inspect.signature(function).parameters.values()
        if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL) and p.name not in FIRST
    ]
    needed = [p for p in parameters if p.default is p.empty]
    owned = [p.name for p in parameters if names_property(name, p)]
    more = [p for p in parameters if p.default is not p.empty and p.name in owned]

    def made(those: list[inspect.Parameter], whose: Mapping[str, Bait], said: str) -> Call:
        given = {p.name: whose.get(p.name, theirs).value(name, p) for p in those}
        return Call(f"{name}({said})", name, function, given)

    at = f"{theirs.site.owner}'s"
    yield made(needed, {}, at)
    if more:
        yield made([*needed, *more], {}, f"all {at}")
    if own is None or len(owned) < 2 or set(owned) >= TOGETHER:
        return
    for parameter in parameters:
        if parameter.name in owned:
            others = [p for p in needed if p is not parameter]
            yield made(
                [*others, parameter], {p.name: own for p in others}, f"{at} {parameter.name}"
            )


def texts(value: Any, most: int = 4000) -> str:
    """All text within a value, hidden fields of facts and rows too."""
    found: list[str] = []
    seen: set[int] = set()
    front = [value]
    while front and len(found) < most:
        one = front.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, str | int | float | datetime | date | timedelta) or one is None:
            found.append(str(one))
        elif isinstance(one, bytes):
            found.append(one.decode("utf-8", "replace"))
        elif isinstance(one, Mapping):
            front += [*one.keys(), *one.values()]
        elif (names := fields_of(type(one))) is not None:
            front += [getattr(one, name) for name in names]
        elif isinstance(one, list | tuple | set | frozenset | sa.Row) or inspect.isgenerator(one):
            front += list(one)
        elif hasattr(one, "__table__"):
            front += [getattr(one, column.key) for column in sa.inspect(type(one)).columns]
        else:
            found.append(str(one))
    return "\n".join(found)
