"""Points for purchases, on both databases, through the real hooks."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from highstreet.host import settings
from highstreet.purchases import service as purchases
from highstreet.purchases.facts import PurchaseIn
from highstreet_points_club import accounts, award, batch, corrections, history, issuing
from highstreet_points_club.audit import audit
from highstreet_points_club.models import Account, Entry, Rule
from highstreet_tenants.sessions import ScopedSession

from .conftest import COFFEE, FREE, NAME, NOON, Shop, later, snapshot


def test_a_purchase_earns_in_its_own_store(shop: Shop) -> None:
    for brand in (shop.club, shop.shops):
        with shop.session(brand) as s:
            who = shop.member(s)
            bought = shop.buy(s, who.id, 1299, at=NOON)
            assert history.balance(shop.ctx(s), who.id).balance == 12
            entry = s.query(Entry).one()
            assert (entry.kind, entry.points, entry.purchase_id) == ("earn", 12, bought.id)
            assert entry.at_store_id == brand.stores[0].id
            assert entry.store_id == (brand.stores[0].id if brand is shop.shops else None)
            assert entry.business_date == bought.business_date
            assert entry.amount_minor == 1299
        shop.sound(brand)


def test_the_answer_says_what_was_given(shop: Shop) -> None:
    with shop.session(shop.club) as s:
        who = shop.member(s)
        done = purchases.record(s, shop.purchase(s, who.id, 1240))
        (answer,) = done.answers
        assert answer.plugin == NAME
        assert (answer.value.points, answer.value.balance, answer.value.unit) == (12, 12, "points")
        assert answer.value.words == "12 points given, 12 in all."
        small = purchases.record(s, shop.purchase(s, who.id, 40)).answers[0].value
        assert (small.points, small.balance) == (0, 12)
        assert purchases.record(s, shop.purchase(s, None, 9900)).answers == ()


def test_the_same_purchase_never_earns_twice(shop: Shop) -> None:
    """PEERS B3 (odoo#222372): confirmed twice, uploaded ten times, in any order."""
    with shop.session(shop.club) as s:
        who = shop.member(s)
        bought = [shop.purchase(s, who.id, 1000 + n, at=later(n)) for n in range(5)]
    random.seed(3)
    for _time in range(10):
        random.shuffle(bought)
        with shop.session(shop.club) as s:
            if _time % 2:
                purchases.record_batch(s, bought)
            else:
                for one in bought:
                    purchases.record(s, one)
    with shop.session(shop.club) as s:
        assert history.balance(shop.ctx(s), who.id).balance == 50
        assert len(s.query(Entry).all()) == 5
    shop.sound(shop.club)


def test_a_hook_that_is_called_again_gives_nothing_more(shop: Shop) -> None:
    """A part that failed is done again later: then only what is missing is added."""
    with shop.session(shop.club) as s:
        who = shop.member(s)
        bought = shop.buy(s, who.id, 1000)
        ctx = shop.ctx(s)
        again = award.award(ctx, bought)
        assert again is not None
        assert (again.points, again.balance, again.created) == (10, 10, False)
        assert batch.award_batch(ctx, [bought, bought]).purchases == 0
        assert history.balance(ctx, who.id).balance == 10
    shop.sound(shop.club)


def test_a_purchase_twice_in_one_batch_earns_once(shop: Shop) -> None:
    with shop.session(shop.shops) as s:
        who = shop.member(s)
        unknown = shop.buy(s, None, 700)  # nobody's, so nothing was earned
        mine = replace(unknown, customer_id=who.id)
        assert batch.award_batch(shop.ctx(s), [mine, mine]) == (1, 7, 0)
    shop.sound(shop.shops)


def test_the_tenth_visit_brings_the_free_product_and_starts_anew(shop: Shop) -> None:
    shop.set_up(shop.shops, accruals=[{"mode": "visit", "points": 1}], rewards=[FREE])
    with shop.session(shop.shops) as s:
        who = shop.member(s)
        answers = [
            purchases.record(s, shop.purchase(s, who.id, 500, at=later(n))).answers[0].value
            for n in range(11)
        ]
        assert [len(one.rewards) for one in answers] == [0] * 9 + [1, 0]
        assert [one.balance for one in answers] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
        assert "Free sandwich" in answers[9].words
        standing = history.balance(shop.ctx(s), who.id)
        assert (standing.balance, standing.held) == (1, 10)
        assert [reward.name for reward in standing.rewards] == ["Free sandwich"]
    shop.sound(shop.shops)


def test_a_basket_that_crosses_the_threshold_twice_brings_two(shop: Shop) -> None:
    shop.set_up(shop.club, rewards=[FREE])
    with shop.session(shop.club) as s:
        who = shop.member(s)
        value = purchases.record(s, shop.purchase(s, who.id, 2300)).answers[0].value
        assert (len(value.rewards), value.balance) == (2, 3)
    shop.sound(shop.club)


def test_a_debt_is_paid_before_anything_is_there_to_spend(shop: Shop) -> None:
    with shop.session(shop.club) as s:
        who = shop.member(s)
        corrections.adjust(shop.ctx(s), who.id, -15, "Counted twice by hand")
        value = purchases.record(s, shop.purchase(s, who.id, 1000)).answers[0].value
        assert (value.points, value.balance) == (10, -5)
        value = purchases.record(s, shop.purchase(s, who.id, 1000)).answers[0].value
        assert value.balance == 5
        assert history.balance(shop.ctx(s), who.id).spendable == 5
    shop.sound(shop.club)


def test_the_rules_of_the_hour_of_the_purchase_count(shop: Shop) -> None:
    """PEERS A1: the rule changed between an offline sale and its upload."""
    shop.set_up(shop.club, accruals=[{"mode": "spend", "per_minor": 100}])
    with shop.operator(shop.club) as s:
        settings.put(
            s, NAME, {"accruals": [{"mode": "spend", "per_minor": 50}]}, valid_from=later(2)
        )
    with shop.session(shop.club) as s:
        who = shop.member(s)
        values = [
            purchases.record(s, shop.purchase(s, who.id, 1000, at=later(n))).answers[0].value
            for n in (3, 1)
        ]
        assert [value.points for value in values] == [20, 10]
        assert len(s.query(Rule).all()) == 2
        assert len({entry.rule_id for entry in s.query(Entry)}) == 2
    shop.sound(shop.club)


def test_purchases_from_before_anything_was_set_up_earn_by_the_first_rules(shop: Shop) -> None:
    with shop.operator(shop.club) as s:
        settings.put(s, NAME, {"accruals": [{"mode": "visit", "points": 5}]})
    with shop.session(shop.club) as s:
        who = shop.member(s)
        value = purchases.record(s, shop.purchase(s, who.id, 1000, at=later(-400))).answers[0]
        assert value.value.points == 5


def test_every_store_of_a_brand_may_have_its_own_programme(shop: Shop) -> None:
    for number, per_minor in ((0, 100), (1, 1000)):
        with shop.session(shop.shops, number) as s:
            settings.put(
                s, NAME, {"accruals": [{"mode": "spend", "per_minor": per_minor}]},
                valid_from=later(-900),
            )  # fmt: skip
            who = shop.member(s)
            shop.buy(s, who.id, 5000)
            found = history.balance(shop.ctx(s), who.id).balance
            assert found == (50 if number == 0 else 5)


@pytest.mark.parametrize(
    "programme",
    [
        {},
        {"accruals": [{"mode": "visit", "points": 1}], "rewards": [FREE]},
        {"rewards": [FREE | {"valid_days": 30}], "expiry": "months", "expiry_months": 1},
        {"pending_days": 3, "rewards": [FREE], "expiry": "month_end", "expiry_months": 0},
        {"rewards": [COFFEE], "pending_days": 14, "expiry": "months", "expiry_months": 2},
        {"rewards": [FREE], "idle_months": 1, "expiry": "year_end"},
    ],
    ids=["plain", "visits", "expiring", "pending", "on-request", "idle"],
)
def test_an_import_gives_what_a_till_would_have_given(
    shop: Shop, programme: dict[str, Any]
) -> None:
    """The set-based way and the till's way come to the very same rows."""
    shop.set_up(shop.club, **programme)
    dice = random.Random(7)
    with shop.session(shop.club) as s:
        members = [shop.member(s, f"Member {n}") for n in range(6)]
        corrections.adjust(shop.ctx(s), members[0].id, -25, "A debt to begin with")
    baskets: list[PurchaseIn] = []
    for number in range(120):
        with shop.session(shop.club, number % 2) as s:
            who = dice.choice([*members, None])
            baskets.append(
                shop.purchase(
                    s,
                    who.id if who else None,
                    dice.randrange(50, 3000),
                    at=later(dice.uniform(-800 if "idle_months" in programme else 0, 90)),
                    store_id=shop.club.stores[number % 2].id,
                )
            )
    baskets.sort(key=lambda one: one.occurred_at)

    def one_by_one(s: ScopedSession) -> None:
        for basket in baskets:
            purchases.record(s, basket)

    def all_at_once(s: ScopedSession) -> None:
        for start in range(0, len(baskets), 50):
            purchases.record_batch(s, baskets[start : start + 50])

    first, second = _left_by(shop, one_by_one), _left_by(shop, all_at_once)
    assert len(first["entries"]) > 60
    if "idle_months" in programme:
        assert sum("expire" in row for row in first["entries"]) > 5
    for part in first:
        assert _less(first[part]) == _less(second[part]), part


class _Undo(Exception):
    pass


def _left_by(shop: Shop, work: Callable[[ScopedSession], None]) -> dict[str, Any]:
    """What `work` leaves in the ledger; nothing of it stays."""
    left: dict[str, Any] = {}
    with pytest.raises(_Undo), shop.operator(shop.club) as s:
        work(s)
        assert audit(s)[1] == []
        left = snapshot(s)
        raise _Undo
    return left


def _less(rows: list[tuple[Any, ...]]) -> list[Any]:
    """Purchases have new ids each time; everything else is the same."""
    return sorted(tuple("purchase" if _is_id(value) else value for value in row) for row in rows)


def _is_id(value: Any) -> bool:
    try:
        return isinstance(value, str) and value != "None" and bool(UUID(value).version == 7)
    except ValueError:
        return False


def test_rewards_that_come_by_themselves_end(shop: Shop) -> None:
    shop.set_up(shop.club, rewards=[FREE | {"valid_days": 30}])
    with shop.session(shop.club) as s:
        who = shop.member(s)
        shop.buy(s, who.id, 1000, at=NOON)
        account_id = accounts.of_customer(s, who.id)
        assert account_id is not None
        (found,) = issuing.open_of(s, account_id)
        assert found.ends_at is not None
        assert found.ends_at.isoformat() == "2026-06-03T23:00:00+00:00"  # midnight in London
        assert found.usable(later(29))
        assert not found.usable(later(31))
        assert history.balance(shop.ctx(s), who.id).rewards == (), "it ended months ago"


def test_an_import_opens_accounts_and_follows_merges(shop: Shop) -> None:
    """The tool came later than the members: there are no accounts yet."""
    from highstreet.customers import service as customers
    from highstreet.host import policy

    with shop.operator(shop.club) as s:
        policy.set_policy(s, NAME, "forbidden")
    with shop.session(shop.club) as s:
        members = [shop.member(s, f"M{n}") for n in range(45)]
        customers.merge(s, members[0].id, members[1].id)
    with shop.operator(shop.club) as s:
        policy.set_policy(s, NAME, "required")
        made = [
            shop.purchase(s, one.id, 1000, at=later(n / 50), store_id=shop.club.stores[n % 2].id)
            for n, one in enumerate(members)
        ]
        (answer,) = purchases.record_batch(s, made).answers
        assert (answer.value.purchases, answer.value.points) == (45, 450)
        assert history.balance(shop.ctx(s), members[0].id).balance == 20
        assert len(s.query(Account).all()) == 44
    shop.sound(shop.club)
