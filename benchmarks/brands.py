"""A brand to measure on, made by the product's own models."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from highstreet_tenants import models
from highstreet_tenants.ids import new_id
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import Tenancy


@dataclass(frozen=True, slots=True)
class Store:
    """One store."""

    id: UUID
    code: str


@dataclass(frozen=True, slots=True)
class Brand:
    """One brand with its stores."""

    row: models.Brand
    owner_id: UUID
    stores: tuple[Store, ...]

    @property
    def id(self) -> UUID:
        """The brand's id."""
        return self.row.id


def found_brand(
    tenancy: Tenancy,
    slug: str = "bench",
    customers: str = "brand",
    stores: int = 1,
    brand_id: UUID | None = None,
) -> Brand:
    """A new brand with so many stores, all in one zone and currency."""
    with tenancy.control(write=True) as c:
        row = models.Brand(
            id=brand_id or new_id(),
            slug=slug,
            name=slug.title(),
            currency="USD",
            locale="en_US",
            zone="America/Chicago",
            customers=customers,
        )
        c.add(row)
    made: list[Store] = []
    with tenancy.session(Scope.operator(row.id), write=True) as s:
        owner = models.Owner(
            brand_id=row.id, id=new_id(), slug="o", name="Owner", legal_name="Owner Ltd"
        )
        s.add(owner)
        s.flush()
        for number in range(1, stores + 1):
            store = models.Store(
                brand_id=row.id,
                id=new_id(),
                slug=f"store-{number}",
                code=str(number),
                name=f"Store {number}",
                owner_id=owner.id,
                zone="America/Chicago",
                currency="USD",
                locale="en_US",
                address={"country": "US"},
            )
            s.add(store)
            made.append(Store(store.id, store.code))
    return Brand(row, owner.id, tuple(made))
