"""A merge is taken back: each has their own points again, exactly, or nothing is done."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from highstreet.customers import service
from highstreet.customers.facts import UnmergeFact
from highstreet.timeline import queries as timeline
from highstreet_points_club import accounts, corrections, history, lapse, rewards
from highstreet_points_club.models import Account, Lot
from highstreet_tenants.errors import Conflict
from highstreet_tenants.sessions import ScopedSession

from .conftest import COFFEE, FREE, MONEY, NAME, Shop, later

NOW = datetime(2026, 5, 9, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock(time_machine_: Any) -> Any:
    time_machine_.move_to(NOW)
    return time_machine_


def points(shop: Shop, s: ScopedSession, who: UUID) -> tuple[int, int, int]:
    """(balance, spendable, held) of a member."""
    one = history.balance(shop.ctx(s), who)
    return one.balance, one.spendable, one.held


def rows(done: UnmergeFact) -> dict[str, str]:
    return {row.label: row.value for row in done.tools[NAME]}


def test_points_go_back_with_their_lots_and_what_came_since_stays(shop: Shop) -> None:
    """PEERS B4 (odoo#145782, #171706): and a merge that was a mistake is no loss."""
    for brand in (shop.club, shop.shops):
        shop.set_up(brand, expiry="months", expiry_months=12, rewards=[COFFEE])
        with shop.session(brand) as s:
            keep = shop.member(s, "Maren Lind", card="1111222233")
            gone = shop.member(s, "M. Lind", card="4444555566")
            shop.buy(s, keep.id, 1000, at=later(0))
            bought = shop.buy(s, gone.id, 9000, at=later(1))
            rewards.hold(shop.ctx(s), gone.id, "coffee")
            before = _lots(s)
            service.merge(s, keep.id, gone.id)
            shop.buy(s, keep.id, 500, at=later(2))
            shop.buy(s, gone.id, 700, at=later(3))  # a till that still sends the old id
            told = service.unmerge(s, gone.id, dry_run=True)
            assert points(shop, s, keep.id) == (32, 32, 80)
            done = service.unmerge(s, gone.id)
            assert (
                rows(told)
                == rows(done)
                == {
                    "Points that go back": "10 points",
                    "Points that stay": "22 points",
                    "Rewards that go back": "1",
                }
            )
            assert points(shop, s, keep.id) == (22, 22, 0)
            assert points(shop, s, gone.id) == (10, 10, 80)
            assert {key: lot for key, lot in _lots(s).items() if key in before} == before
            # From now on each is by itself: a return, and the next purchase.
            shop.bring_back(s, bought, 1000)
            assert points(shop, s, gone.id) == (0, 0, 80)
            shop.buy(s, gone.id, 300)
            assert (points(shop, s, keep.id)[0], points(shop, s, gone.id)[0]) == (22, 3)
            lines = history.statement(shop.ctx(s), gone.id)
            assert [line.kind for line in lines[-5:]] == [
                "hold", "merge_out", "unmerge_in", "reverse_earn", "earn"
            ]  # fmt: skip
            assert lines[-1].balance == 3
        shop.sound(brand)


def _lots(s: ScopedSession) -> dict[UUID, tuple[Any, ...]]:
    whose = {a.id: a.customer_id for a in s.query(Account)}
    return {x.id: (whose[x.account_id], x.remaining, x.expires_at) for x in s.query(Lot)}


def test_a_member_without_points_gets_an_account_of_their_own(shop: Shop) -> None:
    """What the kept record earns after the merge must not go away with the other's account."""
    with shop.session(shop.club) as s:
        keep, gone = shop.member(s, "A"), shop.member(s, "B")
        account = s.query(Account).filter(Account.customer_id == keep.id).one()
        s.delete(account)  # joined while the tool was off
        s.flush()
        shop.buy(s, gone.id, 1000)
        service.merge(s, keep.id, gone.id)
        bought = shop.buy(s, keep.id, 700)
        service.unmerge(s, gone.id)
        assert (points(shop, s, keep.id)[0], points(shop, s, gone.id)[0]) == (7, 10)
        shop.bring_back(s, bought)
        assert (points(shop, s, keep.id)[0], points(shop, s, gone.id)[0]) == (0, 10)
    shop.sound(shop.club)


def test_a_member_who_has_no_account_takes_nothing(shop: Shop) -> None:
    with shop.session(shop.club) as s:
        keep, gone = shop.member(s, "A"), shop.member(s, "B")
        s.delete(s.query(Account).filter(Account.customer_id == gone.id).one())
        s.flush()
        shop.buy(s, keep.id, 1000)
        service.merge(s, keep.id, gone.id)
        assert service.unmerge(s, gone.id).tools == {}
        assert points(shop, s, keep.id)[0] == 10
    shop.sound(shop.club)


def test_a_reward_that_both_earned_together_turns_back_into_points(shop: Shop) -> None:
    shop.set_up(shop.club, rewards=[FREE])
    with shop.session(shop.club) as s:
        keep, gone = shop.member(s, "A"), shop.member(s, "B")
        shop.buy(s, keep.id, 700)
        shop.buy(s, gone.id, 800)
        service.merge(s, keep.id, gone.id)
        assert points(shop, s, keep.id) == (5, 5, 10)
        done = service.unmerge(s, gone.id)
        assert rows(done)["Rewards that turn back into points"] == "Free sandwich"
        assert points(shop, s, keep.id) == (7, 7, 0)
        assert points(shop, s, gone.id) == (8, 8, 0)
        titles = [e.title for e in timeline.read(s, keep.id).entries]
        assert "Free sandwich turned back into points: a merge was taken back" in titles
    shop.sound(shop.club)


def test_who_has_enough_alone_keeps_a_reward(shop: Shop) -> None:
    shop.set_up(shop.club, rewards=[FREE])
    with shop.session(shop.club) as s:
        keep, gone = shop.member(s, "A"), shop.member(s, "B")
        shop.buy(s, keep.id, 700)
        shop.buy(s, gone.id, 800)
        service.merge(s, keep.id, gone.id)
        shop.buy(s, keep.id, 600)  # a second reward, for eleven
        assert points(shop, s, keep.id) == (1, 1, 20)
        service.unmerge(s, gone.id)
        assert points(shop, s, keep.id) == (3, 3, 10)
        assert points(shop, s, gone.id) == (8, 8, 0)
    shop.sound(shop.club)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("hold", "“Coffee” waits since .*9 May.*Release it first"),
        ("redeem_now", "“Coffee” was given on .*9 May.*take it back first"),
    ],
)
def test_points_of_both_that_were_spent_can_not_be_told_apart_until_they_are_back(
    shop: Shop, how: str, says: str
) -> None:
    shop.set_up(shop.club, rewards=[COFFEE])
    with shop.session(shop.club) as s:
        ctx = shop.ctx(s)
        keep, gone = shop.member(s, "A"), shop.member(s, "B")
        shop.buy(s, keep.id, 5000, at=later(1))
        shop.buy(s, gone.id, 5000, at=later(0))
        service.merge(s, keep.id, gone.id)
        spent = getattr(rewards, how)(ctx, keep.id, "coffee")
        before = points(shop, s, keep.id)
        with pytest.raises(Conflict, match=says) as refused:
            service.unmerge(s, gone.id)
        assert "enrol the other person anew" in refused.value.detail
        assert points(shop, s, keep.id) == before
        assert accounts.of_customer(s, gone.id) is None
        (rewards.release if how == "hold" else rewards.give_back)(ctx, spent.id)
        service.unmerge(s, gone.id)
        assert points(shop, s, keep.id) == points(shop, s, gone.id) == (50, 50, 0)
    shop.sound(shop.club)


