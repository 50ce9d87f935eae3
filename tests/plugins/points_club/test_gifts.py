"""Points for joining and on the birthday: once each, to whom they are due."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest
import time_machine

from highstreet.customers import service as customers
from highstreet.host import settings
from highstreet.sdk import ctx_of
from highstreet.timeline import queries as timeline
from highstreet_points_club import gifts, history, terms
from highstreet_points_club.models import Entry, Lot
from highstreet_points_club.rules import place, programme
from highstreet_tenants.scopes import SYSTEM, Actor
from highstreet_tenants.sessions import ScopedSession

from .conftest import FREE, NAME, Shop

CASHIER = Actor("user", uuid4(), "Cash Ier")


def balance(shop: Shop, s: ScopedSession, who: Any) -> int:
    return history.balance(shop.ctx(s), who.id).balance


def at(moment: str) -> Any:
    return time_machine.travel(datetime.fromisoformat(moment).replace(tzinfo=UTC), tick=False)


@pytest.fixture(params=["club", "shops"])
def brand(request: pytest.FixtureRequest, shop: Shop) -> Any:
    """A brand that owns its customers, and one whose stores do."""
    found = getattr(shop, request.param)
    shop.set_up(found, welcome_points=50, birthday_points=30)
    return found


def test_who_joins_at_the_till_is_welcome_once(shop: Shop, brand: Any) -> None:
    with shop.session(brand, actor=CASHIER) as s:
        ann = shop.member(s, "Ann")
        assert balance(shop, s, ann) == 50
        gifts.welcome(shop.ctx(s), [ann])  # the hook may be called twice
        assert balance(shop, s, ann) == 50
        lot = s.query(Lot).one()
        assert lot.at_store_id == brand.stores[0].id  # it owes them
        told = timeline.read(s, ann.id).entries
        assert any(one.kind == "points-welcome" for one in told)
    shop.sound(brand)


def test_who_comes_in_a_file_is_not(shop: Shop, brand: Any) -> None:
    with shop.session(brand, actor=SYSTEM) as s:
        assert balance(shop, s, shop.member(s, "Ann")) == 0


def test_a_welcome_may_bring_a_reward_at_once(shop: Shop) -> None:
    shop.set_up(shop.club, welcome_points=10, rewards=[FREE])
    with shop.session(shop.club, actor=CASHIER) as s:
        ann = shop.member(s, "Ann")
        found = history.balance(shop.ctx(s), ann.id)
        assert (found.balance, [one.name for one in found.rewards]) == (0, ["Free sandwich"])
    shop.sound(shop.club)


def test_the_store_whose_programme_differs_gives_its_own(shop: Shop) -> None:
    shop.set_up(shop.club, welcome_points=50)
    with shop.session(shop.club, 1) as s:
        settings.put(s, NAME, {"welcome_points": 7}, valid_from=datetime(2020, 1, 1, tzinfo=UTC))
    with shop.session(shop.club, 1, actor=CASHIER) as s:
        assert balance(shop, s, shop.member(s, "Ann")) == 7


def test_a_birthday_comes_once_a_year(shop: Shop, brand: Any) -> None:
    with at("2026-05-01T12:00"), shop.session(brand) as s:
        ann = shop.member(s, "Ann", birthday=date(1990, 5, 20))
        shop.member(s, "Bo", birthday=date(1990, 6, 2))
        shop.member(s, "Cy")
    for moment in ("2026-05-19T22:59", "2026-05-19T23:01", "2026-05-20T09:00", "2026-05-26T09:00"):
        with at(moment), shop.session(brand) as s:  # London: 20 May begins at 23:00 UTC
            gifts.birthdays(shop.ctx(s))
            assert balance(shop, s, ann) == (0 if moment == "2026-05-19T22:59" else 30)
            assert len(s.query(Entry).all()) == (0 if moment == "2026-05-19T22:59" else 1)
    with at("2027-05-20T09:00"), shop.session(brand) as s:
        gifts.birthdays(shop.ctx(s))
        assert balance(shop, s, ann) == 60
    shop.sound(brand)


def test_it_comes_late_where_the_machine_was_off_and_not_for_birthdays_before_joining(
    shop: Shop, brand: Any
) -> None:
    with at("2026-05-01T12:00"), shop.session(brand) as s:
        ann = shop.member(s, "Ann", birthday=date(1990, 5, 20))
    with at("2026-05-22T12:00"), shop.session(brand) as s:
        bo = shop.member(s, "Bo", birthday=date(1990, 5, 20))
        gifts.birthdays(shop.ctx(s))
        assert (balance(shop, s, ann), balance(shop, s, bo)) == (30, 0)
    with at("2026-05-28T12:00"), shop.session(brand) as s:
        gifts.birthdays(shop.ctx(s))
        assert (balance(shop, s, ann), balance(shop, s, bo)) == (30, 0)


@pytest.mark.parametrize(
    ("moment", "given"),
    [("2027-02-27T12:00", 0), ("2027-02-28T12:00", 30), ("2028-02-28T12:00", 0),
     ("2028-02-29T12:00", 30)],
)  # fmt: skip
def test_the_29th_of_february_is_kept_on_the_28th(shop: Shop, moment: str, given: int) -> None:
    shop.set_up(shop.club, birthday_points=30)
    with at("2026-05-01T12:00"), shop.session(shop.club) as s:
        ann = shop.member(s, "Ann", birthday=date(1992, 2, 29))
    with at(moment), shop.session(shop.club) as s:
        gifts.birthdays(shop.ctx(s))
        assert balance(shop, s, ann) == given


def test_one_person_has_one_birthday_whatever_records_there_were(shop: Shop) -> None:
    shop.set_up(shop.club, birthday_points=30)
    with at("2026-05-01T12:00"), shop.session(shop.club) as s:
        ann = shop.member(s, "Ann", birthday=date(1990, 5, 20))
        two = shop.member(s, "Ann again", birthday=date(1990, 5, 20))
    with at("2026-05-20T12:00"), shop.session(shop.club) as s:
        gifts.birthdays(shop.ctx(s))
    with shop.operator(shop.club) as s:
        customers.merge(s, ann.id, two.id)
    with at("2026-05-21T12:00"), shop.session(shop.club) as s:
        assert balance(shop, s, ann) == 60  # two people until then, for all anybody knew
        gifts.birthdays(shop.ctx(s))
        assert balance(shop, s, ann) == 60
    with at("2027-05-20T12:00"), shop.session(shop.club) as s:
        gifts.birthdays(shop.ctx(s))
        assert balance(shop, s, ann) == 90
    shop.sound(shop.club)


def test_the_other_stores_members_are_the_other_stores(shop: Shop, brand: Any) -> None:
    with at("2026-05-01T12:00"), shop.session(brand, 1) as s:
        ann = shop.member(s, "Ann", birthday=date(1990, 5, 20))
    with at("2026-05-20T12:00"):
        with shop.session(brand, 0) as s:
            gifts.birthdays(shop.ctx(s))
        with shop.session(brand, 1) as s:
            assert balance(shop, s, ann) == 0
            gifts.birthdays(shop.ctx(s))
            assert balance(shop, s, ann) == 30
            assert s.query(Lot).one().at_store_id == brand.stores[1].id


def test_a_big_store_is_worked_through_in_pieces(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gifts, "CHUNK", 3)
    shop.set_up(shop.club, birthday_points=30)
    with at("2026-05-01T12:00"), shop.session(shop.club) as s:
        for number in range(7):
            shop.member(s, f"Ann {number}", birthday=date(1990, 5, 20))
            shop.member(s, f"Bo {number}", birthday=date(1990, 5, 18))
    turns, after = 0, None
    with at("2026-05-20T12:00"), shop.session(shop.club) as s:
        while turns == 0 or after is not None:
            after = gifts.birthdays(shop.ctx(s), after)
            turns += 1
        assert len(s.query(Entry).all()) == 14
        assert turns >= 3


def test_the_programme_says_so(shop: Shop, brand: Any) -> None:
    with shop.session(brand) as s:
        ctx = ctx_of(s, NAME)
        said = terms.shown(programme(ctx), place(ctx))["terms"]
    assert "Who joins gets 50 points." in said
    assert "Members get 30 points on their birthday." in said
