"""A store with sales on a day in May."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from highstreet.purchases import service as purchases
from highstreet.purchases.facts import PurchaseIn
from highstreet_tenants.scopes import Scope

ZONE = "Europe/London"
DAY = date(2026, 5, 13)


@pytest.fixture
def shop(house: Any, two_brands: Any) -> Any:
    """Quarry's first store, where customers are the store's."""
    return two_brands[1]


def open_shop(house: Any, shop: Any, number: int = 0) -> Any:
    scope = Scope.store(shop.id, shop.stores[number].id)
    return house.tenancy.session(scope, write=True)


def buy(s: Any, at: datetime, minor: int, ref: str, who: Any = None) -> None:
    given = PurchaseIn(s.store_id, ref, at, minor, "GBP", customer_id=who)
    purchases.record(s, given)


def noon(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, 12, tzinfo=UTC)
