"""What head office reads of a store that it closes: what is still open there, in points."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from highstreet.host import faults, policy
from highstreet.stores import closing, owing
from highstreet.stores.owing import Debts
from highstreet_points_club import rewards
from highstreet_points_club.models import Lot
from highstreet_tenants.models import Brand
from highstreet_tenants.scopes import Scope
from highstreet_tenants.trail import reading
from highstreet_tenants.trail.reading import Wanted

from .conftest import MONEY, NAME, Shop, later


@pytest.fixture(params=["club", "shops"])
def brand(request: Any, shop: Shop) -> SimpleNamespace:
    found: SimpleNamespace = getattr(shop, request.param)
    shop.set_up(found, rewards=[MONEY])
    return found


def buys(shop: Shop, brand: SimpleNamespace, many: int, store: int = 0) -> list[UUID]:
    """So many new members buy for £150 each, 150 points."""
    with shop.session(brand, store) as s:
        people = [shop.member(s, f"Member {number}").id for number in range(many)]
        for one in people:
            shop.buy(s, one, 15_000)
    return people


def redeems(shop: Shop, brand: SimpleNamespace, people: list[UUID]) -> None:
    """Each takes £5 for 100 points, to be handed over later."""
    with shop.session(brand) as s:
        for one in people:
            rewards.hold(shop.ctx(s), one, "money")


def row(shop: Shop, brand: SimpleNamespace) -> Brand:
    with shop.database.tenancy.control() as c:
        return c.get_one(Brand, brand.id)


def asked(shop: Shop, brand: SimpleNamespace, store: int = 0) -> Debts:
    return owing.ask(shop.database.tenancy, row(shop, brand), brand.stores[store].id)


def figures(debts: Debts) -> list[tuple[int | None, int | None, int | None]]:
    return [(one.owed.many, one.owed.people, one.owed.worth_minor) for one in debts.all]


def test_points_and_rewards_that_are_open_are_told_with_their_worth(
    shop: Shop, brand: SimpleNamespace
) -> None:
    people = buys(shop, brand, 6)
    buys(shop, brand, 7, store=1)
    redeems(shop, brand, people[:5])
    # 6 × 150 points less 5 × 100 that five rewards hold; 100 points are worth £5 at most.
    assert figures(asked(shop, brand)) == [(400, 6, 2_000), (5, 5, 2_500)]
    assert figures(asked(shop, brand, 1)) == [(1_050, 7, 5_250)]


def test_a_tool_that_is_off_is_asked_too(shop: Shop, brand: SimpleNamespace) -> None:
    buys(shop, brand, 6)
    with shop.operator(brand) as s:
        policy.set_policy(s, NAME, "forbidden")
    assert figures(asked(shop, brand)) == [(900, 6, 4_500)]


def test_nothing_owed_is_nothing_told(shop: Shop, brand: SimpleNamespace) -> None:
    assert asked(shop, brand).all == ()


def test_of_fewer_than_five_head_office_reads_no_figure_where_customers_are_the_stores(
    shop: Shop,
) -> None:
    for brand in (shop.club, shop.shops):
        shop.set_up(brand, rewards=[MONEY])
        people = buys(shop, brand, 6)
        redeems(shop, brand, people[:4])
    assert figures(asked(shop, shop.club)) == [(500, 6, 2_500), (4, 4, 2_000)]
    debts = asked(shop, shop.shops)
    assert figures(debts) == [(500, 6, 2_500), (None, None, None)]
    assert owing.counted(debts.all[1].owed, "en_GB") == "fewer than 5 people"


def test_no_store_is_told_by_what_another_shows(shop: Shop) -> None:
    shop.set_up(shop.shops, rewards=[MONEY])
    buys(shop, shop.shops, 3)
    buys(shop, shop.shops, 6, store=1)
    assert figures(asked(shop, shop.shops, 1)) == [(None, None, None)]


def test_a_reward_with_points_of_two_stores_is_owed_by_each_with_its_share(shop: Shop) -> None:
    shop.set_up(shop.club, rewards=[MONEY])
    with shop.session(shop.club) as s:
        ann = shop.member(s, "Ann").id
        shop.buy(s, ann, 6_000, at=later(1))
    with shop.session(shop.club, 1) as s:
        shop.buy(s, ann, 7_000, at=later(2))
        rewards.hold(shop.ctx(s), ann, "money")
    assert figures(asked(shop, shop.club)) == [(1, 1, 300)]
    assert figures(asked(shop, shop.club, 1)) == [(30, 1, 150), (1, 1, 200)]


def test_it_is_written_down_with_the_closing_as_head_office_saw_it(
    shop: Shop, brand: SimpleNamespace
) -> None:
    redeems(shop, brand, buys(shop, brand, 6)[:4])
    debts = asked(shop, brand)
    with shop.database.tenancy.session(Scope.brand(row(shop, brand)), write=True) as s:
        closing.close(s, brand.stores[0].slug, owes=debts)
        (entry,) = reading.page(s, Wanted(action="store.closed"))
    hidden = brand is shop.shops
    assert entry.details["owed"][1]["many"] == (None if hidden else 4)
    told = list(owing.told(entry.details, str.upper, "en_GB"))
    assert told == [
        "Still owed (POINTS_CLUB) · Points not yet spent: 500, of 6 members, at most £25.00",
        "Still owed (POINTS_CLUB) · Rewards given and not yet handed over: "
        + ("fewer than 5 people" if hidden else "4, of 4 members, at most £20.00"),
    ]


def test_a_tool_that_fails_at_it_is_said_to_be_unknown(
    shop: Shop, brand: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any) -> Any:
        raise RuntimeError("no sums today")

    monkeypatch.setattr("highstreet_points_club.hooks.owing.owed", fail)
    debts = asked(shop, brand)
    assert (debts.all, debts.failed) == ((), (NAME,))
    (said,) = owing.told(owing.kept(debts), str.upper, "en_GB")
    assert said == "What it owes by POINTS_CLUB is not known."
    with shop.session(brand) as s:
        (noted,) = faults.recent(s, NAME)
    assert (noted.hook, noted.message) == ("store_owes", "RuntimeError: no sums today")


def test_whoever_reads_the_rows_themselves_is_refused_where_they_are_the_stores(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(ctx: Any) -> list[Any]:
        return list(ctx.s.scalars(sa.select(Lot)))[:0]

    monkeypatch.setattr("highstreet_points_club.hooks.owing.owed", look)
    assert asked(shop, shop.club).failed == ()
    assert asked(shop, shop.shops).failed == (NAME,)
