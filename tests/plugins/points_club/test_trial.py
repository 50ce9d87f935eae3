"""What the trial of a programme says is what the ledger gave, and what an examiner reckons."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from random import Random
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from highstreet.host import settings, trying
from highstreet.kit.rows import everything, fingerprint
from highstreet.purchases.facts import LineFact, LineIn, PurchaseFact, ReturnLineIn
from highstreet_points_club import programme as programmes
from highstreet_points_club import simulation
from highstreet_points_club.models import Entry
from highstreet_points_club.settings import ProgrammeSchema
from highstreet_points_club.simulation import Reckoned

from .conftest import NAME, Shop

LONDON = ZoneInfo("Europe/London")
DEPARTMENTS = ("Cake", "Tea", "Gift cards")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@st.composite
def programme(draw: st.DrawFn) -> dict[str, Any]:
    """Settings of a programme without anything by the piece of a kilogram."""
    ways = []
    for mode in draw(
        st.lists(st.sampled_from(("visit", "spend", "items")), min_size=1, max_size=3)
    ):
        way: dict[str, Any] = {
            "mode": mode,
            "points": draw(st.integers(1, 9)),
            "per_minor": draw(st.integers(1, 500)),
            "min_minor": draw(st.integers(1, 3000)),
        }
        if mode == "spend":
            way["factors"] = draw(
                st.dictionaries(st.sampled_from(DEPARTMENTS), st.integers(0, 300), max_size=2)
            )
        if mode == "items":
            way["departments"] = draw(
                st.dictionaries(st.sampled_from(DEPARTMENTS), st.integers(0, 9), min_size=1)
            )
        ways.append(way)
    bonuses = [
        {
            "name": f"Bonus {number}",
            "percent": draw(st.integers(100, 400)),
            "extra": draw(st.integers(0, 20)),
            "weekdays": draw(st.lists(st.sampled_from(DAYS), max_size=4, unique=True)),
        }
        for number in range(draw(st.integers(0, 2)))
    ]
    return {
        "accruals": ways,
        "bonuses": bonuses,
        "stacked": draw(st.booleans()),
        "often_most": draw(st.sampled_from((0, 0, 1, 2))),
        "often_then": draw(st.sampled_from(("warn", "block"))),
    }


@st.composite
def purchase(draw: st.DrawFn, members: tuple[UUID, ...]) -> Reckoned:
    """A purchase of a member in October 2026, of which whole lines may have come back."""
    at = datetime(2026, 10, 1, tzinfo=UTC) + timedelta(minutes=draw(st.integers(120, 43_000)))
    lines = []
    for number in range(1, draw(st.integers(1, 3)) + 1):
        amount, back = draw(st.integers(1, 4000)), draw(st.sampled_from((0, 0, 1)))
        quantity: Any = draw(st.integers(1, 3))
        department = draw(st.sampled_from(DEPARTMENTS))
        lines.append(
            LineFact(number, "p", department, quantity, amount, quantity * back, amount * back)
        )
    return Reckoned(
        draw(st.sampled_from(members)),
        PurchaseFact(
            uuid4(), uuid4(), "r", at, sum(one.amount_minor for one in lines), "GBP", uuid4(),
            tuple(lines), at.astimezone(LONDON).date(), at,
            sum(one.returned_minor for one in lines),
        ),
    )  # fmt: skip


def loaded(said: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = ProgrammeSchema().load(dict(said))
    return found


def points_of(said: Mapping[str, Any], it: PurchaseFact, back: bool) -> int:
    """An examiner's own reckoning of one purchase, as rung up or (`back`) as it is left."""
    kept = [one for one in it.lines if not (back and one.returned_minor)]
    total = sum(one.amount_minor for one in kept)
    earned = []
    for way in said["accruals"]:
        points = 0
        if total >= max(1, way["min_minor"]):
            if way["mode"] == "visit":
                points = way["points"]
            elif way["mode"] == "spend":
                weight = sum(
                    Fraction(way["factors"].get(one.department, 100), 100) * one.amount_minor
                    for one in kept
                )
                points = int(weight * way["points"] / way["per_minor"])
            else:
                points = sum(
                    int(one.quantity) * way["departments"].get(one.department, 0) for one in kept
                )
        earned.append(points)
    base = sum(earned) if said["stacked"] else max(earned)
    if not base:
        return 0
    day = DAYS[it.occurred_at.astimezone(LONDON).weekday()]
    more = [
        int(Fraction(base * one["percent"], 100)) - base + one["extra"]
        for one in said["bonuses"]
        if not one["weekdays"] or day in one["weekdays"]
    ]
    return base + (sum(more) if said["stacked"] else max(more, default=0))


