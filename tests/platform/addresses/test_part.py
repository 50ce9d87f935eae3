"""Merging, parting, exporting and erasing: one person's address, never the household's others."""

import json
import threading
from uuid import uuid4

import pytest
import sqlalchemy as sa

from highstreet.addresses import checking, queries, service
from highstreet.addresses.facts import AddressIn
from highstreet.addresses.models import Address, Household
from highstreet.audits import service as audits
from highstreet.customers import service as customers
from highstreet.customers.facts import CustomerFact
from highstreet_tenants.sessions import ScopedSession
from rooms_given import Floor

HIGH = AddressIn("GB", "15 High St", "Leeds", "LS1 4DY")
MILL = AddressIn("GB", "1 Mill Lane", "Leeds", "LS2 7AA")
PARK = AddressIn("GB", "9 Park Row", "Leeds", "LS1 5HD")


def joined(s: ScopedSession, name: str, at: AddressIn | None = None) -> CustomerFact:
    who = customers.enrol(s, name=name, card=str(uuid4().int)[:12])
    if at is not None:
        service.put(s, who.id, at)
    return who


def street(s: ScopedSession, who: CustomerFact) -> str | None:
    found = queries.current(s, who.id)
    return found.street[0] if found else None


def names(s: ScopedSession, who: CustomerFact) -> list[str]:
    home = queries.households(s, [who.id])[who.id]
    return [one.name for one in queries.members_of(s, home)]


def homes(s: ScopedSession) -> int:
    return int(s.scalar(sa.select(sa.func.count(Household.id))) or 0)


@pytest.mark.parametrize(
    ("kept", "gone", "after"),
    [
        (HIGH, MILL, "15 High St"),
        (None, MILL, "1 Mill Lane"),
        (HIGH, None, "15 High St"),
        (None, None, None),
    ],
)
def test_a_merge_keeps_one_address_and_parting_gives_both_back(
    floor: Floor, kept: AddressIn | None, gone: AddressIn | None, after: str | None
) -> None:
    with floor.office(floor.club) as s:
        keep, other = joined(s, "Anna Lee", kept), joined(s, "Ann Lee", gone)
        ben = joined(s, "Ben Lee", MILL)
        before = street(s, keep), street(s, other), names(s, ben), homes(s)
        customers.merge(s, keep.id, other.id)
        assert street(s, keep) == street(s, other) == after
        assert names(s, ben) == (["Anna Lee", "Ben Lee"] if after == "1 Mill Lane" else ["Ben Lee"])
        customers.unmerge(s, other.id, dry_run=True)
        assert street(s, keep) == street(s, other) == after
        customers.unmerge(s, other.id)
        assert (street(s, keep), street(s, other), names(s, ben), homes(s)) == before


def test_what_came_since_the_merge_stays_with_the_record_that_was_kept(floor: Floor) -> None:
    with floor.office(floor.club) as s:
        keep, other = joined(s, "Anna Lee"), joined(s, "Ann Lee", MILL)
        customers.merge(s, keep.id, other.id)
        service.put(s, other.id, PARK)
        assert street(s, keep) == "9 Park Row"
        customers.unmerge(s, other.id)
        assert (street(s, keep), street(s, other)) == ("9 Park Row", "1 Mill Lane")


def test_a_nameless_record_joins_the_household_of_the_name_it_gets(floor: Floor) -> None:
    with floor.office(floor.club) as s:
        keep, other = joined(s, "", HIGH), joined(s, "Anna Lee")
        ben = joined(s, "Ben Lee", HIGH)
        assert homes(s) == 2
        customers.merge(s, keep.id, other.id)
        assert sorted(names(s, ben)) == ["Anna Lee", "Ben Lee"]
        assert homes(s) == 1
        customers.unmerge(s, other.id)
        assert names(s, ben) == ["Ben Lee"]
        assert street(s, keep) == "15 High St"


