"""The card shown after the sale: a purchase of nobody becomes a customer's, once."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from highstreet.customers import service as enrolment
from highstreet.purchases import claims, queries, service
from highstreet.purchases.facts import LineIn, PurchaseFact, PurchaseIn, ReturnIn
from highstreet.timeline import queries as timeline
from highstreet_tenants.errors import Conflict, NotFound
from highstreet_tenants.ids import new_id
from highstreet_tenants.scopes import Actor
from rooms_given import Floor

NOW = datetime.now(UTC)
BEA = Actor("user", None, "Bea")


def sold(floor: Floor, brand: Any, ref: str = "R1", at: datetime = NOW) -> PurchaseFact:
    with floor.till(brand) as s:
        line = LineIn(1, "ham", "deli", 1, 1000)
        given = PurchaseIn(brand.stores[0].id, ref, at, 1000, "GBP", None, (line,))
        return service.record(s, given).purchase


@pytest.mark.parametrize("which", ["club", "shops"])
def test_it_becomes_theirs_and_is_heard_of_once(floor: Floor, which: str) -> None:
    brand = getattr(floor, which)
    bought = sold(floor, brand)
    with floor.till(brand) as s:
        ana = enrolment.enrol(s, name="Ana")
        service.record_return(s, ReturnIn(bought.store_id, "RR", "R1", NOW, 300))
    with floor.till(brand, actor=BEA) as s:
        done = service.claim(s, bought.store_id, "R1", ana.id)
    assert done.created
    assert (done.purchase.customer_id, done.purchase.returned_minor) == (ana.id, 300)
    assert done.purchase.actor_id == bought.actor_id, "who rang it up stays"
    with floor.till(brand) as s:
        again = service.claim(s, bought.store_id, "R1", ana.id)
        assert (again.created, again.purchase.customer_id) == (False, ana.id)
        assert queries.by_ref(s, bought.store_id, "R1") == again.purchase
        told = timeline.read(s, ana.id).entries
    assert {e.title for e in told if e.kind in ("purchase", "return")} == {
        "Bought for £10.00, the card shown later",
        "Gave back, got £3.00",
    }
    assert [e.data["claimed_by"] for e in told if e.kind == "purchase"] == ["Bea"]
    heard = floor.hooks("purchase_claimed")
    assert [(h["purchase"].id, h["purchase"].customer_id) for h in heard] == [(bought.id, ana.id)]
    assert len(floor.hooks("purchases_recorded")) == 1, "it is counted once"


def test_a_till_that_repeats_the_sale_with_the_card_is_answered_that_it_is_there(
    floor: Floor,
) -> None:
    bought = sold(floor, floor.club)
    with floor.till(floor.club) as s:
        ana = enrolment.enrol(s, name="Ana")
        line = LineIn(1, "ham", "deli", 1, 1000)
        given = PurchaseIn(bought.store_id, "R1", NOW, 1000, "GBP", ana.id, (line,))
        with pytest.raises(Conflict, match="claim it"):
            service.record(s, given)
        service.claim(s, bought.store_id, "R1", ana.id)
        assert not service.record(s, given).created


def test_what_is_somebody_elses_or_too_old_stays_as_it_is(floor: Floor) -> None:
    bought = sold(floor, floor.club)
    sold(floor, floor.club, "OLD", NOW - claims.WITHIN - timedelta(minutes=1))
    with floor.till(floor.club) as s:
        ana, bob = (enrolment.enrol(s, name=name) for name in ("Ana", "Bob"))
        service.claim(s, bought.store_id, "R1", ana.id)
        for ref, words in (("R1", "another customer's"), ("OLD", "30 days")):
            with pytest.raises(Conflict, match=words) as error:
                service.claim(s, bought.store_id, ref, bob.id)
            assert "purchase_pos_ref" in error.value.fields
        enrolment.merge(s, bob.id, ana.id)
        assert not service.claim(s, bought.store_id, "R1", bob.id).created, "now they are one"
        for ref, who in (("R9", bob.id), ("OLD", new_id())):
            with pytest.raises(NotFound):
                service.claim(s, bought.store_id, ref, who)
    assert len(floor.hooks("purchase_claimed")) == 1


def test_neither_another_stores_purchase_nor_its_customer_is_there(floor: Floor) -> None:
    bought = sold(floor, floor.shops)
    with floor.till(floor.shops, 1) as s:
        bob = enrolment.enrol(s, name="Bob")
        with pytest.raises(NotFound):
            service.claim(s, bought.store_id, "R1", bob.id)
        with pytest.raises(NotFound):
            service.claim(s, s.store_id, "R1", bob.id)  # type: ignore[arg-type]
    with floor.till(floor.shops, 0) as s, pytest.raises(NotFound):
        service.claim(s, bought.store_id, "R1", bob.id)


def test_of_many_who_claim_it_at_once_one_gets_it(floor: Floor) -> None:
    bought = sold(floor, floor.club)
    with floor.till(floor.club) as s:
        people = [enrolment.enrol(s, name=f"P{n}").id for n in range(8)]
    start, got = threading.Barrier(len(people)), []

    def claims_it(who: Any) -> None:
        start.wait()
        try:
            with floor.till(floor.club) as s:
                if service.claim(s, bought.store_id, "R1", who).created:
                    got.append(who)
        except Conflict:
            pass

    threads = [threading.Thread(target=claims_it, args=(one,)) for one in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1
    with floor.till(floor.club, write=False) as s:
        assert queries.by_ref(s, bought.store_id, "R1").customer_id == got[0]
        told = [one for one in people if "purchase" in {
            e.kind for e in timeline.read(s, one).entries}]  # fmt: skip
    assert told == got