def examined(said: Mapping[str, Any], bought: list[Reckoned]) -> dict[UUID, int]:
    """Points by member."""
    found: dict[UUID, int] = {}
    times: dict[tuple[UUID, date], int] = {}
    for one in sorted(bought, key=lambda one: one.purchase.occurred_at):
        key = (one.member, one.purchase.business_date)
        points = points_of(said, one.purchase, back=False)
        if points and said["often_then"] == "block" and said["often_most"]:
            times[key] = times.get(key, 0) + 1
            if times[key] > said["often_most"]:
                points = 0
        if points:
            points = points_of(said, one.purchase, back=True)
        found[one.member] = found.get(one.member, 0) + points
    return found


MEMBERS = tuple(uuid4() for _n in range(3))


@given(programme(), programme(), st.lists(purchase(MEMBERS), max_size=12, unique_by=id))
def test_both_sides_are_what_an_examiner_reckons(
    now: dict[str, Any], then: dict[str, Any], bought: list[Reckoned]
) -> None:
    before, after = loaded(now), loaded(then)
    bought.sort(key=lambda one: one.purchase.occurred_at, reverse=True)
    moments = [one.purchase.occurred_at for one in bought]
    if len(set(moments)) < len(moments):
        return  # which of two at once is the one too many, nobody can say
    found = simulation.compare(programmes.load(before), programmes.load(after), bought, LONDON)
    mine, theirs = examined(before, bought), examined(after, bought)
    assert found.now.by_member == mine
    assert found.proposed.by_member == theirs
    assert found.now.points == sum(mine.values())
    change = [theirs[one] - mine[one] for one in mine]
    assert found.moved() == (
        sum(one > 0 for one in change),
        sum(one < 0 for one in change),
        sum(one == 0 for one in change),
    )
    rows = simulation.sources(found)
    assert sum(row[1] for row in rows) == found.now.points, "the parts are the whole"
    assert sum(row[2] for row in rows) == found.proposed.points


def brand_of(shop: Shop, kind: str) -> SimpleNamespace:
    return shop.club if kind == "club" else shop.shops