def test_the_export_tells_every_address(floor: Floor) -> None:
    with floor.office(floor.club) as s:
        keep, other = joined(s, "Anna Lee", HIGH), joined(s, "Ann Lee", MILL)
        service.put(s, keep.id, PARK)
        customers.merge(s, keep.id, other.id)
        told = customers.export(s, keep.id)["addresses"]
        assert json.dumps(told)
        assert [one["street"] for one in told] == [["15 High St"], ["1 Mill Lane"], ["9 Park Row"]]
        assert [bool(one["until"]) for one in told] == [True, True, False]


def test_erasing_leaves_nothing_and_the_others_where_they_are(floor: Floor) -> None:
    with floor.office(floor.club) as s:
        anna, ben = joined(s, "Anna Lee", HIGH), joined(s, "Ben Lee", HIGH)
        alone, other = joined(s, "Cat Shaw", MILL), joined(s, "C Shaw", PARK)
        customers.merge(s, alone.id, other.id)
        assert homes(s) == 2
        done = customers.erase(s, alone.id, "asked")
        assert done.parts["addresses"] == {"addresses": 2, "households": 1}
        customers.erase(s, anna.id, "asked")
        assert names(s, ben) == ["Ben Lee"]
        assert homes(s) == 1
        assert s.scalar(sa.select(sa.func.count(Address.id))) == 1


def test_a_household_that_is_emptied_and_joined_at_once_stays_whole(floor: Floor) -> None:
    """Whoever leaves last must not take the household from under whoever comes."""
    with floor.till(floor.club) as s:
        goes = joined(s, "Anna Lee", HIGH)
        comes = joined(s, "Ben Lee")
    barrier = threading.Barrier(2)
    failed: list[BaseException] = []

    def leave(round_: int) -> None:
        barrier.wait(30)
        with floor.till(floor.club) as s:
            (service.moved(s, goes.id) if round_ % 2 == 0 else service.put(s, goes.id, HIGH))

    def come(round_: int) -> None:
        barrier.wait(30)
        with floor.till(floor.club) as s:
            (service.put(s, comes.id, HIGH) if round_ % 2 == 0 else service.moved(s, comes.id))

    def run(what: object, round_: int) -> None:
        try:
            what(round_)  # type: ignore[operator]
        except BaseException as error:
            failed.append(error)

    for round_ in range(6):
        threads = [threading.Thread(target=run, args=(one, round_)) for one in (leave, come)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert failed == []
        with floor.till(floor.club, write=False) as s:
            assert homes(s) == 1


def test_families_that_change_places_do_not_wait_for_each_other(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        lees = [joined(s, f"{name} Lee", HIGH) for name in ("Anna", "Ben")]
        more = [joined(s, f"{name} Lee", MILL) for name in ("Cat", "Dan")]
    barrier = threading.Barrier(2)
    failed: list[BaseException] = []

    def move(who: CustomerFact, there: AddressIn) -> None:
        try:
            barrier.wait(30)
            with floor.till(floor.club) as s:
                service.put(s, who.id, there)
        except BaseException as error:
            failed.append(error)

    for round_ in range(8):
        one, other = (MILL, HIGH) if round_ % 2 == 0 else (HIGH, MILL)
        pair = ((lees[0], one), (more[0], other))
        threads = [threading.Thread(target=move, args=given) for given in pair]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert failed == []
    with floor.operator(floor.club, write=False) as s:
        assert checking.check(s) == (4, [])


def test_an_audit_finds_who_is_in_the_wrong_household(floor: Floor) -> None:
    with floor.office(floor.club) as s:
        anna, ben = joined(s, "Anna Lee", HIGH), joined(s, "Ben Shaw", HIGH)
        empty = Household(
            brand_id=s.brand_id, realm_id=s.brand_id, delivery_point="x", surname_key="y"
        )
        s.add(empty)
        found = {row.customer_id: row for row in s.scalars(sa.select(Address))}
        home = found[ben.id].household_id
        found[anna.id].household_id = home
        s.flush()
        many, wrong = checking.check(s)
        assert many == 2
        assert checking.Misplaced(home, anna.id) in wrong  # type: ignore[arg-type]
        assert checking.Misplaced(empty.id, None) in wrong
        assert len(wrong) == 3, "and the household that she left"
        told = [one.what for one in audits._households(s).differences]
        assert f"members of household {empty.id}" in told
