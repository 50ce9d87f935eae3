"""Any order of deeds at real tills keeps the ledger sound, and done again they come to the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from highstreet.customers import service as customers
from highstreet.host.dispatch import Refused
from highstreet.purchases.facts import PurchaseFact
from highstreet_points_club import (
    accounts,
    award,
    batch,
    corrections,
    history,
    lapse,
    returns,
    rewards,
)
from highstreet_points_club.audit import audit
from highstreet_points_club.models import Lot
from highstreet_tenants.errors import HighstreetError

from .conftest import FREE, Shop

COFFEE = {"key": "coffee", "name": "Coffee", "points": 20}
MONEY = {"key": "money", "name": "Money off", "points": 5, "kind": "money", "value_minor": 50}
START = datetime(2026, 3, 2, 12, tzinfo=UTC)
#: Days after which a till sends a purchase.
LATE = st.one_of(st.integers(0, 6), st.integers(7, 45))
WHO = st.integers(0, 2)


class Life:
    """Three members and what happens to them, deed by deed, each in a transaction of its own."""

    def __init__(self, shop: Shop, traveller: Any) -> None:
        self.shop, self.traveller = shop, traveller
        self.now = START
        traveller.move_to(START)
        with shop.session(shop.club) as s:
            self.members = [shop.member(s, f"Member {n}").id for n in range(3)]
        self.home = [0, 1, 2]
        self.merged: dict[int, list[int]] = {}
        self.bought: list[PurchaseFact] = []
        self.returned: list[Any] = []
        self.rewards: list[UUID] = []

    def do(self, what: str, *arguments: int) -> None:
        try:
            with self.shop.session(self.shop.club, arguments[0] % 2 if arguments else 0) as s:
                getattr(self, what)(s, self.shop.ctx(s), *arguments)
        except HighstreetError as refusal:
            assert refusal.status in (404, 409, 422), refusal
            assert not isinstance(refusal, Refused), "a tool failed"

    def who(self, number: int) -> UUID:
        return self.members[self.home[number]]

    def wait(self, _s: Any, _ctx: Any, days: int) -> None:
        self.now += timedelta(days=days)
        self.traveller.move_to(self.now)

    def buy(self, s: Any, _ctx: Any, who: int, pounds: int, late: int) -> None:
        at = self.now - timedelta(days=late)
        self.bought.append(self.shop.buy(s, self.who(who), pounds * 100 + 49, at=at))

    def buy_on_old_card(self, s: Any, _ctx: Any, who: int, pounds: int) -> None:
        self.bought.append(self.shop.buy(s, self.members[who], pounds * 100, at=self.now))

    def bring_back(self, s: Any, _ctx: Any, which: int, percent: int) -> None:
        if self.bought:
            one = self.bought[which % len(self.bought)]
            left = one.total_minor * percent // 100
            self.returned.append(self.shop.bring_back(s, one, max(1, left), at=self.now).returned)

    def told_again(self, _s: Any, ctx: Any, which: int) -> None:
        if self.bought:
            batch.award_batch(ctx, [self.bought[which % len(self.bought)]])
            award.award(ctx, self.bought[-1 - which % len(self.bought)])
        if self.returned:
            returns.reverse(ctx, self.returned[which % len(self.returned)])

    def hold(self, _s: Any, ctx: Any, who: int) -> None:
        self.rewards.append(rewards.hold(ctx, self.who(who), "coffee").id)

    def spend(self, _s: Any, ctx: Any, who: int, steps: int) -> None:
        made = rewards.redeem_now(ctx, self.who(who), "money", steps=steps)
        self.rewards.append(made.id)

    def deal(self, s: Any, ctx: Any, which: int, how: int) -> None:
        known = [*self.rewards, *(r.id for n in range(3) for r in self._waiting(ctx, n))]
        if known:
            (rewards.redeem, rewards.release, rewards.give_back)[how](
                ctx, known[which % len(known)]
            )

    def _waiting(self, ctx: Any, who: int) -> Any:
        return history.balance(ctx, self.members[who]).rewards

    def adjust(self, _s: Any, ctx: Any, who: int, points: int) -> None:
        corrections.adjust(ctx, self.who(who), points, "Just because")

    def sweep(self, _s: Any, ctx: Any) -> None:
        lapse.sweep(ctx)

    def merge(self, s: Any, _ctx: Any, keep: int, gone: int) -> None:
        keep, gone = self.home[keep], self.home[gone]
        if keep != gone:
            customers.merge(s, self.members[keep], self.members[gone])
            self.merged[gone] = [who for who in range(3) if self.home[who] == gone]
            self.home = [keep if home == gone else home for home in self.home]

    def unmerge(self, s: Any, _ctx: Any, who: int, rehearse: int) -> None:
        """Taken back, or refused: as it was said in the dry run, and with the same outcome."""
        if not rehearse:
            customers.unmerge(s, self.members[who])
            for one in self.merged.pop(who):
                self.home[one] = who
            return
        told = customers.unmerge(s, self.members[who], dry_run=True)
        assert customers.unmerge(s, self.members[who], dry_run=True).tools == told.tools

    def standing(self) -> list[Any]:
        """What each member has, in full, without ids."""
        with self.shop.session(self.shop.club) as s:
            ctx = self.shop.ctx(s)
            found = []
            for who in self.members:
                one = history.balance(ctx, who)
                account = accounts.of_customer(s, who)
                lots = [
                    (x.points, x.remaining, x.earned_at, x.activates_at, x.expires_at)
                    for x in s.query(Lot).where(Lot.account_id == account)
                ]
                told = [(x.kind, x.points, x.at, x.reward) for x in history.statement(ctx, who)]
                held = [(r.key, r.points, r.issued_at, r.ends_at) for r in one.rewards]
                figures = (one.balance, one.spendable, one.pending, one.held)
                found.append((figures, sorted(lots, key=repr), told, sorted(held, key=repr)))
                assert one.spendable + one.pending == max(0, one.balance)
                assert one.balance >= 0 or not held
            return found

    def check(self) -> None:
        with self.shop.operator(self.shop.club, write=False) as s:
            assert audit(s)[1] == []


def machine(shop: Shop, traveller: Any) -> Callable[[], RuleBasedStateMachine]:
    class AnyOrder(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.life = Life(shop, traveller)
            self.log: list[tuple[Any, ...]] = []

        def do(self, *deed: Any) -> None:
            self.log.append(deed)
            self.life.do(*deed)

        @rule(days=st.one_of(st.integers(1, 12), st.just(33)))
        def time_passes(self, days: int) -> None:
            self.do("wait", days)

        @rule(who=WHO, pounds=st.integers(0, 40), late=LATE)
        def buy(self, who: int, pounds: int, late: int) -> None:
            self.do("buy", who, pounds, late)

        @rule(who=WHO, pounds=st.integers(1, 30))
        def buy_on_an_old_card(self, who: int, pounds: int) -> None:
            self.do("buy_on_old_card", who, pounds)

        @precondition(lambda self: self.life.bought)
        @rule(which=st.integers(0, 50), percent=st.sampled_from([20, 50, 100]))
        def bring_back(self, which: int, percent: int) -> None:
            self.do("bring_back", which, percent)

        @precondition(lambda self: self.life.bought)
        @rule(which=st.integers(0, 50))
        def hear_it_again(self, which: int) -> None:
            self.do("told_again", which)

        @rule(who=WHO)
        def hold(self, who: int) -> None:
            self.do("hold", who)

        @rule(who=WHO, steps=st.integers(1, 6))
        def spend(self, who: int, steps: int) -> None:
            self.do("spend", who, steps)

        @rule(which=st.integers(0, 50), how=st.integers(0, 2))
        def deal_with_a_reward(self, which: int, how: int) -> None:
            self.do("deal", which, how)

        @rule(who=WHO, points=st.integers(-30, 30).filter(bool))
        def adjust(self, who: int, points: int) -> None:
            self.do("adjust", who, points)

        @rule()
        def sweep(self) -> None:
            self.do("sweep")

        @rule(keep=WHO, gone=WHO)
        def merge(self, keep: int, gone: int) -> None:
            self.do("merge", keep, gone)

        @precondition(lambda self: self.life.merged)
        @rule(who=WHO, rehearse=st.integers(0, 1))
        def unmerge(self, who: int, rehearse: int) -> None:
            self.do("unmerge", who, rehearse)

        @invariant()
        def sound(self) -> None:
            self.life.check()

        def teardown(self) -> None:
            first = self.life.standing()
            again = Life(shop, traveller)
            for deed in self.log:
                again.do(*deed)
            again.check()
            assert again.standing() == first

    return AnyOrder


@pytest.mark.parametrize(
    "programme",
    [
        {"rewards": [COFFEE, MONEY], "expiry": "months", "expiry_months": 1},
        {"rewards": [COFFEE, MONEY], "pending_days": 5, "expiry": "month_end"}
        | {"expiry_months": 0},
        {"rewards": [COFFEE, MONEY, FREE | {"points": 30, "valid_days": 20}], "pending_days": 2},
        {"rewards": [COFFEE, MONEY, FREE | {"points": 30}], "idle_months": 1}
        | {"expiry": "days", "expiry_days": 50},
    ],
    ids=["expiring", "pending", "automatic", "idle"],
)
def test_any_order(shop: Shop, programme: dict[str, Any]) -> None:
    shop.set_up(shop.club, **programme)
    with time_machine.travel(START, tick=False) as traveller:
        run_state_machine_as_test(  # type: ignore[no-untyped-call]
            machine(shop, traveller),
            settings=settings(
                max_examples=8 if shop.database.kind == "sqlite" else 3,  # the same Python
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
