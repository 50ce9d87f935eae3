"""What the results ask of tools."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from msgspec import Struct, field

from highstreet.host.spec import spec


class Figure(Struct, frozen=True):
    """One number with what it counts and what to compare it with; all three ready to be shown."""

    label: str
    value: str
    note: str = ""
    unit: str = ""


class Sums(Struct, frozen=True):
    """What a tool did in a brand since it was first switched on, in whole numbers.

    points_earned: by purchases, before returns. rewards_issued: given to members; rewards_redeemed:
    of these, those handed over. more: the tool's own counts, by words like `notes_written`.
    """

    points_earned: int = 0
    rewards_issued: int = 0
    rewards_redeemed: int = 0
    more: Mapping[str, int] = field(default_factory=dict)


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

    @spec(kind="collect", winddown=True, since="0.1", budget_ms=60_000.0, gives=Sums)
    def brand_sums(self, ctx: Any) -> Sums | None:
        """What the tool did within the session's reach, all in all; the demo prints it.

        Asked once for a brand, in a reading session that reaches all stores; `ctx` stands in no
        store. Tools that are off are asked too: what they did was done.
        """
        raise NotImplementedError
