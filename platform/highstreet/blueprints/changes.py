"""What applying a blueprint changes, told one thing at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct, field


class Change(Struct, frozen=True):
    """One thing that is added or changed.

    ``what``: brand, region, owner, store, user, role, field, policy, choice, approval, setting.
    ``details``: what differs, as {name: [before, after]}; empty for what is simply added.
    """

    action: Literal["add", "change"]
    what: str
    name: str
    details: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)

    def __str__(self) -> str:
        sign = "+" if self.action == "add" else "~"
        told = ", ".join(
            f"{name}: {_short(after)}"
            if before is None
            else f"{name}: {_short(before)} → {_short(after)}"
            for name, (before, after) in self.details.items()
        )
        return f"{sign} {self.what} {self.name}" + (f" ({told})" if told else "")


class Outcome(Struct):
    """What a blueprint did, or would do.

    ``left`` names what the brand has and the blueprint does not mention: it stays as it is.
    """

    brand: str
    dry_run: bool
    changes: list[Change] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def add(self, what: str, name: str, **details: Any) -> None:
        """Note that something is new."""
        given = {key: (None, value) for key, value in details.items()}
        self.changes.append(Change("add", what, name, given))

    def change(self, what: str, name: str, details: Mapping[str, tuple[Any, Any]]) -> None:
        """Note what differs, if anything does."""
        if details:
            self.changes.append(Change("change", what, name, details))


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