def test_points_that_the_kept_record_spent_of_its_own_are_its_own(shop: Shop) -> None:
    shop.set_up(shop.club, rewards=[COFFEE])
    with shop.session(shop.club) as s:
        keep, gone = shop.member(s, "A"), shop.member(s, "B")
        shop.buy(s, keep.id, 9000, at=later(0))  # burnt first, for it is older
        shop.buy(s, gone.id, 5000, at=later(1))
        service.merge(s, keep.id, gone.id)
        rewards.redeem_now(shop.ctx(s), keep.id, "coffee")
        service.unmerge(s, gone.id)
        assert (points(shop, s, keep.id)[0], points(shop, s, gone.id)[0]) == (10, 50)
    shop.sound(shop.club)


def test_a_reward_that_came_along_and_was_handed_over_since(shop: Shop, clock: Any) -> None:
    shop.set_up(shop.club, rewards=[COFFEE])
    with shop.session(shop.club) as s:
        keep, gone = shop.member(s, "A"), shop.member(s, "B")
        shop.buy(s, gone.id, 9000)
        held = rewards.hold(shop.ctx(s), gone.id, "coffee")
        service.merge(s, keep.id, gone.id)
    clock.shift(60)
    with shop.session(shop.club) as s:
        rewards.redeem(shop.ctx(s), held.id)
        with pytest.raises(Conflict, match="“Coffee” came with the other record"):
            service.unmerge(s, gone.id)
        rewards.give_back(shop.ctx(s), held.id)
        service.unmerge(s, gone.id)
        assert points(shop, s, gone.id) == (90, 90, 0)
    shop.sound(shop.club)


