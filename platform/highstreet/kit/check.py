"""What a check is: a question about a tool with a stable id, and findings that say what is wrong,
where, and how to mend it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal

from msgspec import Struct

#: What a check needs: the tool's files alone; the tool loaded; the tool at work, on each database.
Needs = Literal["files", "tool", "house"]
Ask = Callable[[Any], Iterable["Finding"]]


class Finding(Struct, frozen=True):
    """One thing that is wrong. where: "file:line", as far as that is known."""

    what: str
    mend: str
    where: str = ""

    def __str__(self) -> str:
        lines = [f"WRONG  {self.what}"]
        if self.where:
            lines.append(f"WHERE  {self.where}")
        return "\n".join([*lines, f"MEND   {self.mend}"])


class NotAsked(Exception):
    """A check has nothing to ask about; says why. What it found until then counts all the same."""


class Check(Struct, frozen=True):
    """One question. id: stable, `<part>-<what>`. about: what should be so, in one sentence."""

    id: str
    about: str
    needs: Needs
    ask: Ask


CHECKS: dict[str, Check] = {}
"""All checks by id, in the order in which they are asked."""


def check(id: str, *, needs: Needs = "house") -> Callable[[Ask], Ask]:  # noqa: A002 - it is one
    """Declare a check: a function of a `Bench` (for "files", of a `Subject`) that gives findings.

    The first sentence of its docstring says what should be so.
    """

    def declare(ask: Ask) -> Ask:
        if id in CHECKS:
            raise TypeError(f"two checks are called {id}")
        about = " ".join((ask.__doc__ or "").split("\n\n")[0].split())
        CHECKS[id] = Check(id, about, needs, ask)
        return ask

    return declare
