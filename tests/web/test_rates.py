"""Pages that strangers open are counted by address; whoever is signed in is not."""

from typing import Any

import pytest
import time_machine
from msgspec.structs import force_setattr

from highstreet.app import create_app
from highstreet.members import links
from highstreet.rates import InMemory, Rates
from people_site import Browser

MINUTE = 1_795_608_000


@pytest.fixture
def limited(front: Any, clerk: Browser) -> Any:
    """Two requests a minute for a stranger; the clerk signed in before."""
    force_setattr(front.site.house, "rates", Rates(InMemory(), per_key=0, per_address=2))
    yield front
    force_setattr(front.site.house, "rates", Rates(InMemory(), per_key=0, per_address=0))


@pytest.mark.parametrize("page", ["/signin", "/link/none", "/m/none", "/signin/forgotten", "/"])
def test_a_stranger_is_asked_to_wait(limited: Any, page: str) -> None:
    stranger = limited.site.browser()
    with time_machine.travel(MINUTE - 18, tick=False):
        statuses = [stranger.get(page).status_code for _n in range(3)]
        answer = stranger.get(page)
    assert 429 not in statuses[:2]
    assert statuses[2] == 429
    assert answer.headers["Retry-After"] == "18"
    assert answer.headers["RateLimit-Policy"] == '"address";q=2;w=60'
    assert "Go on in 18 s" in answer.text


def test_a_members_own_link_is_counted_too(limited: Any) -> None:
    maren = limited.enrol(0, name="Maren")
    with limited.session(0) as s:
        token = links.make_link(limited.site.tenancy, s, maren)
    member = limited.site.browser()
    with time_machine.travel(MINUTE + 5, tick=False):
        assert [member.get(f"/m/{token}").status_code for _n in range(3)] == [200, 200, 429]


def test_staff_and_files_and_watchers_are_not_counted(limited: Any, clerk: Browser) -> None:
    stranger = limited.site.browser()
    with time_machine.travel(MINUTE + 65, tick=False):
        for _n in range(4):
            assert stranger.get("/static/highstreet.css").status_code == 200
            assert stranger.get("/healthz").status_code == 200
            assert clerk.get(f"{limited.store(0)}/till/").status_code == 200


def test_behind_a_proxy_the_visitor_counts_and_not_the_proxy(
    database: Any, two_brands: Any, tmp_path: Any
) -> None:
    app = create_app(
        {
            "database_url": database.url,
            "owner_database_url": database.extra["owner_url"],
            "instance": str(tmp_path),
            "secret_key": "for tests only",
            "password_hasher": "cheap",
            "rate_per_address": 1,
            "proxies": 1,
            "testing": True,
        }
    )
    client = app.test_client()

    def ask(visitor: str) -> int:
        # What a client writes into the header itself stands before what our proxy adds.
        sent = {"X-Forwarded-For": f"10.9.9.9, {visitor}", "X-Forwarded-Proto": "https"}
        return client.get("/signin", headers=sent).status_code

    with time_machine.travel(MINUTE + 125, tick=False):
        assert [ask("192.0.2.1"), ask("192.0.2.2"), ask("192.0.2.1")] == [200, 200, 429]
    app.extensions["highstreet"].engine.dispose()
