"""Members merge, ask what is held, and leave."""

from __future__ import annotations

import json

import pytest

from highstreet.customers import queries, service
from highstreet.customers.facts import EnrolIn
from highstreet_points_club import accounts, corrections, history, issuing, rewards
from highstreet_points_club.models import Account, Entry, Lot, Reason, Reward
from highstreet_tenants.errors import Conflict, Invalid

from .conftest import COFFEE, FREE, NOON, Shop, later


@pytest.mark.parametrize("many", [3, 60])
def test_an_import_opens_all_accounts_in_one_go(shop: Shop, many: int) -> None:
    for brand, owned in ((shop.club, False), (shop.shops, True)):
        rows = [
            EnrolIn(store.id, f"N {n}", card=f"{n:06}")
            for n in range(many)
            for store in brand.stores
        ]
        with shop.operator(brand) as s:
            ids = set(service.enrol_batch(s, rows).ids)
            service.enrol_batch(s, rows)
        with shop.operator(brand, write=False) as s:
            held = {a.customer_id: a.store_id for a in s.query(Account)}
        assert held.keys() == ids
        assert set(held.values()) == ({store.id for store in brand.stores} if owned else {None})


def test_merging_sums_lots_and_every_card_goes_on_working(shop: Shop) -> None:
    """PEERS B4 (odoo#145782, #171706): two cards per person; the merge left one unusable."""
    for brand in (shop.club, shop.shops):
        shop.set_up(brand, expiry="months", expiry_months=12, rewards=[COFFEE])
        with shop.session(brand) as s:
            ctx = shop.ctx(s)
            keep = shop.member(s, "Maren Lind", card="1111222233")
            gone = shop.member(s, "M. Lind", card="4444555566")
            shop.buy(s, keep.id, 1000, at=later(0))
            shop.buy(s, gone.id, 9000, at=later(1))
            held = rewards.hold(ctx, gone.id, "coffee")
            service.merge(s, keep.id, gone.id)
            for card in ("1111222233", "4444555566"):
                who = queries.by_card(s, card)
                standing = history.balance(ctx, who.id)
                assert (standing.balance, standing.held) == (20, 80)
            assert {lot.expires_at.date().isoformat() for lot in s.query(Lot)} == {  # type: ignore[union-attr]
                "2027-05-04",
                "2027-05-05",
            }
            rewards.release(ctx, held.id)
            assert history.balance(ctx, keep.id).spendable == 100
            assert accounts.of_customer(s, gone.id) is None
        shop.sound(brand)


def test_merging_into_a_member_without_an_account(shop: Shop) -> None:
    with shop.session(shop.club) as s:
        keep, gone = shop.member(s, "A"), shop.member(s, "B")
        shop.buy(s, gone.id, 1000)
        service.merge(s, keep.id, gone.id)
        assert history.balance(shop.ctx(s), keep.id).balance == 10
    shop.sound(shop.club)


def test_merging_brings_the_reward_that_both_together_earned(shop: Shop) -> None:
    shop.set_up(shop.club, rewards=[FREE])
    with shop.session(shop.club) as s:
        keep, gone = shop.member(s, "A"), shop.member(s, "B")
        shop.buy(s, keep.id, 700)
        shop.buy(s, gone.id, 800)
        service.merge(s, keep.id, gone.id)
        standing = history.balance(shop.ctx(s), keep.id)
        assert (standing.balance, len(standing.rewards)) == (5, 1)
    shop.sound(shop.club)


def test_goods_of_a_merged_member_come_back(shop: Shop) -> None:
    with shop.session(shop.club) as s:
        first, second, third = (shop.member(s, name) for name in "ABC")
        bought = shop.buy(s, third.id, 1000)
        shop.buy(s, first.id, 500)
        service.merge(s, second.id, third.id)
        service.merge(s, first.id, second.id)
        assert history.balance(shop.ctx(s), first.id).balance == 15
        shop.bring_back(s, bought)
        assert history.balance(shop.ctx(s), first.id).balance == 5
        lines, _more = history.page(shop.ctx(s), first.id)
        assert sum(line.points for line in lines) == 5
        assert {line.kind for line in lines} >= {"earn", "merge_in", "merge_out", "reverse_earn"}
    shop.sound(shop.club)


def test_a_purchase_on_a_merged_members_old_id(shop: Shop) -> None:
    with shop.session(shop.club) as s:
        keep, gone = shop.member(s, "A"), shop.member(s, "B")
        shop.buy(s, gone.id, 500)
        service.merge(s, keep.id, gone.id)
        shop.buy(s, gone.id, 500)
        assert history.balance(shop.ctx(s), keep.id).balance == 10
        assert len([a for a in s.query(Account) if a.customer_id]) == 1
    shop.sound(shop.club)


