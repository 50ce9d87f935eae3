"""How long points last, in the store's own days."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from highstreet_points_club import lasting
from highstreet_points_club import programme as programmes
from highstreet_points_club.programme import Programme
from highstreet_points_club.settings import ProgrammeSchema

LONDON = ZoneInfo("Europe/London")
MONDAY = datetime(2026, 5, 4, 11, tzinfo=UTC)  # noon in London
KINDS = ["days", "months", "month_end", "year_end"]


def made(**settings: Any) -> Programme:
    return programmes.load(ProgrammeSchema().load(settings))


def local(moment: datetime | None, zone: str = "Europe/London") -> str:
    assert moment is not None
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None).isoformat(timespec="minutes")


@pytest.mark.parametrize(
    ("expiry", "many", "bought", "gone"),
    [
        ("months", 12, "2026-05-04T12:00", "2027-05-05T00:00"),
        ("months", 1, "2026-01-31T12:00", "2026-03-01T00:00"),
        ("months", 12, "2028-02-29T12:00", "2029-03-01T00:00"),
        ("month_end", 0, "2026-05-04T12:00", "2026-06-01T00:00"),
        ("month_end", 18, "2026-12-31T23:30", "2028-07-01T00:00"),
        ("months", 1, "2026-02-28T23:59", "2026-03-29T00:00"),  # the night clocks go forward
        ("days", 1, "2026-05-04T12:00", "2026-05-06T00:00"),
        ("days", 365, "2027-03-01T00:00", "2028-03-01T00:00"),  # the next one is a leap year
        ("days", 30, "2026-03-15T23:59", "2026-04-15T00:00"),
        ("year_end", 0, "2026-01-01T00:00", "2027-01-01T00:00"),
        ("year_end", 0, "2026-12-31T23:59", "2027-01-01T00:00"),
        ("year_end", 12, "2026-05-04T12:00", "2028-01-01T00:00"),
        ("year_end", 1, "2026-12-04T12:00", "2028-01-01T00:00"),
    ],
)
def test_points_are_good_through_their_last_day_in_the_stores_zone(
    expiry: str, many: int, bought: str, gone: str
) -> None:
    programme = made(expiry=expiry, expiry_months=min(many, 240), expiry_days=many or 1)
    at = datetime.fromisoformat(bought).replace(tzinfo=LONDON)
    assert local(lasting.expires_at(programme, at.astimezone(UTC), LONDON)) == gone


def test_points_that_never_lapse_and_are_there_at_once() -> None:
    assert lasting.expires_at(made(), MONDAY, LONDON) is None
    assert lasting.idle_at(made(), MONDAY, LONDON) is None
    assert lasting.active_from(made(), MONDAY, LONDON) is None
    waits = lasting.active_from(made(pending_days=14), MONDAY, LONDON)
    assert waits == datetime(2026, 5, 17, 23, tzinfo=UTC)


def test_a_visit_keeps_idle_points_through_a_last_day() -> None:
    programme = made(idle_months=6)
    assert local(lasting.idle_at(programme, MONDAY, LONDON)) == "2026-11-05T00:00"
    late = datetime(2026, 8, 31, 22, 59, tzinfo=UTC)  # 23:59 on 31 August
    assert local(lasting.idle_at(programme, late, LONDON)) == "2027-03-01T00:00"


def test_a_day_that_begins_at_one_because_clocks_change_at_midnight() -> None:
    """Beirut's clocks go forward at midnight: 29 March 2026 has no 00:00."""
    programme = made(expiry="days", expiry_days=7)
    zone = ZoneInfo("Asia/Beirut")
    at = datetime(2026, 3, 21, 10, tzinfo=UTC)
    assert local(lasting.expires_at(programme, at, zone), "Asia/Beirut") == "2026-03-29T01:00"


def test_the_last_day_of_what_ends_at_a_mornings_first_moment() -> None:
    end = lasting.morning(date(2026, 3, 29), 1, LONDON)
    assert lasting.last_day_before(end, LONDON) == date(2026, 3, 29)


@given(
    bought=st.datetimes(datetime(2024, 1, 1), datetime(2032, 12, 31)),
    later=st.timedeltas(min_value=datetime.resolution),
    expiry=st.sampled_from(KINDS),
    many=st.integers(1, 40),
    zone=st.sampled_from(["Europe/London", "Asia/Shanghai", "America/New_York", "Asia/Beirut"]),
)
def test_who_earns_later_never_loses_earlier(
    bought: datetime, later: Any, expiry: str, many: int, zone: str
) -> None:
    programme = made(expiry=expiry, expiry_months=many, expiry_days=many, idle_months=many)
    place, at = ZoneInfo(zone), bought.replace(tzinfo=UTC)
    try:
        after = at + later
        if after.year > 9000:
            return
    except OverflowError:
        return
    for ends in (lasting.expires_at, lasting.idle_at):
        first, second = ends(programme, at, place), ends(programme, after, place)
        assert first is not None
        assert second is not None
        assert at < first <= second
