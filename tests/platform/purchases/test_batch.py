"""Files of purchases: quick, over many stores, and the same file twice changes nothing."""

import threading
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from highstreet.customers import service as enrolment
from highstreet.customers.facts import EnrolIn
from highstreet.purchases import queries, service
from highstreet.purchases.facts import LineIn, PurchaseIn
from highstreet.purchases.models import Purchase, PurchaseLine
from highstreet.timeline import queries as timeline
from rooms_given import Floor

NOW = datetime.now(UTC)


def file_of(floor: Floor, brand: str, count: int) -> list[PurchaseIn]:
    where = getattr(floor, brand)
    with floor.operator(where) as s:
        people = [
            EnrolIn(store.id, f"P{n} {store.slug}", card=f"{n:05}{i}")
            for i, store in enumerate(where.stores)
            for n in range(20)
        ]
        ids = enrolment.enrol_batch(s, people).ids
    return [
        PurchaseIn(
            where.stores[n % 2].id,
            f"R{n // 2}",
            NOW - timedelta(minutes=n),
            100 + n,
            "GBP",
            ids[20 * (n % 2) + n % 20] if n % 5 else None,
            (LineIn(1, f"p{n % 7}", "deli", 1, 100 + n),),
        )
        for n in range(count)
    ]


@pytest.mark.parametrize("brand", ["club", "shops"])
def test_a_file_twice_is_recorded_once(floor: Floor, brand: str) -> None:
    rows = file_of(floor, brand, 300)
    where = getattr(floor, brand)
    with floor.operator(where) as s:
        first = service.record_batch(s, rows)
    assert (first.created, first.duplicates, first.refused) == (300, 0, ())
    heard = floor.hooks("purchases_recorded")
    assert [len(h["items"]) for h in heard] == [300]
    with floor.operator(where) as s:
        again = service.record_batch(s, rows)
        assert (again.created, again.duplicates, again.refused) == (0, 300, ())
        assert len(s.scalars(sa.select(Purchase)).all()) == 300
        assert len(s.scalars(sa.select(PurchaseLine)).all()) == 300
    assert len(floor.hooks("purchases_recorded")) == 1
    with floor.till(where, 1, write=False) as s:
        one = queries.by_ref(s, where.stores[1].id, "R8")
        assert (one.total_minor, one.lines[0].product) == (117, "p3")
        assert one == next(fact for fact in heard[0]["items"] if fact.id == one.id)
        assert one.customer_id is not None
        story = timeline.read(s, one.customer_id).entries
        assert any(e.ref_id == one.id and e.title == "Bought for £1.17" for e in story)


def test_bad_rows_stay_out_and_say_why(floor: Floor) -> None:
    good = file_of(floor, "shops", 4)
    next_door = good[1].customer_id
    rows = [
        good[0],
        replace(good[1], total_minor=-1),
        replace(good[2], occurred_at=NOW + timedelta(days=9)),
        replace(good[2], store_id=floor.club.stores[0].id),
        replace(good[2], customer_id=uuid4()),
        replace(good[2], customer_id=next_door),
        good[0],
        replace(good[0], total_minor=99),
        good[3],
    ]
    with floor.operator(floor.shops) as s:
        done = service.record_batch(s, rows)
    assert (done.created, done.duplicates) == (2, 1)
    assert [(r.index, r.type) for r in done.refused] == [
        (1, "invalid"),
        (2, "invalid"),
        (3, "not-found"),
        (4, "not-found"),
        (5, "not-found"),
        (7, "conflict"),
    ]
    with floor.operator(floor.shops) as s:
        other = service.record_batch(s, [good[0], replace(good[3], currency="GBP", lines=())])
    assert (other.created, other.duplicates, [r.type for r in other.refused]) == (
        0,
        1,
        ["conflict"],
    )


def test_a_store_may_send_its_own_file_only(floor: Floor) -> None:
    rows = file_of(floor, "shops", 10)
    with floor.till(floor.shops, 0) as s:
        done = service.record_batch(s, rows)
    assert (done.created, {r.type for r in done.refused}) == (5, {"not-found"})


def test_nothing_comes_of_nothing(floor: Floor) -> None:
    with floor.operator(floor.shops) as s:
        assert service.record_batch(s, []).created == 0
    assert floor.hooks("purchases_recorded") == []


def test_old_ids_of_merged_customers_go_on_working(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        ana, old = enrolment.enrol(s, name="Ana"), enrolment.enrol(s, name="Ana")
        enrolment.merge(s, ana.id, old.id)
    row = PurchaseIn(floor.club.stores[0].id, "R1", NOW, 100, "GBP", old.id)
    with floor.operator(floor.club) as s:
        assert service.record_batch(s, [row]).created == 1
        assert service.record_batch(s, [row]).duplicates == 1
        assert s.scalars(sa.select(Purchase.customer_id)).one() == ana.id


def test_two_imports_of_one_file_at_once_leave_each_receipt_once(floor: Floor) -> None:
    rows = file_of(floor, "club", 400)
    start = threading.Barrier(3)
    created: list[int] = []
    failed: list[BaseException] = []

    def run() -> None:
        start.wait()
        try:
            with floor.operator(floor.club) as s:
                created.append(service.record_batch(s, rows).created)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert sum(created) == 400
    with floor.operator(floor.club, write=False) as s:
        assert len(s.scalars(sa.select(Purchase)).all()) == 400
        assert len(s.scalars(sa.select(PurchaseLine)).all()) == 400