@pytest.mark.parametrize("kind", ["club", "shops"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_unchanged_settings_give_what_the_ledger_gave(shop: Shop, kind: str, seed: int) -> None:
    dice = Random(seed)
    brand = brand_of(shop, kind)
    way: dict[str, Any] = {"mode": "spend", "per_minor": dice.choice((100, 70)), "points": 2}
    if seed % 2:
        way["factors"] = {"Tea": 150, "Gift cards": 0}
    visit = {"mode": "visit", "points": 5}
    bonus = {"name": "Weekend", "percent": 200, "weekdays": ["sat", "sun"]}
    with time_machine.travel(datetime(2026, 9, 28, 9, tzinfo=UTC), tick=False) as traveller:
        shop.set_up(
            brand,
            accruals=[way, visit],
            bonuses=[bonus],
            stacked=seed == 2,
            often_most=2,
            often_then="block",
        )
        with shop.session(brand) as s:
            people = [shop.member(s, f"Member {number}").id for number in range(4)]
        for _deed in range(45):
            traveller.shift(timedelta(minutes=dice.randint(5, 1500)))
            with shop.session(brand) as s:
                lines = tuple(
                    LineIn(number, "p", dice.choice(DEPARTMENTS), 2, dice.randint(1, 3000))
                    for number in range(1, dice.randint(2, 4))
                )
                total = sum(one.amount_minor for one in lines)
                bought = shop.buy(s, dice.choice(people), total, lines=lines)
                if dice.random() < 0.3:
                    shop.bring_back(s, bought, lines=(ReturnLineIn(line_no=1, quantity=1),))
        traveller.move_to(datetime(2026, 11, 10, 9, tzinfo=UTC))
        before = fingerprint(iter(everything(shop.database)))
        with shop.session(brand, write=False) as s:
            tried = trying.run(s, settings.propose(s, NAME, {}))
        assert fingerprint(iter(everything(shop.database))) == before, "it writes nothing"
        assert (tried.period.first, tried.period.last) == (date(2026, 10, 1), date(2026, 10, 31))
        assert tried.outcome is not None
        with shop.session(brand, write=False) as s:
            mine = sa.select(Entry.purchase_id).where(
                Entry.kind == "earn",
                Entry.business_date.between(date(2026, 10, 1), date(2026, 10, 31)),
            )
            net = s.scalar(
                sa.select(sa.func.sum(Entry.points)).where(
                    Entry.kind.in_(("earn", "reverse_earn")), Entry.purchase_id.in_(mine)
                )
            )
        line = tried.outcome.lines[0]
        assert line.now == line.proposed == int(net or 0)
        assert line.now > 0


def test_points_by_the_piece_are_told_by_department(shop: Shop) -> None:
    way = {"mode": "items", "departments": {"Cake": 3, "tea": 1}}
    shop.set_up(shop.shops, accruals=[way])
    traveller = time_machine.travel(datetime(2026, 10, 5, 9, tzinfo=UTC), tick=False)
    with traveller, shop.session(shop.shops) as s:
        for number in range(6):
            who = shop.member(s, f"Member {number}").id
            lines = (LineIn(1, "p", "CAKE", 2, 600), LineIn(2, "p", "Tea", 3, 500))
            bought = shop.buy(s, who, 1100, lines=lines)
            if not number:
                shop.bring_back(s, bought, lines=(ReturnLineIn(line_no=2, quantity=1),))
    proposed = {"accruals": [{**way, "departments": {"Cake": 3, "Tea": 5, "Gift cards": 9}}]}
    traveller = time_machine.travel(datetime(2026, 11, 5, 9, tzinfo=UTC), tick=False)
    with traveller, shop.session(shop.shops, write=False) as s:
        outcome = trying.run(s, settings.propose(s, NAME, proposed), hide=True).outcome
    assert outcome is not None
    assert [(one.label, one.now, one.proposed) for one in outcome.parts] == [
        ("By the piece: CAKE", 36, 36),
        ("By the piece: Tea", 17, 85),
    ]
    assert (outcome.lines[0].now, outcome.lines[0].proposed) == (53, 121)


def test_a_store_sees_nothing_of_anothers(shop: Shop) -> None:
    with time_machine.travel(datetime(2026, 10, 5, 9, tzinfo=UTC), tick=False):
        with shop.session(shop.club) as s:
            who = shop.member(s)
            shop.buy(s, who.id, 5000)
        with shop.session(shop.club, 1) as s:
            shop.buy(s, who.id, 700)
    with time_machine.travel(datetime(2026, 11, 5, 9, tzinfo=UTC), tick=False):
        for store, points in ((0, 50), (1, 7)):
            with shop.session(shop.club, store, write=False) as s:
                outcome = trying.run(s, settings.propose(s, NAME, {})).outcome
            assert outcome is not None
            assert (outcome.lines[0].now, outcome.there) == (points, 1)
