"""A store's days, counted from its purchases."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from highstreet.customers import service as customers
from highstreet.kit.brands import make_brand
from highstreet.purchases import service as purchases
from highstreet.purchases.facts import ReturnIn
from highstreet.results import aggregates as registered
from highstreet.results import queries
from highstreet_tenants import aggregates
from highstreet_tenants.errors import WallBreach
from highstreet_tenants.scopes import Scope

from .conftest import DAY, ZONE, buy, noon, open_shop


def test_a_day_counts_members_and_others_net_of_returns(house: Any, shop: Any) -> None:
    with open_shop(house, shop) as s:
        anna = customers.enrol(s, name="Anna", at=noon(DAY)).id
        old = customers.enrol(s, name="Otto", at=noon(DAY - timedelta(days=90))).id
        buy(s, noon(DAY), 1000, "1", anna)
        buy(s, noon(DAY), 500, "2", anna)
        buy(s, noon(DAY), 2000, "3", old)
        buy(s, noon(DAY), 700, "4")
        purchases.record_return(s, ReturnIn(s.store_id, "r-1", "3", noon(DAY), 500))
        found = queries.days(s, s.store_id, [DAY], ZONE)[DAY]
    assert (found.visits, found.member_visits, found.members) == (4, 3, 2)
    assert (found.sales_minor, found.member_sales_minor) == (3700, 3000)
    assert found.new_members == 1
    assert (found.member_basket_minor, found.other_basket_minor) == (1000, 700)


def test_a_day_without_sales_is_there_and_empty(house: Any, shop: Any) -> None:
    with open_shop(house, shop) as s:
        found = queries.days(s, s.store_id, [DAY, DAY - timedelta(days=7)], ZONE)
    assert [one.visits for one in found.values()] == [0, 0]
    assert found[DAY].member_basket_minor is None


def test_days_are_the_stores_own(house: Any, shop: Any) -> None:
    """Half past midnight in summer London is still the day before in UTC."""
    with open_shop(house, shop) as s:
        late = datetime(2026, 5, 12, 23, 30, tzinfo=UTC)
        customers.enrol(s, name="Night owl", at=late)
        buy(s, late, 100, "1")
        found = queries.days(s, s.store_id, [DAY, DAY - timedelta(days=1)], ZONE)
    assert (found[DAY].visits, found[DAY].new_members) == (1, 1)
    assert found[DAY - timedelta(days=1)].visits == 0


def test_another_stores_sales_are_not_counted(house: Any, shop: Any) -> None:
    with open_shop(house, shop, 1) as s:
        buy(s, noon(DAY), 9900, "1")
    with open_shop(house, shop) as s:
        assert queries.days(s, s.store_id, [DAY], ZONE)[DAY].visits == 0
        assert queries.latest_day(s, s.store_id, DAY + timedelta(days=1)) is None


def test_the_usual_day_is_the_mean_of_those_that_were_open() -> None:
    days = [
        queries.Day(DAY, 1000, 4, 600, 2, 2, 1),
        queries.Day(DAY, 3000, 8, 1800, 4, 4, 3),
        queries.Day(DAY),
    ]
    usual = queries.usual(days)
    assert (usual.days, usual.sales_minor, usual.member_visits) == (2, 2000, 3)
    assert (usual.member_basket_minor, usual.new_members) == (400, 2)
    assert queries.usual([]).days == 0


def test_the_same_weekday_is_compared() -> None:
    assert {one.weekday() for one in queries.same_weekdays(DAY)} == {DAY.weekday()}
    assert queries.same_weekdays(DAY)[0] == DAY - timedelta(days=7)


def test_a_week_counts_nobody_twice_and_hides_few(house: Any, shop: Any) -> None:
    with open_shop(house, shop) as s:
        who = [customers.enrol(s, name=f"C{n}").id for n in range(5)]
        for n, one in enumerate(who):
            buy(s, noon(DAY), 1000, f"a{n}", one)
            buy(s, noon(DAY), 1000, f"b{n}", one)
    span = ((DAY, DAY), (DAY + timedelta(days=1), DAY + timedelta(days=1)))
    with house.tenancy.session(Scope.aggregate(shop.id)) as s:
        [cell] = aggregates.run(s, registered.BY_WEEK, weeks=span)
        assert (cell["people"], cell["member_visits"], cell["member_minor"]) == (5, 10, 10000)
        cells = aggregates.run(s, registered.BY_STORE, first=DAY, last=DAY)
        assert [one["store_id"] for one in cells] == [shop.stores[0].id]
    with open_shop(house, shop, 1) as s:
        one = customers.enrol(s, name="Alone").id
        buy(s, noon(DAY), 77700, "1", one)
    with house.tenancy.session(Scope.aggregate(shop.id)) as s:
        cells = {
            one["store_id"]: one
            for one in aggregates.run(s, registered.BY_STORE, first=DAY, last=DAY)
        }
    hidden = cells[shop.stores[1].id]
    assert (hidden["people"], hidden["minor"], hidden["currency"]) == (None, None, "GBP")


def test_a_hidden_store_is_not_told_by_the_sum_less_the_others(house: Any) -> None:
    shop = make_brand(house.tenancy, "mire", "store", stores=3)
    for number, many in enumerate((9, 6, 2)):
        with open_shop(house, shop, number) as s:
            for n in range(many):
                one = customers.enrol(s, name=f"C{number} {n}").id
                buy(s, noon(DAY), 1000, f"{number}-{n}", one)
    with house.tenancy.session(Scope.aggregate(shop.id)) as s:
        [whole] = aggregates.run(s, registered.BY_WEEK, weeks=((DAY, DAY),))
        cells = {
            one["store_id"]: one["minor"]
            for one in aggregates.run(s, registered.BY_STORE, first=DAY, last=DAY)
        }
    # With both others shown, 17,000 less 15,000 would be what two people spent.
    assert whole["minor"] == 17000
    assert [cells[store.id] for store in shop.stores] == [9000, None, None]


def test_a_hidden_week_is_not_told_by_the_sum_less_the_others(house: Any, shop: Any) -> None:
    days = [DAY + timedelta(weeks=n) for n in range(4)]
    with open_shop(house, shop) as s:
        who = [customers.enrol(s, name=f"C{n}").id for n in range(8)]
        for day, many in zip(days, (8, 7, 6, 1), strict=True):
            for n, one in enumerate(who[:many]):
                buy(s, noon(day), 1000, f"{day}-{n}", one)
    weeks = tuple((day, day) for day in days)
    with house.tenancy.session(Scope.aggregate(shop.id)) as s:
        cells = aggregates.run(s, registered.BY_WEEK, weeks=weeks)
    assert {one["week"]: one["minor"] for one in cells} == {0: 8000, 1: 7000, 2: None, 3: None}


def test_an_aggregate_scope_reads_no_rows(house: Any, shop: Any) -> None:
    import sqlalchemy as sa

    from highstreet.purchases.models import Purchase

    with house.tenancy.session(Scope.aggregate(shop.id)) as s, pytest.raises(WallBreach):
        s.scalars(sa.select(Purchase)).all()
