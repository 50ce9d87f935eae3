"""Lets tools do what members and staff would have done with them today, place by place."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from highstreet.demo.replay import DEMO
from highstreet.host import dispatch
from highstreet.house import House
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.scopes import Scope
from highstreet_tenants.statements import Statement, own

_BUYERS = Statement(
    "SELECT p.customer_id, MAX(p.occurred_at) AS last FROM core_purchase AS p"
    f" WHERE p.customer_id IS NOT NULL AND {own('p')}"
    " GROUP BY p.customer_id ORDER BY last DESC, p.customer_id",
    types={"customer_id": UUID},
)


def act(house: House, brand: Brand) -> None:
    """Head office first, then each store: each in a session of its own, as people work."""
    scopes = [Scope.brand(brand, DEMO)]
    with house.tenancy.session(Scope.operator(brand.id, DEMO)) as s:
        stores = s.scalars(sa.select(Store.id).order_by(Store.code))
        scopes += [Scope.store(brand.id, store_id, DEMO) for store_id in stores]
    for scope in scopes:
        with house.tenancy.session(scope, write=True) as s:
            known = scope.store_id is not None or brand.customers == "brand"
            buyers = [customer_id for customer_id, _last in _BUYERS(s)] if known else []
            dispatch.collect(s, "demo_day", scope.store_id, buyers=buyers)
