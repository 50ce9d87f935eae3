"""What people type: amounts, days, times."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from babel import dates, numbers
from flask import Flask, g
from hypothesis import given
from hypothesis import strategies as st

from highstreet import i18n
from highstreet.web import formats
from highstreet.web.forms import Form
from highstreet_tenants.errors import Invalid


def reader(language: str) -> Any:
    """A request of somebody who reads a language (a place's locale)."""
    app = Flask("x")
    i18n.init_app(app)
    context = app.test_request_context()
    context.push()
    from babel import Locale

    g.format_locale = Locale.parse(language)
    return context


@pytest.fixture
def english() -> Iterator[None]:
    context = reader("en_GB")
    yield
    context.pop()


@pytest.mark.parametrize(
    ("language", "typed", "currency", "minor"),
    [
        ("en_GB", "12.40", "GBP", 1240),
        ("en_GB", "£12.40", "GBP", 1240),
        ("en_GB", "1,234.50", "GBP", 123450),
        ("en_GB", "12,40", "GBP", 1240),
        ("en_DE", "12,40 €", "EUR", 1240),
        ("de", "12,40", "EUR", 1240),
        ("de", "1.234,50", "EUR", 123450),
        ("de", "12.40", "EUR", 1240),
        ("zh_Hans", "12.40", "CNY", 1240),
        ("ja", "1240", "JPY", 1240),
        ("en_US", "0.005", "BHD", 5),
    ],
)
def test_amounts_as_people_write_them(language: str, typed: str, currency: str, minor: int) -> None:
    context = reader(language)
    try:
        assert formats.parse_money(typed, currency) == minor
    finally:
        context.pop()


@given(st.integers(0, 10**9), st.sampled_from(["en_GB", "en_US", "zh_Hans"]))
def test_an_amount_that_is_shown_can_be_typed_again(minor: int, language: str) -> None:
    context = reader(language)
    try:
        assert formats.parse_money(formats.money(minor, "GBP"), "GBP") == minor
    finally:
        context.pop()


@pytest.mark.parametrize("typed", ["", " ", "abc", "1.2.3", "12.345", "--5", "1e9"])
def test_what_is_no_amount_is_refused(english: None, typed: str) -> None:
    with pytest.raises(Invalid):
        formats.parse_money(typed, "GBP")


def test_a_moment_is_the_stores_wall_time(english: None) -> None:
    form = Form({"day": "2026-05-14", "time": "10:41"}, ("day", "time"))
    at = form.moment_of("day", "time", "Europe/London")
    assert at.isoformat() == "2026-05-14T09:41:00+00:00"


@pytest.mark.parametrize(
    ("day", "time"),
    [("", "10:00"), ("14 May", "10:00"), ("2026-05-14", ""), ("2026-13-01", "1:00")],
)
def test_a_moment_that_is_none_names_its_field(english: None, day: str, time: str) -> None:
    form = Form({"day": day, "time": time}, ("day", "time"))
    with pytest.raises(Invalid) as refused:
        form.moment_of("day", "time", "Europe/London")
    assert set(refused.value.fields) <= {"day", "time"}


def test_figures_are_written_with_real_signs(english: None) -> None:
    assert formats.signed(12) == "+12"
    assert formats.signed(-150) == "−150"
    assert formats.signed(0) == "0"
    assert formats.money(-320, "GBP") == "−£3.20"
    assert formats.money(123456, "GBP", whole=True) == "£1,235"
    assert formats.trend(-2.4) == "▼ 2"
    assert formats.trend_percent(106, 100) == "▲ 6\u202f%"
    assert formats.trend_percent(5, 0) == ""


def test_a_card_is_read_in_fours() -> None:
    assert formats.card("40712286930") == "4071 2286 930"


@pytest.mark.parametrize(
    ("place", "amount", "day", "at"),
    [
        ("en_US", "$1,234.50", "May 14", "9:16 PM"),
        ("en_GB", "US$1,234.50", "14 May", "21:16"),
        ("de_DE", "1.234,50 US$", "14 May", "21:16"),
        ("vi_VN", "US$1,234.50", "14 May", "9:16 pm"),
    ],
)
def test_an_english_reader_sees_what_is_usual_in_the_place(
    place: str, amount: str, day: str, at: str
) -> None:
    locale = i18n.format_locale(place)
    when = datetime(2026, 5, 14, 21, 16)
    plain = dates.format_time(when, "short", locale=locale).replace("\u202f", " ")
    assert numbers.format_currency(1234.5, "USD", locale=locale).replace("\xa0", " ") == amount
    assert dates.format_skeleton("MMMMd", when, locale=locale) == day
    assert plain == at
