"""For tools: addresses of their pages, the way on after a form, and days as people write them."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from highstreet.sdk import address, ctx_of, format_day, go_on

CUSTOMER = UUID(int=7)
CLUB = "points_club"


def test_a_tools_pages_have_an_address_with_and_without_a_request(front: Any) -> None:
    own = f"{front.store(0)}/t/{CLUB}/"
    app: Flask = front.site.app
    with front.session(0) as s:
        ctx = ctx_of(s, CLUB)
        alone = [address(ctx, "overview"), address(ctx, "member", customer_id=CUSTOMER, page=2)]
        with app.test_request_context("/"):
            assert alone == [
                address(ctx, "overview"),
                address(ctx, "member", customer_id=CUSTOMER, page=2),
            ]
        assert alone == [own, f"{own}members/{CUSTOMER}?page=2"]
        statement = address(ctx, "statement", face="member", token="t0ken")
        assert statement.startswith(f"/m/t0ken/t/{CLUB}/")
        with pytest.raises(ValueError, match="points_club has no page for that"):
            address(ctx, "member")
        with pytest.raises(ValueError, match="no page"):
            address(ctx, "absent")
        with app.test_request_context("/"), pytest.raises(ValueError, match="no page"):
            address(ctx, "absent")


def test_a_proxys_prefix_is_kept(front: Any) -> None:
    with (
        front.session(0) as s,
        front.site.app.test_request_context("/", environ_overrides={"SCRIPT_NAME": "/club"}),
    ):
        assert address(ctx_of(s, CLUB), "overview").startswith("/club/store/")


def test_head_offices_pages_are_meant_where_no_store_is_at_hand(front: Any) -> None:
    with front.office(0) as s, pytest.raises(ValueError, match="no page"):
        address(ctx_of(s, CLUB), "overview")  # the points club has none there


@pytest.mark.parametrize(
    ("given", "gone"),
    [
        ("/store/harbour/one/till/?done=1", "/store/harbour/one/till/?done=1"),
        ("", "/home"),
        ("https://elsewhere.example/", "/home"),
        ("//elsewhere.example/", "/home"),
        ("/\\elsewhere.example/", "/home"),
        ("/a\nLocation: x", "/home"),
    ],
)
def test_a_form_goes_on_to_pages_of_ours_alone(given: str, gone: str) -> None:
    with Flask(__name__).test_request_context("/", method="POST", data={"next": given}):
        answer = go_on("/home")
    assert (answer.status_code, answer.location) == (303, gone)


def test_a_day_is_written_as_is_usual_in_the_place(front: Any) -> None:
    with front.session(0) as s:
        ctx = ctx_of(s, CLUB)
        assert format_day(date(2026, 5, 14), ctx.store()) == "14 May 2026"
        chinese = {"Accept-Language": "zh-Hans"}
        with front.site.app.test_request_context("/", headers=chinese):
            assert format_day(date(2026, 5, 14), ctx.brand) == "2026年5月14日"
