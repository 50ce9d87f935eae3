"""Random lives of a club, through REST and the service, held against `examiner`'s second club.

Each life has a programme of its own, two stores in two zones, five members, and some hundred deeds.
After each deed the member's figures are compared; now and then every heap, debt, reward and
liability, and the audit; in the end what the stores owe one another.

HIGHSTREET_EXAMINE=1000-1200 runs those lives instead of the usual few.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
import time_machine

from highstreet.customers import service as customers
from highstreet.host import policy, settings
from highstreet.purchases import service as purchases
from highstreet.purchases.facts import LineIn, PurchaseIn, ReturnIn, ReturnLineIn
from highstreet.sdk import ctx_of
from highstreet_points_club import (
    cards,
    corrections,
    history,
    lapse,
    liability,
    rewards,
    settlement,
)
from highstreet_points_club.audit import audit
from highstreet_points_club.models import Account, Entry, Lot
from highstreet_points_club.models import Reward as RewardRow
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.people.keys import create_key
from highstreet_tenants.people.tree import Node
from highstreet_tenants.scopes import Scope
from people_site import Site

from .conftest import NAME
from .examiner import Club, Gone, Item, Prize, Receipt, Short, Terms, Wallet

ZONES = (ZoneInfo("Europe/London"), ZoneInfo("America/New_York"))
START = datetime(2026, 3, 5, 12, tzinfo=UTC)
DEPARTMENTS = ("Cake", "Tea", "Gift cards")
SCOPES = ("till.read", "till.write", "customers.read", "customers.write", "points_club.adjust")
DEEDS = 120


def lives() -> list[int]:
    first, _dash, last = os.environ.get("HIGHSTREET_EXAMINE", "1-5").partition("-")
    return list(range(int(first), int(last or first) + 1))


def programme(dice: Random) -> tuple[dict[str, Any], Terms, int]:
    """A programme as settings and as terms, and how many days late tills may be."""
    ways: list[dict[str, Any]] = []
    for _way in range(dice.choice((1, 1, 2, 3))):
        mode = dice.choice(("spend", "spend", "visit", "items"))
        way: dict[str, Any] = {"mode": mode, "points": dice.choice((1, 1, 2, 7))}
        if mode == "spend":
            way["per_minor"] = dice.choice((1, 30, 100, 333, 1000))
            if dice.random() < 0.4:
                way["factors"] = {"Cake": dice.choice((150, 33, 250)), "Tea": 0}
            if dice.random() < 0.3:
                way["excluded"] = ["Gift cards"]
        if mode == "items":
            del way["points"]
            way["departments"] = {"Cake": 3, "Tea": dice.choice((1, 10))}
        if dice.random() < 0.3:
            way["min_minor"] = dice.choice((500, 1500))
        ways.append(way)
    bonuses: list[dict[str, Any]] = []
    for number in range(dice.choice((0, 0, 1, 2))):
        bonus: dict[str, Any] = {"name": f"Bonus {number}"}
        bonus |= dice.choice(({"percent": 250}, {"extra": 7}, {"percent": 133, "extra": 2}))
        if dice.random() < 0.5:
            bonus["weekdays"] = dice.sample(["mon", "tue", "wed", "thu", "fri", "sat", "sun"], 3)
        if dice.random() < 0.7:
            bonus["hours_from"], bonus["hours_to"] = dice.choice(
                ((time(1), time(3)), (time(22), time(2)), (time(9), time(0)), (time(7), time(12)))
            )
        bonuses.append(bonus)
    offers: list[dict[str, Any]] = [
        {"key": "coffee", "name": "Coffee", "points": dice.choice((20, 45))},
        {"key": "money", "name": "Money off", "points": 7, "kind": "money", "value_minor": 33},
    ]
    late = dice.choice((0, 0, 3, 25))
    if dice.random() < 0.5:
        free: dict[str, Any] = {"key": "free", "name": "Free", "points": dice.choice((30, 80))}
        free |= {"automatic": True, "kind": "money", "value_minor": 101}
        if not late and dice.random() < 0.6:
            free["valid_days"] = dice.choice((1, 20))
        offers.append(free)
    common: dict[str, Any] = {
        "stacked": dice.random() < 0.3,
        "pending_days": dice.choice((0, 0, 3, 14)),
        "expiry": dice.choice(("never", "days", "months", "month_end", "year_end")),
        "expiry_days": dice.choice((1, 10, 45)),
        "expiry_months": dice.choice((1, 2)),
        "idle_months": dice.choice((0, 0, 1, 2)),
        "hold_minutes": dice.choice((60, 60 * 24 * 3)),
        "rewards": offers,
    }
    often = dice.choice((0, 0, 0, 2))
    terms = Terms(ways=ways, bonuses=bonuses, often_most=often, often_blocks=bool(often), **common)
    clocks = [
        bonus
        | {name: f"{bonus[name]:%H:%M}" for name in ("hours_from", "hours_to") if name in bonus}
        for bonus in bonuses
    ]
    said = common | {"accruals": ways, "bonuses": clocks, "often_most": often}
    said["often_then"] = "block" if often else "warn"
    return said, terms, late


@dataclass
class House:
    """The application with one brand whose two stores have clocks of their own."""

    site: Site
    brand: SimpleNamespace

    def session(self, store: int) -> Any:
        scope = Scope.store(self.brand.id, self.brand.stores[store].id)
        return self.site.tenancy.session(scope, write=True)

    def operator(self, *, write: bool = False) -> Any:
        return self.site.tenancy.session(Scope.operator(self.brand.id), write=write)

    def key(self, store: int) -> str:
        with self.operator() as s:
            shop = s.get_one(Store, (self.brand.id, self.brand.stores[store].id))
            node = Node.of(s.get_one(Brand, self.brand.id), shop)
        with self.site.tenancy.session(Scope.operator(node.brand_id), write=True) as c:
            made = create_key(c, node, "Till", SCOPES, by=None, catalogue=self.site.catalogue)
        return made.token


@pytest.fixture
def house_of_two_zones(app: Any, two_brands: list[SimpleNamespace]) -> Iterator[House]:
    house = House(Site(app), two_brands[0])
    with house.operator(write=True) as s:
        policy.set_policy(s, NAME, "required")
        s.get_one(Store, (house.brand.id, house.brand.stores[1].id)).zone = ZONES[1].key
    yield house


class Refused(Exception):
    """REST answered with an error of ours: its type."""


class Life:
    """One club in both tellings, and the deeds that happen to it."""

    def __init__(self, house: House, seed: int, traveller: Any) -> None:
        self.house, self.dice, self.traveller = house, Random(seed), traveller
        self.now = START + timedelta(days=self.dice.randrange(300), seconds=self.dice.random())
        self.stores = [one.id for one in house.brand.stores]
        said, terms, self.late = programme(self.dice)
        self.club = Club(terms, dict(zip(self.stores, ZONES, strict=True)))
        with house.operator(write=True) as s:
            settings.put(s, NAME, said, valid_from=datetime(2020, 1, 1, tzinfo=UTC))
        traveller.move_to(self.now)
        self.client, self.keys = house.site.app.test_client(), [house.key(0), house.key(1)]
        self.members: list[UUID] = []
        self.wallets: dict[UUID, Wallet] = {}
        self.receipts: list[tuple[Receipt, UUID, str]] = []
        self.prizes: dict[int, UUID] = {}
        self.cards: dict[UUID, list[str]] = {}
        self.lost: set[str] = set()
        self.numbers = 0
        for number in range(5):
            with house.session(number % 2) as s:
                who = customers.enrol(s, name=f"Member {number}").id
                self.cards[who] = [cards.issue(ctx_of(s, NAME), who).value for _card in range(2)]
            self.members.append(who)
            self.wallets[who] = Wallet()
            self.club.wallets.append(self.wallets[who])

    # The two ways in.

    def rest(self, store: int, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.keys[store]}"}
        if method == "POST":
            headers["Idempotency-Key"] = uuid4().hex
        path = f"/api/v1{path}"
        answer = self.client.open(path, method=method, json=body, headers=headers)
        if answer.status_code >= 400:
            kind = answer.get_json()["type"].rsplit("/", 1)[-1]
            assert answer.status_code < 500, answer.get_json()
            raise Refused(kind)
        return answer.get_json()

    def tool(self, store: int, method: str, path: str, body: Any = None) -> Any:
        return self.rest(store, method, f"/tools/{NAME}{path}", body)

    def number(self) -> str:
        self.numbers += 1
        return f"n{self.numbers}"

    # Deeds.

    def live(self, deeds: int) -> None:
        doings: list[tuple[int, Callable[[], None]]] = [
            (30, self.buy), (12, self.bring_back), (8, self.spend), (8, self.hold),
            (14, self.deal), (6, self.correct), (6, self.sweep), (3, self.merge),
            (4, self.say_again), (3, self.lose_a_card), (20, self.wait),
        ]  # fmt: skip
        weights = [many for many, _doing in doings]
        for number in range(deeds):
            self.pass_time(timedelta(seconds=self.dice.uniform(1, 90)))
            ((_many, doing),) = self.dice.choices(doings, weights)
            print(f"{self.now:%Y-%m-%d %H:%M:%S} {doing.__name__}", end=" ")  # for who looks why
            doing()
            print()
            self.match()
            self.compare_members()
            if number % 15 == 14:
                self.compare_all()
        self.compare_all()
        self.compare_books()

    def pass_time(self, much: timedelta) -> None:
        self.now += much
        self.traveller.move_to(self.now)

    def wait(self) -> None:
        self.pass_time(
            timedelta(days=self.dice.choice((0.2, 0.5, 1, 1, 2, 5, 11, 32)) * self.dice.random())
        )

    def somebody(self) -> tuple[UUID, Wallet]:
        who = self.dice.choice(self.members)
        return who, self.wallets[who]

    def basket(self) -> list[tuple[str, int, int]]:
        return [
            (self.dice.choice(DEPARTMENTS), self.dice.choice((1, 1, 2, 3)),
             self.dice.randrange(10, 1500))
            for _line in range(self.dice.choice((0, 1, 2, 4)))
        ]  # fmt: skip

    def buy(self) -> None:
        who, wallet = self.somebody()
        store = self.dice.randrange(2)
        at = self.now
        if self.late and self.dice.random() < 0.4:
            at -= timedelta(days=self.dice.uniform(0, self.late))
        elif self.dice.random() < 0.05:
            at += timedelta(hours=self.dice.uniform(0, 20))  # the till's clock is ahead
        lines = self.basket()
        total = sum(minor for _department, _many, minor in lines)
        total = self.dice.randrange(30, 4000) if not lines else total
        if self.dice.random() < 0.1:
            total = total * 9 // 10  # a discount on the whole
        ref = self.number()
        receipt = Receipt(
            self.stores[store], at, total,
            [Item(department, Fraction(many), minor) for department, many, minor in lines],
        )  # fmt: skip
        if self.dice.random() < 0.5:
            body = {
                "pos_ref": ref, "occurred_at": at.isoformat(), "total_minor": total,
                "lines": [
                    {"product": f"p{n}", "department": d, "quantity": q, "amount_minor": minor}
                    for n, (d, q, minor) in enumerate(lines)
                ],
            }  # fmt: skip
            card = self.dice.choice(self.cards[who])
            body |= {"card": card} if self.dice.random() < 0.5 else {"customer_id": str(who)}
            if "card" in body and card in self.lost:
                with pytest.raises(Refused, match="card-blocked"):
                    self.rest(store, "POST", "/purchases", body)
                return
            fresh = at == self.now
            expected = self.club.worth(total, receipt.items, at, self.stores[store])
            if fresh and not self.club.terms.often_most and self.dice.random() < 0.3:
                asked = {key: value for key, value in body.items() if key != "pos_ref"}
                found = self.rest(store, "POST", "/baskets/preview", asked)
                assert found["tools"][NAME]["points"] == expected
            purchase_id = UUID(self.rest(store, "POST", "/purchases", body)["purchase"]["id"])
        else:
            with self.house.session(store) as s:
                made = PurchaseIn(
                    self.stores[store], ref, at, total, "GBP", who,
                    tuple(
                        LineIn(n, f"p{n}", d, Decimal(q), minor)
                        for n, (d, q, minor) in enumerate(lines, 1)
                    ),
                )  # fmt: skip
                if self.dice.random() < 0.3:
                    purchases.record_batch(s, [made, PurchaseIn(
                        self.stores[store], self.number(), at, 100, "GBP"
                    )])  # fmt: skip
                    purchase_id = purchases.record(s, made).purchase.id
                else:
                    purchase_id = purchases.record(s, made).purchase.id
        self.club.buy(wallet, receipt, self.now)
        self.receipts.append((receipt, purchase_id, ref))

    def say_again(self) -> None:
        """A till sends a receipt again: it changes nothing."""
        if not self.receipts:
            return
        receipt, _id, ref = self.dice.choice(self.receipts)
        store = self.stores.index(receipt.store)
        found = self.rest(store, "GET", f"/purchases/{ref}")
        body = {
            "pos_ref": ref, "occurred_at": found["occurred_at"], "total_minor": receipt.total,
            "customer_id": found["customer_id"],
            "lines": [
                {"product": one["product"], "department": one["department"],
                 "quantity": one["quantity"], "amount_minor": one["amount_minor"],
                 "line_no": one["line_no"]}
                for one in found["lines"]
            ],
        }  # fmt: skip
        assert self.rest(store, "POST", "/purchases", body)["created"] is False

    def bring_back(self) -> None:
        if not self.receipts:
            return
        receipt, _id, ref = self.dice.choice(self.receipts[-12:])
        left, items = receipt.rest()
        if left <= 0 or receipt.at > self.now:
            return
        store, how = self.stores.index(receipt.store), self.dice.random()
        minor: int | None = None
        whole = False
        lines: dict[int, tuple[Fraction, int]] = {}
        if how < 0.35:
            minor = self.dice.randrange(1, left + 1)
        elif how < 0.65 and any(one.quantity > 0 for one in items) and not self.unnamed(receipt):
            place = self.dice.choice([n for n, one in enumerate(items) if one.quantity > 0])
            many = self.dice.randrange(1, int(items[place].quantity) + 1)
            worth = receipt.items[place].minor * many // int(receipt.items[place].quantity)
            worth = (
                items[place].minor
                if many == items[place].quantity
                else min(worth, items[place].minor)
            )
            if worth > left:
                return
            lines = {place: (Fraction(many), worth)}
        else:
            whole = True
            done = {n: receipt.items_back.get(n, (Fraction(0), 0)) for n in range(len(items))}
            lines = {
                n: (one.quantity - done[n][0], one.minor - done[n][1])
                for n, one in enumerate(receipt.items)
                if one.quantity > done[n][0] or one.minor != done[n][1]
            }
        money = left if whole else minor or sum(worth for _many, worth in lines.values())
        if self.dice.random() < 0.5:
            body: dict[str, Any] = {"pos_ref": self.number(), "purchase_pos_ref": ref}
            if not whole:
                body |= {"amount_minor": minor} if minor else {
                    "lines": [
                        {"line_no": n + 1, "quantity": int(q)} for n, (q, _w) in lines.items()
                    ]
                }  # fmt: skip
            self.rest(store, "POST", "/returns", body)
        else:
            # Bought in one store, brought back in the other: the club's own scope.
            far = self.dice.random() < 0.3
            scope = Scope.operator(self.house.brand.id)
            with (
                self.house.site.tenancy.session(scope, write=True)
                if far else self.house.session(store)
            ) as s:  # fmt: skip
                given = (
                    ()
                    if whole
                    else tuple(
                        ReturnLineIn(n + 1, None, Decimal(int(q))) for n, (q, _w) in lines.items()
                    )
                )
                at_store = self.stores[1 - store] if far else self.stores[store]
                purchases.record_return(s, ReturnIn(
                    at_store, self.number(), ref, self.now, minor, given,
                    purchase_store_id=receipt.store,
                ))  # fmt: skip
        self.club.bring_back(receipt, money, lines, self.now)

    @staticmethod
    def unnamed(receipt: Receipt) -> bool:
        return receipt.back != sum(minor for _q, minor in receipt.items_back.values())

    def spend(self) -> None:
        who, wallet = self.somebody()
        store = self.dice.randrange(2)
        key, times = self.dice.choice((("coffee", 1), ("money", self.dice.randrange(1, 9))))
        mine = [
            one for one in self.receipts[-8:]
            if one[0].wallet is wallet and one[0].store == self.stores[store]
            and one[0].back < one[0].total
        ]  # fmt: skip
        bought = self.dice.choice(mine) if mine and self.dice.random() < 0.6 else None
        prize: Prize | None = None
        with suppress(Short):
            prize = self.club.hand_over(
                wallet, key, times, self.stores[store], self.now, bought[0] if bought else None
            )
        body = {"customer_id": str(who), "reward": key, "steps": times}
        body |= {"purchase_id": str(bought[1])} if bought else {}
        self.both(prize is not None, "not-enough-points", lambda: self.tool(
            store, "POST", "/rewards", body
        ))  # fmt: skip

    def hold(self) -> None:
        who, wallet = self.somebody()
        store = self.dice.randrange(2)
        prize: Prize | None = None
        with suppress(Short):
            prize = self.club.hold(wallet, "coffee", 1, self.stores[store], self.now)

        def held() -> None:
            if self.dice.random() < 0.5:
                body = {"customer_id": str(who), "reward": "coffee", "hold": True}
                self.tool(store, "POST", "/rewards", body)
                return
            with self.house.session(store) as s:
                try:
                    rewards.hold(ctx_of(s, NAME), who, "coffee")
                except rewards.NotEnoughPoints as error:
                    raise Refused("not-enough-points") from error

        self.both(prize is not None, "not-enough-points", held)

    def both(self, done: bool, why: str, deed: Callable[[], Any]) -> None:
        """The tool does what the examiner did, or refuses for the same reason."""
        if done:
            deed()
            return
        with pytest.raises(Refused, match=why):
            deed()

    def deal(self) -> None:
        """Hand over, let go or take back a reward."""
        wallets = [one for one in self.club.wallets if one.prizes]
        if not wallets:
            return
        wallet = self.dice.choice(wallets)
        prize = self.dice.choice(wallet.prizes[-6:])
        store, how = self.dice.randrange(2), self.dice.choice(("redeem", "release", "give-back"))
        done = True
        try:
            if how == "redeem":
                self.club.redeem(wallet, prize, self.stores[store], self.now)
            elif how == "release":
                self.club.release(wallet, prize, self.now)
            else:
                self.club.give_back(wallet, prize, self.stores[store], self.now)
        except Gone:
            done = False
        path = f"/rewards/{self.prizes[prize.number]}/{how}"
        why = (
            "conflict"
            if how == "release" and prize.automatic and prize.status == "issued"
            else ("reward-closed")
        )
        self.both(done, why, lambda: self.tool(store, "POST", path, {}))

    def correct(self) -> None:
        who, wallet = self.somebody()
        store = self.dice.randrange(2)
        points = self.dice.choice((-60, -15, -3, 4, 25))
        if self.dice.random() < 0.5:
            body = {"points": points, "reason": "Counted again"}
            self.tool(store, "POST", f"/customers/{who}/corrections", body)
        else:
            with self.house.session(store) as s:
                corrections.adjust(ctx_of(s, NAME), who, points, "Counted again")
        self.club.correct(wallet, points, self.stores[store], self.now)

    def sweep(self) -> None:
        store = self.dice.randrange(2)
        with self.house.session(store) as s:
            lapse.sweep(ctx_of(s, NAME))
        self.club.sweep(self.stores[store], self.now)

    def merge(self) -> None:
        kept, gone = self.dice.sample(self.members, 2)
        one, other = self.wallets[kept], self.wallets[gone]
        if one is other:
            return
        store = self.dice.randrange(2)
        with self.house.session(store) as s:
            customers.merge(s, self.root(kept), self.root(gone))
        self.club.merge(one, other, self.stores[store], self.now)
        for who, wallet in self.wallets.items():
            if wallet is other:
                self.wallets[who] = one

    def root(self, who: UUID) -> UUID:
        with self.house.operator() as s:
            return UUID(str(ctx_of(s, NAME).customers.get(who).id))

    def lose_a_card(self) -> None:
        who = self.dice.choice(self.members)
        number = self.dice.choice(self.cards[who])
        status = "active" if number in self.lost else self.dice.choice(("lost", "blocked"))
        self.rest(self.dice.randrange(2), "PATCH", f"/cards/{number}", {"status": status})
        (self.lost.discard if status == "active" else self.lost.add)(number)

    # Comparing.

    def match(self) -> None:
        """New rewards of both clubs are the same ones, in the order in which they came."""
        new = [
            (wallet, prize)
            for wallet in self.club.wallets
            for prize in wallet.prizes
            if prize.number not in self.prizes
        ]
        with self.house.operator() as s:
            known = set(self.prizes.values())
            rows = [
                (row.account_id, entry.seq, row.id)
                for row, entry in s.query(RewardRow, Entry).filter(Entry.id == RewardRow.id)
                if row.id not in known
            ]
            accounts = {a.customer_id: a.id for a in s.query(Account) if a.customer_id}
        assert len(rows) == len(new), "as many rewards"
        for wallet in self.club.wallets:
            mine = {accounts.get(who) for who, one in self.wallets.items() if one is wallet}
            ids = [row[2] for row in sorted(rows, key=lambda row: row[1]) if row[0] in mine]
            prizes = sorted((p for w, p in new if w is wallet), key=lambda one: one.number)
            for prize, found in zip(prizes, ids, strict=True):
                self.prizes[prize.number] = found

    def compare_members(self) -> None:
        store = self.dice.randrange(2)
        for who, wallet in self.wallets.items():
            expected = wallet.standing(self.now)
            if self.dice.random() < 0.2:
                found = self.tool(store, "GET", f"/customers/{who}/balance")
                told = tuple(found[name] for name in ("balance", "spendable", "pending", "held"))
            else:
                with self.house.session(store) as s:
                    one = history.balance(ctx_of(s, NAME), self.root(who))
                told = (one.balance, one.spendable, one.pending, one.held)
            assert told == expected, (who, self.members.index(who))

    def compare_all(self) -> None:
        with self.house.operator() as s:
            assert audit(s)[1] == []
            accounts = {a.customer_id: a for a in s.query(Account) if a.customer_id}
            lots: dict[UUID, list[Lot]] = {}
            for lot in s.query(Lot).where(Lot.remaining != 0):
                lots.setdefault(lot.account_id, []).append(lot)
            status = {row.id: (row.status, row.points) for row in s.query(RewardRow)}
            owed = {
                one.store_id: (one.active, one.pending, one.held, one.owed)
                for one in liability.by_store(ctx_of(s, NAME))
            }
        for who, wallet in self.wallets.items():
            account = accounts.get(who)
            if account is None:
                continue  # merged away: another member's wallet
            told = sorted(
                (lot.remaining, str(lot.at_store_id), str(lot.activates_at), str(lot.expires_at))
                for lot in lots.get(account.id, ())
                if lot.remaining < 0 or not self.ended(lot, account)
            )
            expected = [
                (one.left, str(one.store), str(one.begins), str(one.ends))
                for one in wallet.heaps
                if one.left and wallet.end(one) > self.now
            ] + [(-one.owed, str(one.store), "None", "None") for one in wallet.debts]
            assert told == sorted(expected)
            for prize in wallet.prizes:
                assert status[self.prizes[prize.number]] == (prize.status, prize.points)
        assert owed == self.club.liability(self.now)

    def ended(self, lot: Lot, account: Account) -> bool:
        ends = [lot.expires_at] + [account.idle_at] * lot.idle
        return any(end is not None and end <= self.now for end in ends)

    def compare_books(self) -> None:
        """What stores owe one another: pair by pair, and to nothing in all."""
        month = START.replace(day=1)
        while month < self.now:
            with self.house.operator() as s:
                ctx = ctx_of(s, NAME)
                asked = settlement.month_of(ctx, f"{month:%Y-%m}")
                pairs = settlement.pairs(ctx, asked)
            told = {(one.giver, one.taker): (one.points, one.minor) for one in pairs}
            assert told == self.club.owing(asked.since, asked.until)
            assert sum(one.net for one in settlement.standings(pairs)) == 0
            month = (month + timedelta(days=32)).replace(day=1)


@pytest.mark.parametrize("seed", lives())
def test_a_life_in_two_tellings(house_of_two_zones: House, seed: int) -> None:
    with time_machine.travel(START, tick=False) as traveller:
        Life(house_of_two_zones, seed, traveller).live(DEEDS)
