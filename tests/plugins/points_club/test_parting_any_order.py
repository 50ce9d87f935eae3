"""Whatever happens to two accounts while they are merged, those that part again come to exactly
what they would have come to had they never been one.
"""

from __future__ import annotations

from uuid import UUID

from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from highstreet_points_club import ledger
from highstreet_points_club.ledger import AccountState, Hold

from .test_ledger_any_order import DAYS, POINTS, WHO, Club


class Twice(Club):
    """A club, and beside each merged account a shadow of what it would be alone.

    To a shadow happens what is about its own: goods that it bought come back, its rewards are
    handed over, released or given back, its points expire.
    """

    def __init__(self) -> None:
        super().__init__()
        self.shadows: dict[int, AccountState] = {}

    def merge(self, keep: int, lose: int) -> None:
        lost = self.home[lose]
        before = self.accounts[lost]
        many = len(self.merges)
        super().merge(keep, lose)
        if len(self.merges) > many:
            self.shadows[lost] = before

    def unmerge(self, which: int) -> bool:
        standing = list(self.merges)
        done = super().unmerge(which)
        event("parted" if done else "refused")
        if done:
            (gone,) = [one for one in standing if one not in self.merges]
            alone = ledger.expire(self.shadows.pop(gone.lose), self.now, self.mint).state
            back = self.accounts[gone.lose]
            assert (back.balance, back.debt) == (alone.balance, alone.debt)
            assert left(back) == left(alone)
            assert {one.id for one in back.holds} == {one.id for one in alone.holds}
            kept = self.accounts[gone.keep]
            assert not {lot.id for lot in kept.lots} & self.theirs(gone)
        return done

    def about(self, entry_id: UUID) -> list[int]:
        """The merged accounts whose own an entry is."""
        return [one.lose for one in self.merges if entry_id in self.theirs(one)]

    def give_back_goods(self, which: int, share: int) -> None:
        bought = list(self.bought)[which % len(self.bought)]
        before = self.bought[bought][2]
        earned = self.bought[bought][1]
        super().give_back_goods(which, share)
        due = self.bought[bought][2] - before
        for who in self.about(bought) if due else ():
            state = ledger.expire(self.shadows[who], self.now, self.mint).state
            self.shadows[who] = ledger.reverse_earn(
                state, due, self.now, self.mint, earn_id=bought, left=earned - before
            ).state

    def redeem(self, who: int) -> None:
        holds = self.accounts[self.home[who]].holds
        super().redeem(who)
        for one in self.about(holds[0].id) if holds else ():
            if holds[0].id in {hold.id for hold in self.shadows[one].holds}:
                self.shadows[one] = ledger.redeem(self.shadows[one], holds[0].id)

    def release(self, who: int) -> None:
        holds = self.accounts[self.home[who]].holds
        super().release(who)
        for one in self.about(holds[-1].id) if holds else ():
            if holds[-1].id in {hold.id for hold in self.shadows[one].holds}:
                state = ledger.release(self.shadows[one], holds[-1].id, self.now, self.mint).state
                self.shadows[one] = state

    def undo(self, which: int) -> None:
        spent: Hold = self.redeemed[which % len(self.redeemed)]
        for one in self.about(spent.id):
            state = self.shadows[one]
            known = {lot.id for lot in state.lots}
            more = tuple(
                self.lots[lot]._replace(remaining=0) for lot, _ in spent.parts if lot not in known
            )
            whole = replace(state, lots=state.lots + more)
            self.shadows[one] = ledger.give_back(whole, spent, self.now, self.mint).state
        super().undo(which)


def left(state: AccountState) -> dict[UUID, int]:
    return {lot.id: lot.remaining for lot in state.lots if lot.remaining}


class AnyOrder(RuleBasedStateMachine):
    """Hypothesis looks for a life in which something of the one ends up with the other."""

    def __init__(self) -> None:
        super().__init__()
        self.club = Twice()

    @initialize(
        points=st.lists(POINTS, min_size=6, max_size=6), lives=st.tuples(DAYS, DAYS), held=POINTS
    )
    def begin(self, points: list[int], lives: tuple[int | None, int | None], held: int) -> None:
        for number, some in enumerate(points):
            self.club.earn(number % 3, some, None, lives[number % 2], 0, None)
        self.club.hold(1, held)
        self.club.merge(0, 1)

    @rule(days=st.integers(1, 15))
    def time_passes(self, days: int) -> None:
        self.club.wait(days)

    @rule(who=WHO, points=POINTS, pending=DAYS, life=DAYS, late=st.integers(0, 5))
    def earn(self, who: int, points: int, pending: int | None, life: int | None, late: int) -> None:
        self.club.earn(who, points, pending, life, late, None)

    @precondition(lambda self: self.club.bought)
    @rule(which=st.integers(0, 99), share=st.integers(0, 3))
    def return_goods(self, which: int, share: int) -> None:
        self.club.give_back_goods(which, share)

    @rule(who=WHO, points=POINTS)
    def hold(self, who: int, points: int) -> None:
        self.club.hold(who, points)

    @rule(who=WHO, points=POINTS)
    def burn(self, who: int, points: int) -> None:
        self.club.burn(who, points)

    @rule(who=WHO, what=st.sampled_from(["redeem", "release", "expire"]))
    def go_on(self, who: int, what: str) -> None:
        self.club.do(what, who)

    @precondition(lambda self: self.club.redeemed)
    @rule(which=st.integers(0, 99))
    def undo(self, which: int) -> None:
        self.club.undo(which)

    @rule(who=WHO, points=st.integers(-30, 30).filter(bool))
    def adjust(self, who: int, points: int) -> None:
        self.club.adjust(who, points)

    @rule(keep=WHO, lose=WHO)
    def merge(self, keep: int, lose: int) -> None:
        self.club.merge(keep, lose)

    @precondition(lambda self: self.club.merges)
    @rule(which=st.integers(0, 9))
    def unmerge(self, which: int) -> None:
        self.club.unmerge(which)

    @invariant()
    def sound(self) -> None:
        self.club.check()


AnyOrder.TestCase.settings = settings(max_examples=300, stateful_step_count=30, deadline=None)
TestAnyOrder = AnyOrder.TestCase
