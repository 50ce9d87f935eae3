"""Who may open which page."""

import re
from typing import Any
from uuid import uuid4

import pytest

from highstreet.web import guard
from highstreet.web.headers import CSP


def fill(rule: Any, **known: Any) -> str:
    """An address for a rule, its other arguments made up."""
    values = {"customer_id": uuid4(), "other_id": uuid4(), "tool": "points_club", **known}
    return re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", lambda m: str(values.get(m[1], uuid4())), rule.rule)


def pages(app: Any) -> list[Any]:
    return [rule for rule in app.url_map.iter_rules() if not rule.rule.startswith("/api/")]


def test_every_route_says_what_it_needs(app: Any) -> None:
    silent = [
        rule.endpoint for rule in pages(app) if not guard.stated(app.view_functions[rule.endpoint])
    ]
    assert silent == []


def test_every_permission_that_a_route_needs_exists(app: Any) -> None:
    from highstreet.host.access import permission_of

    known = app.extensions["highstreet.catalogue"].permissions
    wanted = {permission_of(app.view_functions[rule.endpoint]) for rule in pages(app)}
    assert {name for name in wanted if name} - set(known) <= {"self", "place"}


def test_a_stranger_is_sent_to_sign_in_and_comes_back(front: Any) -> None:
    answer = front.site.browser().get(f"{front.store(0)}/till/?q=anna")
    assert answer.status_code == 303
    assert answer.location == "/signin?next=/store/harbour/harbour-1/till/?q%3Danna"


def test_nobody_of_one_place_opens_any_page_of_another(app: Any, front: Any, owner: Any) -> None:
    """Another store, another brand, a head office: each is as if it were not there."""
    opened = []
    for rule in pages(app):
        if "brand" not in rule.arguments or rule.rule.startswith("/static/"):
            continue
        for brand, store in (("harbour", "harbour-2"), ("quarry", "quarry-1")):
            if "store" not in rule.arguments and brand == "harbour":
                continue
            path = fill(rule, brand=brand, store=store)
            method = "POST" if "POST" in rule.methods and "GET" not in rule.methods else "GET"
            answer = (
                owner.post(front.store(0) + "/till/enrol", path)
                if method == "POST"
                else owner.get(path)
            )
            if answer.status_code != 404:
                opened.append((method, path, answer.status_code))
    assert opened == []


def test_till_staff_use_the_till_and_nothing_above_it(front: Any, clerk: Any) -> None:
    assert clerk.get(f"{front.store(0)}/till/").status_code == 200
    assert clerk.get(f"{front.store(0)}/").status_code == 200
    for page in ("tools/", "jobs/", "people"):
        assert clerk.get(f"{front.store(0)}/{page}").status_code == 403
    assert clerk.get(front.head(0) + "/").status_code == 404


def test_head_office_sees_no_customer_where_stores_own_them(front: Any) -> None:
    head = front.person("hugo", "head_office_manager", 1, None)
    customer = front.enrol(1, name="Ines Quarry")
    for path in (
        f"{front.store(1)}/customers/",
        f"{front.store(1)}/customers/{customer}",
        f"{front.store(1)}/till/",
        f"{front.head(1)}/customers/",
        f"{front.head(1)}/customers/{customer}",
    ):
        answer = head.get(path)
        assert answer.status_code == 403, path
        assert "Ines" not in answer.text


def test_head_office_finds_the_members_of_its_own_club(front: Any, manager: Any) -> None:
    customer = front.enrol(0, name="Maren Okafor")
    assert "Maren Okafor" in manager.get(f"{front.head(0)}/customers/?q=mar").text
    assert manager.get(f"{front.head(0)}/customers/{customer}").status_code == 200


def test_a_form_without_its_token_changes_nothing(front: Any, clerk: Any) -> None:
    answer = clerk.client.post(f"{front.store(0)}/till/enrol", data={"name": "Nobody"})
    assert answer.status_code == 400
    assert "open for too long" in answer.text
    assert (
        "Nobody"
        not in clerk.get(f"{front.store(0)}/customers/?q=Nobody")
        .text.split("<main")[1]
        .split("value=")[0]
    )


@pytest.mark.parametrize("path", ["/", "/signin", "/static/highstreet.js", "/nothing-here"])
def test_every_answer_carries_the_headers(front: Any, path: str) -> None:
    answer = front.site.browser().get(path)
    assert answer.headers["Content-Security-Policy"] == CSP
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "unsafe" not in CSP


def test_pages_with_people_on_them_are_not_kept_in_any_cache(front: Any, clerk: Any) -> None:
    assert clerk.get(f"{front.store(0)}/till/").headers["Cache-Control"] == "no-store"
    assert "max-age" in clerk.get("/static/highstreet.css").headers["Cache-Control"]
