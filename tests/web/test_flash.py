"""The flash cookie: on pages that need it, never on the API."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import session

from highstreet.app import create_app, house_of
from highstreet.host.access import public


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder: Path = tmp_path_factory.mktemp("flash")
    app = create_app({"instance": str(folder), "testing": True})
    house_of(app).migrate()

    @app.get("/counted")
    @public("a test's own page")
    def counted() -> str:
        session["times"] = session.get("times", 0) + 1
        return str(session["times"])

    yield app
    house_of(app).engine.dispose()


def test_what_a_page_puts_there_the_next_page_finds(app: Any) -> None:
    client = app.test_client()
    assert [client.get("/counted").text for _time in range(3)] == ["1", "2", "3"]
    assert app.test_client().get("/counted").text == "1"


def test_a_cookie_that_somebody_wrote_himself_counts_for_nothing(app: Any) -> None:
    client = app.test_client()
    client.get("/counted")
    cookie = client.get_cookie("hs-flash")
    assert cookie is not None
    client.set_cookie("hs-flash", "x" + cookie.value)
    assert client.get("/counted").text == "1"


def test_the_api_neither_reads_it_nor_sets_it(app: Any) -> None:
    client = app.test_client()
    client.get("/counted")
    answer = client.get("/api/v1/store")
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers
    assert "Vary" not in answer.headers
