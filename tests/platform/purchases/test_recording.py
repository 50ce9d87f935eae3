"""A receipt is recorded exactly once, whatever tills, lines and clocks do."""

import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from highstreet.customers import queries as customers
from highstreet.customers import service as enrolment
from highstreet.host.dispatch import Answer
from highstreet.purchases import listing, queries, service
from highstreet.purchases.facts import LineIn, PurchaseIn, ReturnIn
from highstreet.purchases.models import Purchase, PurchaseLine
from highstreet.timeline import queries as timeline
from highstreet_tenants.errors import Conflict, Invalid, NotFound, WallBreach
from highstreet_tenants.ids import new_id
from highstreet_tenants.scopes import Actor, Scope
from rooms_given import Floor

NOW = datetime.now(UTC)
LINES = (
    LineIn(1, "ham", "deli", 2, 1000),
    LineIn(2, "cheese", "", Decimal("0.532"), 600),
    LineIn(3, "discount", "deli", 1, -100),
)


def basket(floor: Floor, brand: str = "club", store: int = 0, **other: Any) -> PurchaseIn:
    given = PurchaseIn(
        getattr(floor, brand).stores[store].id, "R-1001", NOW, 1500, "GBP", None, LINES
    )
    return replace(given, **other)


def test_a_purchase_is_kept_as_it_was_and_tools_answer(floor: Floor) -> None:
    floor.answers["purchases_recorded"] = [Answer("points_club", 15)]
    with floor.till(floor.club) as s:
        ana = enrolment.enrol(s, name="Ana")
        done = service.record(s, basket(floor, customer_id=ana.id))
        assert done.created and done.answers == (Answer("points_club", 15),)
        assert queries.get(s, done.purchase.id) == done.purchase
        assert queries.by_ref(s, done.purchase.store_id, "R-1001") == done.purchase
        assert [p.id for p in queries.of_customer(s, ana.id)] == [done.purchase.id]
        story = timeline.read(s, ana.id).entries
        assert next(e.title for e in story if e.kind == "purchase") == "Bought for £15.00"
    fact = done.purchase
    assert [line.quantity for line in fact.lines] == [2, Decimal("0.532"), 1]
    assert (fact.customer_id, fact.returned_minor) == (ana.id, 0)
    heard = floor.hooks("purchases_recorded")
    assert [h["purchases"] for h in heard] == [(fact,)]


def test_the_same_receipt_again_changes_nothing(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        ana = enrolment.enrol(s, name="Ana")
        first = service.record(s, basket(floor, customer_id=ana.id))
    for _ in range(3):
        with floor.till(floor.club) as s:
            given = basket(floor, customer_id=ana.id, lines=LINES[::-1], pos_ref=" R-1001 ")
            again = service.record(s, given)
            assert not again.created and again.answers == ()
            assert again.purchase == first.purchase
            assert len(timeline.read(s, ana.id).entries) == 2
    assert len(floor.hooks("purchases_recorded")) == 1


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"total_minor": 1501}, "total_minor"),
        ({"occurred_at": NOW - timedelta(seconds=1)}, "occurred_at"),
        ({"customer_id": None}, "customer_id"),
        ({"lines": LINES[:2]}, "lines"),
        ({"lines": (LineIn(1, "ham", "deli", 3, 1000), *LINES[1:])}, "lines"),
        ({"lines": ()}, "lines"),
    ],
)
def test_another_purchase_under_the_same_number_is_a_conflict_that_names_what_differs(
    floor: Floor, other: dict[str, Any], field: str
) -> None:
    with floor.till(floor.club) as s:
        ana = enrolment.enrol(s, name="Ana")
        first = service.record(s, basket(floor, customer_id=ana.id))
    with floor.till(floor.club) as s:
        with pytest.raises(Conflict) as error:
            service.record(s, basket(floor, **{"customer_id": ana.id, **other}))
        assert list(error.value.fields) == [field]
        assert "R-1001" in error.value.detail
        assert queries.get(s, first.purchase.id) == first.purchase


def test_numbers_are_each_store_s_own(floor: Floor) -> None:
    for brand, store in (("club", 0), ("club", 1), ("shops", 0), ("shops", 1)):
        with floor.till(getattr(floor, brand), store) as s:
            assert service.record(s, basket(floor, brand, store)).created
    with floor.till(floor.club, 1, write=False) as s:
        assert len(s.scalars(sa.select(Purchase)).all()) == 1
        with pytest.raises(NotFound):
            queries.by_ref(s, floor.club.stores[0].id, "R-1001")