def test_goods_that_the_other_bought_come_back_while_they_are_merged(shop: Shop) -> None:
    with shop.session(shop.club) as s:
        keep, gone = shop.member(s, "A"), shop.member(s, "B")
        shop.buy(s, keep.id, 3000, at=later(0))
        bought = shop.buy(s, gone.id, 2000, at=later(1))
        mine = shop.buy(s, keep.id, 1000, at=later(2))
        service.merge(s, keep.id, gone.id)
        shop.bring_back(s, bought, 500)
        shop.bring_back(s, mine, 400)
        service.unmerge(s, gone.id)
        assert (points(shop, s, keep.id)[0], points(shop, s, gone.id)[0]) == (36, 15)
        shop.bring_back(s, bought, 1500)
        assert (points(shop, s, keep.id)[0], points(shop, s, gone.id)[0]) == (36, 0)
    shop.sound(shop.club)


def test_a_return_that_took_the_others_points_can_not_be_told_apart(shop: Shop) -> None:
    shop.set_up(shop.club, rewards=[COFFEE])
    with shop.session(shop.club) as s:
        keep, gone = shop.member(s, "A"), shop.member(s, "B")
        bought = shop.buy(s, keep.id, 8000, at=later(0))
        rewards.redeem_now(shop.ctx(s), keep.id, "coffee")
        shop.buy(s, gone.id, 9000, at=later(1))
        service.merge(s, keep.id, gone.id)
        shop.bring_back(s, bought)
        assert points(shop, s, keep.id)[0] == 10
        with pytest.raises(Conflict, match="points of both were taken, or paid, as one"):
            service.unmerge(s, gone.id)
        assert points(shop, s, keep.id)[0] == 10
    shop.sound(shop.club)


def test_a_correction_downwards_only_of_the_kept_records_own(shop: Shop) -> None:
    with shop.session(shop.club) as s:
        ctx = shop.ctx(s)
        keep, gone = shop.member(s, "A"), shop.member(s, "B")
        shop.buy(s, keep.id, 3000, at=later(0))
        shop.buy(s, gone.id, 2000, at=later(1))
        service.merge(s, keep.id, gone.id)
        corrections.adjust(ctx, keep.id, -30, "For the trouble")
        service.unmerge(s, gone.id, dry_run=True)
        corrections.adjust(ctx, keep.id, -1, "For more of it")
        with pytest.raises(Conflict, match="as one"):
            service.unmerge(s, gone.id)
    shop.sound(shop.club)


@pytest.mark.parametrize("debtor", ["keep", "gone"])
def test_a_debt_that_the_merge_paid_is_owed_again(shop: Shop, debtor: str) -> None:
    with shop.session(shop.club) as s:
        ctx = shop.ctx(s)
        keep, gone = shop.member(s, "A"), shop.member(s, "B")
        owes, has = (keep, gone) if debtor == "keep" else (gone, keep)
        corrections.adjust(ctx, owes.id, -8, "A slip")
        shop.buy(s, has.id, 2000)
        service.merge(s, keep.id, gone.id)
        assert points(shop, s, keep.id)[0] == 12
        shop.buy(s, keep.id, 300)
        service.unmerge(s, gone.id)
        assert points(shop, s, owes.id)[0] == (-5 if debtor == "keep" else -8)
        assert points(shop, s, has.id)[0] == (20 if debtor == "keep" else 23)
    shop.sound(shop.club)


