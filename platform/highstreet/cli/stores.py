"""``highstreet stores``: the stores of a brand."""

from __future__ import annotations

import click
import sqlalchemy as sa

from highstreet.cli.base import (
    brand_option,
    find_brand,
    json_option,
    open_house,
    operating,
    print_json,
    print_table,
)
from highstreet.i18n import gettext as _
from highstreet_tenants.models import Owner, Region, Store


@click.group()
def stores() -> None:
    """Stores of a brand."""


@stores.command("list")
@brand_option
@json_option
def list_stores(brand_slug: str, as_json: bool) -> None:
    """All stores of a brand with region and owner."""
    with open_house() as house, operating(house, find_brand(house, brand_slug)) as s:
        regions = {row.id: row.slug for row in s.scalars(sa.select(Region))}
        owners = {row.id: row.slug for row in s.scalars(sa.select(Owner))}
        rows = [
            {
                "slug": store.slug,
                "code": store.code,
                "name": store.name,
                "region": regions.get(store.region_id) if store.region_id else None,
                "owner": owners.get(store.owner_id) if store.owner_id else None,
                "zone": store.zone,
                "currency": store.currency,
                "status": store.status,
            }
            for store in s.scalars(sa.select(Store).order_by(Store.slug))
        ]
    if as_json:
        print_json(rows)
        return
    print_table(
        ("slug", "code", "name", "region", "owner", "zone", "currency", "status"),
        [tuple(row.values()) for row in rows],
        _("The brand has no stores yet; add them to its blueprint."),
    )
