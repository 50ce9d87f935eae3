"""A franchise with people in it, seen through a browser: whole application, both databases."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from highstreet.customers import service as customers
from highstreet.host import policy, settings
from highstreet.purchases import service as purchases
from highstreet.purchases.facts import PurchaseIn
from highstreet_tenants import clock
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.people.tree import Node
from highstreet_tenants.scopes import Scope
from people_site import Browser, Site

CLUB = "points_club"
PROGRAMME = {
    "rewards": [
        {"key": "coffee", "name": "Coffee", "points": 10},
        {"key": "lunch", "name": "Lunch for two", "points": 50},
    ]
}


@dataclass
class Front:
    """Two brands, "harbour" (one club) and "quarry" (each store its own customers), and who works
    there. `browsers` are signed in by role: clerk, owner, head; each at the first store or brand.
    """

    site: Site
    brands: list[Any]

    def scope(self, brand: int, store: int = 0) -> Scope:
        it = self.brands[brand]
        return Scope.store(it.id, it.stores[store].id)

    def session(self, brand: int, store: int = 0, write: bool = False) -> Any:
        return self.site.tenancy.session(self.scope(brand, store), write=write)

    def office(self, brand: int, write: bool = False) -> Any:
        with self.site.tenancy.control() as c:
            row = c.get_one(Brand, self.brands[brand].id)
        return self.site.tenancy.session(Scope.brand(row), write=write)

    def node(self, brand: int, store: int | None = None) -> Node:
        it = self.brands[brand]
        with self.site.tenancy.session(Scope.operator(it.id)) as s:
            row = s.get_one(Brand, it.id)
            shop = None if store is None else s.get_one(Store, (it.id, it.stores[store].id))
            return Node.of(row, shop)

    def person(self, name: str, role: str, brand: int, store: int | None = 0) -> Browser:
        """A browser signed in as somebody new with a role."""
        email = self.site.person(name, (role, self.node(brand, store)))
        return self.site.browser(email)

    def store(self, brand: int, store: int = 0) -> str:
        """Address of a store's console."""
        it = self.brands[brand]
        return f"/store/{it.slug}/{it.stores[store].slug}"

    def head(self, brand: int) -> str:
        """Address of a head office's console."""
        return f"/office/{self.brands[brand].slug}"

    def enrol(self, brand: int, store: int = 0, **who: Any) -> UUID:
        with self.session(brand, store, write=True) as s:
            return customers.enrol(s, **who).id

    def buy(
        self,
        brand: int,
        customer: UUID | None,
        minor: int,
        ref: str,
        store: int = 0,
        at: Any = None,
    ) -> UUID:
        it = self.brands[brand].stores[store]
        given = PurchaseIn(it.id, ref, at or clock.now(), minor, "GBP", customer_id=customer)
        with self.session(brand, store, write=True) as s:
            return purchases.record(s, given).purchase.id


@pytest.fixture
def front(app: Any, two_brands: list[Any]) -> Front:
    """The application with two brands; no tool is on."""
    return Front(Site(app), two_brands)


@pytest.fixture
def club(front: Front) -> Iterator[Front]:
    """The same with the points club required in both brands: a point for each whole pound."""
    for number in range(2):
        with front.office(number, write=True) as s:
            policy.set_policy(s, CLUB, "required")
            settings.put(s, CLUB, PROGRAMME)
    yield front


@pytest.fixture
def clerk(front: Front) -> Browser:
    """Till staff of harbour's first store."""
    return front.person("clara", "till_staff", 0)


@pytest.fixture
def owner(front: Front) -> Browser:
    """Owner of harbour's first store."""
    return front.person("olga", "store_owner", 0)


@pytest.fixture
def shopkeeper(front: Front) -> Browser:
    """Owner of quarry's first store, where customers are the store's."""
    return front.person("sam", "store_owner", 1)


@pytest.fixture
def manager(front: Front) -> Browser:
    """Head-office manager of harbour."""
    return front.person("hana", "head_office_manager", 0, None)