def test_a_debt_that_was_earned_off_since_is_refused(shop: Shop) -> None:
    with shop.session(shop.club) as s:
        keep, gone = shop.member(s, "A"), shop.member(s, "B")
        corrections.adjust(shop.ctx(s), gone.id, -8, "A slip")
        service.merge(s, keep.id, gone.id)
        shop.buy(s, keep.id, 300)
        with pytest.raises(Conflict, match="as one"):
            service.unmerge(s, gone.id)
        assert points(shop, s, keep.id)[0] == -5
    shop.sound(shop.club)


def test_a_reward_that_the_old_debt_would_end_is_refused(shop: Shop) -> None:
    shop.set_up(shop.club, rewards=[COFFEE])
    with shop.session(shop.club) as s:
        ctx = shop.ctx(s)
        keep, gone = shop.member(s, "A"), shop.member(s, "B")
        corrections.adjust(ctx, keep.id, -8, "A slip")
        shop.buy(s, gone.id, 800)  # all of it pays the debt
        service.merge(s, keep.id, gone.id)
        shop.buy(s, keep.id, 8000)
        held = rewards.hold(ctx, keep.id, "coffee")
        with pytest.raises(Conflict, match="owed when the two merged"):
            service.unmerge(s, gone.id)
        rewards.release(ctx, held.id)
        service.unmerge(s, gone.id)
        assert (points(shop, s, keep.id)[0], points(shop, s, gone.id)[0]) == (72, 8)
    shop.sound(shop.club)


def test_points_lapse_meanwhile_as_they_would_have_done(shop: Shop, clock: Any) -> None:
    shop.set_up(shop.club, expiry="days", expiry_days=10)
    with shop.session(shop.club) as s:
        keep, gone = shop.member(s, "A"), shop.member(s, "B")
        shop.buy(s, keep.id, 1000, at=later(0))
        shop.buy(s, gone.id, 2000, at=later(0))
        shop.buy(s, gone.id, 400, at=later(4))
        service.merge(s, keep.id, gone.id)
    clock.move_to(later(12))
    with shop.session(shop.club) as s:
        lapse.sweep(shop.ctx(s))
        assert points(shop, s, keep.id)[0] == 4
        service.unmerge(s, gone.id)
        assert (points(shop, s, keep.id)[0], points(shop, s, gone.id)[0]) == (0, 4)
    shop.sound(shop.club)


def test_what_was_promised_to_either_gets_no_shorter(shop: Shop, clock: Any) -> None:
    """Points of members who stay away: a visit of the one record has kept the other's, too."""
    shop.set_up(shop.club, idle_months=1)
    with shop.session(shop.club) as s:
        keep, gone = shop.member(s, "A"), shop.member(s, "B")
        shop.buy(s, keep.id, 1000, at=later(0))
        shop.buy(s, gone.id, 2000, at=later(0))
        service.merge(s, keep.id, gone.id)
    clock.move_to(later(25))
    with shop.session(shop.club) as s:
        shop.buy(s, keep.id, 100, at=later(25))
    clock.move_to(later(34))
    with shop.session(shop.club) as s:
        service.unmerge(s, gone.id)
        assert (points(shop, s, keep.id)[0], points(shop, s, gone.id)[0]) == (11, 20)
    clock.move_to(later(60))
    with shop.session(shop.club) as s:
        lapse.sweep(shop.ctx(s))
        assert (points(shop, s, keep.id)[0], points(shop, s, gone.id)[0]) == (0, 0)
    shop.sound(shop.club)


