"""A till that is locked: where it stands, what opens it, and where to go on once it is open."""

from flask import url_for
from msgspec import Struct

from highstreet.web import device
from highstreet.web.choose import local_path
from highstreet.web.current import current
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.people.passwords import passwords
from highstreet_tenants.people.pins import Pins
from highstreet_tenants.people.tree import Node
from highstreet_tenants.scopes import Scope


class Locked(Struct, frozen=True):
    """The till in words: "Till 2", its store and brand, and the address of its screen."""

    name: str
    store: str
    brand: str
    accent_href: str | None
    node: Node
    address: str

    def onward(self, wanted: str | None) -> str:
        """`wanted` if it is a page of this till's screen, else the screen itself."""
        path = local_path(wanted)
        return path if path.startswith(self.address) else self.address


def here() -> Locked | None:
    """The till that this device is; None for any other device, or where its store has closed."""
    seat = device.seat()
    if seat is None:
        return None
    with current.house.tenancy.control() as c:
        brand = c.get_one(Brand, seat.brand_id)
    with current.house.tenancy.session(Scope.store(brand.id, seat.store_id)) as s:
        store = s.get_one(Store, (brand.id, seat.store_id))
    if store.status != "open":
        return None
    return Locked(
        seat.name,
        store.name,
        brand.name,
        url_for("vendor.brand_accent", brand=brand.slug) if brand.accent else None,
        Node.of(brand, store),
        url_for("till.find", brand=brand.slug, store=store.slug),
    )


def pins() -> Pins:
    """The installation's way to hash PINs."""
    config = current.house.config
    return Pins(passwords(config["password_hasher"]), config["secret_key"])
