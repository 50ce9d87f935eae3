"""Every error is a problem with a stable type, and no inside shows."""

import sqlite3

import pytest
import sqlalchemy as sa
from flask import Flask
from marshmallow import Schema, ValidationError, fields
from werkzeug.exceptions import MethodNotAllowed, NotFound, TooManyRequests

from highstreet.rest import problems
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
    flat = problems.flatten({"json": caught.value.messages})
    assert set(flat) == {"lines.1.product", "total", "more"}
    with pytest.raises(ValidationError) as caught:
        Basket().load([])
    assert set(problems.flatten({"json": caught.value.messages})) == {"body"}


def test_every_kind_has_words():
    for slug, kind in problems.KINDS.items():
        assert str(kind.title) and str(kind.about), slug
        assert 400 <= kind.status < 600, slug
    statuses = {kind.status for kind in problems.KINDS.values()}
    assert statuses >= {400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 428, 429, 500, 503}
    assert issubclass(HighstreetError, Exception)
