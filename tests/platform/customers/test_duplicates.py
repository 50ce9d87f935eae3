"""Likely duplicates are found, scored and explained; families and namesakes are not merged."""

from datetime import date

import pytest

from highstreet.customers import service
from highstreet.customers.duplicates import likely_duplicates
from highstreet_tenants.errors import NotFound
from rooms_given import Floor


def test_pairs_come_with_score_and_reason(floor: Floor) -> None:
    with floor.till(floor.shops, 0) as s:
        ana = service.enrol(s, name="Ana María Núñez", phone="020 7946 0018", card="1111000")
        twin = service.enrol(s, name="Nunez Ana Maria", phone="+44 20 7946 0018")
        mail = service.enrol(s, name="Jon Smith", email="jon@example.com")
        other = service.enrol(s, name="John Smith", email="JON@example.com")
        service.enrol(s, name="Zed Quill", phone="020 7946 0018")  # shares the family's phone
        service.enrol(s, name="John Smith", birthday=date(1950, 1, 1))
    with floor.till(floor.shops, 1) as s:
        service.enrol(s, name="Ana María Núñez", phone="020 7946 0018")  # another store's
    with floor.till(floor.shops, 0, write=False) as s:
        pairs = likely_duplicates(s)
        found = {frozenset((p.one.id, p.other.id)): p for p in pairs}
        assert frozenset((ana.id, twin.id)) in found
        assert frozenset((mail.id, other.id)) in found
        same = found[frozenset((ana.id, twin.id))]
        assert same.score == 100 and same.reason == "same phone number, same name, same home store"
        assert (
            "same e-mail address, names 95 % alike" in found[frozenset((mail.id, other.id))].reason
        )
        assert [p.score for p in pairs] == sorted((p.score for p in pairs), reverse=True)
        assert all("Zed" not in p.one.name + p.other.name for p in pairs)
        assert [
            p.other.id if p.one.id == twin.id else p.one.id for p in likely_duplicates(s, twin.id)
        ] == [ana.id]
        assert len(likely_duplicates(s, limit=1)) == 1
    with floor.till(floor.shops, 1, write=False) as s:
        assert likely_duplicates(s) == []
        with pytest.raises(NotFound):
            likely_duplicates(s, ana.id)


def test_different_birthdays_count_against(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        service.enrol(s, name="Ana Núñez", phone="020 7946 0018", birthday=date(1990, 5, 1))
        service.enrol(s, name="Ana Nunez", birthday=date(1990, 5, 1))
        service.enrol(s, name="Ana Núñez", phone="020 7946 0018", birthday=date(1960, 5, 1))
    with floor.office(floor.club, write=False) as s:
        pairs = likely_duplicates(s)
    assert sorted(p.score for p in pairs) == [65, 90]
    (apart,) = [p for p in pairs if p.different]
    assert [(d.what, {d.one, d.other}) for d in apart.different] == [
        ("birthday", {date(1990, 5, 1), date(1960, 5, 1)})
    ]


def test_merged_and_erased_records_are_not_suggested(floor: Floor) -> None:
    with floor.till(floor.shops) as s:
        a, b, c = (service.enrol(s, name="Ana Núñez", phone="020 7946 0018") for _ in range(3))
        assert len(likely_duplicates(s)) == 3
        service.merge(s, a.id, b.id)
        assert len(likely_duplicates(s)) == 1
        service.erase(s, c.id, "asked by letter")
        assert likely_duplicates(s) == []


def test_a_pair_says_what_differs(floor: Floor) -> None:
    with floor.till(floor.club, 0) as s:
        one = service.enrol(
            s, name="Ana Núñez", phone="020 7946 0018", email="ana@example.com", language="en"
        )
        service.add_identity(s, one.id, "phone", "020 7946 0019")
    with floor.till(floor.club, 1) as s:
        two = service.enrol(
            s, name="Ana Nunez", phone="020 7946 0021", email="ANA@example.com", language="es"
        )
        (pair,) = likely_duplicates(s, two.id)
    shops = [store.id for store in floor.club.stores]
    assert pair.same == ("same e-mail address", "same name")
    here, there = ("one", "other") if pair.one.id == one.id else ("other", "one")
    assert [(d.what, getattr(d, here), getattr(d, there)) for d in pair.different] == [
        ("phone", "020 7946 0018, 020 7946 0019", "020 7946 0021"),
        ("language", "en", "es"),
        ("store", *shops),
    ]
    with floor.till(floor.club, 0) as s:
        service.add_identity(s, one.id, "phone", "020 7946 0021")  # one of theirs is shared now
        (pair,) = likely_duplicates(s, two.id)
        assert "phone" not in [d.what for d in pair.different]
