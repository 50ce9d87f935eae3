"""Money in a tool's settings: read and typed as an amount of the place's currency, kept in minor
units."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest
from flask import Flask, g
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, fields

from highstreet.host.cascade import Resolved
from highstreet.web import settings_form, settings_read
from highstreet.web.current import Place
from highstreet_tenants.errors import Invalid

APP = Flask(__name__)


class Rule(Schema):
    """A group with money in it."""

    least = fields.Integer(load_default=100, strict=True, metadata={"money": True})


class Prices(Schema):
    """Money at the top and in a list."""

    fee = fields.Integer(load_default=500, strict=True, metadata={"money": True, "label": "Fee"})
    most = fields.Integer(load_default=None, allow_none=True, strict=True, metadata={"money": True})
    rules = fields.List(fields.Nested(Rule), load_default=list)


@contextmanager
def shown(
    currency: str, values: dict[str, Any] | None = None, locale: str = "en_GB"
) -> Iterator[list[settings_form.Item]]:
    """The form in a place with this currency."""
    place = SimpleNamespace(zone="UTC", locale=locale, currency=currency)
    with APP.test_request_context():
        g.place = place
        resolved = Resolved(Prices().load(values or {}), {})
        yield settings_form.build(Prices, resolved, "store", cast(Place, place))


def typed(items: list[settings_form.Item], **sent: str) -> settings_read.Answer:
    """What comes of the form if somebody changes only `sent`."""
    given = settings_read.sent_by(items)
    for name, value in sent.items():
        given[name.replace("__", ".")] = value
    return settings_read.read(items, given)


@pytest.mark.parametrize(
    ("currency", "text", "sign"),
    [("GBP", "5.00", "£"), ("JPY", "500", "JP¥"), ("BHD", "0.500", "BHD")],
)
def test_it_is_shown_with_the_decimals_of_the_currency(currency: str, text: str, sign: str) -> None:
    with shown(currency) as items:
        assert (items[0].value, items[0].sign) == (text, sign)
        assert items[0].attributes["inputmode"] == "decimal"


@pytest.mark.parametrize(
    ("currency", "text", "minor"),
    [
        ("GBP", "7.50", 750),
        ("GBP", "7", 700),
        ("GBP", "£7.50", 750),
        ("GBP", "1,250.00", 125_000),
        ("JPY", "750", 750),
        ("BHD", "7.505", 7505),
        ("USD", "7,5", 750),
    ],
)
def test_what_is_typed_becomes_minor_units(currency: str, text: str, minor: int) -> None:
    with shown(currency, {"rules": [{"least": 100}]}) as items:
        answer = typed(items, **{"s-fee": text, "s-rules__0__least": text})
    answer.check()
    assert answer.values == {"fee": minor, "rules": [{"least": minor}]}


@pytest.mark.parametrize(
    ("currency", "text"), [("GBP", "7.505"), ("JPY", "7.5"), ("BHD", "0.0005"), ("GBP", "seven")]
)
def test_an_amount_that_the_currency_has_not_is_refused_at_its_place(
    currency: str, text: str
) -> None:
    with shown(currency, {"rules": [{}, {}]}) as items:
        answer = typed(items, **{"s-rules__1__least": text, "drop-s-rules__0": "1"})
        with pytest.raises(Invalid) as refusal:
            answer.check()
        assert list(answer.in_form(refusal.value.fields)) == ["rules.1.least"], "as the form counts"


def test_left_empty_it_is_none_or_the_schemas_default() -> None:
    with shown("GBP", {"most": 5, "fee": 7}) as items:
        answer = typed(items, **{"s-most": "", "s-fee": " "})
    answer.check()
    assert answer.values == {"most": None, "fee": None}


@given(
    minor=st.integers(-(10**12), 10**12),
    currency=st.sampled_from(["GBP", "JPY", "BHD", "EUR", "CLF"]),
    locale=st.sampled_from(["en_GB", "en_US", "en_ZA", "en_AT", "zh_Hans_CN"]),
)
def test_an_untouched_form_changes_nothing(minor: int, currency: str, locale: str) -> None:
    with shown(currency, {"fee": minor, "rules": [{"least": minor}]}, locale) as items:
        answer = typed(items)
    answer.check()
    assert answer.values == {}
    with shown(currency, {"fee": 0}, locale) as again:
        moved = typed(again, **{"s-fee": settings_read.sent_by(items)["s-fee"]})
    assert moved.values == ({"fee": minor} if minor else {})
