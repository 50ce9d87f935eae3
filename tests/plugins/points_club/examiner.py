"""A second points club, written from docs/points.md alone: an examiner’s measure for the first.

Nothing of the tool is imported. Where that keeps lots and entries in tables, this keeps a wallet of
heaps for each member; where that reckons in per cent, this reckons in fractions. A difference is a
fault of one of the two, or of the page that both were written from.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

FAR = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(eq=False)
class Terms:
    """A programme, as settings say it."""

    ways: list[dict[str, Any]] = field(default_factory=lambda: [{"mode": "spend"}])
    stacked: bool = False
    bonuses: list[dict[str, Any]] = field(default_factory=list)
    pending_days: int = 0
    expiry: str = "never"
    expiry_days: int = 365
    expiry_months: int = 12
    idle_months: int = 0
    rewards: list[dict[str, Any]] = field(default_factory=list)
    hold_minutes: int = 60
    often_most: int = 0
    often_blocks: bool = False

    @property
    def automatic(self) -> dict[str, Any] | None:
        return next((one for one in self.rewards if one.get("automatic")), None)


@dataclass(eq=False)
class Heap:
    """Points that came together and lie together."""

    number: int
    left: int
    store: Any
    came: datetime
    begins: datetime | None
    ends: datetime | None
    idle: bool
    lapsed: int = 0
    spoilt: bool = False  # goods came back after it had lapsed: what lapsed of it never returns


@dataclass(eq=False)
class Debt:
    number: int
    owed: int
    store: Any


@dataclass(eq=False)
class Lapsed:
    """What idleness took from a heap, and when."""

    at: datetime
    heap: Heap
    points: int


@dataclass(eq=False)
class Prize:
    """A reward and the heaps that it was paid from."""

    number: int
    key: str
    points: int
    worth: int
    parts: list[tuple[Heap, int]]
    status: str
    automatic: bool
    issued: datetime
    ends: datetime | None = None
    handed: datetime | None = None
    taker: Any = None
    closed: datetime | None = None
    receipt: Receipt | None = None


@dataclass(eq=False)
class Item:
    department: str
    quantity: Fraction
    minor: int


@dataclass(eq=False)
class Receipt:
    """A purchase and what is left of it."""

    store: Any
    at: datetime
    total: int
    items: list[Item]
    wallet: Wallet | None = None
    back: int = 0
    items_back: dict[int, tuple[Fraction, int]] = field(default_factory=dict)
    gave: int = 0
    taken: int = 0
    heap: Heap | None = None

    def rest(self) -> tuple[int, list[Item]]:
        """Money and items that are left; money given back for no item is off all alike."""
        items = [
            Item(
                one.department,
                one.quantity - self.items_back.get(n, (Fraction(0), 0))[0],
                one.minor - self.items_back.get(n, (Fraction(0), 0))[1],
            )
            for n, one in enumerate(self.items)
        ]
        unnamed = self.back - sum(minor for _quantity, minor in self.items_back.values())
        worth = sum(one.minor for one in items)
        if unnamed > 0 and worth > 0:
            share = Fraction(max(0, worth - unnamed), worth)
            items = [
                Item(one.department, one.quantity * share, int(one.minor * share // 1))
                for one in items
            ]
        return self.total - self.back, items


@dataclass(eq=False)
class Wallet:
    """One member's: several, once records are merged."""

    heaps: list[Heap] = field(default_factory=list)
    debts: list[Debt] = field(default_factory=list)
    prizes: list[Prize] = field(default_factory=list)
    lapses: list[Lapsed] = field(default_factory=list)
    day: datetime | None = None
    latest: datetime | None = None
    earned_on: dict[date, int] = field(default_factory=dict)

    @property
    def waiting(self) -> list[Prize]:
        return [one for one in self.prizes if one.status == "issued"]

    def end(self, heap: Heap) -> datetime:
        ends = [heap.ends or FAR]
        if heap.idle and self.day is not None:
            ends.append(self.day)
        return min(ends)

    def standing(self, now: datetime) -> tuple[int, int, int, int]:
        """Balance, spendable, pending, held. What a till held too long is free."""
        freed = [part for prize in self.too_long(now) for part in prize.parts]
        parts = [*freed, *((one, one.left) for one in self.heaps)]
        alive = [(heap, points) for heap, points in parts if self.end(heap) > now]
        ready = sum(points for heap, points in alive if heap.begins is None or heap.begins <= now)
        later = sum(points for _heap, points in alive) - ready
        owed = sum(one.owed for one in self.debts)
        held = sum(one.points for one in self.waiting if one.ends is None or one.ends > now)
        return ready + later - owed, ready, later, held

    def too_long(self, now: datetime) -> list[Prize]:
        """Rewards that a till held and let lie."""
        return [
            one
            for one in self.waiting
            if not one.automatic and one.ends is not None and one.ends <= now
        ]


