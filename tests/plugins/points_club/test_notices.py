"""Members are told by e-mail of points that lapse soon and of rewards, once each, if it is set."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from highstreet.email import senders
from highstreet.email.house import Mail
from highstreet.email.models import EmailMessage, EmailPiece
from highstreet.purchases import service as purchases
from highstreet_points_club import notices
from highstreet_tenants.scopes import Scope

from .conftest import FREE, Shop

CONFIG = {"smtp_url": "memory:", "testing": True, "base_url": "http://h", "secret_key": "secret"}
SENDER = {
    "name": "Harbour Club",
    "address": "club@harbour.example",
    "reply_to": "",
    "return_path": "",
    "postal": "1 Quay Street",
}


@pytest.fixture(params=["club", "shops"])
def brand(request: pytest.FixtureRequest, shop: Shop) -> Any:
    """A brand that may send mail, of each kind."""
    found = getattr(shop, request.param)
    mail = Mail(Flask("test"), CONFIG)
    shop.database.tenancy.on_open.append(lambda s: s.info.update(mail=mail))
    with shop.database.tenancy.session(Scope.brand(found.row), write=True) as s:
        senders.choose(s, **SENDER)
    return found


def at(day: int, hour: int = 12) -> Any:
    return time_machine.travel(datetime(2026, 5, day, hour, tzinfo=UTC), tick=False)


def told(s: Any) -> list[tuple[str, dict[str, Any]]]:
    rows = s.scalars(sa.select(EmailMessage).order_by(EmailMessage.id))
    return [(row.kind, row.fills) for row in rows]


def test_points_that_lapse_soon_are_told_once_for_each_day(shop: Shop, brand: Any) -> None:
    shop.set_up(brand, expiry="days", expiry_days=30, lapse_notice_days=7)
    with at(1), shop.session(brand) as s:
        ann = shop.member(s, "Ann", email="ann@post.example")
        shop.buy(s, ann.id, 4000)
        shop.buy(s, ann.id, 1000)
        shop.member(s, "Ben", email="ben@post.example")
    with at(20), shop.session(brand) as s:
        notices.lapsing(shop.ctx(s))
        assert told(s) == [], "not before its time"
    for day in (25, 26):
        with at(day), shop.session(brand) as s:
            assert notices.lapsing(shop.ctx(s)) is None
            assert told(s) == [
                ("points_club.lapsing", {"points": 50, "unit": "points", "day": "2026-05-31"})
            ]
            row = s.scalars(sa.select(EmailMessage)).one()
            assert row.not_after <= datetime(2026, 6, 1, tzinfo=UTC), "not after they have lapsed"
            assert row.purpose == "service"


def test_it_is_off_unless_it_is_set(shop: Shop, brand: Any) -> None:
    shop.set_up(brand, expiry="days", expiry_days=5, rewards=[FREE])
    with at(1), shop.session(brand) as s:
        shop.buy(s, shop.member(s, "Ann", email="ann@post.example").id, 5000)
    with at(4), shop.session(brand) as s:
        notices.lapsing(shop.ctx(s))
        assert told(s) == []


def test_a_reward_that_came_by_itself_is_told(shop: Shop, brand: Any) -> None:
    shop.set_up(brand, rewards=[FREE], reward_notice=True)
    with shop.session(brand) as s:
        ann = shop.member(s, "Ann", email="ann@post.example", language="zh-Hans")
        bought = shop.buy(s, ann.id, 1000)
        assert told(s) == [("points_club.reward_waiting", {"reward": "Free sandwich", "until": ""})]
        again = shop.purchase(s, ann.id, 1000, ref=bought.pos_ref, at=bought.occurred_at)
        purchases.record(s, again)
        assert len(told(s)) == 1, "a purchase that is sent twice tells nobody twice"
        assert s.scalars(sa.select(EmailPiece.language)).one() == "zh_Hans"
    shop.sound(brand)


def test_rewards_of_the_past_are_told_to_nobody(shop: Shop, brand: Any) -> None:
    shop.set_up(brand, rewards=[FREE], reward_notice=True)
    with shop.session(brand) as s:
        ann = shop.member(s, "Ann", email="ann@post.example")
        shop.buy(s, ann.id, 1000, at=datetime.now(UTC) - timedelta(days=40))
        assert told(s) == []


def test_without_address_or_server_the_till_goes_on(shop: Shop) -> None:
    """Nobody said in whose name mail goes out, and no server is set up."""
    shop.set_up(shop.club, rewards=[FREE], reward_notice=True)
    with shop.session(shop.club) as s:
        shop.buy(s, shop.member(s, "Ann").id, 1000)
        assert told(s) == []
    shop.sound(shop.club)
