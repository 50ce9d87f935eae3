"""A body is read once; each thing that tills and attackers get wrong has its own answer."""

import gzip
import json

import pytest
from flask import Flask, request

from highstreet.rest import bodies
from highstreet.rest.errors import Compressed, Malformed, TooLarge, WrongMediaType
from highstreet_tenants.errors import Invalid


def fields_of(raw: str | bytes) -> dict[str, list[str]]:
    with pytest.raises(Invalid) as caught:
        bodies.parse(raw.encode() if isinstance(raw, str) else raw)
    return caught.value.fields


@pytest.mark.parametrize(
    "raw",
    [
        "",
        " ",
        "{",
        "{'a': 1}",
        '{"a": NaN}',
        '{"a": Infinity}',
        '{"a": -Infinity}',
        '{"a": 1,}',
        "x",
    ],
)
def test_what_is_not_json_is_malformed(raw):
    with pytest.raises(Malformed) as caught:
        bodies.parse(raw.encode())
    assert caught.value.status == 400


@pytest.mark.parametrize("raw", [b"\xff\xfe{\x00}\x00", b'{"a": "\xe9"}', b"\xef\xbb\xbf{"])
def test_what_is_not_utf_8_json_is_malformed(raw):
    with pytest.raises(Malformed):
        bodies.parse(raw)


def test_a_good_body_comes_through_unchanged():
    body = {
        "name": "李雷 🎉",
        "lines": [{"quantity": 0.532, "amount": -5}],
        "none": None,
        "yes": True,
    }
    assert bodies.parse(json.dumps(body).encode()) == body


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ('{"lines": [{"product": "a\\u0000b"}]}', "lines.0.product"),
        ('{"name": "\\ud83d"}', "name"),
        ('{"a": 9223372036854775808}', "a"),
        ('{"a": {"b": -9223372036854775809}}', "a.b"),
        ('{"a": 1e999}', "a"),
        ('{"note": "card 4111 1111 1111 1111 ok"}', "note"),
        ('{"total_minor": 4111111111111111}', "total_minor"),
        ('{"total_minor": 4111111111111111.0}', "total_minor"),
        ('{"4111111111111111": 1}', "?"),
        ('{"a": 1, "a": 2}', "a"),
        ('{"x": [{"a": 1, "a": 1}]}', "a"),
        (f'{{"a": {"9" * 5000}}}', "a"),
    ],
)
def test_the_wrong_field_is_named(raw, field):
    assert list(fields_of(raw)) == [field]


def test_what_a_payment_card_test_must_not_refuse():
    """Barcodes begin like old cards, and one in ten has a right Luhn digit."""
    body = {"lines": [{"product": "4006381333931"}, {"product": "4000000000002"}], "n": 2**62}
    assert bodies.parse(json.dumps(body).encode()) == body


def test_the_limits_are_where_they_are_said_to_be():
    edge = {"a": 2**63 - 1, "b": -(2**63)}
    assert bodies.parse(json.dumps(edge).encode()) == edge
    deep = "[" * bodies.MAX_DEPTH + "]" * bodies.MAX_DEPTH
    assert bodies.parse(deep.encode()) is not None
    assert fields_of(f"[{deep}]")


@pytest.mark.parametrize("raw", ["[" * 100_000, '{"a":' * 100_000, "[" * 100_000 + "]" * 100_000])
def test_endless_nesting_is_refused_and_not_a_crash(raw):
    with pytest.raises((Invalid, Malformed)):
        bodies.parse(raw.encode())


def test_no_card_number_is_said_back():
    shown = str(fields_of('{"4111111111111111": "4111111111111111"}'))
    assert "4111" not in shown


@pytest.fixture
def app() -> Flask:
    return Flask(__name__)


def read(app: Flask, **how):
    with app.test_request_context("/api/v1/x", method="POST", **how):
        return bodies.read(request)


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8"])
def test_json_is_taken(app, kind):
    assert read(app, data=b'{"a":1}', content_type=kind) == {"a": 1}


@pytest.mark.parametrize("kind", [None, "", "text/plain", "application/x-www-form-urlencoded", ";"])
def test_other_media_types_are_refused(app, kind):
    with pytest.raises(WrongMediaType) as caught:
        read(app, data=b'{"a":1}', content_type=kind)
    assert caught.value.status == 415


def test_a_body_that_is_too_large_is_refused_before_it_is_read(app):
    exact = b'"' + b"a" * (bodies.MAX_BYTES - 2) + b'"'
    assert read(app, data=exact, content_type="application/json")
    with pytest.raises(TooLarge) as caught:
        read(app, data=exact + b" ", content_type="application/json")
    assert caught.value.status == 413


@pytest.mark.parametrize(
    "text", ["a\x00b", "\ud800", "4111111111111111", "4111-1111-1111-1111", "5500 0000 0000 0004"]
)
def test_an_address_is_held_to_the_same_rules(text):
    with pytest.raises(Invalid) as caught:
        bodies.check_text(text, "q")
    assert list(caught.value.fields) == ["q"]


def test_a_mark_before_the_json_is_passed_over(app):
    """Windows writes one; JSON's own standard lets a reader ignore it."""
    assert bodies.parse(b'\xef\xbb\xbf{"a": "\xc3\xa9"}') == {"a": "é"}
    with pytest.raises(Malformed):
        bodies.parse(b'\xef\xbb\xbf\xef\xbb\xbf{"a": 1}')


@pytest.mark.parametrize("charset", ["latin-1", "utf-16", "windows-1252", "x"])
def test_another_charset_is_refused_though_it_may_look_like_utf_8(app, charset):
    with pytest.raises(WrongMediaType, match="UTF-8"):
        read(app, data=b'{"a":1}', content_type=f"application/json; charset={charset}")


@pytest.mark.parametrize("charset", ["UTF-8", '"utf-8"', "utf8", "us-ascii"])
def test_utf_8_may_be_declared(app, charset):
    kind = f"application/json; charset={charset}"
    assert read(app, data=b'{"a":1}', content_type=kind) == {"a": 1}


@pytest.mark.parametrize("coding", ["gzip", "br", "GZIP", "gzip, identity"])
def test_a_compressed_body_is_refused_with_what_is_read_instead(app, coding):
    with pytest.raises(Compressed) as caught:
        read(
            app,
            data=gzip.compress(b'{"a":1}'),
            content_type="application/json",
            headers={"Content-Encoding": coding},
        )
    assert (caught.value.status, dict(caught.value.headers)) == (
        415,
        {"Accept-Encoding": "identity"},
    )
    plain = {"Content-Encoding": "Identity"}
    assert read(app, data=b"1", content_type="application/json", headers=plain) == 1


@pytest.mark.parametrize("number", ["4-20260525-0883", "431-15-08-2026-06503", "+4915996269374"])
def test_what_only_looks_a_bit_like_a_payment_card_goes_through(number):
    """Receipt numbers and telephone numbers with a right Luhn digit."""
    body = {"pos_ref": number, "lines": [{"product": number}]}
    assert bodies.parse(json.dumps(body).encode()) == body
    bodies.check_text(number, "pos_ref")
