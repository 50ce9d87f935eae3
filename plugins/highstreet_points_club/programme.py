"""What a purchase earns: the rules of a programme, and one pure function that applies them.

Awards, the preview at the till and the reckoning after a return all call `earned`, so they cannot
disagree. Integers only: money in minor units, factors in per cent. How long points last
stands in `lasting`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol
from uuid import UUID, uuid5

from msgspec import Struct, field
from msgspec.structs import replace

from highstreet_points_club import extras as extra_points
from highstreet_points_club.extras import Extra
from highstreet_points_club.weekdays import DAYS

if TYPE_CHECKING:
    from highstreet.sdk import PurchaseFact

Mode = Literal["visit", "spend", "items"]
Expiry = Literal["never", "days", "months", "month_end", "year_end"]
RewardKind = Literal["product", "money"]

#: The settings that decide what a purchase earns; an entry names the version it was reckoned by.
_EARNING = (
    "accruals", "stacked", "bonuses", "pending_days", "expiry", "expiry_days", "expiry_months",
    "idle_months",
)  # fmt: skip
_CAMPAIGNS = "campaigns"  # of a rule, beside these
_RULES = UUID("6b1f1c52-7f0a-5d0e-9d7e-0c6f2f7f3a51")  # namespace of rule ids


class Line(Protocol):
    """A line of a basket; quantity in pieces or kilograms."""

    @property
    def department(self) -> str: ...
    @property
    def quantity(self) -> Decimal | Fraction | int: ...
    @property
    def amount_minor(self) -> int: ...


class Basket(Protocol):
    """What `earned` needs of a purchase; total_minor is what was paid."""

    @property
    def total_minor(self) -> int: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def lines(self) -> Sequence[Line]: ...


class Accrual(Struct, frozen=True):
    """One way to earn.

    visit: `points` for a purchase. spend: `points` for each whole `per_minor` paid, lines of a
    department weighted by `factors` (per cent; 0 leaves it out). items: `departments` gives
    points for each whole piece bought there. Nothing below `min_minor`.
    """

    mode: Mode
    points: int = 1
    per_minor: int = 100
    min_minor: int = 1
    factors: Mapping[str, int] = field(default_factory=dict)
    departments: Mapping[str, int] = field(default_factory=dict)

    def points_for(self, basket: Basket) -> int:
        """Points by this rule alone."""
        total = basket.total_minor
        if total < self.min_minor or total <= 0:
            return 0
        if self.mode == "visit":
            return self.points
        if self.mode == "spend":
            weighted = total * 100
            if self.factors:
                factors = self.factors
                for line in basket.lines:
                    percent = factors.get(line.department.casefold())
                    if percent is not None:
                        weighted += (percent - 100) * line.amount_minor
            return max(0, weighted) * self.points // (100 * self.per_minor)
        return sum(self.by_department(basket).values())

    def by_department(self, basket: Basket) -> Mapping[str, int]:
        """What each department gives by the piece, under its name in small letters."""
        pieces: dict[str, Any] = {}  # Decimal, or Fraction where a share of it is left
        for line in basket.lines:
            name = line.department.casefold()
            if name in self.departments:
                pieces[name] = pieces.get(name, 0) + line.quantity
        return {name: self.departments[name] * max(0, int(many)) for name, many in pieces.items()}


class Bonus(Struct, frozen=True):
    """A time when more is given: `percent` of the usual points (200: double) and `extra` on top.

    Days and hours are those of the store's wall clock, so a night when clocks change has them as it
    shows them. Both days are included; hours from (included) to (not included), past midnight
    where `hours_to` is not after `hours_from`: such a night belongs to the day it begins on.
    """

    name: str
    percent: int = 100
    extra: int = 0
    first_day: date | None = None
    last_day: date | None = None
    weekdays: frozenset[int] = frozenset()
    hours_from: time | None = None
    hours_to: time | None = None

    def open_at(self, local: datetime) -> bool:
        """Whether the store's wall clock `local` is within."""
        start, end, clock = self.hours_from or time.min, self.hours_to, local.time()
        day = local.date()
        if end is None or end == time.min:
            inside = clock >= start
        elif start < end:
            inside = start <= clock < end
        else:
            inside = clock >= start or clock < end
            if clock < end:
                day -= timedelta(days=1)
        return (
            inside
            and (self.first_day is None or day >= self.first_day)
            and (self.last_day is None or day <= self.last_day)
            and (not self.weekdays or day.weekday() in self.weekdays)
        )

    def gain(self, base: int) -> int:
        """Points on top of `base`."""
        return max(0, base * self.percent // 100 - base + self.extra)


class RewardRule(Struct, frozen=True):
    """What points buy. `points` for one step, `value_minor` what a step is worth.

    automatic: issued as soon as the points are there. A money reward may be taken in several
    steps at once. valid_days: an issued one ends then (None: it stays).
    """

    key: str
    name: str
    points: int
    kind: RewardKind = "product"
    value_minor: int = 0
    automatic: bool = False
    valid_days: int | None = None


class LeftLine(NamedTuple):
    """A line without what was brought back of it. quantity: a Fraction where that is a share."""

    department: str
    quantity: Decimal | Fraction
    amount_minor: int


class Left(NamedTuple):
    """A purchase without what was brought back of it."""

    total_minor: int
    occurred_at: datetime
    lines: tuple[LeftLine, ...]


class Part(NamedTuple):
    """Points that one rule gave: its mode and place among the accruals, "bonus" and its name, or
    "campaign", its name and which."""

    rule: str
    name: str
    points: int
    place: int = 0
    campaign: UUID | None = None


class EarnResult(NamedTuple):
    """`points` of a purchase and `why`."""

    points: int
    why: tuple[Part, ...]

    @property
    def gains(self) -> tuple[tuple[UUID, int], ...]:
        """What campaigns gave of them: (campaign, points)."""
        return tuple([(p.campaign, p.points) for p in self.why if p.campaign is not None])


NOTHING = EarnResult(0, ())


class Programme(Struct, frozen=True):
    """A store's programme as it was set at one time.

    automatic: the reward that is issued by itself, if there is one. expiry_days, expiry_months:
    how long points last, as `expiry` counts. idle_months: months without a visit after which they
    lapse, 0 for never. welcome_points, birthday_points: 0 for none.
    often_most: purchases of a member in a day that are usual, 0 for any number;
    often_blocks: those beyond earn nothing. correct_most: points that one person may give by hand
    in a day, 0 for any number. rule: the settings that decide what a purchase earns; rule_id
    follows from them. extras: what campaigns give on top; they are part of the rule.
    """

    unit_one: str
    unit_many: str
    accruals: tuple[Accrual, ...]
    stacked: bool
    bonuses: tuple[Bonus, ...]
    pending_days: int
    expiry: Expiry
    expiry_days: int
    expiry_months: int
    idle_months: int
    rewards: tuple[RewardRule, ...]
    automatic: RewardRule | None
    welcome_points: int
    birthday_points: int
    hold_minutes: int
    often_most: int
    often_blocks: bool
    correct_most: int
    rule_id: UUID
    rule: Mapping[str, Any]
    extras: tuple[Extra, ...] = ()

    def unit(self, points: int) -> str:
        """The unit's name for this many points."""
        return self.unit_one if abs(points) == 1 else self.unit_many

    def reward(self, key: str) -> RewardRule | None:
        """The reward on offer under `key`."""
        return next((reward for reward in self.rewards if reward.key == key), None)


def load(settings: Mapping[str, Any]) -> Programme:
    """The programme that validated settings (see settings.py) describe."""
    accruals = tuple(
        Accrual(
            mode=rule["mode"],
            points=rule["points"],
            per_minor=rule["per_minor"],
            min_minor=rule["min_minor"],
            factors={name.casefold(): percent for name, percent in rule["factors"].items()}
            | {name.casefold(): 0 for name in rule["excluded"]},
            departments={name.casefold(): points for name, points in rule["departments"].items()},
        )
        for rule in settings["accruals"]
    )
    bonuses = tuple(
        Bonus(
            name=bonus["name"],
            percent=bonus["percent"],
            extra=bonus["extra"],
            first_day=bonus["first_day"],
            last_day=bonus["last_day"],
            weekdays=frozenset(DAYS.index(day) for day in bonus["weekdays"]),
            hours_from=bonus["hours_from"],
            hours_to=bonus["hours_to"],
        )
        for bonus in settings["bonuses"]
    )
    rewards = tuple(
        RewardRule(**reward) for reward in sorted(settings["rewards"], key=lambda r: r["points"])
    )
    rule = _plain({name: settings[name] for name in _EARNING})
    return Programme(
        unit_one=settings["unit_one"],
        unit_many=settings["unit_many"],
        accruals=accruals,
        stacked=settings["stacked"],
        bonuses=bonuses,
        pending_days=settings["pending_days"],
        expiry=settings["expiry"],
        expiry_days=settings["expiry_days"],
        expiry_months=settings["expiry_months"],
        idle_months=settings["idle_months"],
        rewards=rewards,
        automatic=next((reward for reward in rewards if reward.automatic), None),
        welcome_points=settings["welcome_points"],
        birthday_points=settings["birthday_points"],
        hold_minutes=settings["hold_minutes"],
        often_most=settings["often_most"],
        often_blocks=settings["often_then"] == "block",
        correct_most=settings["correct_most"],
        rule_id=_rule_id(rule),
        rule=rule,
    )


def load_rule(rule: Mapping[str, Any]) -> Programme:
    """The programme of an earlier version of the rules, which an entry's `rule_id` names."""
    from highstreet_points_club.settings import ProgrammeSchema

    body = dict(rule)
    campaigns = extra_points.load(body.pop(_CAMPAIGNS, []))
    settings: Mapping[str, Any] = ProgrammeSchema().load(body)
    return with_extras(load(settings), campaigns)


def with_extras(programme: Programme, extras: tuple[Extra, ...]) -> Programme:
    """The programme (without any) while campaigns give these on top."""
    if not extras:
        return programme
    rule = {**programme.rule, _CAMPAIGNS: extra_points.dump(extras)}
    return replace(programme, extras=extras, rule=rule, rule_id=_rule_id(rule))


def earned(programme: Programme, basket: Basket, zone: tzinfo) -> EarnResult:
    """What a purchase earns in a store whose clock runs in `zone`, and which rules gave it.

    Of several accrual rules (and of several bonuses and campaigns at once) the best for the member
    counts, as Square does it; `stacked` programmes add them all. A welcome is added in any case.
    """
    base = 0
    why: tuple[Part, ...] = ()
    for place, rule in enumerate(programme.accruals):
        points = rule.points_for(basket)
        if programme.stacked:
            base += points
            if points:
                why += (Part(rule.mode, "", points, place),)
        elif points > base:
            base, why = points, (Part(rule.mode, "", points, place),)
    if not base:
        return NOTHING
    if programme.bonuses or programme.extras:
        for part in _on_top(programme, basket, base, zone):
            if part.points:
                base, why = base + part.points, (*why, part)
    return EarnResult(base, why)


def _on_top(programme: Programme, basket: Basket, base: int, zone: tzinfo) -> list[Part]:
    """What bonus times and campaigns add to `base`."""
    local = basket.occurred_at.astimezone(zone)
    gains = [
        Part("bonus", bonus.name, bonus.gain(base))
        for bonus in programme.bonuses
        if bonus.open_at(local)
    ]
    welcomes: list[Part] = []
    for extra in programme.extras:
        part = Part("campaign", extra.name, extra.gain(base, basket), campaign=extra.campaign)
        (welcomes if extra.kind == "welcome" else gains).append(part)
    for several in (gains, welcomes):
        if len(several) > 1 and not programme.stacked:
            # The first of equals: what the store gives anyway is not the campaign's doing.
            several[:] = [max(several, key=lambda part: part.points)]
    return gains + welcomes


def left_of(purchase: PurchaseFact) -> Basket:
    """What is left of a purchase. Money given back without naming lines is taken off all alike."""
    if not purchase.returned_minor:
        return purchase
    lines = [
        LeftLine(
            line.department,
            line.quantity - line.returned_quantity,
            line.amount_minor - line.returned_minor,
        )
        for line in purchase.lines
    ]
    unnamed = purchase.returned_minor - sum(line.returned_minor for line in purchase.lines)
    worth = sum(line.amount_minor for line in lines)
    if unnamed > 0 and worth > 0:
        kept = max(0, worth - unnamed)
        lines = [
            LeftLine(
                one.department,
                Fraction(one.quantity) * kept / worth,  # three thirds are to be a whole
                one.amount_minor * kept // worth,
            )
            for one in lines
        ]
    return Left(purchase.total_minor - purchase.returned_minor, purchase.occurred_at, tuple(lines))


def _plain(value: Any) -> Any:
    """Settings as JSON keeps them: dates and times as text, keys sorted."""
    text = json.dumps(value, default=lambda one: one.isoformat(), sort_keys=True)
    return json.loads(text)


def _rule_id(rule: Mapping[str, Any]) -> UUID:
    """The same rules have the same id in every process, so nobody has to look it up."""
    return uuid5(_RULES, json.dumps(rule, sort_keys=True))
