"""What tools may know of the brand they work for."""

from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet import host as hosts
from highstreet.host import state
from highstreet_tenants.models import Brand
from highstreet_tenants.sessions import ScopedSession


class BrandFacts(Struct, frozen=True):
    """A brand. customers: "brand" or "store", who owns customer records."""

    id: UUID
    slug: str
    name: str
    currency: str
    locale: str
    zone: str
    customers: str


def brand(s: ScopedSession) -> BrandFacts:
    """The session's brand, kept until its state_version moves on."""
    kept = hosts.of(s).states
    key = ("brand", s.scope.brand_id)
    if not state.changed_here(s):
        found: BrandFacts | None = kept.get(key, s.state_version)
        if found is not None:
            return found
    names = BrandFacts.__struct_fields__
    row = s.execute(
        sa.select(*(getattr(Brand, n) for n in names)).where(Brand.id == s.scope.brand_id)
    ).one()
    facts = BrandFacts(*row)
    if not state.changed_here(s):
        kept.put(key, s.state_version, facts)
    return facts
