"""All stores of a brand as a file: who runs them, and the state of each tool."""

import sqlalchemy as sa
from flask import Response

from highstreet.host import snapshot
from highstreet.host.access import requires
from highstreet.web.current import current
from highstreet.web.office.pages import office
from highstreet.web.sheets import sheet
from highstreet_tenants.models import Owner, Store

_COLUMNS = (
    *("store", "code", "region", "owner", "state", "opened", "currency", "time_zone"),
    *("street", "postcode", "city", "country"),
)


@office.get("/stores/all.csv")
@requires("stores.view")
def stores_sheet(brand: str) -> Response:
    """A line each; a column for each tool says its state there: on, required, off, …"""
    host = current.house.host
    with current.session() as s:
        rows = snapshot.load_all(s)
        owners = {row.id: row.name for row in s.execute(sa.select(Owner.id, Owner.name))}
        lines = [
            (
                *(store.name, store.code),
                rows.regions.get(store.region_id, "") if store.region_id else "",
                owners.get(store.owner_id, "") if store.owner_id else "",
                *(store.status, store.opened_on or "", store.currency, store.zone),
                *(
                    store.address.get(part, "")
                    for part in ("street", "postcode", "city", "country")
                ),
                *(rows.rulings(host, store.id)[name].state for name in host.plugins),
            )
            for store in s.scalars(sa.select(Store).order_by(Store.name, Store.id))
        ]
    return sheet(f"stores-{current.place.brand.slug}.csv", (*_COLUMNS, *host.plugins), lines)
