"""Where people get post: written down, corrected, moved from, taken away."""

from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from highstreet.addresses import formatting, queries, service
from highstreet.addresses.facts import AddressIn, PutIn
from highstreet.addresses.models import Address, Household
from highstreet.customers import published
from highstreet.customers import service as customers
from highstreet.customers.facts import CustomerFact, EnrolIn
from highstreet.timeline import queries as timeline
from highstreet_tenants.errors import Invalid, NotFound
from highstreet_tenants.sessions import ScopedSession
from rooms_given import Floor

HIGH = AddressIn("GB", "Flat 2, 15 High St", "Leeds", "LS1 4DY")
SAME = AddressIn("GB", ("15 High Street", "flat 2"), "LEEDS", "ls14dy")
MILL = AddressIn("GB", "1 Mill Lane", "Leeds", "LS2 7AA")


def joined(s: ScopedSession, name: str) -> CustomerFact:
    return customers.enrol(s, name=name, card=str(uuid4().int)[:12])


def homes(s: ScopedSession) -> int:
    return int(s.scalar(sa.select(sa.func.count(Household.id))) or 0)


def names(s: ScopedSession, customer_id: UUID) -> list[str]:
    home = queries.households(s, [customer_id])[customer_id]
    return [one.name for one in queries.members_of(s, home)]


