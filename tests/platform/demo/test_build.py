"""The demo as a whole: real purchases through real services, once, with ways in."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from highstreet.app import create_app, house_of
from highstreet.audits import service as audits
from highstreet.customers.models import Customer, Identity
from highstreet.demo import build as demos
from highstreet.demo.build import BrandReport, build
from highstreet.demo.replay import DEMO
from highstreet.house import House
from highstreet.purchases.models import Purchase
from highstreet_tenants.models import Brand
from highstreet_tenants.scopes import Scope


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house on an embedded database, tables made by the migrations."""
    app = create_app({"instance": str(tmp_path_factory.mktemp("demo"))}, faces=False)
    found = house_of(app)
    with app.app_context():
        found.migrate()
        yield found
    found.engine.dispose()


@pytest.fixture(scope="module")
def built(house: House) -> tuple[list[BrandReport], float]:
    """The demo's report, and how many seconds it took."""
    began = time.perf_counter()
    return build(house), time.perf_counter() - began


def brand(house: House, slug: str) -> Brand:
    with house.tenancy.control() as s:
        return s.scalars(sa.select(Brand).where(Brand.slug == slug)).one()


def test_three_brands_about_ten_thousand_purchases_in_under_a_minute(
    built: tuple[list[BrandReport], float],
) -> None:
    reports, seconds = built
    assert seconds < 60
    assert [report.stores for report in reports] == [12, 12, 12]
    assert 9_500 < sum(report.purchases for report in reports) < 10_500
    for report in reports:
        assert report.customers > 200
        assert report.points_earned > 1_000
        assert report.rewards_issued > 10
        assert 0 < report.rewards_redeemed <= report.rewards_issued


def test_each_brand_is_its_case(built: tuple[list[BrandReport], float], house: House) -> None:
    sandwich, car_parts, video = built[0]
    assert (sandwich.customers_of, car_parts.customers_of) == ("store", "brand")
    assert sandwich.stores_with_club == car_parts.stores_with_club == 12
    assert 0 < video.stores_with_club < 12
    # a point per visit of a dollar or more, and a reward at each tenth visit to the same store
    with house.tenancy.session(Scope.operator(brand(house, sandwich.slug).id, DEMO)) as s:
        visits = s.execute(
            sa.select(Purchase.customer_id, sa.func.count(Purchase.id))
            .where(Purchase.total_minor >= 100)
            .group_by(Purchase.customer_id)
        ).all()
    assert sandwich.points_earned == sum(count for _customer, count in visits)
    assert sandwich.rewards_issued == sum(count // 10 for _customer, count in visits)


def test_members_of_the_club_use_several_stores(
    built: tuple[list[BrandReport], float], house: House
) -> None:
    with house.tenancy.session(Scope.operator(brand(house, built[0][1].slug).id, DEMO)) as s:
        several = s.execute(
            sa.select(Purchase.customer_id)
            .group_by(Purchase.customer_id)
            .having(sa.func.count(sa.distinct(Purchase.store_id)) > 1)
        ).all()
    assert len(several) > 50


def test_nothing_differs_and_no_tool_failed(
    built: tuple[list[BrandReport], float], house: House
) -> None:
    from highstreet.host.models import PluginFault

    for report in built[0]:
        with house.tenancy.session(Scope.operator(brand(house, report.slug).id, DEMO)) as s:
            for part in audits.audit(s):
                assert part.audited.checked > 0
                assert list(part.audited.differences) == []
            assert s.scalar(sa.select(PluginFault.id).where(PluginFault.kind == "error")) is None


def test_run_again_it_starts_from_what_is_there(
    built: tuple[list[BrandReport], float], house: House
) -> None:
    began = time.perf_counter()
    assert build(house) == built[0]
    assert time.perf_counter() - began < 10


def test_everybody_has_a_card_of_their_own(
    built: tuple[list[BrandReport], float], house: House
) -> None:
    with house.tenancy.session(Scope.operator(brand(house, built[0][1].slug).id, DEMO)) as s:
        cards = s.scalar(sa.select(sa.func.count(Identity.id)).where(Identity.kind == "card"))
        people = s.scalar(sa.select(sa.func.count(Customer.id)))
    assert cards == people


def test_ways_in_for_manager_owners_and_a_member(
    built: tuple[list[BrandReport], float], house: House
) -> None:
    for report in built[0]:
        found = demos.links(house, brand(house, report.slug))
        assert [link.role for link in found] == [
            "head_office_manager",
            "store_owner",
            "store_owner",
            "member",
        ]
        assert len({link.url for link in found}) == 4


def test_the_files_are_where_the_package_is() -> None:
    for file in demos.BRANDS:
        assert Path(demos.blueprint(file)).is_file()
