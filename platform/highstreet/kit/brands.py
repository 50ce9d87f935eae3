"""Brands to test with: a region, owners and stores, made in one go."""

from types import SimpleNamespace

from highstreet_tenants.models import Brand, Owner, Region, Store
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import Tenancy


def make_brand(
    tenancy: Tenancy, slug: str, customers: str, stores: int = 2, zone: str = "Europe/London"
) -> SimpleNamespace:
    """Facts of a new brand: id, slug, customers, region_id, stores (id, slug, code, owner_id).

    customers: "brand" (one club) or "store" (each store its own).
    """
    with tenancy.control(write=True) as c:
        brand = Brand(
            slug=slug,
            name=slug.title(),
            currency="GBP",
            locale="en_GB",
            zone=zone,
            customers=customers,
        )
        c.add(brand)
    facts = SimpleNamespace(id=brand.id, slug=slug, customers=customers, stores=[], row=brand)
    with tenancy.session(Scope.operator(brand.id), write=True) as s:
        region = Region(brand_id=brand.id, slug="coast", name="Coast")
        s.add(region)
        s.flush()
        facts.region_id = region.id
        for number in range(1, stores + 1):
            owner = Owner(
                brand_id=brand.id,
                slug=f"owner-{number}",
                name=f"O{number}",
                legal_name=f"O{number} Ltd",
            )
            s.add(owner)
            s.flush()
            store = Store(
                brand_id=brand.id,
                slug=f"{slug}-{number}",
                code=str(100 + number),
                name=f"{slug.title()} {number}",
                region_id=region.id,
                owner_id=owner.id,
                zone=zone,
                currency="GBP",
                locale="en_GB",
                address={"country_code": "GB"},
            )
            s.add(store)
            s.flush()
            facts.stores.append(
                SimpleNamespace(id=store.id, slug=store.slug, code=store.code, owner_id=owner.id)
            )
    return facts