class Short(Exception):
    """Not enough points."""


class Gone(Exception):
    """The reward is not what was asked of it any more."""


class Club:
    """All wallets of a brand under one programme. zones: store → its zone."""

    def __init__(self, terms: Terms, zones: dict[Any, ZoneInfo]) -> None:
        self.terms, self.zones = terms, zones
        self.made = 0
        self.receipts: list[Receipt] = []
        self.wallets: list[Wallet] = []

    # What a purchase earns.

    def worth(self, total: int, items: list[Item], at: datetime, store: Any) -> int:
        each = [self._way(way, total, items) for way in self.terms.ways]
        base = sum(each) if self.terms.stacked else max(each)
        if not base:
            return 0
        gains = [
            max(0, base * one.get("percent", 100) // 100 - base + one.get("extra", 0))
            for one in self.terms.bonuses
            if self._open(one, at.astimezone(self.zones[store]))
        ]
        return base + (sum(gains) if self.terms.stacked else max([*gains, 0]))

    @staticmethod
    def _way(way: dict[str, Any], total: int, items: list[Item]) -> int:
        if total < max(1, way.get("min_minor", 1)):
            return 0
        points = way.get("points", 1)
        if way["mode"] == "visit":
            return int(points)
        if way["mode"] == "spend":
            factors = {name: Fraction(p, 100) for name, p in way.get("factors", {}).items()}
            factors |= dict.fromkeys(way.get("excluded", ()), Fraction(0))
            money = Fraction(total)
            for one in items:
                if one.department in factors:
                    money += (factors[one.department] - 1) * one.minor
            return max(0, int(money * points / way.get("per_minor", 100) // 1))
        found = 0
        for name, each in way["departments"].items():
            pieces = sum((one.quantity for one in items if one.department == name), Fraction(0))
            found += each * max(0, int(pieces // 1))
        return found

    @staticmethod
    def _open(bonus: dict[str, Any], local: datetime) -> bool:
        clock, day = local.time(), local.date()
        first, last = bonus.get("hours_from", time.min), bonus.get("hours_to")
        if last is None or last == time.min:
            within = clock >= first
        elif first < last:
            within = first <= clock < last
        else:  # through midnight: a night is its evening's
            within = clock >= first or clock < last
            if clock < last:
                day -= timedelta(days=1)
        names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
        return (
            within
            and day >= bonus.get("first_day", date.min)
            and day <= bonus.get("last_day", date.max)
            and (not bonus.get("weekdays") or names[day.weekday()] in bonus["weekdays"])
        )

    # Days.

    def _morning(self, day: date, store: Any) -> datetime:
        return datetime.combine(day, time.min, self.zones[store]).astimezone(UTC)

    def _day(self, at: datetime, store: Any) -> date:
        return at.astimezone(self.zones[store]).date()

    @staticmethod
    def _months_on(day: date, months: int) -> date:
        year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
        return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))

    def _begins(self, at: datetime, store: Any) -> datetime | None:
        days = self.terms.pending_days
        return self._morning(self._day(at, store) + timedelta(days=days), store) if days else None

    def _ends(self, at: datetime, store: Any) -> datetime | None:
        day, terms = self._day(at, store), self.terms
        if terms.expiry == "never":
            return None
        if terms.expiry == "days":
            last = day + timedelta(days=terms.expiry_days)
        else:
            last = self._months_on(day, terms.expiry_months)
            if terms.expiry == "month_end":
                last = last.replace(day=monthrange(last.year, last.month)[1])
            elif terms.expiry == "year_end":
                last = date(last.year, 12, 31)
        return self._morning(last + timedelta(days=1), store)

    def _stays(self, at: datetime, store: Any) -> datetime | None:
        if not self.terms.idle_months:
            return None
        last = self._months_on(self._day(at, store), self.terms.idle_months)
        return self._morning(last + timedelta(days=1), store)

    # What happens.

    def buy(self, wallet: Wallet, receipt: Receipt, now: datetime) -> None:
        """A purchase is heard of; it may have been made before."""
        self.receipts.append(receipt)
        receipt.wallet = wallet
        points = self.worth(receipt.total, receipt.items, receipt.at, receipt.store)
        day = self._day(receipt.at, receipt.store)
        if self.terms.often_blocks and wallet.earned_on.get(day, 0) >= self.terms.often_most > 0:
            points = 0
        at = self._be_there(wallet, receipt.at, receipt.store, now)
        if not points:
            return
        wallet.earned_on[day] = wallet.earned_on.get(day, 0) + 1
        wallet.latest = at
        receipt.gave = points
        receipt.heap = self._give(wallet, points, receipt.at, receipt.store)
        receipt.heap.begins = self._begins(receipt.at, receipt.store)
        self._pay_debts(wallet)
        self._issue(wallet, at, receipt.store)

    def bring_back(
        self,
        receipt: Receipt,
        minor: int,
        items: dict[int, tuple[Fraction, int]],
        now: datetime,
    ) -> None:
        """Goods come back; items: place → quantity and money."""
        receipt.back += minor
        for place, (quantity, money) in items.items():
            before = receipt.items_back.get(place, (Fraction(0), 0))
            receipt.items_back[place] = before[0] + quantity, before[1] + money
        wallet = receipt.wallet
        if wallet is None:
            return
        if receipt.back >= receipt.total:
            for prize in [p for p in wallet.prizes if p.receipt is receipt]:
                if prize.status == "redeemed":
                    self.take_back(wallet, prize, receipt.store, now)
        heap = receipt.heap
        if heap is None:
            return
        self._count_from(wallet, now)
        total, rest = receipt.rest()
        still = self.worth(total, rest, receipt.at, receipt.store)
        asked = max(0, receipt.gave - receipt.taken - still)
        due = max(0, asked - heap.lapsed)
        if asked > due and heap.idle:
            heap.spoilt = True
        if due:
            receipt.taken += due
            self._take(wallet, due, receipt.store, heap, now)

    def correct(self, wallet: Wallet, points: int, store: Any, now: datetime) -> None:
        at = self._count_from(wallet, now)
        wallet.latest = at
        if points > 0:
            stays = self._stays(now, store)
            if stays is not None:
                wallet.day = max(wallet.day or stays, stays)
            self._give(wallet, points, now, store)
            self._pay_debts(wallet)
            self._issue(wallet, at, store)
        else:
            self._take(wallet, -points, store, None, now)

    def hold(self, wallet: Wallet, key: str, times: int, store: Any, now: datetime) -> Prize:
        """Raises Short."""
        return self._spend(wallet, key, times, store, now, hand_over=False)

    def hand_over(
        self, wallet: Wallet, key: str, times: int, store: Any, now: datetime,
        receipt: Receipt | None = None,
    ) -> Prize:  # fmt: skip
        """Raises Short."""
        prize = self._spend(wallet, key, times, store, now, hand_over=True)
        prize.receipt = receipt
        return prize

    def redeem(
        self, wallet: Wallet, prize: Prize, store: Any, now: datetime,
        receipt: Receipt | None = None,
    ) -> None:  # fmt: skip
        if prize.status == "redeemed":
            return
        if prize.status != "issued" or (prize.ends is not None and prize.ends <= now):
            raise Gone
        self._be_there(wallet, now, store, now)
        prize.status, prize.handed, prize.closed, prize.taker = "redeemed", now, now, store
        prize.receipt = receipt

    def release(self, wallet: Wallet, prize: Prize, now: datetime) -> None:
        if prize.status == "released":
            return
        if prize.status != "issued" or prize.automatic:
            raise Gone
        self._let_go(wallet, prize, now)

    def give_back(self, wallet: Wallet, prize: Prize, store: Any, now: datetime) -> None:
        if prize.status == "returned":
            return
        if prize.status != "redeemed":
            raise Gone
        self.take_back(wallet, prize, store, now)

    def take_back(self, wallet: Wallet, prize: Prize, store: Any, now: datetime) -> None:
        at = self._count_from(wallet, now)
        wallet.latest = at
        prize.status, prize.closed = "returned", now
        self._put_back(prize)
        self._pay_debts(wallet)
        self._lapse(wallet, at)
        if prize.automatic:
            self._issue(wallet, at, store)

    def merge(self, kept: Wallet, gone: Wallet, store: Any, now: datetime) -> None:
        self._count_from(gone, now)
        at = self._count_from(kept, max(now, gone.latest or now))
        gone.latest = kept.latest = at
        idle = [one.day for one in (kept, gone) if self._has_idle(one)]
        dated = [day for day in idle if day is not None]
        kept.day = max(dated) if dated and len(dated) == len(idle) else None
        kept.heaps += gone.heaps
        kept.debts += gone.debts
        kept.prizes += gone.prizes
        kept.lapses += gone.lapses
        for day, many in gone.earned_on.items():
            kept.earned_on[day] = kept.earned_on.get(day, 0) + many
        for receipt in self.receipts:
            if receipt.wallet is gone:
                receipt.wallet = kept
        gone.heaps, gone.debts, gone.prizes, gone.lapses, gone.day = [], [], [], [], None
        self.wallets.remove(gone)
        self._pay_debts(kept)
        kept.debts.sort(key=lambda one: one.number)
        kept.prizes.sort(key=lambda one: one.number)
        self._lapse(kept, at)
        self._issue(kept, at, store)

    def sweep(self, store: Any, now: datetime) -> None:
        """What the night does in a store."""
        for wallet in list(self.wallets):
            for prize in wallet.waiting:
                if prize.ends is None or prize.ends > now:
                    continue
                if prize.automatic:
                    prize.status, prize.closed = "lapsed", now
                else:
                    self._let_go(wallet, prize, now)
        reward = self.terms.automatic
        for wallet in list(self.wallets):
            ready = [
                one
                for one in wallet.heaps
                if one.left and one.store == store and one.begins is not None
                and now - timedelta(days=7) < one.begins <= now
            ]  # fmt: skip
            if any(one.left and self.end_passed(wallet, one, now) for one in wallet.heaps):
                self._count_from(wallet, now)
                wallet.latest = max(wallet.latest or now, now)
            elif wallet.day is not None and wallet.day <= now:
                wallet.day = None
            if reward is not None and ready and self.terms.pending_days:
                self._issue(wallet, max(now, wallet.latest or now), store)

    def end_passed(self, wallet: Wallet, heap: Heap, now: datetime) -> bool:
        return wallet.end(heap) <= now

    # How it is done.

    def _count_from(self, wallet: Wallet, at: datetime) -> datetime:
        """When an event of `at` counts; what has ended by then is gone."""
        when = max(at, wallet.latest or at)
        self._lapse(wallet, when)
        return when

    def _lapse(self, wallet: Wallet, when: datetime) -> None:
        for heap in wallet.heaps:
            end = wallet.end(heap)
            if heap.left and end <= when:
                if heap.idle and end != heap.ends:
                    wallet.lapses.append(Lapsed(end, heap, heap.left))
                heap.lapsed += heap.left
                heap.left = 0
        if wallet.day is not None and wallet.day <= when:
            wallet.day = None

    @staticmethod
    def _has_idle(wallet: Wallet) -> bool:
        """Points that wait for a visit, also those that rewards hold."""
        held = [heap for prize in wallet.waiting for heap, _points in prize.parts]
        return any(one.idle for one in [*held, *(x for x in wallet.heaps if x.left)])

    def _be_there(self, wallet: Wallet, at: datetime, store: Any, now: datetime) -> datetime:
        """The member was in the store at `at`, which may be heard of late, or be tomorrow by a
        till whose clock is ahead."""
        known = min(at, now)
        when = max(known, wallet.latest or known)
        if wallet.day is not None and wallet.day <= known:
            booked = any(one.left and wallet.end(one) <= when for one in wallet.heaps)
            wallet.latest = when if booked else wallet.latest
        self._lapse(wallet, when)
        stays = self._stays(at, store)
        if stays is None:
            wallet.day = None
            return when
        for one in [x for x in wallet.lapses if at < x.at < stays and not x.heap.spoilt]:
            wallet.lapses.remove(one)
            one.heap.left += one.points
            one.heap.lapsed -= one.points
            wallet.latest = when
            self._pay_debts(wallet)
        wallet.day = max(wallet.day or stays, stays)
        return when

    def _give(self, wallet: Wallet, points: int, at: datetime, store: Any) -> Heap:
        self.made += 1
        heap = Heap(
            self.made, points, store, at, None, self._ends(at, store), bool(self.terms.idle_months)
        )
        wallet.heaps.append(heap)
        return heap

    def _in_order(self, wallet: Wallet) -> list[Heap]:
        there = [one for one in wallet.heaps if one.left]
        return sorted(there, key=lambda one: (wallet.end(one), one.came, one.number))

    def _draw(self, heaps: list[Heap], points: int) -> list[tuple[Heap, int]]:
        parts = []
        for heap in heaps:
            part = min(points, heap.left)
            if part:
                heap.left -= part
                points -= part
                parts.append((heap, part))
        assert not points
        return parts

    def _pay_debts(self, wallet: Wallet) -> None:
        """From what there is; then from what waits, the newest first."""
        while wallet.debts:
            there = sum(one.left for one in wallet.heaps)
            owed = sum(one.owed for one in wallet.debts)
            paid = min(there, owed)
            self._draw(self._in_order(wallet), paid)
            for debt in wallet.debts:
                part = min(paid, debt.owed)
                debt.owed -= part
                paid -= part
            wallet.debts = [one for one in wallet.debts if one.owed]
            if not wallet.debts or not wallet.waiting:
                return
            self._undo_newest(wallet)

    def _undo_newest(self, wallet: Wallet) -> None:
        prize = wallet.waiting[-1]
        prize.status = "released"
        self._put_back(prize)

    @staticmethod
    def _put_back(prize: Prize) -> None:
        for heap, points in prize.parts:
            heap.left += points

    def _take(
        self, wallet: Wallet, points: int, store: Any, own: Heap | None, at: datetime
    ) -> None:
        """Whether they are there or not; those of the purchase itself first."""
        when = self._count_from(wallet, at)
        wallet.latest = when
        while wallet.waiting and sum(one.left for one in wallet.heaps) < points:
            self._undo_newest(wallet)
        heaps = sorted(
            self._in_order(wallet),
            key=lambda one: (one is not own, one.begins is not None and one.begins > when),
        )
        there = sum(one.left for one in heaps)
        self._draw(heaps, min(there, points))
        if there < points:
            self.made += 1
            wallet.debts.append(Debt(self.made, points - there, store))
        self._lapse(wallet, when)

    def _ready(self, wallet: Wallet, when: datetime) -> list[Heap]:
        return [one for one in self._in_order(wallet) if one.begins is None or one.begins <= when]

    def _spend(
        self, wallet: Wallet, key: str, times: int, store: Any, now: datetime, *, hand_over: bool
    ) -> Prize:
        rule = next(one for one in self.terms.rewards if one["key"] == key)
        points = rule["points"] * times
        when = max(now, wallet.latest or now)
        freed = wallet.too_long(now)
        for prize in freed:
            self._put_back(prize)
        ready = [
            one
            for one in wallet.heaps
            if one.left and wallet.end(one) > when and (one.begins is None or one.begins <= when)
        ]
        if sum(one.left for one in ready) < points:
            for heap, part in (part for prize in freed for part in prize.parts):
                heap.left -= part
            raise Short
        for prize in freed:
            prize.status, prize.closed = "released", now
        self._be_there(wallet, now, store, now)
        wallet.latest = when
        self.made += 1
        prize = Prize(
            self.made, key, points, rule.get("value_minor", 0) * times,
            self._draw(self._ready(wallet, when), points),
            "redeemed" if hand_over else "issued", False, now,
        )  # fmt: skip
        if hand_over:
            prize.handed, prize.closed, prize.taker = now, now, store
        else:
            prize.ends = now + timedelta(minutes=self.terms.hold_minutes)
        wallet.prizes.append(prize)
        return prize

    def _let_go(self, wallet: Wallet, prize: Prize, now: datetime) -> None:
        at = self._count_from(wallet, now)
        wallet.latest = at
        prize.status, prize.closed = "released", now
        self._put_back(prize)
        self._lapse(wallet, at)

    def _issue(self, wallet: Wallet, at: datetime, store: Any) -> None:
        rule = self.terms.automatic
        if rule is None:
            return
        at = max(at, wallet.latest or at)
        balance = sum(one.left for one in wallet.heaps) - sum(one.owed for one in wallet.debts)
        if balance < rule["points"]:
            return
        self._lapse(wallet, at)
        for _most in range(50):
            ready = self._ready(wallet, at)
            if sum(one.left for one in ready) < rule["points"]:
                return
            wallet.latest = at
            self.made += 1
            prize = Prize(
                self.made, rule["key"], rule["points"], rule.get("value_minor", 0),
                self._draw(ready, rule["points"]), "issued", True, at,
            )  # fmt: skip
            if rule.get("valid_days"):
                last = self._day(at, store) + timedelta(days=rule["valid_days"])
                prize.ends = self._morning(last + timedelta(days=1), store)
            wallet.prizes.append(prize)

    # What is asked of it.

    def liability(self, now: datetime) -> dict[Any, tuple[int, int, int, int]]:
        """store → active, pending, held, owed by members."""
        found: dict[Any, list[int]] = {}
        for wallet in self.wallets:
            for heap in wallet.heaps:
                if heap.left and wallet.end(heap) > now:
                    later = heap.begins is not None and heap.begins > now
                    found.setdefault(heap.store, [0, 0, 0, 0])[int(later)] += heap.left
            for prize in wallet.waiting:
                for heap, points in prize.parts:
                    found.setdefault(heap.store, [0, 0, 0, 0])[2] += points
            for debt in wallet.debts:
                found.setdefault(debt.store, [0, 0, 0, 0])[3] += debt.owed
        return {store: (one[0], one[1], one[2], one[3]) for store, one in found.items()}

    def owing(self, since: datetime, until: datetime) -> dict[tuple[Any, Any], tuple[int, int]]:
        """(giver, taker) → points and worth of a stretch of time, to the last minor unit."""
        found: dict[tuple[Any, Any], list[int]] = {}
        for wallet in self.wallets:
            for prize in wallet.prizes:
                for sign, when in ((1, prize.handed), (-1, self._undone(prize))):
                    if when is None or not since <= when < until:
                        continue
                    points: dict[Any, int] = {}
                    for heap, part in prize.parts:
                        points[heap.store] = points.get(heap.store, 0) + part
                    upto = 0
                    for store in sorted(points, key=str):
                        before = prize.worth * upto // prize.points
                        upto += points[store]
                        worth = prize.worth * upto // prize.points - before
                        pair = found.setdefault((store, prize.taker), [0, 0])
                        pair[0] += sign * points[store]
                        pair[1] += sign * worth
        return {pair: (one[0], one[1]) for pair, one in found.items()}

    @staticmethod
    def _undone(prize: Prize) -> datetime | None:
        return prize.closed if prize.status == "returned" else None
