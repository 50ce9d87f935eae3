"""A settings form is made from the tool's own schema, and brings back only what was changed."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, fields, validate
from werkzeug.datastructures import MultiDict

from highstreet.host.cascade import MASK, Resolved, Source
from highstreet.web import settings_form, settings_read
from highstreet.web.current import Place

PLACE = cast(Place, type("P", (), {"zone": "UTC", "locale": "en_GB", "currency": "GBP"})())
DAYS = ["mon", "tue", "wed"]


class Window(Schema):
    """A group with every sort of small field."""

    name = fields.String(required=True)
    percent = fields.Integer(load_default=100, strict=True)
    first = fields.Date(load_default=None, allow_none=True)
    begin = fields.Time(load_default=None, allow_none=True)
    days = fields.List(fields.String(validate=validate.OneOf(DAYS)), load_default=list)
    active = fields.Boolean(load_default=True)


class Everything(Schema):
    """A schema with one of each."""

    greeting = fields.String(load_default="Hello", validate=validate.Length(max=40))
    count = fields.Integer(load_default=3, strict=True)
    rate = fields.Decimal(load_default=Decimal("1.5"))
    noisy = fields.Boolean(load_default=False)
    mode = fields.String(
        load_default="a",
        validate=validate.OneOf(["a", "b"]),
        metadata={"options": {"a": "First", "b": "Second"}, "label": "Mode", "help": "Choose"},
    )
    maybe = fields.Integer(load_default=None, allow_none=True, strict=True)
    words = fields.List(fields.String(), load_default=list)
    factors = fields.Dict(fields.String(), fields.Integer(strict=True), load_default=dict)
    password = fields.String(load_default="", metadata={"secret": True})
    main = fields.Nested(Window, load_default=lambda: {"name": "main"})
    windows = fields.List(fields.Nested(Window), load_default=list)


def form(values: dict[str, Any] | None = None, **provenance: Source) -> list[settings_form.Item]:
    loaded = Everything().load(values or {})
    resolved = Resolved(loaded, provenance, frozenset({"password"}))
    return settings_form.build(Everything, resolved, "store", PLACE)


def touched(items: list[settings_form.Item], **sent: Any) -> settings_read.Answer:
    """What comes of the form if somebody changes only `sent`."""
    given = settings_read.sent_by(items)
    for name, value in sent.items():
        key = name.replace("__", ".")
        if value is None:
            given.pop(key, None)
        else:
            given.setlist(key, value if isinstance(value, list) else [value])
    return settings_read.read(items, given)


WINDOW = st.fixed_dictionaries(
    {
        "name": st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=9),
        "percent": st.integers(-5, 500),
        "first": st.none() | st.dates().map(date.isoformat),
        "begin": st.none()
        | st.times().map(lambda t: t.replace(second=0, microsecond=0).isoformat()),
        "days": st.lists(st.sampled_from(DAYS), unique=True).map(
            lambda days: [day for day in DAYS if day in days]
        ),
        "active": st.booleans(),
    }
)


@given(
    count=st.integers(-10, 10),
    rate=st.decimals(0, 99, places=2).map(str),
    noisy=st.booleans(),
    maybe=st.none() | st.integers(),
    words=st.lists(st.text(st.characters(categories=["L"]), min_size=1, max_size=5), max_size=3),
    factors=st.dictionaries(st.sampled_from("xyz"), st.integers(0, 300)),
    windows=st.lists(WINDOW, max_size=3),
)
def test_an_untouched_form_changes_nothing(**values: Any) -> None:
    answer = touched(form(values))
    assert (answer.values, answer.clear, answer.lock, answer.unlock) == ({}, [], [], [])


@pytest.mark.parametrize(
    ("sent", "value"),
    [
        ({"s-greeting": "Hi"}, {"greeting": "Hi"}),
        ({"s-count": "−7"}, {"count": -7}),
        ({"s-count": "soon"}, {"count": "soon"}),
        ({"s-rate": "2,25"}, {"rate": "2.25"}),
        ({"s-noisy": "1"}, {"noisy": True}),
        ({"s-mode": "b"}, {"mode": "b"}),
        ({"s-maybe": "5"}, {"maybe": 5}),
        ({"s-words": "one\r\n two \r\n\r\n"}, {"words": ["one", "two"]}),
        ({"s-factors": "BAKERY = 150\nWINE=50"}, {"factors": {"BAKERY": 150, "WINE": 50}}),
        ({"s-password": "new"}, {"password": "new"}),
    ],
)
def test_what_is_typed_reaches_the_schema_in_its_own_kind(
    sent: dict[str, Any], value: dict[str, Any]
) -> None:
    assert touched(form(), **sent).values == value


def test_a_group_in_a_list_is_added_with_what_was_typed_only() -> None:
    items = form({"windows": [{"name": "Morning"}]})
    answer = touched(items, **{"s-windows__1__name": "Noon", "s-windows__1__begin": "12:00"})
    [old, new] = answer.values["windows"]
    assert old["name"] == "Morning"
    assert (new["name"], new["begin"]) == ("Noon", "12:00")
    assert "percent" not in new, "an empty field takes the schema's default"
    loaded = Everything().load({"windows": answer.values["windows"]})["windows"][1]
    assert (loaded["percent"], loaded["begin"]) == (100, time(12))


def test_errors_find_their_place_when_an_earlier_group_was_taken_out() -> None:
    items = form({"windows": [{"name": "A"}, {"name": "B"}]})
    answer = touched(items, **{"drop-s-windows__0": "1", "s-windows__1__percent": "lots"})
    assert [one["name"] for one in answer.values["windows"]] == ["B"]
    assert answer.in_form({"windows.0.percent": ["Not a number."]}) == {
        "windows.1.percent": ["Not a number."]
    }
    assert answer.in_form({"windows": ["Too few."]}) == {"windows": ["Too few."]}


def test_a_secret_is_never_shown() -> None:
    items = form({"password": "hunter2"})
    assert "hunter2" not in repr(items)
    assert next(one for one in items if one.name == "password").value == MASK
    assert touched(items).values == {}


def test_locked_above_is_shown_and_not_taken() -> None:
    source = Source("brand", True, "Hana", datetime(2026, 5, 3, tzinfo=UTC), "brand")
    items = form({"windows": [{"name": "A"}]}, windows=source, greeting=source)
    windows = next(one for one in items if one.name == "windows")
    assert windows.locked
    assert windows.items[0].items[0].locked
    assert "Hana" in windows.source
    answer = touched(items, **{"s-windows__0__name": "Mine", "s-greeting": "Mine"})
    assert answer.values == {}


def test_a_value_of_ones_own_can_be_given_up() -> None:
    items = form({"count": 9}, count=Source("store", by="Olga"))
    assert next(one for one in items if one.name == "count").given
    assert touched(items, **{"reset-s-count": "1"}).clear == ["count"]


def test_locks_are_set_and_lifted() -> None:
    source = Source("brand", True, "Hana", None, "brand")
    loaded = Resolved(Everything().load({}), {"count": source})
    items = settings_form.build(Everything, loaded, "brand", PLACE)
    assert not next(one for one in items if one.name == "count").locked, "it is this level's lock"
    answer = settings_read.read(items, settings_read.sent_by(items))
    assert answer.unlock == ["count"]
    both: MultiDict[str, str] = settings_read.sent_by(items)
    both.update({"lock-s-count": "1", "lock-s-rate": "1"})
    assert settings_read.read(items, both).lock == ["rate"]


def test_a_refused_form_shows_what_was_typed() -> None:
    items = form()
    sent = settings_read.sent_by(items)
    sent["s-count"] = "soon"
    sent.setlist("s-main.days", ["tue"])
    settings_read.fill(items, sent)
    assert next(one for one in items if one.name == "count").value == "soon"
    main = next(one for one in items if one.name == "main")
    assert next(one for one in main.items if one.name == "days").value == ["tue"]


def test_words_and_help_come_from_the_schema() -> None:
    mode = next(one for one in form() if one.name == "mode")
    assert (mode.label, mode.hint, mode.options) == (
        "Mode",
        "Choose",
        [("a", "First"), ("b", "Second")],
    )
