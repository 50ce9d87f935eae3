"""Rate limits as a till meets them: 429 as a problem that says when to go on."""

import logging

import pytest
import time_machine
from msgspec.structs import force_setattr

from highstreet.rates import InMemory, Rates

MINUTE = 1_795_608_000


@pytest.fixture
def limited(app, monkeypatch):
    """The application with three calls a minute for a key, two for a stranger."""
    house = app.extensions["highstreet"]
    limits = Rates(InMemory(), per_key=3, per_address=2)
    force_setattr(house, "rates", limits)
    with time_machine.travel(MINUTE - 18, tick=False):
        yield app
    force_setattr(house, "rates", Rates(InMemory(), per_key=0, per_address=0))


def test_a_key_over_its_limit_is_answered_with_a_problem(limited, club_till, sister_till, caplog):
    with caplog.at_level(logging.WARNING, "highstreet.rates"):
        answers = [club_till.get("/store") for _n in range(5)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429, 429]
    refused = answers[-1]
    assert refused.content_type == "application/problem+json"
    assert refused.headers["Retry-After"] == "18"
    assert refused.headers["RateLimit-Policy"] == '"key";q=3;w=60'
    assert refused.headers["RateLimit"] == '"key";r=0;t=18'
    problem = refused.get_json()
    assert problem["type"] == "/problems/rate-exceeded"
    assert limited.test_client().get(problem["type"]).status_code == 200
    assert sister_till.get("/store").status_code == 200
    assert len(caplog.records) == 1, "said once a minute, not at each call"


def test_each_answer_says_how_many_are_left(limited, club_till):
    """Right ones, wrong ones, those of a stranger; and of a defect too."""
    fine, wrong = club_till.get("/store"), club_till.post("/purchases", {})
    assert (fine.status_code, wrong.status_code) == (200, 422)
    stranger = limited.test_client().get("/api/v1/store")
    assert stranger.status_code == 401
    said = [
        (a.headers["RateLimit-Policy"], a.headers["RateLimit"]) for a in (fine, wrong, stranger)
    ]
    assert said == [
        ('"key";q=3;w=60', '"key";r=2;t=18'),
        ('"key";q=3;w=60', '"key";r=1;t=18'),
        ('"address";q=2;w=60', '"address";r=1;t=18'),
    ]
    with time_machine.travel(MINUTE + 1, tick=False):
        replayed = [club_till.buy(100, pos_ref="1", key="the-same") for _n in range(2)]
    assert [a.headers.getlist("RateLimit") for a in replayed] == [
        ['"key";r=2;t=59'],
        ['"key";r=1;t=59'],
    ]


def test_a_defect_says_it_too(limited, club_till, monkeypatch):
    monkeypatch.setattr("highstreet.purchases.listing.of_store", lambda *_a, **_k: 1 / 0)
    monkeypatch.setitem(limited.config, "PROPAGATE_EXCEPTIONS", False)
    answer = club_till.get("/purchases")
    assert (answer.status_code, answer.headers["RateLimit"]) == (500, '"key";r=2;t=18')


def test_without_a_limit_nothing_is_said_of_it(app, club_till):
    answer = club_till.get("/store")
    assert not [name for name, _value in answer.headers if name.startswith("RateLimit")]


def test_what_was_refused_was_not_done_and_its_key_is_free(limited, club_till):
    for _n in range(3):
        club_till.get("/store")
    refused = club_till.buy(1000, pos_ref="1", key="the-same")
    assert refused.status_code == 429
    with time_machine.travel(MINUTE + 1, tick=False):
        done = club_till.buy(1000, pos_ref="1", key="the-same")
    assert done.status_code == 201
    assert "Idempotent-Replay" not in done.headers


@pytest.mark.parametrize("token", ["", "nonsense", "hs_" + "0" * 32 + "_" + "x" * 43])
def test_calls_without_a_good_key_are_counted_by_address(limited, club_till, token):
    client = limited.test_client()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    statuses = [client.get("/api/v1/store", headers=headers).status_code for _n in range(4)]
    assert statuses == [401, 401, 429, 429]
    elsewhere = {"REMOTE_ADDR": "192.0.2.9"}
    answer = client.get("/api/v1/store", headers=headers, environ_overrides=elsewhere)
    assert answer.status_code == 401


def test_a_good_key_is_let_in_though_strangers_at_its_address_are_not(limited, club_till):
    """A process that was just started knows no key; one broken till must not keep others out."""
    client = limited.test_client()
    assert [client.get("/api/v1/store").status_code for _n in range(3)] == [401, 401, 429]
    assert club_till.get("/store").status_code == 200


def test_the_document_tells_of_it(limited, club_till):
    document = limited.test_client().get("/api/openapi.json").get_json()
    answer = document["components"]["responses"]["TOO_MANY_REQUESTS"]
    assert set(answer["headers"]) == {"Retry-After", "RateLimit-Policy", "RateLimit"}
    assert {"RateLimit-Policy", "RateLimit"} <= set(document["components"]["headers"])
    sold = document["paths"]["/api/v1/purchases"]["post"]["responses"]["201"]["headers"]
    assert {"RateLimit-Policy", "RateLimit"} <= set(sold)
    assert "/problems/rate-exceeded" in answer["description"]
    assert "429" in document["paths"]["/api/v1/purchases"]["post"]["responses"]
