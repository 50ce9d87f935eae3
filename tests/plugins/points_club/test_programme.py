"""What a purchase earns, rule by rule."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

import highstreet_tenants
from highstreet_points_club import programme as programmes
from highstreet_points_club.programme import EarnResult, Programme, earned
from highstreet_points_club.settings import ProgrammeSchema

LONDON = ZoneInfo("Europe/London")
MONDAY = datetime(2026, 5, 4, 11, tzinfo=UTC)  # noon in London


@dataclass(frozen=True)
class Row:
    department: str
    quantity: Decimal | int
    amount_minor: int


@dataclass(frozen=True)
class Bought:
    total_minor: int
    occurred_at: datetime = MONDAY
    lines: tuple[Row, ...] = ()


def made(**settings: Any) -> Programme:
    return programmes.load(ProgrammeSchema().load(settings))


def points(programme: Programme, *basket: Any, at: datetime = MONDAY) -> int:
    total, *lines = basket
    return earned(programme, Bought(total, at, tuple(lines)), LONDON).points


@pytest.mark.parametrize(
    ("total", "expected"), [(0, 0), (1, 0), (99, 0), (100, 1), (199, 1), (1240, 12), (-500, 0)]
)
def test_a_point_for_each_whole_pound(total: int, expected: int) -> None:
    assert points(made(), total) == expected


@pytest.mark.parametrize(("total", "expected"), [(0, 0), (1, 0), (499, 0), (500, 1), (99999, 1)])
def test_a_point_for_each_visit_from_some_amount_on(total: int, expected: int) -> None:
    """PEERS B9 (erpnext#22167): right at the boundary, and at the first purchase."""
    assert points(made(accruals=[{"mode": "visit", "min_minor": 500}]), total) == expected


def test_departments_count_more_less_or_not_at_all() -> None:
    programme = made(
        accruals=[
            {"mode": "spend", "factors": {"Coffee": 300, "Fuel": 50}, "excluded": ["LOTTERY"]}
        ]
    )
    assert points(programme, 1000, Row("coffee", 1, 1000)) == 30
    assert points(programme, 1000, Row("FUEL", 1, 1000)) == 5
    assert points(programme, 1000, Row("Lottery", 1, 1000)) == 0
    assert points(programme, 3000, Row("Lottery", 1, 1000), Row("Bread", 1, 2000)) == 20
    assert points(programme, 500, Row("Lottery", 1, 1000)) == 0  # a voucher paid the rest


def test_points_by_the_piece() -> None:
    programme = made(accruals=[{"mode": "items", "departments": {"Rolls": 2, "Cake": 5}}])
    assert (
        points(programme, 900, Row("rolls", 3, 300), Row("Cake", 1, 500), Row("Tea", 9, 100)) == 11
    )
    assert (
        points(programme, 900, Row("rolls", Decimal("0.6"), 1), Row("Rolls", Decimal("0.6"), 1))
        == 2
    )
    assert points(programme, 900, Row("rolls", -3, -300)) == 0


def test_the_rule_that_is_best_for_the_member_counts_unless_all_are_added() -> None:
    """Square: "the accrual rule that gives the most points"."""
    rules = [{"mode": "visit", "points": 5}, {"mode": "spend", "per_minor": 100}]
    best, stacked = made(accruals=rules), made(accruals=rules, stacked=True)
    assert [points(best, total) for total in (100, 400, 600)] == [5, 5, 6]
    assert [points(stacked, total) for total in (100, 400, 600)] == [6, 9, 11]
    assert [part.rule for part in earned(best, Bought(600), LONDON).why] == ["spend"]


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("2026-05-04T12:00", 10),  # Monday noon
        ("2026-05-05T06:59", 10),
        ("2026-05-05T07:00", 20),  # double on Tuesday mornings
        ("2026-05-05T10:59", 20),
        ("2026-05-05T11:00", 10),
        ("2026-03-31T07:30", 20),  # Tuesday in summer time, though not yet 7 in UTC
        ("2026-12-24T23:59", 60),  # the last day, to midnight; a Thursday
        ("2026-12-25T00:00", 10),
        ("2026-06-06T23:30", 17),  # past midnight
        ("2026-06-07T00:59", 17),
        ("2026-06-07T01:00", 10),
        ("2026-06-05T23:59", 14),  # a Friday
        ("2026-06-06T01:59", 14),  # the same night
        ("2026-06-05T00:30", 10),  # the night before it
        ("2026-10-25T01:30", 13),  # an hour that comes twice, the first time …
        ("2026-10-25T01:30#", 13),  # … and the second
        ("2026-10-25T02:00", 10),
    ],
)
def test_bonus_times_are_the_stores_own(local: str, expected: int) -> None:
    programme = made(
        bonuses=[
            {"name": "Tuesday", "percent": 200, "weekdays": ["tue"], "hours_from": "07:00"}
            | {"hours_to": "11:00"},
            {"name": "Eve", "extra": 50, "first_day": "2026-12-24", "last_day": "2026-12-24"},
            {"name": "Night", "extra": 7, "first_day": "2026-06-06", "last_day": "2026-06-07"}
            | {"hours_from": "23:00", "hours_to": "01:00"},
            {"name": "Friday", "extra": 4, "weekdays": ["fri"], "hours_from": "22:00"}
            | {"hours_to": "02:00"},
            {"name": "Clocks go back", "extra": 3, "first_day": "2026-10-25"}
            | {"last_day": "2026-10-25", "hours_from": "01:00", "hours_to": "02:00"},
        ]
    )
    wall = datetime.fromisoformat(local.rstrip("#")).replace(fold=local.endswith("#"))
    at = wall.replace(tzinfo=LONDON).astimezone(UTC)
    assert points(programme, 1000, at=at) == expected


