"""Many at the same moment: exactly one wins, and nothing is lost or doubled."""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any
from uuid import UUID

from highstreet.customers import service as customers
from highstreet.purchases import service as purchases
from highstreet_points_club import accounts, corrections, history, returns, rewards
from highstreet_points_club.models import Entry
from highstreet_tenants.errors import HighstreetError
from highstreet_tenants.ids import new_id
from highstreet_tenants.scopes import Actor

from .conftest import COFFEE, FREE, MONEY, Shop

MANY = 50


def at_once(many: int, work: Callable[[int], Any]) -> list[Any]:
    """What each of `many` threads gave, or which of our errors it raised."""
    gate = Barrier(many)
    found: list[Any] = [None] * many

    def run(number: int) -> None:
        gate.wait()
        try:
            found[number] = work(number)
        except Exception as error:  # told below, in the test's own thread
            found[number] = error

    threads = [Thread(target=run, args=(number,)) for number in range(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in found:
        if isinstance(one, Exception) and not isinstance(one, HighstreetError):
            raise one
    return found


def wide(shop: Shop) -> None:
    """Room for every thread's connection."""
    pool = shop.database.engine.pool
    pool._max_overflow = MANY  # type: ignore[attr-defined]


def member_with(shop: Shop, points: int) -> UUID:
    with shop.session(shop.club) as s:
        who = shop.member(s)
        shop.buy(s, who.id, points * 100)
    return who.id


def test_fifty_tills_redeem_the_last_reward(shop: Shop) -> None:
    """PEERS B8 (medusajs#16347 and seven others): check, then act."""
    wide(shop)
    shop.set_up(shop.club, rewards=[COFFEE])
    who = member_with(shop, 159)

    def redeem(number: int) -> Any:
        with shop.session(shop.club, number % 2) as s:
            return rewards.redeem_now(shop.ctx(s), who, "coffee")

    found = at_once(MANY, redeem)
    assert sum(not isinstance(one, HighstreetError) for one in found) == 1
    assert sum(isinstance(one, rewards.NotEnoughPoints) for one in found) == MANY - 1
    with shop.session(shop.club) as s:
        assert history.balance(shop.ctx(s), who).balance == 79
    shop.sound(shop.club)


def test_fifty_tills_hand_over_the_same_issued_reward(shop: Shop) -> None:
    wide(shop)
    shop.set_up(shop.club, rewards=[FREE])
    who = member_with(shop, 10)
    with shop.session(shop.club) as s:
        (reward,) = history.balance(shop.ctx(s), who).rewards

    def hand_over_or_undo(number: int) -> Any:
        with shop.session(shop.club, number % 2) as s:
            ctx = shop.ctx(s)
            return (rewards.give_back if number % 5 == 0 else rewards.redeem)(ctx, reward.id)

    at_once(MANY, hand_over_or_undo)
    with shop.session(shop.club) as s:
        ctx = shop.ctx(s)
        standing = history.balance(ctx, who)
        used = [e for e in s.query(Entry) if e.kind == "reverse_burn"]
        # Used, or used, taken back once and issued anew.
        assert (standing.balance, len(standing.rewards), len(used)) in {(0, 0, 0), (0, 1, 1)}
    shop.sound(shop.club)


def test_one_ref_from_fifty_retries_is_one_deed(shop: Shop) -> None:
    wide(shop)
    shop.set_up(shop.club, rewards=[MONEY])
    who = member_with(shop, 5000)

    def redeem(number: int) -> Any:
        with shop.session(shop.club) as s:
            return rewards.redeem_now(shop.ctx(s), who, "money", steps=2, ref="again").id

    assert len(set(at_once(MANY, redeem))) == 1
    with shop.session(shop.club) as s:
        assert history.balance(shop.ctx(s), who).balance == 4800
    shop.sound(shop.club)


def test_the_refund_path_is_locked_too(shop: Shop) -> None:
    """PEERS B8 (eventyay#2824): returns, awards, spending and corrections, all at once."""
    wide(shop)
    shop.set_up(shop.club, rewards=[COFFEE])
    who = member_with(shop, 400)
    with shop.session(shop.club) as s:
        bought = shop.buy(s, who, 20000)
        back = shop.bring_back(s, bought, 5000).returned  # 350 + 200 − 50 …

    def anything(number: int) -> Any:
        with shop.session(shop.club, 0) as s:
            ctx = shop.ctx(s)
            if number % 5 == 0:
                return returns.reverse(ctx, back)  # told again
            if number % 5 == 1:
                return rewards.redeem_now(ctx, who, "coffee")
            if number % 5 == 2:
                return shop.buy(s, who, 100, ref=f"race-{number}")
            if number % 5 == 3:
                return shop.bring_back(s, bought, 100)
            return corrections.adjust(ctx, who, -1, "A slip")

    found = at_once(MANY, anything)
    spent = sum(not isinstance(one, HighstreetError) for n, one in enumerate(found) if n % 5 == 1)
    failed = [one for n, one in enumerate(found) if n % 5 != 1 and isinstance(one, HighstreetError)]
    assert failed == []
    assert 5 <= spent <= 7
    with shop.session(shop.club) as s:
        left = history.balance(shop.ctx(s), who).balance
        assert left == 400 + 200 - 50 - 80 * spent + 10 - 10 - 10
    shop.sound(shop.club)


def test_fifty_corrections_at_once_keep_to_the_days_limit(shop: Shop) -> None:
    """Of fifty members, by one person: no account that they share, so no lock but the turn."""
    wide(shop)
    shop.set_up(shop.club, correct_most=100)
    with shop.session(shop.club) as s:
        members = [shop.member(s, f"Member {number}").id for number in range(MANY)]
    boss, owner = (Actor("user", new_id(), name) for name in ("Mia", "Olga"))

    def give(number: int) -> Any:
        with shop.session(shop.club, actor=boss) as s:
            return corrections.adjust(shop.ctx(s), members[number], 10 + number % 2, "For the wait")

    found = at_once(MANY, give)
    with shop.session(shop.club) as s:
        points = [history.balance(shop.ctx(s), who).balance for who in members]
    assert sum(points) in range(91, 101), "as much as there is room for, and not a point more"
    refused = [one for one in found if isinstance(one, HighstreetError)]
    assert all("more by hand today" in one.detail for one in refused)
    assert len(refused) == sum(one == 0 for one in points)
    with shop.session(shop.club, actor=owner) as s:
        assert corrections.adjust(shop.ctx(s), members[0], 100, "Another's day").entry_id
    shop.sound(shop.club)


def test_the_same_purchase_from_fifty_tills_earns_once(shop: Shop) -> None:
    wide(shop)
    who = member_with(shop, 1)
    with shop.session(shop.club) as s:
        basket = shop.purchase(s, who, 4200, ref="the-one")

    def record(number: int) -> Any:
        with shop.session(shop.club) as s:
            if number % 2:
                return purchases.record(s, basket).created
            return purchases.record_batch(s, [basket]).created == 1

    assert sum(one is True for one in at_once(MANY, record)) == 1
    with shop.session(shop.club) as s:
        assert history.balance(shop.ctx(s), who).balance == 43
    shop.sound(shop.club)


def test_many_purchases_of_one_member_at_once_all_count(shop: Shop) -> None:
    wide(shop)
    shop.set_up(shop.club, accruals=[{"mode": "visit", "points": 1}], rewards=[FREE])
    with shop.session(shop.club) as s:
        who = shop.member(s).id

    def buy(number: int) -> Any:
        with shop.session(shop.club, number % 2) as s:
            return shop.buy(s, who, 100, ref=f"n{number}").id

    at_once(MANY, buy)
    with shop.session(shop.club) as s:
        standing = history.balance(shop.ctx(s), who)
        assert (standing.balance, len(standing.rewards)) == (0, 5)
    shop.sound(shop.club)


def test_buying_while_two_records_are_merged(shop: Shop) -> None:
    wide(shop)
    with shop.session(shop.club) as s:
        one, other = shop.member(s, "Ann Lee"), shop.member(s, "Anne Lee")
        shop.buy(s, one.id, 1000)
        shop.buy(s, other.id, 1000)

    def work(number: int) -> Any:
        with shop.session(shop.club) as s:
            if number == 20:
                return customers.merge(s, one.id, other.id)
            return shop.buy(s, other.id if number % 2 else one.id, 100, ref=f"m{number}")

    found = at_once(MANY, work)
    assert [f for f in found if isinstance(f, HighstreetError)] == []
    with shop.session(shop.club) as s:
        assert history.balance(shop.ctx(s), one.id).balance == 20 + MANY - 1
        assert accounts.of_customer(s, other.id) is None
    shop.sound(shop.club)
