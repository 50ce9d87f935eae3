"""What a campaign of head office's gives on top of a purchase's points. Pure.

It stands in the version of the rules that an entry names, so that a return is reckoned by it too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from msgspec import Struct
from msgspec.structs import asdict

if TYPE_CHECKING:
    from highstreet.sdk import Running
    from highstreet_points_club.programme import Basket

Kind = Literal["multiply", "department", "welcome"]
MULTIPLY = "points_club.multiply"
DEPARTMENT = "points_club.department"
WELCOME = "points_club.welcome"
_KINDS: dict[str, Kind] = {MULTIPLY: "multiply", DEPARTMENT: "department", WELCOME: "welcome"}


class Extra(Struct, frozen=True):
    """multiply: `percent` of the usual points, for purchases from `min_minor` on. department:
    `points` on top, where at least `min_minor` (or anything) was spent in `department`. welcome:
    `points` on top of the first purchase that ever earns.

    campaign, name: whose it is. min_minor: minor units of the store's currency.
    """

    campaign: UUID
    name: str
    kind: Kind
    percent: int = 100
    points: int = 0
    department: str = ""
    min_minor: int = 0

    def gain(self, base: int, basket: Basket) -> int:
        """Points on top of `base`, what the purchase earns without bonus times and campaigns."""
        if self.kind == "multiply":
            spent = basket.total_minor
            return max(0, base * self.percent // 100 - base) if spent >= self.min_minor else 0
        if self.kind == "department":
            name = self.department.casefold()
            there = [one.amount_minor for one in basket.lines if one.department.casefold() == name]
            return self.points if sum(there) >= max(1, self.min_minor) else 0
        return self.points


def of(running: Running) -> Extra:
    """What a campaign gives on top, as it runs in a store."""
    return Extra(running.id, running.name, _KINDS[running.action], **running.terms)


def dump(extras: tuple[Extra, ...]) -> list[dict[str, Any]]:
    """As a rule's body keeps them."""
    return [{**asdict(one), "campaign": str(one.campaign)} for one in extras]


def load(body: list[Mapping[str, Any]]) -> tuple[Extra, ...]:
    """What `dump` gave."""
    return tuple(Extra(**{**one, "campaign": UUID(one["campaign"])}) for one in body)