def test_a_family_at_one_door_is_one_household(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        anna, ben, cat = (joined(s, name) for name in ("Anna Lee", "Ben Lee", "Cat Shaw"))
        service.put(s, anna.id, HIGH)
        service.put(s, ben.id, SAME)
        service.put(s, cat.id, HIGH)
    with floor.till(floor.club, 1, write=False) as s:
        assert names(s, anna.id) == ["Anna Lee", "Ben Lee"]
        assert names(s, cat.id) == ["Cat Shaw"]
        assert homes(s) == 2
        found = queries.current(s, ben.id)
        assert found is not None
        assert found.lines == ("15 High Street", "flat 2", "LEEDS", "LS1 4DY")
        assert (found.state, found.source, found.valid_to) == ("good", "staff", None)
        assert set(queries.of_many(s, [anna.id, cat.id, uuid4()])) == {anna.id, cat.id}


def test_who_moves_leaves_the_others_where_they_are(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        anna, ben = joined(s, "Anna Lee"), joined(s, "Ben Lee")
        for one in (anna, ben):
            service.put(s, one.id, HIGH)
        service.moved(s, ben.id, MILL)
        assert names(s, anna.id) == ["Anna Lee"]
        assert names(s, ben.id) == ["Ben Lee"]
        service.moved(s, ben.id)
        assert queries.current(s, ben.id) is None
        assert homes(s) == 1
        past = queries.history(s, ben.id)
        assert [one.street for one in past] == [("1 Mill Lane",), ("Flat 2, 15 High St",)]
        assert all(one.valid_to and one.household_id is None for one in past)
        with pytest.raises(NotFound):
            service.moved(s, ben.id)
        kinds = [one.kind for one in timeline.read(s, ben.id).entries]
        assert kinds == ["moved", "address-changed", "address-changed", "enrolled"]


def test_nothing_of_the_address_stands_in_the_timeline(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        anna = joined(s, "Anna Lee")
        service.put(s, anna.id, HIGH)
        service.returned(s, anna.id)
        service.remove(s, anna.id)
        told = repr(timeline.read(s, anna.id).entries)
    assert "High" not in told and "LS1" not in told and "Leeds" not in told


def test_the_same_again_changes_nothing(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        anna = joined(s, "Anna Lee")
        one = service.put(s, anna.id, HIGH)
        assert service.put(s, anna.id, HIGH) == one
        assert len(queries.history(s, anna.id)) == 1
        service.returned(s, anna.id)
        assert queries.current(s, anna.id).state == "bad"  # type: ignore[union-attr]
        assert service.put(s, anna.id, HIGH).state == "good"


def test_a_removed_address_was_never_there(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        anna = joined(s, "Anna Lee")
        service.put(s, anna.id, HIGH)
        service.remove(s, anna.id)
        assert queries.history(s, anna.id) == []
        assert homes(s) == 0
        with pytest.raises(NotFound):
            service.remove(s, anna.id)
        with pytest.raises(NotFound):
            service.returned(s, anna.id)


def test_a_new_surname_is_a_new_household(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        anna, ben = joined(s, "Anna Lee"), joined(s, "Ben Shaw")
        for one in (anna, ben):
            service.put(s, one.id, HIGH)
        assert homes(s) == 2
        customers.update(s, anna.id, name="Anna Shaw")
        assert names(s, ben.id) == ["Anna Shaw", "Ben Shaw"]
        assert homes(s) == 1
        customers.update(s, anna.id, name="Anne Shaw")
        assert names(s, ben.id) == ["Anne Shaw", "Ben Shaw"]


def test_where_stores_own_customers_no_household_crosses(floor: Floor) -> None:
    people = []
    for number in (0, 1):
        with floor.till(floor.shops, number) as s:
            one = joined(s, "Anna Lee")
            service.put(s, one.id, HIGH)
            people.append(one)
    for number in (0, 1):
        with floor.till(floor.shops, number, write=False) as s:
            assert names(s, people[number].id) == ["Anna Lee"]
            assert homes(s) == 1
            with pytest.raises(NotFound):
                queries.current(s, people[1 - number].id)
            assert queries.of_many(s, [people[1 - number].id]) == {}
    with floor.till(floor.shops, 0) as s, pytest.raises(NotFound):
        service.put(s, people[1].id, MILL)
    with floor.operator(floor.shops) as s:
        assert homes(s) == 2


def test_the_fields_of_the_core(floor: Floor) -> None:
    asked = ["customer.postcode", "customer.city", "customer.country"]
    with floor.till(floor.club) as s:
        anna, ben = joined(s, "Anna Lee"), joined(s, "Ben Lee")
        service.put(s, anna.id, HIGH)
        service.put(s, anna.id, MILL)
        assert published.read(s, asked, [anna.id, ben.id]) == {
            anna.id: {
                "customer.postcode": "LS2 7AA",
                "customer.city": "Leeds",
                "customer.country": "GB",
            }
        }


def test_the_name_stands_where_the_country_has_it(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        anna, wang = joined(s, "Anna Lee"), joined(s, "王小明")
        here = service.put(s, anna.id, MILL)
        there = service.put(s, wang.id, AddressIn("CN", "中山路12号", "南京", "210008", "江苏"))
        care = service.put(s, anna.id, AddressIn("GB", "1 Mill Lane", "Leeds", "LS2 7AA",
                                                 recipient="c/o Mrs Shaw"))  # fmt: skip
    lines = ("Anna Lee", "1 Mill Lane", "LEEDS", "LS2 7AA")
    assert formatting.envelope(here, "Anna Lee") == lines
    assert formatting.envelope(here, "Anna Lee", home="GB") == lines
    assert formatting.envelope(here, "Anna Lee", home="AU") == (*lines, "UNITED KINGDOM")
    assert formatting.envelope(there, "王小明")[-1] == "王小明"
    assert formatting.envelope(care, "Anna Lee")[0] == "c/o Mrs Shaw"


def test_many_at_once_and_what_is_wrong_with_some(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        anna, ben = joined(s, "Anna Lee"), joined(s, "Ben Lee")
        service.put(s, ben.id, HIGH)
        done = service.put_many(
            s,
            [
                PutIn(anna.id, HIGH),
                PutIn(ben.id, HIGH),
                PutIn(ben.id, AddressIn("GB", "1 High St", "Leeds", "x")),
                PutIn(uuid4(), HIGH),
            ],
        )
        assert (done.written, done.known) == (1, 1)
        assert [(one.index, one.type) for one in done.refused] == [(2, "invalid"), (3, "not-found")]
        assert "EC1Y 8SY" in done.refused[0].detail
        assert names(s, anna.id) == ["Anna Lee", "Ben Lee"]
        service.put_many(s, [PutIn(anna.id, MILL), PutIn(ben.id, MILL)])
        assert homes(s) == 1
        assert len(queries.history(s, anna.id)) == 2


def test_thousands_are_put_at_once(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        who = [
            EnrolIn(floor.club.stores[0].id, f"Ann Lee{n % 300}", card=f"7{n:09}")
            for n in range(2_500)
        ]
        ids = [one for one in customers.enrol_batch(s, who).ids if one]
        rows = [
            PutIn(one, AddressIn("GB", f"{n // 3} High St", "Leeds", f"LS{n % 9 + 1} 4DY"))
            for n, one in enumerate(ids)
        ]
        assert service.put_many(s, rows).written == 2_500
        assert s.scalar(sa.select(sa.func.count(Address.id))) == 2_500


def test_a_refused_address_writes_nothing(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        anna = joined(s, "Anna Lee")
        with pytest.raises(Invalid):
            service.put(s, anna.id, AddressIn("GB", "1 High St", "Leeds", ""))
        assert queries.current(s, anna.id) is None
        assert homes(s) == 0
