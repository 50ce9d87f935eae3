"""The last actions at a till, and taking one back."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from highstreet.customers import service as customers
from highstreet.purchases import queries as bought
from highstreet.purchases import service as purchases
from highstreet.purchases.facts import PurchaseIn, ReturnIn
from highstreet.till import last, visits
from highstreet_tenants import clock
from highstreet_tenants.errors import Conflict, NotFound
from highstreet_tenants.people.models import User
from highstreet_tenants.scopes import Actor, Scope

ZONE = "Europe/London"


@pytest.fixture
def at_till(house: Any, two_brands: Any) -> Any:
    def enter(brand: int = 0, store: int = 0) -> Any:
        it = two_brands[brand]
        return house.tenancy.session(Scope.store(it.id, it.stores[store].id), write=True)

    return enter


def buy(s: Any, who: Any, minor: int, ref: str, at: Any = None) -> Any:
    given = PurchaseIn(s.store_id, ref, at or clock.now(), minor, "GBP", customer_id=who)
    return purchases.record(s, given).purchase


def today() -> Any:
    return clock.business_date(clock.now(), ZONE)


def test_newest_first_and_only_of_this_store(at_till: Any) -> None:
    with at_till(store=1) as s:
        other = customers.enrol(s, name="Other").id
        buy(s, other, 100, "o-1")
    with at_till() as s:
        anna = customers.enrol(s, name="Anna").id
        buy(s, anna, 820, "1")
        buy(s, anna, 910, "2")
        found = last.last_actions(s, s.store_id, today())
    assert [(one.kind, one.amount_minor, one.who) for one in found] == [
        ("purchase", 910, "Anna"),
        ("purchase", 820, "Anna"),
        ("enrolled", 0, "Anna"),
    ]


def test_purchases_of_nobody_and_of_long_ago_are_not_listed(at_till: Any) -> None:
    with at_till() as s:
        anna = customers.enrol(s, name="Anna", at=clock.now() - timedelta(days=60)).id
        buy(s, None, 100, "1")
        buy(s, anna, 200, "2", clock.now() - timedelta(days=5))
        assert last.last_actions(s, s.store_id, today()) == []


def test_the_list_is_as_short_as_asked(at_till: Any) -> None:
    with at_till() as s:
        anna = customers.enrol(s, name="Anna").id
        for n in range(9):
            buy(s, anna, 100 + n, str(n))
        assert len(last.last_actions(s, s.store_id, today(), 4)) == 4


def test_undone_is_shown_as_undone_and_twice_is_once(at_till: Any) -> None:
    with at_till() as s:
        anna = customers.enrol(s, name="Anna").id
        sold = buy(s, anna, 820, "1")
        assert last.undo_purchase(s, sold.id).created
        assert not last.undo_purchase(s, sold.id).created
        assert bought.get(s, sold.id).returned_minor == 820
        action = last.last_actions(s, s.store_id, today())[0]
    assert (action.undone, action.undoable) == (True, False)


def test_whoever_rang_it_up_or_took_it_back_is_named(house: Any, two_brands: Any) -> None:
    """No points need have moved for it."""
    brand = two_brands[0]
    with house.tenancy.control(write=True) as c:
        for name in ("Bea", "Cem"):
            c.add(User(email=f"{name}@example.com", name=name))
        c.flush()
        bea, cem = (Actor("user", one.id, one.name) for one in c.scalars(sa.select(User)))

    def at(actor: Actor) -> Any:
        scope = Scope.store(brand.id, brand.stores[0].id, actor)
        return house.tenancy.session(scope, write=True)

    with at(bea) as s:
        anna = customers.enrol(s, name="Anna").id
        buy(s, anna, 0, "0")
        sold = [buy(s, anna, 820, ref) for ref in ("1", "2")]
    with at(cem) as s:
        last.undo_purchase(s, sold[0].id)
        found = last.last_actions(s, s.store_id, today())
    said = {one.id: (one.by, one.by_id, one.undone) for one in found if one.kind == "purchase"}
    assert said.pop(sold[0].id) == ("Cem", cem.id, True)
    assert set(said.values()) == {("Bea", bea.id, False)}


def test_what_was_partly_returned_is_not_undone_blindly(at_till: Any) -> None:
    with at_till() as s:
        anna = customers.enrol(s, name="Anna").id
        sold = buy(s, anna, 820, "1")
        purchases.record_return(s, ReturnIn(s.store_id, "r", "1", clock.now(), 100))
        with pytest.raises(Conflict):
            last.undo_purchase(s, sold.id)


def test_another_stores_purchase_is_not_there_to_undo(at_till: Any) -> None:
    with at_till() as s:
        anna = customers.enrol(s, name="Anna").id
        sold = buy(s, anna, 820, "1")
    with at_till(store=1) as s, pytest.raises(NotFound):
        last.undo_purchase(s, sold.id)


def test_visits_are_this_stores_and_follow_a_merge(at_till: Any) -> None:
    with at_till(store=1) as s:
        anna = customers.enrol(s, name="Anna").id
        buy(s, anna, 100, "far")
    with at_till() as s:
        again = customers.enrol(s, name="Anna A").id
        buy(s, again, 100, "1")
        buy(s, anna, 100, "2")
        customers.merge(s, anna, again)
        been = visits.visits(s, anna, s.store_id, today())
    assert been.this_year == 2
    assert been.last is not None
