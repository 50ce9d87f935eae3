"""Every error is a problem with a stable type, and no inside shows."""

import sqlite3

import pytest
import sqlalchemy as sa
from flask import Flask
from marshmallow import Schema, ValidationError, fields, validate
from werkzeug.exceptions import (
    MethodNotAllowed,
    NotFound,
    TooManyRequests,
    UnprocessableEntity,
)

from highstreet.rest import faults, problems
from highstreet.rest.errors import KeyInFlight
from highstreet_tenants.errors import Conflict, HighstreetError, Invalid, TooMany, WallBreach


@pytest.fixture(autouse=True)
def _context():
    app = Flask(__name__)
    with app.test_request_context("/api/v1/x"):
        yield


def test_an_error_of_ours_keeps_its_words_and_fields():
    answer = problems.of_error(Invalid("Mend it.", fields={"name": ["Too long."]}))
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert answer.get_json() == {
        "type": "/problems/invalid",
        "title": "Something in it is not right",
        "status": 422,
        "detail": "Mend it.",
        "errors": {"name": ["Too long."]},
    }


def test_a_defect_shows_nothing_of_its_inside(caplog):
    answer = problems.of_error(WallBreach("table core_customer of brand 7"))
    assert answer.status_code == 500
    assert "core_customer" not in answer.get_data(as_text=True)
    assert "core_customer" in caplog.text


def test_a_refined_error_reads_like_the_one_it_refines():
    class CardStolen(Conflict):
        type = "card-stolen"

    answer = problems.of_error(CardStolen("Keep the card."))
    assert answer.get_json()["type"] == "/problems/card-stolen"
    assert answer.get_json()["title"] == str(problems.KINDS["conflict"].title)
    assert problems.kind_of("card-stolen").status == 409
    assert problems.kind_of("no-such-problem") is None


def test_whoever_must_wait_is_told_how_long():
    locked = TooMany("Wait.")
    locked.retry_after = 30
    assert problems.of_error(locked).headers["Retry-After"] == "30"
    assert problems.of_error(TooMany("Wait.")).headers["Retry-After"] == "60"
    assert problems.of_error(KeyInFlight("Wait.")).headers["Retry-After"] == "1"
    assert problems.of_http(TooManyRequests(retry_after=7)).headers["Retry-After"] == "7"


def test_http_errors_become_problems_and_keep_their_headers():
    answer = problems.of_http(MethodNotAllowed(valid_methods=["GET", "HEAD"]))
    assert answer.headers["Allow"] == "GET, HEAD"
    assert answer.get_json()["type"] == "/problems/method-not-allowed"
    assert problems.of_http(NotFound()).get_json()["type"] == "/problems/not-found"


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (sqlite3.OperationalError("database is locked"), True),
        (sa.exc.OperationalError("x", {}, sqlite3.OperationalError("database is locked")), True),
        (sa.exc.IntegrityError("x", {}, sqlite3.IntegrityError("UNIQUE failed")), False),
        (type("Deadlock", (Exception,), {"sqlstate": "40P01"})(), True),
        (type("Shutdown", (Exception,), {"sqlstate": "57P01"})(), True),
        (type("BadColumn", (Exception,), {"sqlstate": "42703"})(), False),
    ],
)
def test_a_busy_database_asks_for_another_try_and_a_defect_does_not(error, again):
    answer = problems.of_database(error)
    assert (answer is not None) == again
    if answer is not None:
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "1"


def test_nested_messages_are_named_by_their_path():
    class Line(Schema):
        product = fields.String(required=True)

    class Basket(Schema):
        lines = fields.List(fields.Nested(Line))
        total = fields.Integer(required=True)

    with pytest.raises(ValidationError) as caught:
        Basket().load({"lines": [{"product": "a"}, {}], "total": "x", "more": 1})
    flat = faults.flatten({"json": caught.value.messages})
    assert set(flat) == {"lines.1.product", "total", "more"}
    with pytest.raises(ValidationError) as caught:
        Basket().load([])
    assert set(faults.flatten({"json": caught.value.messages})) == {"body"}


def test_a_display_of_one_line_says_what_to_send():
    """A till shows `detail` and nothing else."""

    class Line(Schema):
        product = fields.String(required=True, validate=validate.Length(1, 9))
        kind = fields.String(validate=validate.OneOf(["a", "b"]))
        amount = fields.Integer(strict=True, validate=validate.Range(0, 5))

    class Basket(Schema):
        lines = fields.List(fields.Nested(Line))

    def told(body):
        with pytest.raises(ValidationError) as caught:
            Basket().load(body)
        error = UnprocessableEntity()
        error.data = {"messages": {"json": caught.value.messages}}
        return problems.of_http(error).get_json()["detail"]

    assert told([]) == "Send a JSON object here."
    assert told({"lines": [{}]}) == "lines.0.product: This is missing. Send it."
    assert told({"lines": [{"product": "a", "amount": "1"}]}) == (
        "lines.0.amount: Send a whole number here, without quotes."
    )
    assert told({"lines": [{"product": "a", "amount": 6}]}) == (
        "lines.0.amount: Send a number from 0 to 5."
    )
    assert told({"lines": [{"product": "a", "kind": "c"}]}) == ("lines.0.kind: Send one of: a, b.")
    two = told({"lines": [{"product": "a" * 10, "more": 1}]})
    assert two.startswith("lines.0.product: This is too short or too long: from 1 to 9 fit.")
    assert two.endswith("“errors” names 1 more field.")


def test_no_words_of_the_library_reach_a_reader():
    """Each message that its fields and validators have of their own is known by its text."""
    stock = {
        message
        for kind in (
            fields.Field, fields.String, fields.Integer, fields.Number, fields.Boolean, fields.UUID,
            fields.Date, fields.List, fields.Nested, fields.Dict,
        )
        for name, message in kind.default_error_messages.items()
        if name not in ("validator_failed", "too_large", "special", "invalid_utf8", "format")
    }  # fmt: skip
    stock |= set(Schema._default_error_messages.values())
    for message in stock:
        assert faults.flatten({"a": [message]}) != {"a": [message]}, message


def test_every_kind_has_words():
    for slug, kind in problems.KINDS.items():
        assert str(kind.title) and str(kind.about), slug
        assert 400 <= kind.status < 600, slug
    statuses = {kind.status for kind in problems.KINDS.values()}
    assert statuses >= {400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 428, 429, 500, 503}
    assert issubclass(HighstreetError, Exception)
