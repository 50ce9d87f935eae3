"""A brand of each kind with the points club on, and a till to work at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

import highstreet.consent
import highstreet.purchases
import highstreet.timeline  # noqa: F401 - rooms register their parts on import
from highstreet import rooms
from highstreet.customers import service as customers
from highstreet.customers.facts import CustomerFact
from highstreet.host import Host, policy, settings
from highstreet.jobs import JobRegistry
from highstreet.kit.databases import Database
from highstreet.purchases import service as purchases
from highstreet.purchases.facts import LineIn, PurchaseFact, PurchaseIn, ReturnIn, ReturnLineIn
from highstreet.sdk import Ctx, ctx_of
from highstreet.sdk.context import make
from highstreet_points_club.audit import audit
from highstreet_points_club.models import Account, Allocation, Entry, Lot
from highstreet_points_club.models import Reward as RewardRow
from highstreet_tenants.scopes import SYSTEM, Actor, Scope
from highstreet_tenants.sessions import ScopedSession

NAME = "points_club"
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
COFFEE = {"key": "coffee", "name": "Coffee", "points": 80}
LUNCH = {"key": "lunch", "name": "Lunch for two", "points": 200}
MONEY = {"key": "money", "name": "Auto dollars", "points": 100, "kind": "money", "value_minor": 500}
FREE = {"key": "free", "name": "Free sandwich", "points": 10, "automatic": True}


@dataclass
class Shop:
    """club: a brand that owns its customers; shops: one whose stores do; both have the tool on."""

    database: Database
    host: Host
    club: SimpleNamespace
    shops: SimpleNamespace
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def session(
        self, brand: SimpleNamespace, store: int = 0, *, write: bool = True, actor: Actor = SYSTEM
    ) -> AbstractContextManager[ScopedSession]:
        """A session of one of the brand's stores."""
        scope = Scope.store(brand.id, brand.stores[store].id, actor)
        return self.database.tenancy.session(scope, write=write)

    def operator(
        self, brand: SimpleNamespace, *, write: bool = True
    ) -> AbstractContextManager[ScopedSession]:
        """A session of whoever runs the installation."""
        return self.database.tenancy.session(Scope.operator(brand.id), write=write)

    def ctx(self, s: ScopedSession) -> Ctx:
        """The points club's ctx in a session."""
        return ctx_of(s, NAME)

    def set_up(self, brand: SimpleNamespace, **values: Any) -> None:
        """Set the brand's programme, valid since long ago."""
        with self.database.tenancy.session(Scope.operator(brand.id), write=True) as s:
            settings.put(s, NAME, values, valid_from=datetime(2020, 1, 1, tzinfo=UTC))

    def member(
        self, s: ScopedSession, name: str = "Maren Okafor-Lind", **more: Any
    ) -> CustomerFact:
        """Somebody new."""
        return customers.enrol(s, name=name, **more)

    def buy(
        self,
        s: ScopedSession,
        customer: UUID | None,
        total_minor: int,
        *,
        at: datetime | None = None,
        ref: str | None = None,
        lines: tuple[LineIn, ...] = (),
    ) -> PurchaseFact:
        """Record a purchase; the tool gives its points."""
        made = self.purchase(s, customer, total_minor, at=at, ref=ref, lines=lines)
        return purchases.record(s, made).purchase

    def purchase(
        self,
        s: ScopedSession,
        customer: UUID | None,
        total_minor: int,
        *,
        at: datetime | None = None,
        ref: str | None = None,
        lines: tuple[LineIn, ...] = (),
        store_id: UUID | None = None,
    ) -> PurchaseIn:
        """A purchase that is not recorded yet."""
        store = store_id or s.store_id
        assert store is not None
        number = ref or f"r{next(self.numbers)}"
        when = at or self.ctx(s).now()
        return PurchaseIn(store, number, when, total_minor, "GBP", customer, lines)

    def bring_back(
        self,
        s: ScopedSession,
        bought: PurchaseFact,
        amount: int | None = None,
        *,
        lines: tuple[ReturnLineIn, ...] = (),
        at: datetime | None = None,
    ) -> Any:
        """Return (part of) a purchase."""
        assert s.store_id is not None
        back = ReturnIn(
            s.store_id, f"b{next(self.numbers)}", bought.pos_ref, at or self.ctx(s).now(), amount,
            lines, purchase_store_id=bought.store_id,
        )  # fmt: skip
        return purchases.record_return(s, back)

    def sound(self, brand: SimpleNamespace) -> None:
        """Nothing in the brand's ledger contradicts anything."""
        with self.operator(brand, write=False) as s:
            assert audit(s)[1] == []


@pytest.fixture
def shop(database: Database, two_brands: list[SimpleNamespace]) -> Iterator[Shop]:
    """Two brands of two stores, with the points club required in each."""
    rooms.load()
    host = Host.load(rooms.specs(), make_ctx=make, slow_ms=60_000)
    assert NAME in host.plugins, host.quarantined
    registry = JobRegistry()
    registry.add(*rooms.jobs(), *host.jobs())

    def prepare(s: ScopedSession) -> None:
        s.info["host"] = host
        s.info["jobs"] = registry

    database.tenancy.on_open.append(prepare)
    made = Shop(database, host, *two_brands)
    for brand in two_brands:
        with made.operator(brand) as s:
            policy.set_policy(s, NAME, "required")
    yield made
    database.tenancy.on_open.remove(prepare)


def line(number: int, department: str, amount: int, quantity: int | str = 1) -> LineIn:
    """A line of a receipt."""
    return LineIn(number, f"p{number}", department, Decimal(quantity), amount)


def later(days: float, start: datetime = NOON) -> datetime:
    """So many days after noon of 4 May 2026."""
    return start + timedelta(days=days)


def snapshot(s: ScopedSession) -> dict[str, list[tuple[Any, ...]]]:
    """Everything in the ledger but ids and the moment of writing, for comparing two of them."""
    accounts = s.query(Account).all()
    who = {a.id: str(a.customer_id) for a in accounts}
    entries = {e.id: e for e in s.query(Entry).all()}

    def name(entry_id: UUID | None) -> Any:
        entry = entries.get(entry_id) if entry_id else None
        return (who[entry.account_id], entry.seq) if entry else None

    return {
        "accounts": sorted(
            (who[a.id], a.balance, a.debt, a.seq, str(a.last_at), str(a.idle_at)) for a in accounts
        ),
        "entries": sorted(
            (who[e.account_id], e.seq, e.kind, e.points, str(e.at_store_id), str(e.purchase_id),
             e.amount_minor, str(e.rule_id), str(name(e.reverses_id)), e.occurred_at,
             e.business_date)
            for e in entries.values()
        ),
        "lots": sorted(
            (who[x.account_id], str(name(x.id)), x.points, x.remaining, str(x.at_store_id),
             x.earned_at, str(x.activates_at), str(x.expires_at), x.idle)
            for x in s.query(Lot).all()
        ),
        "allocations": sorted(
            (str(name(p.entry_id)), str(name(p.lot_id)), p.points) for p in s.query(Allocation)
        ),
        "rewards": sorted(
            (who[r.account_id], str(name(r.id)), r.key, r.points, r.status, r.issued_at,
             str(r.ends_at), r.automatic)
            for r in s.query(RewardRow)
        ),
    }  # fmt: skip


@pytest.fixture
def time_machine_() -> Iterator[Any]:
    """A clock that stands at the present moment and is moved by `shift` (seconds)."""
    import time_machine

    with time_machine.travel(datetime.now(UTC), tick=False) as traveller:
        yield traveller
