"""What a rule's form offers to choose from: departments sold, purposes agreed to, stores."""

from __future__ import annotations

import sqlalchemy as sa

from highstreet.consent.facts import EVERY
from highstreet.consent.models import ConsentEvent
from highstreet.purchases.models import Purchase, PurchaseLine
from highstreet_tenants.base import table_alias
from highstreet_tenants.models import Store
from highstreet_tenants.sessions import ScopedSession

#: Purchases, and words of consent, that are looked through: the latest.
_LATEST = 2_000
_MOST = 300
#: Purposes that the core's own forms ask about.
PURPOSES = ("marketing", "magazine")


def _people_here(s: ScopedSession) -> bool:
    """Head office has nobody's purchases where stores own their customers."""
    return s.store_id is not None or s.customers == "brand"


def departments(s: ScopedSession) -> list[str]:
    """Departments of what was sold lately in a place, by name."""
    if not _people_here(s):
        return []
    purchase, line = table_alias(Purchase), table_alias(PurchaseLine)
    latest = (
        sa.select(purchase.c.id)
        .where(*s.scope.owns(purchase))
        .order_by(purchase.c.id.desc())
        .limit(_LATEST)
    )
    query = (
        sa.select(line.c.department)
        .distinct()
        .where(*s.scope.owns(line), line.c.purchase_id.in_(latest), line.c.department != "")
        .limit(_MOST)
    )
    return sorted(s.scalars(query))


def purposes(s: ScopedSession) -> list[str]:
    """What customers were asked about: the core's own purposes, and those of words said lately."""
    found = set(PURPOSES)
    if _people_here(s):
        event = table_alias(ConsentEvent)
        latest = (
            sa.select(event.c.purpose)
            .where(*s.scope.owns(event))
            .order_by(event.c.id.desc())
            .limit(_LATEST)
        )
        found |= set(s.scalars(latest)) - {EVERY}
    return sorted(found)


def stores(s: ScopedSession) -> list[str]:
    """Names of stores within reach, as many as a list to choose from may have."""
    return list(s.scalars(sa.select(Store.name).order_by(Store.name).limit(_MOST)))