def test_a_member_sees_all_that_is_held(shop: Shop) -> None:
    shop.set_up(shop.shops, rewards=[COFFEE])
    with shop.session(shop.shops) as s:
        ctx, who = shop.ctx(s), shop.member(s)
        shop.buy(s, who.id, 9000)
        rewards.redeem_now(ctx, who.id, "coffee")
        corrections.adjust(ctx, who.id, 5, "For the trouble")
        held = service.export(s, who.id)["tools"]["points_club"]
        json.dumps(held)
        assert held["balance"] == 15
        assert [(e["kind"], e["points"], e["balance"]) for e in held["entries"]] == [
            ("earn", 90, 90),
            ("burn", -80, 10),
            ("adjust", 5, 15),
        ]
        assert held["entries"][2]["reason"] == "For the trouble"
        assert held["rewards"][0]["reward"] == "Coffee"


def test_an_erased_member_leaves_sums_that_name_nobody(shop: Shop) -> None:
    shop.set_up(shop.shops, rewards=[COFFEE])
    with shop.session(shop.shops) as s:
        ctx, who = shop.ctx(s), shop.member(s)
        bought = shop.buy(s, who.id, 20000)
        rewards.hold(ctx, who.id, "coffee")
        corrections.adjust(ctx, who.id, 5, "Maren asked for it")
        service.erase(s, who.id, "On request")
        (account,) = s.query(Account)
        assert (account.customer_id, account.balance) == (None, 0)
        assert s.query(Reason).all() == []
        assert {reward.status for reward in s.query(Reward)} == {"lapsed"}
        assert len(s.query(Entry).all()) == 4
        shop.bring_back(s, bought)  # the books go on
    shop.sound(shop.shops)


def test_corrections_need_a_reason_and_have_bounds(shop: Shop) -> None:
    with shop.session(shop.club) as s:
        ctx, who = shop.ctx(s), shop.member(s)
        for points, why in ((0, "nothing"), (10**7, "a slip"), (5, ""), (5, "x"), (5, "y" * 201)):
            with pytest.raises(Invalid):
                corrections.adjust(ctx, who.id, points, why)
        with pytest.raises(Invalid, match="payment card"):
            corrections.adjust(ctx, who.id, 5, "paid by 4111 1111 1111 1111")
        done = corrections.adjust(ctx, who.id, 5, "Welcome", ref="w1")
        assert done.balance == 5
        assert corrections.adjust(ctx, who.id, 5, "Welcome", ref="w1") == done
        for whom, points in ((who.id, 6), (shop.member(s, "Jo").id, 5)):
            with pytest.raises(Conflict):
                corrections.adjust(ctx, whom, points, "Welcome", ref="w1")
        assert corrections.adjust(ctx, who.id, -9, "Not welcome").balance == -4
    shop.sound(shop.club)


def test_a_correction_brings_the_reward_it_reaches(shop: Shop) -> None:
    shop.set_up(shop.club, rewards=[FREE])
    with shop.session(shop.club) as s:
        done = corrections.adjust(shop.ctx(s), shop.member(s).id, 12, "From the old card")
        assert (done.balance, [reward.key for reward in done.rewards]) == (2, ["free"])


def test_the_story_page_by_page(shop: Shop) -> None:
    shop.set_up(shop.club, rewards=[COFFEE])
    with shop.session(shop.club, 0) as s:
        who = shop.member(s)
        for number in range(7):
            shop.buy(s, who.id, 1000 * (number + 1), at=later(number))
    with shop.session(shop.club, 1) as s:
        shop.buy(s, who.id, 9900, at=later(9))
        ctx = shop.ctx(s)
        seen, cursor = [], None
        while True:
            lines, cursor = history.page(ctx, who.id, before=cursor, limit=3)
            seen += lines
            if cursor is None:
                break
        assert [line.points for line in seen] == [99, 70, 60, 50, 40, 30, 20, 10]
        # A store learns where its own points came from, of others' the points only.
        assert [line.store for line in seen[:2]] == ["Harbour 2", None]
        assert seen[1].amount_minor is None
        assert seen[1].purchase_id is None
        with pytest.raises(Invalid, match="does not exist"):
            history.page(ctx, who.id, before="1.2.3.x")
        told = history.statement(ctx, who.id, since=later(4.5), until=later(6.5))
        assert [(line.points, line.balance) for line in told] == [(60, 210), (70, 280)]
    assert later(1) > NOON


def test_rewards_of_a_member_newest_first(shop: Shop) -> None:
    shop.set_up(shop.club, rewards=[FREE])
    with shop.session(shop.club) as s:
        ctx, who = shop.ctx(s), shop.member(s)
        for number in range(3):
            shop.buy(s, who.id, 1000, at=later(number))
        account_id = accounts.of_customer(s, who.id)
        assert account_id is not None
        found = issuing.latest_of(s, account_id, 2)
        assert [reward.issued_at for reward in found] == [later(2), later(1)]
        assert ctx is not None
