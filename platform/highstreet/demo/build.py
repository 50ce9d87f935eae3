"""Builds the demo and says what is there: for the command, and for tests that need a full house."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet.blueprints import apply as blueprints
from highstreet.blueprints import source as sources
from highstreet.customers import queries as customers
from highstreet.customers.models import Customer
from highstreet.demo.replay import CLUB, DEMO, replay
from highstreet.host import state
from highstreet.house import House
from highstreet.members import links as member_links
from highstreet.purchases.models import Purchase
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.people import operate
from highstreet_tenants.people.models import RoleGrant, User
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement, own

#: Each demo brand: its blueprint, and by which name the extract knows its stores.
BRANDS = {
    "sandwich_chain.toml": "sandwich",
    "car_parts_chain.toml": "car-parts",
    "video_rental.toml": "video",
}

_EARNED = Statement(
    "SELECT COALESCE(SUM(e.points), 0) FROM points_club_entry AS e"
    f" WHERE e.kind = 'earn' AND {own('e')}",
    returns="value",
)
_REWARDS = Statement(
    "SELECT COUNT(*), COALESCE(SUM(CASE WHEN w.status = 'redeemed' THEN 1 ELSE 0 END), 0)"
    f" FROM points_club_reward AS w WHERE {own('w')}",
    returns="row",
)
_REGULARS = Statement(
    "SELECT p.customer_id, p.store_id FROM core_purchase AS p"
    f" WHERE p.customer_id IS NOT NULL AND {own('p')}"
    " GROUP BY p.customer_id, p.store_id ORDER BY COUNT(*) DESC, p.customer_id LIMIT 200",
    types={"customer_id": UUID, "store_id": UUID},
)


@dataclass(frozen=True, slots=True)
class BrandReport:
    """What is there of one demo brand. ``rewards_redeemed`` are part of ``rewards_issued``."""

    slug: str
    name: str
    customers_of: str
    stores: int
    stores_with_club: int
    customers: int
    purchases: int
    points_earned: int
    rewards_issued: int
    rewards_redeemed: int


@dataclass(frozen=True, slots=True)
class SignInLink:
    """A way in. ``role``: head_office_manager, store_owner or member."""

    brand: str
    role: str
    name: str
    url: str


def blueprint(name: str) -> Path:
    """The file of a shipped blueprint."""
    return Path(str(resources.files("highstreet_tenants") / "cases" / name))


def build(house: House, tell: Callable[[str], None] = lambda _brand: None) -> list[BrandReport]:
    """Make the demo brands, as far as they are not there yet; ``tell`` hears each brand's slug."""
    reports = []
    for file, extract in BRANDS.items():
        outcome = blueprints.apply(house.tenancy, house.host, blueprint(file), actor=DEMO)
        tell(outcome.brand)
        brand = _brand(house, outcome.brand)
        replay(house, brand, extract)
        reports.append(report(house, brand))
    return reports


def slugs() -> set[str]:
    """The slugs of the demo brands."""
    return {str(sources.read(blueprint(file)).data["brand"]["slug"]) for file in BRANDS}


def _brand(house: House, slug: str) -> Brand:
    with house.tenancy.control() as s:
        return s.scalars(sa.select(Brand).where(Brand.slug == slug)).one()


def report(house: House, brand: Brand) -> BrandReport:
    """What is there of a brand, read from its rows."""
    with house.tenancy.session(Scope.operator(brand.id, DEMO)) as s:
        stores = list(s.scalars(sa.select(Store.id)))
        club = CLUB in house.host.plugins
        issued, redeemed = _REWARDS(s) if club else (0, 0)
        return BrandReport(
            slug=brand.slug,
            name=brand.name,
            customers_of=brand.customers,
            stores=len(stores),
            stores_with_club=sum(state.is_on(s, CLUB, one) for one in stores) if club else 0,
            customers=_count(s, Customer),
            purchases=_count(s, Purchase),
            points_earned=int(_EARNED(s)) if club else 0,
            rewards_issued=int(issued),
            rewards_redeemed=int(redeemed),
        )


def _count(s: ScopedSession, model: Any) -> int:
    return s.scalar(sa.select(sa.func.count(model.id))) or 0


def links(house: House, brand: Brand) -> list[SignInLink]:
    """Fresh links: one-time ones for a manager and two store owners, and a member's own page."""
    found = []
    with house.tenancy.control() as s:
        rows = s.execute(
            sa.select(User.email, User.name, RoleGrant.role)
            .join(RoleGrant, RoleGrant.user_id == User.id)
            .where(RoleGrant.brand_id == brand.id)
            .order_by(RoleGrant.granted_at, User.email)
        ).all()
    for role, most in (("head_office_manager", 1), ("store_owner", 2)):
        for row in [one for one in rows if one.role == role][:most]:
            url = operate.make_link(house, row.email)
            found.append(SignInLink(brand.slug, role, row.name, url))
    return [*found, *_member(house, brand)]


def _member(house: House, brand: Brand) -> list[SignInLink]:
    """A link to the page of the most faithful member of a store with a club."""
    with house.tenancy.session(Scope.operator(brand.id, DEMO)) as s:
        regular = next(
            (row for row in _REGULARS(s) if CLUB in state.enabled(s, row[1])),
            None,
        )
    if regular is None:
        return []
    customer_id, store_id = regular
    with house.tenancy.control(write=True) as c:
        member_links.revoke_all(c, brand.id, customer_id)
    with house.tenancy.session(Scope.store(brand.id, store_id, DEMO)) as s:
        name = customers.get(s, customer_id).name
        token = member_links.make_link(house.tenancy, s, customer_id)
    base = str(house.config["base_url"]).rstrip("/")
    return [SignInLink(brand.slug, "member", name, f"{base}/m/{token}")]
