"""Money goes back once, never more than was paid, and the parts add up to the whole."""

import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from highstreet.customers import service as enrolment
from highstreet.purchases import queries, service
from highstreet.purchases.allotment import allot, everything_left
from highstreet.purchases.facts import (
    LineFact,
    LineIn,
    PurchaseFact,
    PurchaseIn,
    ReturnIn,
    ReturnLineIn,
)
from highstreet.purchases.models import Return
from highstreet.timeline import queries as timeline
from highstreet_tenants.errors import Conflict, Invalid, NotFound
from highstreet_tenants.scopes import Scope
from rooms_given import Floor

NOW = datetime.now(UTC)
LINES = (
    LineIn(1, "ham", "deli", 3, 1000),
    LineIn(2, "ham", "deli", 1, 300),
    LineIn(3, "bun", "bakery", 1, 200),
)


def bought(floor: Floor, brand: str = "club", store: int = 0) -> PurchaseFact:
    where = getattr(floor, brand)
    with floor.till(where, store) as s:
        ana = enrolment.enrol(s, name="Ana")
        given = PurchaseIn(where.stores[store].id, "R1", NOW, 1500, "GBP", ana.id, LINES)
        return service.record(s, given).purchase


def back(floor: Floor, ref: str = "RR1", amount: int | None = None, **other: Any) -> ReturnIn:
    made = ReturnIn(floor.club.stores[0].id, ref, "R1", NOW, amount)
    return replace(made, **other)


def test_three_parts_are_one_whole(floor: Floor) -> None:
    bought(floor)
    left = []
    for ref in ("RR1", "RR2", "RR3"):
        with floor.till(floor.club) as s:
            done = service.record_return(s, back(floor, ref, 500))
            left.append(done.returned.purchase.total_minor - done.returned.purchase.returned_minor)
    assert left == [1000, 500, 0]
    with floor.till(floor.club, write=False) as s:
        there = queries.by_ref(s, floor.club.stores[0].id, "R1")
        assert there.returned_minor == 1500
        assert [r.amount_minor for r in queries.returns_of(s, there.id)] == [500] * 3
        assert queries.check_returned(s) == []
        titles = [e.title for e in timeline.read(s, there.customer_id).entries]  # type: ignore[arg-type]
        assert titles.count("Gave back, got £5.00") == 3
    heard = [h["returned"].purchase.returned_minor for h in floor.hooks("purchase_returned")]
    assert heard == [500, 1000, 1500]


def test_no_more_than_was_paid(floor: Floor) -> None:
    bought(floor)
    with floor.till(floor.club) as s:
        service.record_return(s, back(floor, "RR1", 1100))
        with pytest.raises(Invalid, match=r"£4\.00") as error:
            service.record_return(s, back(floor, "RR2", 401))
        assert list(error.value.fields) == ["amount_minor"]
        rest = service.record_return(s, back(floor, "RR2"))
        assert rest.returned.amount_minor == 400
        for amount in (1, None, 0, -5):
            with pytest.raises(Invalid):
                service.record_return(s, back(floor, "RR3", amount))
        assert len(s.scalars(sa.select(Return)).all()) == 2


def test_the_same_return_again_changes_nothing(floor: Floor) -> None:
    bought(floor)
    asked = (ReturnLineIn(product="ham", quantity=2),)
    with floor.till(floor.club) as s:
        first = service.record_return(s, back(floor, lines=asked))
    for _ in range(2):
        with floor.till(floor.club) as s:
            again = service.record_return(s, back(floor, lines=asked))
            assert not again.created
            assert again.returned == first.returned
    assert len(floor.hooks("purchase_returned")) == 1
    for other in (
        {"amount": 1},
        {"lines": (ReturnLineIn(product="ham", quantity=1),)},
        {"lines": asked, "occurred_at": NOW + timedelta(minutes=1)},
    ):
        with floor.till(floor.club) as s, pytest.raises(Conflict):
            service.record_return(s, back(floor, **other))
    with floor.till(floor.club) as s:
        service.record(s, PurchaseIn(floor.club.stores[0].id, "R2", NOW, 900, "GBP"))
        with pytest.raises(Conflict):
            service.record_return(s, back(floor, lines=asked, purchase_pos_ref="R2"))
        assert queries.check_returned(s) == []


