"""What purchases would earn by one programme and by another, side by side. Pure.

Reckoned is what is left of each purchase: goods that came back earn nothing. That is what the
ledger holds of it in the end, where the programme did not change meanwhile and no campaign gave
more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, tzinfo
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from msgspec import Struct, field

from highstreet_points_club.programme import (
    NOTHING,
    Basket,
    EarnResult,
    Part,
    Programme,
    earned,
    left_of,
)

if TYPE_CHECKING:
    from highstreet.sdk import PurchaseFact

#: What gave points: the mode of a way to earn, which of its mode, and of "items" the department in
#: small letters; or "bonus" and its name.
Source = tuple[str, str, str]


class Reckoned(NamedTuple):
    """A purchase, and whose it is (a member's record, whichever others were merged into it)."""

    member: UUID
    purchase: PurchaseFact


class Side(Struct):
    """What came of one programme. points, and how many purchases earned any; by_member: points of
    each; by_source: points of each, and who got them. spelled: departments as receipts write them.
    """

    programme: Programme
    points: int = 0
    earning: int = 0
    by_member: dict[UUID, int] = field(default_factory=dict)
    by_source: dict[Source, int] = field(default_factory=dict)
    people: dict[Source, set[UUID]] = field(default_factory=dict)
    spelled: dict[str, str] = field(default_factory=dict)
    _sources: tuple[tuple[str, str], ...] = ()
    _times: dict[UUID, int] = field(default_factory=dict)
    _day: date | None = None

    def __post_init__(self) -> None:
        modes = [rule.mode for rule in self.programme.accruals]
        self._sources = tuple(
            (mode, str(modes[: place + 1].count(mode))) for place, mode in enumerate(modes)
        )

    def take(self, one: Reckoned, zone: tzinfo) -> None:
        """Reckon one more purchase; those of a day come one after the other, the earliest first."""
        result, basket = self._result(one, zone)
        points = result.points
        self.by_member[one.member] = self.by_member.get(one.member, 0) + points
        if not points:
            return
        self.points += points
        self.earning += 1
        for part in result.why:
            for source, gave in self._made_of(part, basket):
                self.by_source[source] = self.by_source.get(source, 0) + gave
                self.people.setdefault(source, set()).add(one.member)

    def _made_of(self, part: Part, basket: Basket) -> Iterator[tuple[Source, int]]:
        if part.rule == "bonus":
            yield ("bonus", part.name, ""), part.points
        elif part.rule == "items":
            for line in basket.lines:
                self.spelled.setdefault(line.department.casefold(), line.department)
            given = self.programme.accruals[part.place].by_department(basket)
            for name, points in given.items():
                if points:
                    yield (*self._sources[part.place], name), points
        else:
            yield (*self._sources[part.place], ""), part.points

    def _result(self, one: Reckoned, zone: tzinfo) -> tuple[EarnResult, Basket]:
        """What a purchase earns, and what of it that is for."""
        programme, purchase = self.programme, one.purchase
        blocks = programme.often_blocks and programme.often_most
        if not blocks and not purchase.returned_minor:
            return earned(programme, purchase, zone), purchase
        whole = earned(programme, purchase, zone)
        if blocks and whole.points:
            if self._day != purchase.business_date:
                self._day = purchase.business_date
                self._times.clear()
            before = self._times.get(one.member, 0)
            if before >= programme.often_most:
                return NOTHING, purchase
            self._times[one.member] = before + 1
        if not purchase.returned_minor:
            return whole, purchase
        kept = left_of(purchase)
        left = earned(programme, kept, zone)
        # A return gives nobody points.
        return (left, kept) if left.points <= whole.points else (whole, purchase)


class Compared(Struct):
    """Two programmes on the same purchases. spent: minor units, without what came back."""

    now: Side
    proposed: Side
    purchases: int = 0
    spent: int = 0

    @property
    def members(self) -> int:
        """How many bought."""
        return len(self.now.by_member)

    def moved(self) -> tuple[int, int, int]:
        """How many members get more, how many less, how many as much as before."""
        more = less = same = 0
        for member, points in self.now.by_member.items():
            change = self.proposed.by_member[member] - points
            more, less, same = more + (change > 0), less + (change < 0), same + (change == 0)
        return more, less, same


def compare(
    now: Programme, proposed: Programme, purchases: Iterable[Reckoned], zone: tzinfo
) -> Compared:
    """Both programmes on purchases that come day by day, the latest first."""
    found = Compared(Side(now), Side(proposed))
    for _day, several in groupby(purchases, key=lambda one: one.purchase.business_date):
        for one in reversed(list(several)):
            found.purchases += 1
            found.spent += one.purchase.total_minor - one.purchase.returned_minor
            found.now.take(one, zone)
            found.proposed.take(one, zone)
    return found


def looks_at_lines(programme: Programme) -> bool:
    """Whether what is bought matters, and not how much is paid alone."""
    return any(rule.factors or rule.departments for rule in programme.accruals)


def sources(found: Compared) -> list[tuple[Source, int, int, int]]:
    """(source, points as it is, points as proposed, members) of all that gave any."""
    now, proposed = found.now, found.proposed
    order = {mode: place for place, mode in enumerate(("visit", "spend", "items", "bonus"))}
    keys: Mapping[Source, None] = dict.fromkeys((*now.by_source, *proposed.by_source))
    nobody: set[UUID] = set()
    return [
        (
            key,
            now.by_source.get(key, 0),
            proposed.by_source.get(key, 0),
            len(now.people.get(key, nobody) | proposed.people.get(key, nobody)),
        )
        for key in sorted(keys, key=lambda one: (order[one[0]], one[1:]))
    ]
