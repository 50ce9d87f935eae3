"""Any order of events keeps the account sound, and the same events give the same account."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from highstreet_points_club import ledger, parting
from highstreet_points_club.ledger import AccountState, Step

START = datetime(2026, 1, 1, tzinfo=UTC)
WHO = st.integers(0, 2)
POINTS = st.integers(1, 40)
LATE = st.integers(0, 25)
DAYS = st.one_of(st.none(), st.integers(1, 20))


@dataclass
class Merge:
    """An account that went into another. came: the entry of that; group: whose accounts went."""

    keep: int
    lose: int
    came: ledger.Entry
    group: list[int]


class Club:
    """Three accounts and every row ever written, kept the way the tables keep them."""

    def __init__(self) -> None:
        numbers = count(1)
        self.mint = lambda: UUID(int=next(numbers))
        self.now = START
        self.accounts = [AccountState(self.mint()) for _ in range(3)]
        self.home = [0, 1, 2]
        self.entries: list[ledger.Entry] = []
        self.lots: dict[UUID, ledger.Lot] = {}
        self.allocations: list[ledger.Allocation] = []
        self.bought: dict[UUID, list[int]] = {}  # earn entry → account, earned, reversed
        self.redeemed: list[ledger.Hold] = []
        self.promised: dict[UUID, datetime] = {}  # idle lot → the day that visits promised it
        self.owner: dict[UUID, int] = {}  # lot → whose account it was made in
        self.merges: list[Merge] = []

    def book(self, who: int, step: Step) -> None:
        self.keeps_promises(step)
        self.accounts[who] = step.state
        self.entries += step.entries
        self.lots |= {lot.id: lot for lot in step.lots}
        self.owner |= {lot.id: who for lot in step.lots}
        self.allocations += step.allocations
        for lot in step.state.lots:
            self.lots[lot.id] = lot
        open_now = {lot.id for lot in step.state.lots}
        for allocation in step.allocations:
            if allocation.lot_id not in open_now:
                lot = self.lots[allocation.lot_id]
                self.lots[lot.id] = lot._replace(remaining=0)

    def keeps_promises(self, step: Step) -> None:
        """What lapses does so on its own last day, or when nobody came until the day promised."""
        lapses = {entry.id: entry.at for entry in step.entries if entry.kind == "expire"}
        for allocation in step.allocations:
            at, lot = lapses.get(allocation.entry_id), self.lots.get(allocation.lot_id)
            if at is not None and lot is not None and at != lot.expires_at:
                assert lot.idle
                assert at >= self.promised[lot.id]

    def promise(self, who: int, until: datetime | None) -> None:
        """The member was told that idle points stay until then (None: no day is set).

        What is gone at the time nobody spoke of, though another visit may bring it back.
        """
        for lot in self.lots.values():
            if lot.idle and lot.remaining and self.home[self.owner[lot.id]] == who:
                if until is None:
                    self.promised.pop(lot.id, None)
                else:
                    self.promised[lot.id] = max(until, self.promised.get(lot.id, until))

    def do(self, what: str, *arguments: int | None) -> None:
        getattr(self, what)(*arguments)

    def wait(self, days: int) -> None:
        self.now += timedelta(days=days)

    def earn(
        self, who: int, points: int, pending: int | None, life: int | None, late: int,
        stays: int | None,
    ) -> None:  # fmt: skip
        who = self.home[who]
        at = self.now - timedelta(days=late)
        until = self.then(at, stays)
        state, lapsed = self.lapsed(who, at)
        step = ledger.earn(
            state, points, at, self.mint,
            activates_at=self.then(at, pending),
            expires_at=self.then(at, life),
            idle_at=until,
            lapsed=lapsed,
        )  # fmt: skip
        self.brings_back(lapsed, at, until, step)
        self.book(who, step)
        self.promise(who, until)
        [earned] = [entry.id for entry in step.entries if entry.kind == "earn"]
        self.bought[earned] = [who, points, 0]

    def visit(self, who: int, late: int, stays: int | None) -> None:
        who = self.home[who]
        at = self.now - timedelta(days=late)
        until = self.then(at, stays)
        state, lapsed = self.lapsed(who, at)
        step = ledger.visit(state, at, self.mint, idle_at=until, lapsed=lapsed)
        self.brings_back(lapsed, at, until, step)
        self.book(who, step)
        self.promise(who, until)

    def lapsed(self, who: int, at: datetime) -> tuple[AccountState, list[ledger.Lapse]]:
        """The account with the idle lots that were booked as gone after `at`."""
        ends = {e.id: e.at for e in self.entries if e.kind == "expire" and e.at > at}
        back = {e.id: e.reverses_id for e in self.entries if e.kind == "revive"}
        gone: dict[UUID, dict[UUID, int]] = {}
        for a in self.allocations:
            lapse = a.entry_id if a.entry_id in ends else back.get(a.entry_id)
            lot = self.lots[a.lot_id]
            if lapse not in ends or not lot.idle or lot.expires_at == ends[lapse]:
                continue
            if (a.entry_id in back and a.points < 0) or self.home[self.owner[lot.id]] != who:
                continue
            of = gone.setdefault(lapse, {})
            of[lot.id] = of.get(lot.id, 0) - a.points
        lapses = []
        for entry, of in gone.items():
            parts = tuple((lot, points) for lot, points in of.items() if points)
            if parts:
                lapses.append(ledger.Lapse(entry, ends[entry], parts))
        state = self.accounts[who]
        closed = {lot for one in lapses for lot, _ in one.parts} - {x.id for x in state.lots}
        return replace(state, lots=state.lots + tuple(self.lots[x] for x in closed)), lapses

    def brings_back(
        self, lapsed: list[ledger.Lapse], at: datetime, until: datetime | None, step: Step
    ) -> None:
        """All that the visit had saved, and nothing else."""
        back = [e.reverses_id for e in step.entries if e.kind == "revive"]
        saved = [x for x in lapsed if until is not None and at < x.at < until]
        assert back == [x.id for x in saved]
        for lot, _points in (part for x in saved for part in x.parts):
            self.promised.pop(lot, None)

    @staticmethod
    def then(at: datetime, days: int | None) -> datetime | None:
        return None if days is None else at + timedelta(days=days)

    def give_back_goods(self, which: int, share: int) -> None:
        bought = list(self.bought)[which % len(self.bought)]
        who, earned, before = self.bought[bought]
        who = self.home[who]
        state = ledger.expire(self.accounts[who], self.now, self.mint)
        self.book(who, state)
        expiring = {e.id for e in self.entries if e.kind == "expire"}
        back = {e.id for e in self.entries if e.kind == "revive"}
        lapsed = -sum(
            a.points
            for a in self.allocations
            if (a.entry_id in expiring or (a.entry_id in back and a.points > 0))
            and a.lot_id == bought
        )
        due = ledger.due_back(earned, before, lapsed, earned * share // 4)
        if due:
            self.bought[bought][2] += due
            step = ledger.reverse_earn(
                self.accounts[who], due, self.now, self.mint, earn_id=bought, left=earned - before
            )
            self.book(who, step)

    def hold(self, who: int, points: int) -> None:
        who = self.home[who]
        before = self.accounts[who]
        try:
            step, _ = ledger.hold(before, points, self.now, self.mint)
        except ledger.NotEnough as refusal:
            assert refusal.spendable < points
            return
        self.book(who, step)

    def burn(self, who: int, points: int) -> None:
        who = self.home[who]
        spendable = self.accounts[who].spendable(self.accounts[who].effective(self.now))
        try:
            step, spent = ledger.burn(self.accounts[who], points, self.now, self.mint)
        except ledger.NotEnough:
            assert spendable < points
            return
        assert spendable >= points
        self.book(who, step)
        self.redeemed.append(spent)

    def redeem(self, who: int) -> None:
        who = self.home[who]
        if self.accounts[who].holds:
            spent = self.accounts[who].holds[0]
            self.accounts[who] = ledger.redeem(self.accounts[who], spent.id)
            self.redeemed.append(spent)

    def release(self, who: int) -> None:
        who = self.home[who]
        if self.accounts[who].holds:
            one = self.accounts[who].holds[-1].id
            self.book(who, ledger.release(self.accounts[who], one, self.now, self.mint))

    def undo(self, which: int) -> None:
        spent = self.redeemed.pop(which % len(self.redeemed))
        who = self.home[self.account_of(spent.id)]
        state = self.accounts[who]
        known = {lot.id for lot in state.lots}
        more = tuple(self.lots[lot] for lot, _ in spent.parts if lot not in known)
        state = replace(state, lots=state.lots + more)
        self.book(who, ledger.give_back(state, spent, self.now, self.mint))

    def account_of(self, entry_id: UUID) -> int:
        """Where an entry was booked; what it is about follows its merges."""
        [account] = [entry.account_id for entry in self.entries if entry.id == entry_id]
        return [one.id for one in self.accounts].index(account)

    def issue(self, who: int, points: int) -> None:
        who = self.home[who]
        step, _ = ledger.issue_due(self.accounts[who], points, self.now, self.mint)
        self.book(who, step)
        state = self.accounts[who]
        assert state.spendable(state.effective(self.now)) < points

    def expire(self, who: int) -> None:
        who = self.home[who]
        self.book(who, ledger.expire(self.accounts[who], self.now, self.mint))
        state = self.accounts[who]
        assert state.idle_at is None or state.idle_at > self.now
        assert all(lot.expires_at is None or lot.expires_at > self.now for lot in state.lots
                   if lot.remaining > 0)  # fmt: skip

    def adjust(self, who: int, points: int) -> None:
        who = self.home[who]
        self.book(who, ledger.adjust(self.accounts[who], points, self.now, self.mint))

    def merge(self, keep: int, lose: int) -> None:
        keep, lose = self.home[keep], self.home[lose]
        if keep == lose:
            return
        stays, leaves = ledger.merge(self.accounts[keep], self.accounts[lose], self.now, self.mint)
        self.book(lose, leaves)
        self.book(keep, stays)
        [came] = [entry for entry in stays.entries if entry.kind == "merge_in"]
        group = [who for who, home in enumerate(self.home) if home == lose]
        self.merges.append(Merge(keep, lose, came, group))
        self.home = [keep if home == lose else home for home in self.home]
        if self.accounts[keep].idle_at is None:
            self.promise(keep, None)

    def unmerge(self, which: int) -> bool:
        """Take a merge back that no other was built on, if the two can be told apart."""
        latest = {who: one for one in self.merges for who in (one.keep, one.lose)}
        open_ = [one for one in self.merges if latest[one.keep] is one]
        if not open_:
            return False
        one = open_[which % len(open_)]
        theirs = self.theirs(one)
        merge, *since = self.since(one)
        if list(parting.mixed(merge, since, theirs)):
            return False
        paid = tuple((a.lot_id, a.points) for a in self.allocations if a.entry_id == one.came.id)
        state = self.accounts[one.keep]
        known = {lot.id for lot in state.lots}
        more = tuple(self.lots[lot] for lot, _ in paid if lot not in known)
        try:
            stays, comes = parting.unmerge(
                replace(state, lots=state.lots + more),
                self.accounts[one.lose],
                theirs,
                ledger.Hold(one.came.id, 0, paid),
                self.now,
                self.mint,
            )
        except parting.StillOwed:
            return False
        self.book(one.keep, stays)
        self.book(one.lose, comes)
        self.merges.remove(one)
        for who in one.group:
            self.home[who] = one.lose
        return True

    def theirs(self, one: "Merge") -> set[UUID]:
        accounts = {self.accounts[who].id for who in one.group}
        return {entry.id for entry in self.entries if entry.account_id in accounts}

    def since(self, one: "Merge") -> list[parting.Since]:
        moved: dict[UUID, dict[UUID, int]] = {}
        for a in self.allocations:
            lots = moved.setdefault(a.entry_id, {})
            lots[a.lot_id] = lots.get(a.lot_id, 0) + a.points
        kept = self.accounts[one.keep].id
        return [
            parting.Since(entry, moved.get(entry.id, {}))
            for entry in self.entries
            if entry.account_id == kept and entry.seq >= one.came.seq
        ]

    def forfeit(self, who: int) -> None:
        who = self.home[who]
        self.book(who, ledger.forfeit(self.accounts[who], self.now, self.mint))

    def check(self) -> None:
        booked = {account.id: 0 for account in self.accounts}
        for entry in self.entries:
            booked[entry.account_id] += entry.points
        moved: dict[UUID, int] = {}
        put: dict[UUID, int] = {}
        for allocation in self.allocations:
            moved[allocation.lot_id] = moved.get(allocation.lot_id, 0) + allocation.points
            put[allocation.entry_id] = put.get(allocation.entry_id, 0) + allocation.points
        for lot in self.lots.values():
            put[lot.id] = put.get(lot.id, 0) + lot.points
            assert lot.remaining == lot.points + moved.get(lot.id, 0)
        for entry in self.entries:
            if not entry.kind.startswith(("merge", "unmerge")):
                assert entry.points == put.get(entry.id, 0), entry
        for account in self.accounts:
            assert account.faults() == []
            assert account.balance == booked[account.id]
            own = [entry.seq for entry in self.entries if entry.account_id == account.id]
            assert own == list(range(1, account.seq + 1))
        for earned, reversed_ in ((b[1], b[2]) for b in self.bought.values()):
            assert 0 <= reversed_ <= earned


class AnyOrder(RuleBasedStateMachine):
    """Hypothesis looks for an order of events that breaks the club."""

    def __init__(self) -> None:
        super().__init__()
        self.club = Club()
        self.log: list[tuple[str, tuple[int | None, ...]]] = []

    def do(self, what: str, *arguments: int | None) -> None:
        self.log.append((what, arguments))
        self.club.do(what, *arguments)

    @rule(days=st.integers(1, 15))
    def time_passes(self, days: int) -> None:
        self.do("wait", days)

    @rule(who=WHO, points=POINTS, pending=DAYS, life=DAYS, late=LATE, stays=DAYS)
    def earn(
        self, who: int, points: int, pending: int | None, life: int | None, late: int,
        stays: int | None,
    ) -> None:  # fmt: skip
        self.do("earn", who, points, pending, life, late, stays)

    @rule(who=WHO, late=LATE, stays=DAYS)
    def visit(self, who: int, late: int, stays: int | None) -> None:
        self.do("visit", who, late, stays)

    @precondition(lambda self: self.club.bought)
    @rule(which=st.integers(0, 99), share=st.integers(0, 3))
    def return_goods(self, which: int, share: int) -> None:
        self.do("give_back_goods", which, share)

    @rule(who=WHO, points=POINTS)
    def hold(self, who: int, points: int) -> None:
        self.do("hold", who, points)

    @rule(who=WHO, points=POINTS)
    def burn(self, who: int, points: int) -> None:
        self.do("burn", who, points)

    @rule(who=WHO, points=st.integers(3, 12))
    def issue(self, who: int, points: int) -> None:
        self.do("issue", who, points)

    @rule(who=WHO, what=st.sampled_from(["redeem", "release", "expire"]))
    def go_on(self, who: int, what: str) -> None:
        self.do(what, who)

    @precondition(lambda self: self.club.redeemed)
    @rule(which=st.integers(0, 99))
    def undo(self, which: int) -> None:
        self.do("undo", which)

    @rule(who=WHO, points=st.integers(-30, 30).filter(bool))
    def adjust(self, who: int, points: int) -> None:
        self.do("adjust", who, points)

    @rule(keep=WHO, lose=WHO)
    def merge(self, keep: int, lose: int) -> None:
        self.do("merge", keep, lose)

    @precondition(lambda self: self.club.merges)
    @rule(which=st.integers(0, 9))
    def unmerge(self, which: int) -> None:
        self.do("unmerge", which)

    @invariant()
    def sound(self) -> None:
        self.club.check()

    def teardown(self) -> None:
        again = Club()
        for what, arguments in self.log:
            again.do(what, *arguments)
        assert again.accounts == self.club.accounts
        assert again.entries == self.club.entries
        for who in range(3):
            self.club.forfeit(who)
        self.club.check()
        assert all(account.balance == 0 for account in self.club.accounts)


AnyOrder.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestAnyOrder = AnyOrder.TestCase
