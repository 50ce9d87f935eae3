"""Removing what is older than an installation keeps: the operator's verb, and nobody else's.

The tables refuse DELETE, so this signs in as their owner and takes the guard off for its own
transaction. Whoever reads the trail finds a row that says it was done.
"""

from datetime import datetime

import sqlalchemy as sa

from highstreet_tenants import append_only
from highstreet_tenants.base import Base
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Invalid
from highstreet_tenants.models import Brand
from highstreet_tenants.people.operate import OPERATOR
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import Tenancy
from highstreet_tenants.trail.recording import record
from highstreet_tenants.words import gettext as _

_TABLES = {"entries": "core_trail_entry", "events": "core_account_event"}


def prune(tenancy: Tenancy, owner_url: str, before: datetime) -> dict[str, int]:
    """Remove entries and sign-ins of before that moment; gives how many of each.

    Raises Invalid for a moment that is still to come.
    """
    if before > now():
        raise Invalid(_("That day is still to come; nothing is removed."))
    engine = sa.create_engine(owner_url)
    try:
        with engine.begin() as connection:
            gone = {
                what: append_only.remove_before(connection, Base.metadata.tables[name], before)
                for what, name in _TABLES.items()
            }
    finally:
        engine.dispose()
    with tenancy.control() as c:
        brands = list(c.scalars(sa.select(Brand)))
    for brand in brands:
        with tenancy.session(Scope.operator(brand.id, OPERATOR), write=True) as s:
            record(s, "trail.pruned", "trail", details={"before": before.date()})
    return gone
