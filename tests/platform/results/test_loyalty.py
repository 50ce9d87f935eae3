"""Who comes back to a store, and how much of its sales hangs on a few."""

from datetime import timedelta
from typing import Any

import pytest

from highstreet.customers import service as customers
from highstreet.purchases import service as purchases
from highstreet.purchases.facts import ReturnIn
from highstreet.results import loyalty, queries
from highstreet.results.periods import Period

from .conftest import DAY, ZONE, buy, noon, open_shop

WEEK = Period(DAY - timedelta(days=6), DAY)


def repeat(s: Any, period: Period = WEEK) -> loyalty.Repeat:
    return loyalty.repeat(s, s.store_id, period)


def test_two_days_are_a_repeat_and_two_receipts_of_a_day_are_not(house: Any, shop: Any) -> None:
    with open_shop(house, shop) as s:
        often, once, never = (customers.enrol(s, name=n).id for n in ("Often", "Once", "Never"))
        buy(s, noon(DAY), 100, "1", often)
        buy(s, noon(DAY - timedelta(days=2)), 100, "2", often)
        buy(s, noon(DAY), 100, "3", once)
        buy(s, noon(DAY), 100, "4", once)
        buy(s, noon(DAY), 100, "5")
        buy(s, noon(DAY - timedelta(days=30)), 100, "6", never)
        found = repeat(s)
    assert (found.members, found.again, found.rate) == (2, 1, 50.0)


def test_a_merged_record_is_one_person(house: Any, shop: Any) -> None:
    with open_shop(house, shop) as s:
        one, same = (customers.enrol(s, name=n).id for n in ("Maren", "Maren O"))
        buy(s, noon(DAY), 100, "1", one)
        buy(s, noon(DAY - timedelta(days=1)), 300, "2", same)
        assert repeat(s).again == 0
        customers.merge(s, one, same)
        assert (repeat(s).members, repeat(s).again) == (1, 1)
        assert loyalty.leaning(s, s.store_id, WEEK).first_minor == 400


def test_nobody_is_no_rate(house: Any, shop: Any) -> None:
    with open_shop(house, shop) as s:
        assert repeat(s).rate is None
        assert loyalty.leaning(s, s.store_id, WEEK) == loyalty.Leaning(0, 0, 0, 0, 0)


def test_another_store_is_not_counted(house: Any, shop: Any) -> None:
    with open_shop(house, shop, 1) as s:
        one = customers.enrol(s, name="Maren").id
        buy(s, noon(DAY), 100, "1", one)
        buy(s, noon(DAY - timedelta(days=1)), 100, "2", one)
    with open_shop(house, shop) as s:
        assert repeat(s).members == 0
        assert loyalty.leaning(s, s.store_id, WEEK).members == 0


def test_the_best_tenth_and_what_they_brought(house: Any, shop: Any) -> None:
    with open_shop(house, shop) as s:
        for n in range(20):
            one = customers.enrol(s, name=f"C{n}").id
            buy(s, noon(DAY), 1000 * (n + 1), f"{n}", one)
        purchases.record_return(s, ReturnIn(s.store_id, "r", "19", noon(DAY), 20_000))
        found = loyalty.leaning(s, s.store_id, WEEK)
    # The best brought all of it back, so the next two are the best tenth of nineteen.
    assert (found.members, found.best) == (19, 2)
    assert (found.first_minor, found.best_minor) == (19_000, 37_000)
    assert found.members_minor == sum(1000 * (n + 1) for n in range(19))


@pytest.mark.parametrize(("people", "best"), [(1, 1), (9, 1), (16, 2), (20, 2)])
def test_a_tenth_is_at_least_somebody(house: Any, shop: Any, people: int, best: int) -> None:
    with open_shop(house, shop) as s:
        for n in range(people):
            buy(s, noon(DAY), 100, f"{n}", customers.enrol(s, name=f"C{n}").id)
        assert loyalty.leaning(s, s.store_id, WEEK).best == best


def test_spans_count_nobody_twice_and_leave_gaps_out(house: Any, shop: Any) -> None:
    with open_shop(house, shop) as s:
        one = customers.enrol(s, name="Maren", at=noon(DAY)).id
        buy(s, noon(DAY), 100, "1", one)
        buy(s, noon(DAY - timedelta(days=1)), 200, "2", one)
        buy(s, noon(DAY - timedelta(days=10)), 400, "3", one)
        before = Period(DAY - timedelta(days=20), DAY - timedelta(days=14))
        gap, now = queries.spans(s, s.store_id, [before, WEEK], ZONE)
    assert (gap.on, gap.visits, gap.new_members) == (before.first, 0, 0)
    assert (now.visits, now.members, now.sales_minor, now.new_members) == (2, 1, 300, 1)