def test_a_chain_parts_link_by_link(shop: Shop) -> None:
    with shop.session(shop.club) as s:
        first, second, third = (shop.member(s, name) for name in "ABC")
        for who, pounds in ((first, 3), (second, 20), (third, 100)):
            shop.buy(s, who.id, pounds * 100)
        service.merge(s, second.id, third.id)
        shop.buy(s, second.id, 100)
        service.merge(s, first.id, second.id)
        shop.buy(s, third.id, 500)
        service.unmerge(s, second.id)
        assert [points(shop, s, who.id)[0] for who in (first, second)] == [8, 121]
        service.unmerge(s, third.id)
        assert [points(shop, s, who.id)[0] for who in (first, second, third)] == [8, 21, 100]
        for _turn in range(2):
            service.merge(s, third.id, first.id)
            service.unmerge(s, first.id)
        assert [points(shop, s, who.id)[0] for who in (first, second, third)] == [8, 21, 100]
    shop.sound(shop.club)


def test_money_off_and_its_return_leave_no_trace(shop: Shop) -> None:
    shop.set_up(shop.club, rewards=[MONEY])
    with shop.session(shop.club) as s:
        ctx = shop.ctx(s)
        keep, gone = shop.member(s, "A"), shop.member(s, "B")
        shop.buy(s, keep.id, 10000, at=later(1))
        shop.buy(s, gone.id, 10000, at=later(0))
        service.merge(s, keep.id, gone.id)
        bought = shop.buy(s, keep.id, 1000)
        rewards.redeem_now(ctx, keep.id, "money", purchase_id=bought.id)
        shop.bring_back(s, bought)  # the reward comes back with it
        service.unmerge(s, gone.id)
        assert points(shop, s, keep.id) == points(shop, s, gone.id) == (100, 100, 0)
    shop.sound(shop.club)


def test_a_part_in_the_merge_that_is_still_owed_is_not_done_later(shop: Shop) -> None:
    """The club failed at the merge, which stood; taken back, there is nothing left to do."""
    from highstreet.host import retry
    from highstreet_points_club import merging

    with shop.session(shop.club) as s:
        keep, gone = shop.member(s, "A"), shop.member(s, "B")
        shop.buy(s, gone.id, 1000)
        with pytest.MonkeyPatch.context() as broken:
            broken.setattr(merging, "_MERGED", None)
            service.merge(s, keep.id, gone.id)
        assert accounts.of_customer(s, gone.id) is not None
        service.unmerge(s, gone.id)
        assert {how: n for how, n in retry.settle(s, NAME).items() if n} == {"gone": 1}
        assert (points(shop, s, keep.id)[0], points(shop, s, gone.id)[0]) == (0, 10)
    shop.sound(shop.club)


def test_a_club_that_is_off_parts_all_the_same(shop: Shop) -> None:
    from highstreet.host import policy

    with shop.session(shop.club) as s:
        keep, gone = shop.member(s, "A"), shop.member(s, "B")
        shop.buy(s, gone.id, 1000)
        service.merge(s, keep.id, gone.id)
    with shop.operator(shop.club) as s:
        policy.set_policy(s, NAME, "forbidden")
    with shop.session(shop.club) as s:
        service.unmerge(s, gone.id)
        assert points(shop, s, gone.id)[0] == 10
    shop.sound(shop.club)


def test_a_club_that_is_not_there_stops_it(shop: Shop) -> None:
    with shop.session(shop.club) as s:
        keep, gone = shop.member(s, "A"), shop.member(s, "B")
        service.merge(s, keep.id, gone.id)
        calls = shop.host.calls["customers_unmerged"]
        call = calls.pop(NAME)
        try:
            with pytest.raises(Conflict, match="“Points club” took part in the merge"):
                service.unmerge(s, gone.id)
        finally:
            calls[NAME] = call
        service.unmerge(s, gone.id)


def test_an_erased_member_leaves_no_way_back_to_the_account(shop: Shop) -> None:
    with shop.session(shop.shops) as s:
        keep, gone = shop.member(s, "A"), shop.member(s, "B")
        shop.buy(s, gone.id, 1000)
        service.merge(s, keep.id, gone.id)
        service.erase(s, keep.id, "On request")
        assert {(a.customer_id, a.merged_customer_id) for a in s.query(Account)} == {(None, None)}
    shop.sound(shop.shops)
