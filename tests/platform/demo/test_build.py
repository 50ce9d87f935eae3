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
from highstreet.demo import replay as replays
from highstreet.demo.build import BrandReport, build
from highstreet.demo.replay import DEMO
from highstreet.host import policy
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
        assert 0.15 < report.anonymous / report.purchases < 0.35
        assert report.points_earned > 1_000
        assert report.rewards_issued > 10
        assert 0 < report.rewards_redeemed <= report.rewards_issued


def test_each_brand_is_its_case(built: tuple[list[BrandReport], float], house: House) -> None:
    sandwich, car_parts, video = built[0]
    assert (sandwich.customers_of, car_parts.customers_of) == ("store", "brand")
    assert sandwich.tools["points_club"]["stores"] == car_parts.tools["points_club"]["stores"] == 12
    assert 0 < video.tools["points_club"]["stores"] < 12
    # a point per visit of a dollar or more, and a reward at each tenth visit to the same store
    with house.tenancy.session(Scope.operator(brand(house, sandwich.slug).id, DEMO)) as s:
        visits = s.execute(
            sa.select(Purchase.customer_id, sa.func.count(Purchase.id))
            .where(Purchase.total_minor >= 100, Purchase.customer_id.is_not(None))
            .group_by(Purchase.customer_id)
        ).all()
    assert sandwich.points_earned == sum(count for _customer, count in visits)
    assert sandwich.rewards_issued == sum(count // 10 for _customer, count in visits)


def test_sums_are_those_of_the_tools(built: tuple[list[BrandReport], float]) -> None:
    for report in built[0]:
        club = report.tools["points_club"]
        assert club["points_earned"] == report.points_earned
        assert club["rewards_issued"] == report.rewards_issued
        assert club["rewards_redeemed"] == report.rewards_redeemed


def test_members_come_more_often_and_buy_more_than_others(
    built: tuple[list[BrandReport], float], house: House
) -> None:
    """So that a store's results have something to say; none of it is in the purchases shipped."""
    for report in built[0]:
        with house.tenancy.session(Scope.operator(brand(house, report.slug).id, DEMO)) as s:
            known = Purchase.customer_id.is_not(None)
            mean = dict(
                s.execute(sa.select(known, sa.func.avg(Purchase.total_minor)).group_by(known)).all()
            )
            early = s.scalar(
                sa.select(sa.func.count(Purchase.id))
                .join(
                    Customer,
                    sa.and_(
                        Customer.brand_id == Purchase.brand_id, Customer.id == Purchase.customer_id
                    ),
                )
                .where(Purchase.occurred_at < Customer.joined_at)
            )
        assert mean[True] > 1.3 * mean[False]
        assert early == 0  # nobody showed a card before they had one


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


def test_run_again_it_leaves_alone_what_somebody_changed(
    built: tuple[list[BrandReport], float], house: House
) -> None:
    found = brand(house, built[0][2].slug)
    before = built[0][2].tools["points_club"]["stores"]
    with house.tenancy.session(Scope.operator(found.id, DEMO), write=True) as s:
        policy.set_policy(s, "points_club", "forbidden")
    try:
        assert build(house)[2].tools["points_club"]["stores"] == 0
    finally:
        with house.tenancy.session(Scope.operator(found.id, DEMO), write=True) as s:
            policy.set_policy(s, "points_club", "optional")
    assert build(house)[2].tools["points_club"]["stores"] == before


def test_killed_in_the_middle_the_brand_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app({"instance": str(tmp_path)}, faces=False)
    fresh = house_of(app)
    monkeypatch.setattr(demos, "BRANDS", {"car_parts_chain.toml": "car-parts"})
    with app.app_context():
        fresh.migrate()
        with monkeypatch.context() as patch:

            def stop(*_given: object) -> None:
                raise KeyboardInterrupt

            patch.setattr(replays.contacting, "lay_down", stop)
            with pytest.raises(KeyboardInterrupt):
                build(fresh)
        (report,) = build(fresh)
    fresh.engine.dispose()
    assert report.purchases > 3_000
    assert report.rewards_redeemed > 10


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