def test_two_tills_that_send_one_receipt_at_once_leave_one_row(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        ana = enrolment.enrol(s, name="Ana")
    start = threading.Barrier(6)
    created: list[bool] = []
    failed: list[BaseException] = []

    def send() -> None:
        start.wait()
        try:
            with floor.till(floor.club) as s:
                created.append(service.record(s, basket(floor, customer_id=ana.id)).created)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert sorted(created) == [False] * 5 + [True]
    with floor.till(floor.club, write=False) as s:
        assert len(s.scalars(sa.select(Purchase)).all()) == 1
        assert len(s.scalars(sa.select(PurchaseLine)).all()) == 3
        assert len(timeline.read(s, ana.id).entries) == 2


def test_another_store_s_customer_is_not_found(floor: Floor) -> None:
    with floor.till(floor.shops, 0) as s:
        ana = enrolment.enrol(s, name="Ana")
    with floor.till(floor.shops, 1) as s, pytest.raises(NotFound, match="customer"):
        service.record(s, basket(floor, "shops", 1, customer_id=ana.id))
    with floor.operator(floor.shops) as s:
        # Not even whoever reaches both stores may mix them.
        with pytest.raises(NotFound, match="customer"):
            service.record(s, basket(floor, "shops", 1, customer_id=ana.id))
        assert service.record(s, basket(floor, "shops", 0, customer_id=ana.id)).created
    with floor.till(floor.club) as s, pytest.raises(NotFound):
        service.record(s, basket(floor, customer_id=uuid4()))
    with floor.till(floor.club, 0) as s, pytest.raises(NotFound, match="store"):
        service.record(s, basket(floor, "club", 1))


def test_an_erased_customer_buys_no_more_but_old_receipts_still_replay(floor: Floor) -> None:
    with floor.till(floor.shops) as s:
        ana = enrolment.enrol(s, name="Ana")
        service.record(s, basket(floor, "shops", customer_id=ana.id))
        enrolment.erase(s, ana.id, "asked")
    with floor.till(floor.shops) as s:
        assert not service.record(s, basket(floor, "shops", customer_id=ana.id)).created
        with pytest.raises(NotFound):
            service.record(s, basket(floor, "shops", customer_id=ana.id, pos_ref="R2"))


@pytest.mark.parametrize(
    ("other", "field", "words"),
    [
        ({"total_minor": -1}, "total_minor", "return"),
        ({"total_minor": 10**11}, "total_minor", "too large"),
        ({"total_minor": 12.5}, "total_minor", "minor units"),
        ({"total_minor": True}, "total_minor", "minor units"),
        ({"currency": "EUR"}, "currency", "GBP"),
        ({"occurred_at": NOW + timedelta(days=2)}, "occurred_at", "future"),
        ({"occurred_at": datetime(1970, 1, 1, tzinfo=UTC)}, "occurred_at", "1990"),
        ({"occurred_at": datetime(2026, 1, 1)}, "occurred_at", "zone"),
        ({"pos_ref": ""}, "pos_ref", "missing"),
        ({"pos_ref": "x" * 101}, "pos_ref", "too long"),
        ({"pos_ref": "R\x00"}, "pos_ref", "printed"),
        ({"pos_ref": "\ud83d"}, "pos_ref", "printed"),
        ({"pos_ref": "4111111111111111"}, "pos_ref", "payment card"),
        ({"lines": (LineIn(0, "x", "", 1, 1),)}, "lines.0.line_no", "Number"),
        ({"lines": (LineIn(1, "x", "", 1, 1),) * 2}, "lines.1.line_no", "once"),
        ({"lines": (LineIn(1, "", "", 1, 1),)}, "lines.0.product", "missing"),
        ({"lines": (LineIn(1, "x\x00", "", 1, 1),)}, "lines.0.product", "printed"),
        ({"lines": (LineIn(1, "x", "4111 1111 1111 1111", 1, 1),)}, "lines.0.department", "card"),
        ({"lines": (LineIn(1, "x", "", -1, 1),)}, "lines.0.quantity", "quantity"),
        ({"lines": (LineIn(1, "x", "", Decimal("NaN"), 1),)}, "lines.0.quantity", "quantity"),
        ({"lines": (LineIn(1, "x", "", Decimal("0.0001"), 1),)}, "lines.0.quantity", "three"),
        ({"lines": (LineIn(1, "x", "", 1, 10**11),)}, "lines.0.amount_minor", "minor units"),
        ({"lines": (LineIn(1, "x", "", 1, 1),) * 2001}, "lines", "at most"),
    ],
)
def test_bad_input_is_refused_with_words_that_help(
    floor: Floor, other: dict[str, Any], field: str, words: str
) -> None:
    with floor.till(floor.club) as s:
        with pytest.raises(Invalid, match=words) as error:
            service.record(s, basket(floor, **other))
        assert list(error.value.fields) == [field]
        assert s.scalars(sa.select(Purchase)).all() == []


def test_a_clock_may_be_a_day_ahead_and_a_total_may_be_nothing(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        ahead = basket(floor, occurred_at=datetime.now(UTC) + timedelta(hours=23), total_minor=0)
        assert service.record(s, ahead).created


def test_the_business_day_is_the_store_s(floor: Floor) -> None:
    late = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)  # half past midnight in London's summer
    with floor.till(floor.club) as s:
        assert service.record(s, basket(floor, occurred_at=late)).purchase.business_date == date(
            2026, 7, 2
        )


def test_a_preview_writes_nothing(floor: Floor) -> None:
    floor.answers["basket_preview"] = [Answer("points_club", {"points": 15})]
    with floor.till(floor.club) as s:
        ana = enrolment.enrol(s, name="Ana")
    with floor.till(floor.club, write=False) as s:
        asked = basket(floor, customer_id=ana.id, pos_ref="")
        assert service.preview(s, asked) == (Answer("points_club", {"points": 15}),)
        with pytest.raises(Invalid):
            service.preview(s, basket(floor, total_minor=-1))
        with pytest.raises(NotFound):
            service.preview(s, basket(floor, customer_id=uuid4()))
        assert s.scalars(sa.select(Purchase)).all() == []
        with pytest.raises((WallBreach, TypeError)):
            service.record(s, basket(floor))


def test_a_merged_customer_s_purchases_are_the_kept_one_s(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        ana, old = enrolment.enrol(s, name="Ana"), enrolment.enrol(s, name="Ana")
        service.record(s, basket(floor, customer_id=old.id))
        enrolment.merge(s, ana.id, old.id)
        # The till sends the receipt once more, under the old id and under the new.
        for who in (old.id, ana.id):
            assert not service.record(s, basket(floor, customer_id=who)).created
        assert [p.pos_ref for p in queries.of_customer(s, ana.id)] == ["R-1001"]
        assert customers.get(s, old.id).id == ana.id


def test_who_rang_it_up_and_who_gave_it_back_is_known(floor: Floor) -> None:
    """Of every receipt: also of an anonymous one, of one that earned nothing, and of a file's."""
    store = floor.club.stores[0].id
    till, bea = Actor("key", new_id(), "Till 1"), Actor("user", new_id(), "Bea")
    with floor.till(floor.club, actor=till) as s:
        ana = enrolment.enrol(s, name="Ana")
        for ref, who in (("R1", ana.id), ("R2", None)):
            given = PurchaseIn(store, ref, NOW, 1000, "GBP", who)
            sold = service.record(s, given).purchase
            assert (sold.actor_kind, sold.actor_id) == ("key", till.id)
    with floor.till(floor.club, actor=bea) as s:
        assert service.record(s, PurchaseIn(store, "R2", NOW, 1000, "GBP")).purchase == sold
        back = service.record_return(s, ReturnIn(store, "RR", "R1", NOW, 400)).returned
        assert (back.actor_kind, back.actor_id) == ("user", bea.id)
        assert (back.purchase.actor_kind, back.purchase.actor_id) == ("key", till.id)
    loader = Actor("system", None, "import")
    with floor.database.tenancy.session(Scope.operator(floor.club.id, loader), write=True) as s:
        service.record_batch(s, [PurchaseIn(store, "R3", NOW, 1000, "GBP", ana.id)])
    with floor.till(floor.club, write=False) as s:
        found = listing.of_store(s, store)
        assert {(f.pos_ref, f.actor_kind, f.actor_id) for f in found} == {
            ("R1", "key", till.id),
            ("R2", "key", till.id),
            ("R3", "system", None),
        }
        assert queries.by_ref(s, store, "R1").actor_id == till.id
        assert queries.get_return(s, back.id).actor_id == bea.id
        assert queries.returns_of(s, back.purchase.id)[0].actor_kind == "user"