def test_of_two_bonuses_the_better_counts_and_nothing_earns_no_bonus() -> None:
    bonuses = [{"name": "A", "percent": 150}, {"name": "B", "extra": 3}]
    programme = made(bonuses=bonuses)
    assert points(programme, 1000) == 15
    assert points(programme, 400) == 7
    assert points(made(bonuses=bonuses, stacked=True), 1000) == 18
    assert earned(programme, Bought(50), LONDON) == EarnResult(0, ())


def test_the_same_rules_have_the_same_id_and_others_another() -> None:
    one, same = made(), made(unit_one="mile", unit_many="miles", rewards=[])
    assert one.rule_id == same.rule_id
    assert one.rule_id != made(pending_days=1).rule_id
    assert one.rule_id != made(accruals=[{"mode": "spend", "per_minor": 99}]).rule_id
    again = programmes.load_rule(
        dict(made(bonuses=[{"name": "B", "first_day": "2026-05-04"}]).rule)
    )
    assert again.bonuses[0].first_day == MONDAY.date()
    assert again.rule_id == made(bonuses=[{"name": "B", "first_day": "2026-05-04"}]).rule_id


@pytest.mark.parametrize(
    "settings",
    [
        {"accruals": []},
        {"accruals": [{"mode": "items"}]},
        {"accruals": [{"mode": "spend", "per_minor": 0}]},
        {"accruals": [{"mode": "spend", "departments": {"Cake": 3}}]},
        {"accruals": [{"mode": "spend", "points": 1.5}]},
        {"accruals": [{"mode": "spend", "pionts": 2}]},
        {"bonuses": [{"name": "B", "percent": 50}]},
        {"bonuses": [{"name": "B", "first_day": "2026-05-04", "last_day": "2026-05-03"}]},
        {"rewards": [{"key": "a", "name": "A", "points": 5}] * 2},
        {"rewards": [{"key": k, "name": k, "points": 5, "automatic": True} for k in "ab"]},
        {"rewards": [{"key": "a", "name": "A", "points": 5, "kind": "money"}]},
        {"rewards": [{"key": "A b", "name": "A", "points": 5}]},
        {"expiry": "months", "expiry_months": 0},
        {"hold_minutes": 0},
        {"unit_one": ""},
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ProgrammeSchema().load(settings)


CASES = Path(highstreet_tenants.__file__).parent / "cases"


@pytest.mark.parametrize("case", sorted(CASES.glob("*.toml")), ids=lambda path: path.stem)
def test_the_cases_programmes_are_valid(case: Path) -> None:
    tool = tomllib.loads(case.read_text())["tools"]["points_club"]
    made(**tool["settings"])
    for override in tool.get("overrides", ()):
        made(**tool["settings"] | override.get("settings", {}))


totals = st.integers(0, 10**7)
departments = st.sampled_from(["A", "B", "c", ""])
rows = st.builds(Row, departments, st.integers(0, 50), st.integers(-1000, 10**6))


@given(
    total=totals,
    lines=st.lists(rows, max_size=5),
    per_minor=st.integers(1, 5000),
    share=st.integers(0, 10),
)
def test_less_never_earns_more(total: int, lines: list[Row], per_minor: int, share: int) -> None:
    """So a return never takes back less than nothing, nor more than was earned."""
    programme = made(accruals=[{"mode": "spend", "per_minor": per_minor}])
    whole = earned(programme, Bought(total, MONDAY, tuple(lines)), LONDON).points
    part = earned(programme, Bought(total * share // 10, MONDAY, tuple(lines)), LONDON).points
    assert 0 <= part <= whole


@given(parts=st.lists(st.integers(1, 3000), min_size=1, max_size=6), per=st.integers(1, 2000))
def test_any_series_of_returns_takes_back_what_one_return_of_all_takes(
    parts: list[int], per: int
) -> None:
    from highstreet_points_club.ledger import due_back

    programme = made(accruals=[{"mode": "spend", "per_minor": per}])
    left = sum(parts)
    had = points(programme, left)
    taken = 0
    for part in parts:
        left -= part
        taken += due_back(had, taken, 0, points(programme, left))
        assert had - taken == points(programme, left)
    assert taken == had


def test_a_window_without_an_end_is_open() -> None:
    late = made(bonuses=[{"name": "Late", "extra": 1, "hours_from": "22:00"}])
    at = MONDAY.replace(hour=21)  # 22:00 in London
    assert points(late, 1000, at=at) == 11
    assert points(late, 1000, at=at - timedelta(minutes=1)) == 10
