"""Thousands of customers from a file, twice the same file, and some bad rows among them."""

import pytest

from highstreet.customers import queries, service
from highstreet.customers.facts import EnrolIn
from highstreet_tenants.errors import NotFound
from rooms_given import Floor


def test_a_file_goes_in_once_and_bad_rows_stay_out(floor: Floor) -> None:
    one, two = (store.id for store in floor.shops.stores)
    rows = [
        EnrolIn(one, "Ana Núñez", card="4071228693", phone="020 7946 0018"),
        EnrolIn(two, "Ana Núñez", card="4071228693"),
        EnrolIn(one, "Ana again", card="4071-2286-93"),
        EnrolIn(one, "Ben", email="ben@example.com"),
        EnrolIn(one, "Benjamin", email="BEN@example.com"),
        EnrolIn(one, "", card=""),
        EnrolIn(one, "Cem", phone="1"),
        EnrolIn(floor.club.stores[0].id, "Dee"),
        EnrolIn(one, "Eve"),
    ]
    with floor.operator(floor.shops) as s:
        first = service.enrol_batch(s, rows)
    assert (first.created, first.known) == (4, 2)
    assert [(r.index, r.type) for r in first.refused] == [
        (5, "invalid"),
        (6, "invalid"),
        (7, "not-found"),
    ]
    assert first.ids[0] == first.ids[2] != first.ids[1]
    assert first.ids[3] == first.ids[4]
    assert [i is None for i in first.ids[5:]] == [True, True, True, False]
    # Tools hear of all of them at once, and of each once.
    (heard,) = floor.hooks("customers_enrolled")
    assert {one.id for one in heard["items"]} == {i for i in first.ids if i is not None}
    with floor.operator(floor.shops) as s:
        again = service.enrol_batch(s, rows[:5])
    assert (again.created, again.known, again.ids) == (0, 5, first.ids[:5])
    assert len(floor.hooks("customers_enrolled")) == 1
    with floor.till(floor.shops, 0, write=False) as s:
        assert queries.by_card(s, "4071228693").id == first.ids[0]
        assert [f.customer.id for f in queries.find(s, "nunez")] == [first.ids[0]]
        assert queries.find(s, "02079460018")[0].customer.name == "Ana Núñez"
        with pytest.raises(NotFound):
            queries.get(s, first.ids[1])  # type: ignore[arg-type]


def test_a_club_s_batch_is_the_brand_s(floor: Floor) -> None:
    rows = [
        EnrolIn(store.id, f"N {n}", card=f"{n:06}")
        for n in range(500)
        for store in floor.club.stores
    ]
    with floor.operator(floor.club) as s:
        out = service.enrol_batch(s, rows)
    assert (out.created, out.known) == (500, 500)
    with floor.till(floor.club, 1, write=False) as s:
        fact = queries.by_card(s, "000499")
        assert (fact.store_id, fact.home_store_id) == (None, floor.club.stores[0].id)