def test_the_same_number_with_other_amounts_is_another_return(floor: Floor) -> None:
    """A till that repeats itself says the same; one that does not has used a number twice."""
    bought(floor)
    ham = ReturnLineIn(product="ham", quantity=1, amount_minor=300)
    bun = ReturnLineIn(product="bun")
    first = {
        "RR1": back(floor, "RR1", lines=(ham, bun)),
        "RR2": back(floor, "RR2", 100),
        "RR3": back(floor, "RR3", 150, lines=(replace(ham, amount_minor=None),)),
        "RR4": back(floor, "RR4"),
    }
    for sent in first.values():
        with floor.till(floor.club) as s:
            assert service.record_return(s, sent).created
    for sent in first.values():
        with floor.till(floor.club) as s:
            assert not service.record_return(s, sent).created
    same = (
        # The same lines in other words, and the sum that was worked out for them.
        back(floor, "RR1", lines=(bun, replace(ham, product=None, line_no=1))),
        back(floor, "RR1", 500, lines=(ham, bun)),
    )
    for sent in same:
        with floor.till(floor.club) as s:
            assert not service.record_return(s, sent).created
    others = (
        back(floor, "RR1", lines=(replace(ham, amount_minor=299), bun)),
        back(floor, "RR1", lines=(ham, replace(bun, amount_minor=201))),
        back(floor, "RR1", 499, lines=(ham, bun)),
        back(floor, "RR1", 500),  # without the lines
        back(floor, "RR1"),  # something was left then, so it was not the rest
        back(floor, "RR2", lines=(ham,)),
        back(floor, "RR2"),
        back(floor, "RR3", lines=(replace(ham, amount_minor=None),)),
        back(floor, "RR4", 1),
    )
    for sent in others:
        with floor.till(floor.club) as s, pytest.raises(Conflict):
            service.record_return(s, sent)
    with floor.till(floor.club, write=False) as s:
        assert queries.check_returned(s) == []
    assert len(floor.hooks("purchase_returned")) == len(first)


def test_products_come_back_line_by_line(floor: Floor) -> None:
    bought(floor)
    with floor.till(floor.club) as s:
        one = service.record_return(
            s, back(floor, "RR1", lines=(ReturnLineIn(product="ham", quantity=2),))
        ).returned
        assert [(x.line_no, x.quantity, x.amount_minor) for x in one.lines] == [(1, 2, 666)]
        two = service.record_return(
            s, back(floor, "RR2", lines=(ReturnLineIn(product="ham", quantity=2),))
        ).returned
        # The last of line 1 takes what is left of it, so that its parts add up.
        assert [(x.line_no, x.quantity, x.amount_minor) for x in two.lines] == [
            (1, 1, 334),
            (2, 1, 300),
        ]
        assert two.amount_minor == 634
        lines = {line.line_no: line for line in two.purchase.lines}
        assert (lines[1].returned_quantity, lines[1].returned_minor) == (3, 1000)
        assert lines[3].returned_quantity == 0
        for line in (
            ReturnLineIn(product="ham"),
            ReturnLineIn(line_no=1),
            ReturnLineIn(product="cake"),
            ReturnLineIn(line_no=9),
            ReturnLineIn(),
            ReturnLineIn(product="bun", quantity=0),
            ReturnLineIn(product="bun", quantity=-1),
        ):
            with pytest.raises(Invalid) as error:
                service.record_return(s, back(floor, "RR3", lines=(line,)))
            assert next(iter(error.value.fields)).startswith("lines.0")
        bun = ReturnLineIn(line_no=3, quantity=1, amount_minor=150)  # a till's own price
        done = service.record_return(s, back(floor, "RR4", lines=(bun,))).returned
        assert (done.amount_minor, done.purchase.returned_minor) == (150, 1450)


