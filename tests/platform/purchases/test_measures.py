"""What a customer bought in each store, summed up: always what the purchases say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from highstreet.audits import service as audits
from highstreet.customers import published
from highstreet.customers import service as customers
from highstreet.customers.models import Measure
from highstreet.purchases import measuring, service
from highstreet.purchases.facts import PurchaseIn, ReturnIn
from highstreet_tenants.errors import HighstreetError
from highstreet_tenants.scopes import Scope
from rooms_given import Floor

NOW = datetime.now(UTC).replace(microsecond=0)
FIELDS = ["customer.purchases", "customer.spent"]
WHEN = ["customer.first_purchase_at", "customer.last_purchase_at"]


def basket(
    brand: Any, ref: str, total: int, who: UUID | None, *, store: int = 0, days: int = 0
) -> PurchaseIn:
    at = NOW - timedelta(days=days)
    return PurchaseIn(brand.stores[store].id, ref, at, total, "GBP", who)


def off(floor: Floor, brand: Any) -> list[measuring.Off]:
    with floor.database.tenancy.session(Scope.operator(brand.id)) as s:
        return measuring.check(s)[1]


def test_each_store_counts_what_was_bought_there_and_head_office_all(floor: Floor) -> None:
    club = floor.club
    with floor.till(club) as s:
        ana = customers.enrol(s, name="Ana")
        service.record(s, basket(club, "A1", 1000, ana.id, days=30))
        service.record(s, basket(club, "A2", 500, ana.id, days=2))
        service.record(s, basket(club, "A2", 500, ana.id, days=2))  # the till sends it again
        service.record_return(s, ReturnIn(club.stores[0].id, "R1", "A1", NOW, 400))
    with floor.till(club, 1) as s:
        service.record(s, basket(club, "B1", 70, ana.id, store=1, days=90))
        here = published.read(s, FIELDS + WHEN, [ana.id])[ana.id]
    assert (here["customer.purchases"], here["customer.spent"]) == (1, 70)
    with floor.database.tenancy.session(Scope.brand(club)) as s:
        known = published.read(s, FIELDS + WHEN, [ana.id])[ana.id]
    assert known == {
        "customer.purchases": 3,
        "customer.spent": 1170,
        "customer.first_purchase_at": NOW - timedelta(days=90),
        "customer.last_purchase_at": NOW - timedelta(days=2),
    }
    assert off(floor, club) == []


def test_whoever_bought_nothing_has_no_measure(floor: Floor) -> None:
    with floor.till(floor.shops) as s:
        bo = customers.enrol(s, name="Bo")
        assert published.read(s, FIELDS + WHEN, [bo.id]) == {}


def test_merged_records_count_together_and_part_again(floor: Floor) -> None:
    club = floor.club
    with floor.till(club) as s:
        ana, anna = customers.enrol(s, name="Ana"), customers.enrol(s, name="Anna")
        service.record(s, basket(club, "A1", 1000, ana.id))
        service.record(s, basket(club, "A2", 300, anna.id))
        customers.merge(s, ana.id, anna.id)
        service.record(s, basket(club, "A3", 7, anna.id))
        assert published.read(s, FIELDS, [anna.id, ana.id]) == {
            one: {"customer.purchases": 3, "customer.spent": 1307} for one in (ana.id, anna.id)
        }
        customers.unmerge(s, anna.id)
        parted = published.read(s, FIELDS, [ana.id, anna.id])
    assert parted[anna.id] == {"customer.purchases": 1, "customer.spent": 300}
    assert parted[ana.id] == {"customer.purchases": 2, "customer.spent": 1007}
    assert off(floor, club) == []


@pytest.mark.parametrize("which", ["club", "shops"])
def test_in_any_order_the_audit_finds_what_is_kept(floor: Floor, which: str) -> None:
    brand, dice = getattr(floor, which), Random(11)
    with floor.till(brand) as s:
        people = [customers.enrol(s, name=f"Person {n}").id for n in range(5)]
    refs: list[str] = []
    for turn in range(120):
        deed = dice.randrange(8)
        try:
            with floor.till(brand) as s:
                if deed < 3:
                    who = dice.choice([*people, None])
                    refs.append(f"T{turn}")
                    days = dice.randrange(20)
                    service.record(s, basket(brand, refs[-1], dice.randrange(1000), who, days=days))
                elif deed == 3:
                    many = [
                        basket(brand, f"T{turn}-{n}", n, dice.choice(people), days=n)
                        for n in range(4)
                    ]
                    service.record_batch(s, [*many, many[0]])
                    refs += [one.pos_ref for one in many]
                elif deed == 4 and refs:
                    ref, part = dice.choice(refs), dice.randrange(1, 99)
                    back = ReturnIn(brand.stores[0].id, f"B{turn}", ref, NOW, part)
                    service.record_return(s, back)
                elif deed == 5 and refs:
                    who = dice.choice(people)
                    service.claim(s, brand.stores[0].id, dice.choice(refs), who)
                elif deed == 6 and dice.random() < 0.3:
                    customers.merge(s, *dice.sample(people, 2))
        except HighstreetError:
            pass  # all was returned, is another's, merged already
    with floor.database.tenancy.session(Scope.operator(brand.id)) as s:
        many, wrong = measuring.check(s)
        rows = s.scalar(sa.select(sa.func.count(Measure.id)))
    assert wrong == []
    assert many == rows > 3


def test_the_audit_says_what_differs(floor: Floor) -> None:
    club = floor.club
    with floor.till(club) as s:
        ana, bo = customers.enrol(s, name="Ana"), customers.enrol(s, name="Bo")
        service.record(s, basket(club, "A1", 1000, ana.id))
        service.record(s, basket(club, "A2", 300, bo.id))
    with floor.database.tenancy.session(Scope.operator(club.id), write=True) as s:
        s.execute(sa.update(Measure).where(Measure.customer_id == ana.id).values(spent_minor=999))
        s.execute(sa.delete(Measure).where(Measure.customer_id == bo.id))
    assert sorted(off(floor, club), key=lambda one: one.kept is None) == [
        (ana.id, (1, 999), (1, 1000)),
        (bo.id, None, (1, 300)),
    ]
    with floor.database.tenancy.session(Scope.operator(club.id)) as s:
        told = [one.what for one in audits._measures(s).differences]
    assert told == [f"what customer {one} bought in a store" for one in (ana.id, bo.id)]
