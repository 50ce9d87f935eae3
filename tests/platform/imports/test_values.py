"""Fields become values, or the reason why they can't."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from highstreet.imports import dates, values
from highstreet.imports.values import RowError
from highstreet_tenants.errors import Invalid

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "decimal", "thousands", "minor"),
    [
        ("12.40", ".", "", 1240),
        ("12.4", ".", "", 1240),
        ("12", ".", "", 1200),
        ("0", ".", "", 0),
        (".5", ".", "", 50),
        ("12,40", ",", "", 1240),
        ("1.234,56", ",", ".", 123456),
        ("1 234,56", ",", " ", 123456),
        ("EUR 7.00", ".", "", 700),
    ],
)
def test_amounts(text: str, decimal: str, thousands: str, minor: int) -> None:
    assert values.amounts("EUR", decimal, thousands, 100_000)(text) == minor


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("-3.00", "negative"),
        ("1e9", "not an amount"),
        ("12.345", "too many decimals"),
        ("100000.01", "beyond 100000"),
        ("", "missing"),
        ("=2+2", "not an amount"),
        ("nan", "not an amount"),
        ("１２", ""),  # full-width digits are digits
        ("²", "not an amount"),
    ],
)
def test_amounts_that_are_none(text: str, words: str) -> None:
    read = values.amounts("EUR", ".", "", 100_000)
    if not words:
        assert read(text) == 1200
        return
    with pytest.raises(RowError, match=words):
        read(text)


def test_currencies_without_minor_units_are_whole() -> None:
    assert values.amounts("JPY", ".", "", 100_000)("1200") == 1200
    with pytest.raises(RowError, match="too many decimals"):
        values.amounts("JPY", ".", "", 100_000)("12.5")


@pytest.mark.parametrize(
    ("order", "text", "expected"),
    [
        ("year-first", "2017-01-02T03:04:05", datetime(2017, 1, 2, 3, 4, 5)),
        ("year-first", "2017-01-02", datetime(2017, 1, 2, 12)),
        ("day-first", "02.01.2017 03:04", datetime(2017, 1, 2, 3, 4)),
        ("day-first", "2/1/17", datetime(2017, 1, 2, 12)),
        ("month-first", "1/2/2017 3:04 PM", datetime(2017, 1, 2, 15, 4)),
        ("month-first", "1/2/2017 12:00 am", datetime(2017, 1, 2)),
        ("%d %b %Y %H:%M", "02 Jan 2017 03:04", datetime(2017, 1, 2, 3, 4)),
    ],
)
def test_moments(order: str, text: str, expected: datetime) -> None:
    assert dates.moments(order)(text) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "31.02.2017", "2017-13-01", "13:00", "25/13/17"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(RowError, match="not a date"):
        dates.moments("day-first")(text)


def test_the_order_of_a_column_is_told_from_its_days() -> None:
    assert dates.guess_order(["01/02/2017", "25/02/2017"]) == "day-first"
    assert dates.guess_order(["01/02/2017", "02/25/2017"]) == "month-first"
    assert dates.guess_order(["2017-02-01"]) == "year-first"
    with pytest.raises(Invalid, match="two ways"):
        dates.guess_order(["01/02/2017", "03/04/2017"])
    with pytest.raises(Invalid, match="others with the month"):
        dates.guess_order(["25/02/2017", "02/25/2017"])


def test_local_times_are_of_the_zone_and_offsets_are_believed() -> None:
    london = ZoneInfo("Europe/London")
    assert dates.settle(datetime(2017, 7, 1, 12), london, NOW) == datetime(
        2017, 7, 1, 11, tzinfo=UTC
    )
    aware = datetime.fromisoformat("2017-07-01T12:00:00+09:00")
    assert dates.settle(aware, london, NOW) == datetime(2017, 7, 1, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "words"), [(datetime(2026, 7, 1), "future"), (datetime(1900, 1, 1), "before 1980")]
)
def test_moments_that_cannot_be(moment: datetime, words: str) -> None:
    with pytest.raises(RowError, match=words):
        dates.settle(moment, ZoneInfo("Europe/London"), NOW)


def test_numbers_keep_their_zeros_and_get_back_those_a_spreadsheet_ate() -> None:
    assert values.number("00412") == "00412"
    assert values.number("412", pad=5) == "00412"
    assert values.number('="00412"') == "00412"
    with pytest.raises(RowError, match="shortened by a spreadsheet"):
        values.number("1.23457E+12")


@pytest.mark.parametrize("text", ["=cmd()", "@SUM(A1)", "+1+2", "-2+3"])
def test_formulas_are_refused(text: str) -> None:
    with pytest.raises(RowError, match="formula"):
        values.text(text)


@pytest.mark.parametrize("text", ["a\x00b", "a\x1bb", "a�b", "x" * 201])
def test_texts_nobody_could_read_are_refused(text: str) -> None:
    with pytest.raises(RowError):
        values.text(text)


def test_payment_cards_are_refused() -> None:
    with pytest.raises(RowError, match="payment card"):
        values.refuse_payment_card(["x", "4111 1111 1111 1111"])
    values.refuse_payment_card(["31198570044", "2017-01-01T11:53:26"])


def test_birthdays() -> None:
    read, today = dates.moments("day-first"), date(2026, 6, 1)
    assert dates.birthday("24.12.1980", read, today) == date(1980, 12, 24)
    for text in ("24.12.2030", "24.12.1780"):
        with pytest.raises(RowError, match="date of birth"):
            dates.birthday(text, read, today)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Jean\u00a0Paul", "Jean Paul"),  # as word processors keep names together
        ("山田\u3000太郎", "山田 太郎"),  # the blank of Asian keyboards
        ("\ufeffAnna\u200b ", "Anna"),
        ("Mül\u00adler", "Müller"),
        ("می\u200cخواهم", "می\u200cخواهم"),  # a joiner that belongs to the word
        ("\u200eGroß\u200f", "Groß"),
    ],
)
def test_blanks_and_marks_that_nobody_sees_spoil_no_name(text: str, read: str) -> None:
    assert values.text(text) == read


@pytest.mark.parametrize(
    ("text", "words"),
    [("a\nb", "line break"), ("a\r\nb", "line break"), ("a\u202eb", "control character")],
)
def test_what_breaks_lines_or_turns_the_writing_is_refused(text: str, words: str) -> None:
    with pytest.raises(RowError, match=words):
        values.text(text)


def test_a_missing_amount_is_called_missing() -> None:
    read = values.amounts("EUR", ".", "", 1_000, signs=("€",))
    for text in ("", "  ", "€"):
        with pytest.raises(RowError, match="the amount is missing"):
            read(text)
