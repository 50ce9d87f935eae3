"""Points that lapse when their member stays away, and what keeps them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from highstreet.customers import service as customers
from highstreet.host import settings
from highstreet.purchases import service as purchases
from highstreet.timeline.models import TimelineEntry
from highstreet_points_club import (
    corrections,
    history,
    lapse,
    liability,
    merging,
    returns,
    rewards,
)
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


LATE = GONE + timedelta(days=3)
IN_TIME = GONE - timedelta(days=9)


def told(shop: Shop, s: ScopedSession, who: UUID) -> list[tuple[str, int]]:
    return [(line.kind, line.points) for line in history.statement(shop.ctx(s), who)]


@pytest.mark.parametrize("pounds", [3, 0])
@pytest.mark.parametrize("batch", [False, True])
def test_a_visit_in_time_that_is_sent_late_brings_back_what_lapsed(
    half_a_year: Shop, time_machine_: Any, pounds: int, batch: bool
) -> None:
    """A till was offline: the member was there, whether the purchase earned or not."""
    shop = half_a_year
    with shop.session(shop.club) as s:
        ctx, who = shop.ctx(s), shop.member(s)
        shop.buy(s, who.id, 10000)
        time_machine_.move_to(LATE)
        assert lapse.sweep(ctx).points == 100
        assert balance(shop, s, who.id) == 0
        sent = shop.purchase(s, who.id, pounds * 100 + 50, at=IN_TIME, ref="offline")
        for _again in range(2):
            purchases.record_batch(s, [sent, shop.purchase(s, None, 100)]) if batch else (
                purchases.record(s, sent)
            )
        lines = [("earn", 100), ("expire", -100), ("revive", 100)]
        assert told(shop, s, who.id) == lines + [("earn", pounds)] * bool(pounds)
        assert balance(shop, s, who.id) == 100 + pounds
        assert rewards.redeem_now(ctx, who.id, "coffee").points == 80
        back = [one for one in s.query(TimelineEntry) if one.kind == "points-revived"]
        assert [one.data for one in back] == [{"points": 100}]
        time_machine_.move_to(IN_TIME + timedelta(days=200))
        assert balance(shop, s, who.id) == 0, "half a year after the last visit of all"
    shop.sound(shop.club)


def test_nothing_comes_back_by_a_visit_that_was_too_late_or_promised_less(
    half_a_year: Shop, time_machine_: Any
) -> None:
    shop = half_a_year
    with shop.session(shop.club) as s:
        ctx, who = shop.ctx(s), shop.member(s)
        shop.buy(s, who.id, 10000)
        time_machine_.move_to(LATE)
        assert lapse.sweep(ctx).points == 100
        shop.buy(s, who.id, 100, at=GONE)  # its very moment is too late
        shop.buy(s, who.id, 100, at=START - timedelta(days=9))  # good until before the lapse
        assert told(shop, s, who.id)[1:] == [("expire", -100), ("earn", 1), ("earn", 1)]
    shop.sound(shop.club)


def test_only_what_lapsed_comes_back(half_a_year: Shop, time_machine_: Any) -> None:
    """Spent points, points of their own last day and points of debts do not."""
    shop = half_a_year
    with shop.operator(shop.club) as s:
        settings.put(s, NAME, {"expiry": "days", "expiry_days": 30, "idle_months": 6})
    with shop.session(shop.club) as s:
        ctx, who = shop.ctx(s), shop.member(s)
        shop.buy(s, who.id, 1000)  # these end by themselves
    with shop.operator(shop.club) as s:
        settings.put(s, NAME, {"expiry": "never"})
    time_machine_.shift(60)
    with shop.session(shop.club) as s:
        ctx = shop.ctx(s)
        shop.buy(s, who.id, 15000)
        rewards.redeem_now(ctx, who.id, "coffee")  # 10 of the first, 70 of the others
        time_machine_.move_to(LATE)
        assert lapse.sweep(ctx).points == 80
        corrections.adjust(ctx, who.id, -30, "A slip")
        assert balance(shop, s, who.id) == -30
        shop.buy(s, who.id, 100, at=IN_TIME)
        assert told(shop, s, who.id)[-3:] == [("adjust", -30), ("revive", 80), ("earn", 1)]
        assert balance(shop, s, who.id) == 51
    shop.sound(shop.club)


def test_a_visit_between_does_not_keep_them_from_coming_back(
    half_a_year: Shop, time_machine_: Any
) -> None:
    """The member came again, and began anew, before the offline till was heard of."""
    shop = half_a_year
    with shop.session(shop.club) as s:
        who = shop.member(s)
        shop.buy(s, who.id, 10000)
        time_machine_.move_to(LATE)
        shop.buy(s, who.id, 500)
        assert balance(shop, s, who.id) == 5
        shop.buy(s, who.id, 300, at=IN_TIME)
        assert balance(shop, s, who.id) == 108
        account = s.query(Account).one()
        assert account.idle_at == datetime(2027, 5, 8, 23, tzinfo=UTC), "the later promise holds"
    shop.sound(shop.club)


def test_what_comes_back_brings_the_reward_it_reaches(
    half_a_year: Shop, time_machine_: Any
) -> None:
    shop = half_a_year
    shop.set_up(shop.club, idle_months=6, rewards=[FREE | {"points": 102}])
    with shop.session(shop.club) as s:
        ctx, who = shop.ctx(s), shop.member(s)
        shop.buy(s, who.id, 10000)
        time_machine_.move_to(LATE)
        assert lapse.sweep(ctx).points == 100
        shop.buy(s, who.id, 300, at=IN_TIME)
        standing = history.balance(ctx, who.id)
        assert (standing.balance, [one.key for one in standing.rewards]) == (1, ["free"])
    shop.sound(shop.club)


@pytest.mark.parametrize("at", [0, 1], ids=["here", "elsewhere"])
def test_what_lapsed_of_goods_that_came_back_stays_lapsed(
    half_a_year: Shop, time_machine_: Any, at: int
) -> None:
    """Else the offline till would give points for goods that are back on the shelf."""
    shop = half_a_year
    with shop.session(shop.club) as s:
        ctx, who = shop.ctx(s), shop.member(s)
        goods, kept = shop.buy(s, who.id, 10000), shop.buy(s, who.id, 700)
        assert kept
        rewards.redeem_now(ctx, who.id, "coffee")
    time_machine_.move_to(LATE)
    with shop.session(shop.club) as s:
        assert lapse.sweep(shop.ctx(s)).points == 27
        back = shop.bring_back(s, goods)
        assert returns.reverse(shop.ctx(s), back.returned).points == 0, "told again"
        assert balance(shop, s, who.id) == -80, "what was spent is owed"
    with shop.session(shop.club, at) as s:
        shop.buy(s, who.id, 300, at=IN_TIME)
        assert told(shop, s, who.id)[-2:] == [("revive", 7), ("earn", 3)]
        assert balance(shop, s, who.id) == -70
    shop.sound(shop.club)


def test_what_lapsed_before_two_records_were_merged_comes_back(
    half_a_year: Shop, time_machine_: Any
) -> None:
    shop = half_a_year
    with shop.session(shop.club) as s:
        ctx = shop.ctx(s)
        kept, gone = shop.member(s, "A"), shop.member(s, "B")
        shop.buy(s, kept.id, 5000)
        shop.buy(s, gone.id, 700)
        time_machine_.move_to(LATE)
        assert lapse.sweep(ctx).points == 57
        customers.merge(s, kept.id, gone.id)
        shop.buy(s, gone.id, 100, at=IN_TIME)
        assert balance(shop, s, kept.id) == 58
    shop.sound(shop.club)
    with shop.session(shop.club) as s:
        customers.unmerge(s, gone.id)
        assert (balance(shop, s, kept.id), balance(shop, s, gone.id)) == (51, 7)
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
