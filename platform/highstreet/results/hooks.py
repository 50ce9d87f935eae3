"""What the results ask of tools."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from highstreet.host.spec import spec


@dataclass(frozen=True, slots=True)
class Figure:
    """One number with what it counts and what to compare it with; all three ready to be shown."""

    label: str
    value: str
    note: str = ""
    unit: str = ""


class ResultHooks:
    """Asked when figures are drawn."""

    @spec(kind="collect", since="0.1", gives=[Figure])
    def day_figures(self, ctx: Any, on: date) -> Sequence[Figure]:
        """A tool's own figures of the store's day `on` (business date), at most two."""
        raise NotImplementedError

    @spec(kind="collect", since="0.1", gives=[Figure])
    def period_figures(self, ctx: Any, first: date, last: date) -> Sequence[Figure]:
        """A tool's own figures of the store from one business date to another, at most four."""
        raise NotImplementedError

    @spec(kind="collect", since="0.1", gives=[str])
    def tool_facts(self, ctx: Any) -> Sequence[str]:
        """Up to three short facts for the list of tools ("1,904 members"), from real data."""
        raise NotImplementedError
