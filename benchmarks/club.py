"""A store with a points club and members, and the sales that a till there records."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from itertools import count
from uuid import UUID

from benchmarks.brands import Brand, found_brand
from highstreet.customers.batch import enrol_batch
from highstreet.customers.facts import EnrolIn
from highstreet.customers.places import place
from highstreet.host import policy, settings
from highstreet.house import House
from highstreet.purchases import checks
from highstreet.purchases.facts import LineIn, PurchaseFact, PurchaseIn
from highstreet_tenants import clock
from highstreet_tenants.ids import new_id
from highstreet_tenants.scopes import Scope

CLUB = "points_club"
#: Points per dollar, and rewards on request: what a sale costs where it brings no reward.
PROGRAMME = {
    "accruals": [{"mode": "spend", "points": 1, "per_minor": 100}],
    "rewards": [{"key": "five-off", "name": "$5 off", "points": 500, "kind": "money",
                 "value_minor": 500}],
    "expiry": "month_end",
    "expiry_months": 18,
}  # fmt: skip


@dataclass(slots=True)
class Club:
    """One store of one brand, with members who have accounts."""

    house: House
    brand: Brand
    members: list[UUID]
    _random: random.Random = field(default_factory=lambda: random.Random(7))
    _receipts: count[int] = field(default_factory=lambda: count(1))

    @property
    def scope(self) -> Scope:
        """The till's."""
        return Scope.store(self.brand.id, self.brand.stores[0].id)

    def sale(self) -> PurchaseIn:
        """What the next member buys: two lines."""
        amount = self._random.randint(1_00, 90_00)
        lines = (
            LineIn(1, "10001", "GROCERY", 2, amount),
            LineIn(2, "10002", "PRODUCE", 1, 1_50),
        )
        return PurchaseIn(
            self.brand.stores[0].id,
            f"R{next(self._receipts)}",
            clock.now(),
            amount + 1_50,
            "USD",
            self._random.choice(self.members),
            lines,
        )

    def facts(self, number: int) -> list[PurchaseFact]:
        """The next sales as the core hands them to tools."""
        with self.house.tenancy.session(self.scope) as s:
            at = place(s, self.brand.stores[0].id)
            return [
                checks.purchase(self.sale(), at, clock.now(), new_id(), s.scope.actor)
                for _one in range(number)
            ]


def open_club(house: House, members: int = 400) -> Club:
    """Found a brand with one store, switch the points club on, enrol members."""
    brand = found_brand(house.tenancy)
    with house.tenancy.session(Scope.brand(brand.row), write=True) as s:
        policy.set_policy(s, CLUB, "required")
        settings.put(s, CLUB, PROGRAMME)
    store = brand.stores[0].id
    with house.tenancy.session(Scope.operator(brand.id), write=True) as s:
        done = enrol_batch(
            s, [EnrolIn(store, f"Member {n}", card=f"C{n:08d}") for n in range(members)]
        )
    return Club(house, brand, [one for one in done.ids if one is not None])
