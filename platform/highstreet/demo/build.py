"""Builds the demo and says what is there: for the command, and for tests that need a full house."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet.blueprints import apply as blueprints
from highstreet.blueprints import source as sources
from highstreet.customers import queries as customers
from highstreet.customers.models import Customer
from highstreet.demo import facts, history, whole
from highstreet.demo.acting import act
from highstreet.demo.extract import SHARED
from highstreet.demo.replay import DEMO, replay
from highstreet.host import dispatch, gating, state
from highstreet.house import House
from highstreet.members import links as member_links
from highstreet.purchases.models import Purchase
from highstreet.results.hooks import Sums
from highstreet_tenants import clock
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

_REGULARS = Statement(
    "SELECT p.customer_id, p.store_id FROM core_purchase AS p"
    f" WHERE p.customer_id IS NOT NULL AND {own('p')}"
    " GROUP BY p.customer_id, p.store_id ORDER BY COUNT(*) DESC, p.customer_id LIMIT 200",
    types={"customer_id": UUID, "store_id": UUID},
)


class BrandReport(Struct, frozen=True):
    """What is there of one demo brand.

    ``anonymous`` purchases are part of ``purchases``: nobody showed a card. Points and rewards are
    those of all tools together; ``rewards_redeemed`` are part of ``rewards_issued``. ``tools``: of
    each tool that is on somewhere or has done something, the number of ``stores`` where it is on,
    and its own counts.
    """

    slug: str
    name: str
    customers_of: str
    stores: int
    customers: int
    purchases: int
    anonymous: int
    points_earned: int
    rewards_issued: int
    rewards_redeemed: int
    tools: Mapping[str, Mapping[str, int]]


class SignInLink(Struct, frozen=True):
    """A way in. ``role``: head_office_manager, store_owner or member."""

    brand: str
    role: str
    name: str
    url: str


def blueprint(name: str) -> Path:
    """The file of a shipped blueprint."""
    return Path(str(resources.files("highstreet_tenants") / "cases" / name))


def build(house: House, tell: Callable[[str], None] = lambda _brand: None) -> list[BrandReport]:
    """Make the demo brands, as far as they are not there yet; ``tell`` hears each brand's slug.

    A brand that has its purchases stays as it is: whoever tries the demo has changed things in it.
    """
    shown = {
        name: dict(loaded.manifest.demo)
        for name, loaded in house.host.plugins.items()
        if loaded.manifest.demo is not None
    }
    reports = []
    for file, extract in BRANDS.items():
        slug = _slug(file)
        tell(slug)
        brand = _brand(house, slug)
        if brand is None or not _has_purchases(house, brand):
            blueprints.apply(house.tenancy, house.host, blueprint(file), actor=DEMO, tools=shown)
            brand = _brand(house, slug)
            assert brand is not None, "the blueprint made it"
            replay(house, brand, extract)
            act(house, brand)
            if extract == SHARED:
                yesterday = clock.business_date(clock.now(), brand.zone) - timedelta(days=1)
                history.take_over(house, brand, facts.mailed(yesterday), DEMO)
        reports.append(report(house, brand))
    return reports


def slugs() -> set[str]:
    """The slugs of the demo brands, the whole Complete Journey among them."""
    return {*(_slug(file) for file in BRANDS), whole.SLUG}


def _slug(file: str) -> str:
    return str(sources.read(blueprint(file)).data["brand"]["slug"])


def _brand(house: House, slug: str) -> Brand | None:
    with house.tenancy.control() as s:
        return s.scalar(sa.select(Brand).where(Brand.slug == slug))


def _has_purchases(house: House, brand: Brand) -> bool:
    with house.tenancy.session(Scope.operator(brand.id, DEMO)) as s:
        return s.scalar(sa.select(Purchase.id).limit(1)) is not None


def report(house: House, brand: Brand) -> BrandReport:
    """What is there of a brand, read from its rows."""
    with house.tenancy.session(Scope.operator(brand.id, DEMO)) as s:
        stores = list(s.scalars(sa.select(Store.id)))
        sums: dict[str, Sums] = {
            answer.plugin: answer.value for answer in dispatch.collect(s, "brand_sums")
        }
        return BrandReport(
            slug=brand.slug,
            name=brand.name,
            customers_of=brand.customers,
            stores=len(stores),
            customers=_count(s, Customer),
            purchases=_count(s, Purchase),
            anonymous=_count(s, Purchase, Purchase.customer_id.is_(None)),
            points_earned=sum(one.points_earned for one in sums.values()),
            rewards_issued=sum(one.rewards_issued for one in sums.values()),
            rewards_redeemed=sum(one.rewards_redeemed for one in sums.values()),
            tools=dict(_tools(s, house, stores, sums)),
        )


def _tools(
    s: ScopedSession, house: House, stores: Sequence[UUID], sums: Mapping[str, Sums]
) -> Iterator[tuple[str, Mapping[str, int]]]:
    """Each tool that has something to say for itself, with its counts."""
    for name in house.host.plugins:
        on = len(gating.stores_on(s, name, stores))
        did = sums.get(name, Sums())
        counts = {
            "points_earned": did.points_earned,
            "rewards_issued": did.rewards_issued,
            "rewards_redeemed": did.rewards_redeemed,
            **did.more,
        }
        done = {word: count for word, count in counts.items() if count}
        if on or done:
            yield name, {"stores": on, **done}


def _count(s: ScopedSession, model: Any, *where: Any) -> int:
    return s.scalar(sa.select(sa.func.count(model.id)).where(*where)) or 0


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
    """A link to the page of the most faithful member of a store that has the most tools."""
    with house.tenancy.session(Scope.operator(brand.id, DEMO)) as s:
        regulars = _REGULARS(s)
        if not regulars:
            return []
        regular = max(regulars, key=lambda row: len(state.enabled(s, row[1])))
    customer_id, store_id = regular
    with house.tenancy.control(write=True) as c:
        member_links.revoke_all(c, brand.id, customer_id)
    with house.tenancy.session(Scope.store(brand.id, store_id, DEMO)) as s:
        name = customers.get(s, customer_id).name
        token = member_links.make_link(house.tenancy, s, customer_id)
    base = str(house.config["base_url"]).rstrip("/")
    return [SignInLink(brand.slug, "member", name, f"{base}/m/{token}")]
