"""Points that lapse when their member stays away, and what keeps them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from highstreet.host import settings
from highstreet.purchases import service as purchases
from highstreet_points_club import corrections, history, lapse, liability, merging, rewards
from highstreet_points_club.models import Account, Lot
from highstreet_tenants.sessions import ScopedSession

from .conftest import COFFEE, FREE, NAME, Shop

#: A Monday at noon in London; six months later is 4 November, whose end is midnight in winter time.
START = datetime(2026, 5, 4, 11, tzinfo=UTC)
LAST_DAY = date(2026, 11, 4)
GONE = datetime(2026, 11, 5, tzinfo=UTC)


@pytest.fixture
def half_a_year(shop: Shop, time_machine_: Any) -> Shop:
    time_machine_.move_to(START)
    shop.set_up(shop.club, idle_months=6, rewards=[COFFEE])
    return shop


def balance(shop: Shop, s: ScopedSession, who: UUID) -> int:
    return history.balance(shop.ctx(s), who).balance


def test_who_stays_away_is_told_the_day_and_then_loses_them(
    half_a_year: Shop, time_machine_: Any
) -> None:
    shop = half_a_year
    with shop.session(shop.club) as s:
        ctx, who = shop.ctx(s), shop.member(s)
        shop.buy(s, who.id, 10000)
        assert history.balance(ctx, who.id).lapsing == (), "half a year is not soon"
        time_machine_.move_to(GONE - timedelta(days=20))
        assert history.balance(ctx, who.id).lapsing == ((100, LAST_DAY, True),)
        assert liability.lapsing(ctx, timedelta(days=30)) == (1, 100)
        assert liability.lapsing(ctx, timedelta(days=10)) == (0, 0)
        time_machine_.move_to(GONE - timedelta(seconds=1))
        assert lapse.sweep(ctx).points == 0
        assert history.balance(ctx, who.id).spendable == 100
        time_machine_.move_to(GONE)
        assert balance(shop, s, who.id) == 0, "before the sweep came by"
        assert liability.by_store(ctx) == []
        with pytest.raises(rewards.NotEnoughPoints):
            rewards.redeem_now(ctx, who.id, "coffee")
        time_machine_.move_to(GONE + timedelta(days=3))
        assert lapse.sweep(ctx)[:2] == (1, 100)
        assert lapse.sweep(ctx)[:2] == (0, 0)
        told = history.statement(ctx, who.id)[-1]
        assert (told.kind, told.points, told.at) == ("expire", -100, GONE)
    shop.sound(shop.club)


@pytest.mark.parametrize("what", ["earns", "earns nothing", "redeems", "takes what waits"])
def test_every_visit_keeps_them(half_a_year: Shop, time_machine_: Any, what: str) -> None:
    shop = half_a_year
    shop.set_up(shop.club, rewards=[COFFEE, FREE | {"points": 300}])
    with shop.session(shop.club) as s:
        ctx, who = shop.ctx(s), shop.member(s)
        shop.buy(s, who.id, 45000)
        time_machine_.move_to(GONE - timedelta(days=30))
        left = {"earns": 160, "earns nothing": 150, "redeems": 70, "takes what waits": 150}[what]
        if what == "earns":
            shop.buy(s, who.id, 1000)
        elif what == "earns nothing":
            shop.buy(s, who.id, 99)
        elif what == "redeems":
            rewards.redeem_now(ctx, who.id, "coffee")
        else:
            (waiting,) = history.balance(ctx, who.id).rewards
            rewards.redeem(ctx, waiting.id)
        time_machine_.move_to(GONE + timedelta(days=100))
        assert lapse.sweep(ctx).points == 0
        assert balance(shop, s, who.id) == left
    shop.sound(shop.club)


def test_a_visit_in_another_store_keeps_them(half_a_year: Shop, time_machine_: Any) -> None:
    shop = half_a_year
    with shop.session(shop.club, 0) as s:
        who = shop.member(s)
        shop.buy(s, who.id, 10000)
    time_machine_.move_to(GONE - timedelta(days=1))
    with shop.session(shop.club, 1) as s:
        shop.buy(s, who.id, 500)
    time_machine_.move_to(GONE)
    with shop.session(shop.club, 0) as s:
        assert balance(shop, s, who.id) == 105


@pytest.mark.parametrize("batch", [False, True])
def test_who_comes_back_too_late_begins_anew(
    half_a_year: Shop, time_machine_: Any, batch: bool
) -> None:
    """No sweep has been by: the purchase itself finds that the old points are gone."""
    shop = half_a_year
    with shop.session(shop.club) as s:
        ctx, who = shop.ctx(s), shop.member(s)
        shop.buy(s, who.id, 10000)
        time_machine_.move_to(GONE + timedelta(days=9))
        if batch:
            basket = [shop.purchase(s, who.id, 700), shop.purchase(s, None, 100)]
            purchases.record_batch(s, basket)
        else:
            shop.buy(s, who.id, 700)
        told = [(line.kind, line.points, line.at) for line in history.statement(ctx, who.id)]
        assert told[1] == ("expire", -100, GONE)
        assert told[2][:2] == ("earn", 7)
        assert balance(shop, s, who.id) == 7
    shop.sound(shop.club)


def test_a_late_upload_of_a_visit_in_time_saves_what_is_not_yet_booked(
    half_a_year: Shop, time_machine_: Any
) -> None:
    shop = half_a_year
    with shop.session(shop.club) as s:
        who = shop.member(s)
        shop.buy(s, who.id, 10000)
        time_machine_.move_to(GONE + timedelta(hours=2))
        assert balance(shop, s, who.id) == 0
        shop.buy(s, who.id, 300, at=GONE - timedelta(hours=9))
        assert balance(shop, s, who.id) == 103
    shop.sound(shop.club)


def test_points_from_before_the_rule_keep_their_terms(shop: Shop, time_machine_: Any) -> None:
    time_machine_.move_to(START)
    with shop.session(shop.club) as s:
        who = shop.member(s)
        shop.buy(s, who.id, 5000)
    time_machine_.move_to(START + timedelta(days=1))
    with shop.operator(shop.club) as s:
        settings.put(s, NAME, {"idle_months": 1})
    with shop.session(shop.club) as s:
        shop.buy(s, who.id, 700)
        time_machine_.move_to(START + timedelta(days=300))
        assert lapse.sweep(shop.ctx(s)).points == 7
        assert balance(shop, s, who.id) == 50
    shop.sound(shop.club)


def test_a_shorter_time_does_not_move_a_promised_day_forward(
    half_a_year: Shop, time_machine_: Any
) -> None:
    shop = half_a_year
    with shop.session(shop.club) as s:
        who = shop.member(s)
        shop.buy(s, who.id, 5000)
    time_machine_.move_to(START + timedelta(days=10))
    with shop.operator(shop.club) as s:
        settings.put(s, NAME, {"idle_months": 1})
    with shop.session(shop.club) as s:
        shop.buy(s, who.id, 700)
        assert s.query(Account).one().idle_at == GONE
        time_machine_.move_to(GONE - timedelta(hours=1))
        assert balance(shop, s, who.id) == 57
        shop.buy(s, who.id, 100)  # from this visit on the shorter time counts
        assert s.query(Account).one().idle_at == datetime(2026, 12, 5, tzinfo=UTC)


def test_given_up_the_rule_lets_go_of_who_comes(half_a_year: Shop, time_machine_: Any) -> None:
    shop = half_a_year
    with shop.session(shop.club) as s:
        who, other = shop.member(s, "A"), shop.member(s, "B")
        for one in (who, other):
            shop.buy(s, one.id, 5000)
    time_machine_.move_to(START + timedelta(days=10))
    with shop.operator(shop.club) as s:
        settings.put(s, NAME, {"idle_months": 0})
    with shop.session(shop.club) as s:
        shop.buy(s, who.id, 700)
        time_machine_.move_to(GONE + timedelta(days=1))
        assert lapse.sweep(shop.ctx(s)).points == 50
        assert (balance(shop, s, who.id), balance(shop, s, other.id)) == (57, 0)
    shop.sound(shop.club)


def test_a_fixed_end_that_comes_first_counts(shop: Shop, time_machine_: Any) -> None:
    shop.set_up(shop.club, idle_months=6, expiry="days", expiry_days=10)
    time_machine_.move_to(START)
    with shop.session(shop.club) as s:
        ctx, who = shop.ctx(s), shop.member(s)
        shop.buy(s, who.id, 5000)
        assert history.balance(ctx, who.id).lapsing == ((50, date(2026, 5, 14), False),)
        time_machine_.move_to(START + timedelta(days=20))
        assert balance(shop, s, who.id) == 0


def test_corrections_are_no_visit_but_promise_a_day(half_a_year: Shop, time_machine_: Any) -> None:
    shop = half_a_year
    with shop.session(shop.club) as s:
        ctx, who = shop.ctx(s), shop.member(s)
        corrections.adjust(ctx, who.id, 30, "A present")
        assert s.query(Account).one().idle_at == GONE
        assert s.query(Lot).one().idle
        time_machine_.move_to(GONE)
        assert lapse.sweep(ctx).points == 30


def test_of_two_merged_records_the_later_day_counts(half_a_year: Shop, time_machine_: Any) -> None:
    shop = half_a_year
    with shop.session(shop.club) as s:
        ctx = shop.ctx(s)
        kept, gone = shop.member(s, "A"), shop.member(s, "B")
        shop.buy(s, kept.id, 5000)
        time_machine_.move_to(START + timedelta(days=40))
        shop.buy(s, gone.id, 700)
        days = {a.customer_id: a.idle_at for a in s.query(Account)}
        merging.merge(ctx, kept, gone)
    with shop.session(shop.club) as s:
        found = {a.customer_id: a.idle_at for a in s.query(Account)}
        assert found == {kept.id: days[gone.id], None: None}
        time_machine_.move_to(GONE)
        assert balance(shop, s, kept.id) == 57
    shop.sound(shop.club)


def test_a_club_without_the_rule_writes_no_day(shop: Shop) -> None:
    with shop.session(shop.club) as s:
        who = shop.member(s)
        shop.buy(s, who.id, 5000)
        shop.buy(s, who.id, 20)
        assert s.query(Account).one().idle_at is None
        assert not s.query(Lot).one().idle