def test_a_return_has_its_store_its_time_and_its_purchase(floor: Floor) -> None:
    bought(floor)
    with floor.till(floor.club) as s:
        for other, error in (
            ({"purchase_pos_ref": "R404"}, NotFound),
            ({"occurred_at": NOW - timedelta(days=3)}, Invalid),
            ({"occurred_at": NOW + timedelta(days=3)}, Invalid),
            ({"pos_ref": "4111111111111111"}, Invalid),
            ({"pos_ref": "R\x00"}, Invalid),
            ({"store_id": floor.club.stores[1].id}, NotFound),
        ):
            with pytest.raises(error):
                service.record_return(s, back(floor, amount=100, **other))
    with floor.till(floor.club, 1) as s, pytest.raises(NotFound):
        service.record_return(s, back(floor, amount=100, store_id=floor.club.stores[1].id))


def test_a_club_s_goods_come_back_at_another_store(floor: Floor) -> None:
    bought(floor)
    here, there = (store.id for store in floor.club.stores)
    elsewhere = back(floor, amount=600, store_id=there, purchase_store_id=here)
    with floor.till(floor.club, 1) as s, pytest.raises(NotFound):
        service.record_return(s, elsewhere)  # a store does not see what others sold
    with floor.office(floor.club) as s:
        done = service.record_return(s, elsewhere)
        assert done.created and done.returned.store_id == there
        assert not service.record_return(s, elsewhere).created
    with floor.till(floor.club, 0) as s:
        # The store that sold knows what is left, also of its lines.
        assert queries.by_ref(s, here, "R1").returned_minor == 600
        assert service.record_return(s, back(floor, "RR1")).returned.amount_minor == 900
        assert queries.check_returned(s) == []


def test_one_receipt_given_back_by_many_tills_at_once_goes_back_once(floor: Floor) -> None:
    bought(floor)
    start = threading.Barrier(6)
    outcomes: list[str] = []

    def give(number: int) -> None:
        start.wait()
        try:
            with floor.till(floor.club) as s:
                service.record_return(s, back(floor, f"RR{number}", 1000))
            outcomes.append("given")
        except Invalid:
            outcomes.append("refused")

    threads = [threading.Thread(target=give, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == ["given"] + ["refused"] * 5
    with floor.till(floor.club, write=False) as s:
        assert queries.by_ref(s, floor.club.stores[0].id, "R1").returned_minor == 1000
        assert queries.check_returned(s) == []


def test_the_audit_sees_a_sum_that_does_not_add_up(floor: Floor) -> None:
    fact = bought(floor)
    with floor.database.owner.begin() as connection:
        connection.execute(sa.text("UPDATE core_purchase SET returned_minor = 7"))
    with floor.database.tenancy.session(Scope.operator(floor.club.id)) as s:
        assert queries.check_returned(s) == [(fact.id, 7, 0)]


@given(
    quantity=st.integers(1, 40),
    amount=st.integers(-5000, 5000),
    parts=st.lists(st.integers(1, 9), min_size=1, max_size=12),
)
@settings(max_examples=300, deadline=None)
def test_however_a_line_comes_back_its_parts_add_up(
    quantity: int, amount: int, parts: list[int]
) -> None:
    line = LineFact(1, "ham", "deli", Decimal(quantity), amount)
    fact = PurchaseFact(
        *(None,) * 2,
        "R1",
        NOW,
        10_000,
        "GBP",
        None,
        (line,),
        NOW.date(),
        NOW,  # type: ignore[arg-type]
    )
    paid = 0
    for part in parts:
        left = line.quantity - line.returned_quantity
        if part > left:
            with pytest.raises(Invalid):
                allot(fact, [ReturnLineIn(product="ham", quantity=part)])
            continue
        (piece,) = allot(fact, [ReturnLineIn(product="ham", quantity=part)])
        assert 0 <= piece.amount_minor <= amount or 0 >= piece.amount_minor >= amount
        paid += piece.amount_minor
        line = replace(
            line,
            returned_quantity=line.returned_quantity + part,
            returned_minor=line.returned_minor + piece.amount_minor,
        )
        fact = replace(fact, lines=(line,))
    assert paid + sum(x.amount_minor for x in everything_left(fact)) == amount
