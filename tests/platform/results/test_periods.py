"""Spans of whole weeks."""

import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from highstreet.results.periods import Period, weeks_to, whole_weeks


def test_whole_weeks_end_on_the_sunday_before() -> None:
    monday, sunday = date(2026, 5, 11), date(2026, 5, 17)
    for n in range(6):
        found = whole_weeks(monday + timedelta(days=n), 4)
        assert (found.first, found.last) == (date(2026, 4, 13), date(2026, 5, 10))
    assert whole_weeks(sunday, 1).last == date(2026, 5, 10), "this Sunday is not over yet"


def test_the_earlier_period_ends_right_before() -> None:
    period = weeks_to(date(2026, 5, 10), 4)
    assert period.days == 28
    assert period.earlier.last + timedelta(days=1) == period.first
    assert period.earlier.days == 28


def test_a_part_that_is_left_over_comes_first() -> None:
    period = Period(date(2026, 5, 1), date(2026, 5, 10))
    assert [part.days for part in period.parts(1)] == [3, 7]


@given(st.integers(1, 60), st.integers(1, 6), st.dates(date(2020, 1, 1), date(2040, 1, 1)))
def test_the_parts_are_the_whole(weeks: int, step: int, last: date) -> None:
    period = weeks_to(last, weeks)
    parts = period.parts(step)
    assert parts[0].first == period.first
    assert parts[-1].last == period.last
    assert sum(part.days for part in parts) == period.days == 7 * weeks
    for before, after in itertools.pairwise(parts):
        assert before.last + timedelta(days=1) == after.first


@pytest.mark.parametrize("weeks", [4, 12, 52])
def test_the_periods_that_are_offered_fall_into_even_parts(weeks: int) -> None:
    step = 4 if weeks == 52 else 1
    assert {part.days for part in weeks_to(date(2026, 5, 10), weeks).parts(step)} == {7 * step}
