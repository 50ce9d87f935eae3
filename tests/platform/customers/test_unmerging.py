"""A merge taken back: what was the other record's comes back to it, what came since stays."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
import time_machine

from highstreet.customers import forgetting, queries, service
from highstreet.customers.duplicates import likely_duplicates
from highstreet.customers.facts import CustomerFact
from highstreet.customers.models import Customer, Dismissal, Identity, Merge, NameKey
from highstreet.customers.unmerging import standing
from highstreet.host.dispatch import Answer
from highstreet.purchases import queries as purchases
from highstreet.purchases import service as till
from highstreet.purchases.facts import PurchaseIn
from highstreet.timeline import queries as timeline
from highstreet_tenants.errors import Conflict, NotFound
from highstreet_tenants.scopes import Actor
from highstreet_tenants.sessions import ScopedSession
from rooms_given import Floor

NOW = datetime.now(UTC)
DANA = Actor("user", None, "Dana")


def buy(s: ScopedSession, store: Any, ref: str, customer_id: UUID) -> None:
    till.record(s, PurchaseIn(store.id, ref, NOW, 900, "GBP", customer_id))


def held(s: ScopedSession, customer_id: UUID) -> dict[str, Any]:
    """All that a record shows, to compare two moments; what the merging itself told is left out."""
    detail = queries.detail(s, customer_id)
    fact = detail.customer
    return {
        "fact": (
            fact.id,
            fact.name,
            fact.language,
            fact.joined_at,
            fact.home_store_id,
            fact.status,
        ),
        "details": (detail.birthday, detail.fields),
        "identities": [(i.kind, i.value, i.shown, i.status) for i in detail.identities],
        "notes": [n.text for n in detail.notes],
        "purchases": [p.pos_ref for p in purchases.of_customer(s, customer_id)],
        "told": [
            (e.kind, e.title)
            for e in timeline.read(s, customer_id).entries
            if e.kind not in ("merged", "unmerged")
        ],
        "names": sorted(
            s.scalars(sa.select(NameKey.word).where(NameKey.customer_id == customer_id))
        ),
        "lineage": queries.lineage(s, customer_id),
    }


def two(floor: Floor, brand: SimpleNamespace) -> tuple[CustomerFact, CustomerFact]:
    """Two records that differ in everything, and share a phone."""
    with floor.operator(brand) as s:
        for key in ("car", "pet"):
            service.define_field(s, key=key, label=key, kind="text")
    with floor.till(brand) as s:
        keep = service.enrol(
            s, name="Ana Núñez", card="1111000", phone="020 7946 0018", fields={"car": "Mini"}
        )
        service.add_note(s, keep.id, "oat milk")
        buy(s, brand.stores[0], "K1", keep.id)
        gone = service.enrol(
            s,
            name="Bea Smith",
            card="2222000",
            phone="020 7946 0018",
            email="b@example.com",
            language="es",
            birthday=date(1990, 5, 1),
            fields={"car": "Golf", "pet": "dog"},
            at=NOW - timedelta(days=400),
        )
        service.issue_card(s, gone.id, "3333000")
        service.set_card_status(s, "3333000", "lost")
        service.add_note(s, gone.id, "seeded roll")
        buy(s, brand.stores[0], "G1", gone.id)
    return keep, gone


@pytest.mark.parametrize("which", ["club", "shops"])
def test_taken_back_at_once_both_are_as_they_were(floor: Floor, which: str) -> None:
    brand = getattr(floor, which)
    keep, gone = two(floor, brand)
    with floor.till(brand) as s:
        before = held(s, keep.id), held(s, gone.id)
        service.merge(s, keep.id, gone.id)
    with floor.till(brand, actor=DANA) as s:
        done = service.unmerge(s, gone.id)
    with floor.till(brand, write=False) as s:
        assert (held(s, keep.id), held(s, gone.id)) == before
        assert queries.by_card(s, "2222000").id == gone.id
        assert [f.customer.id for f in queries.find(s, "smith")] == [gone.id]
        assert {f.customer.id for f in queries.find(s, "020 7946 0018")} == {keep.id, gone.id}
        row = s.scalars(sa.select(Merge)).one()
        assert (row.undone_by, row.undo) == ("Dana", None)
        assert row.undone_at == done.at
        for one in (keep, gone):
            assert timeline.read(s, one.id).entries[0].kind == "unmerged"
    assert (done.kept.id, done.back.id, done.back.name) == (keep.id, gone.id, "Bea Smith")
    assert [(i.kind, i.value) for i in done.identities] == [
        ("card", "2222000"),
        ("card", "3333000"),
        ("email", "b@example.com"),
        ("phone", "+442079460018"),
    ]
    assert (done.missing, done.notes, done.records) == (0, 1, 0)
    assert set(done.returned) == {"language", "birthday", "joined_at", "fields.pet"}
    assert done.rooms["purchases"] == {"purchases": 1}
    assert done.rooms["timeline"]["entries"] >= 3


def test_what_came_since_stays_with_the_record_that_was_kept(floor: Floor) -> None:
    keep, gone = two(floor, floor.club)
    store = floor.club.stores[0]
    with floor.till(floor.club) as s:
        service.merge(s, keep.id, gone.id)
        buy(s, store, "M1", keep.id)
        buy(s, store, "M2", gone.id)  # a till that was offline sends the old id
        service.issue_card(s, gone.id, "4444000")
        service.add_note(s, gone.id, "came with a pram")
        service.set_card_status(s, "2222000", "blocked")
        service.remove_identity(s, keep.id, "email", "b@example.com")
        service.update(s, keep.id, birthday=date(1991, 6, 2), fields={"pet": "cat"}, language="es")
        done = service.unmerge(s, gone.id)
    with floor.till(floor.club, write=False) as s:
        kept, back = queries.detail(s, keep.id), queries.detail(s, gone.id)
        assert [p.pos_ref for p in purchases.of_customer(s, gone.id)] == ["G1"]
        assert {p.pos_ref for p in purchases.of_customer(s, keep.id)} == {"K1", "M1", "M2"}
        assert {n.text for n in kept.notes} == {"oat milk", "came with a pram"}
        assert [n.text for n in back.notes] == ["seeded roll"]
        assert {i.value for i in kept.identities} == {"1111000", "4444000", "+442079460018"}
        # A card has its status of today; an address that was removed since stays removed.
        assert {(i.value, i.status) for i in back.identities} == {
            ("2222000", "blocked"),
            ("3333000", "lost"),
            ("+442079460018", "active"),
        }
        assert (kept.birthday, kept.fields) == (date(1991, 6, 2), {"car": "Mini", "pet": "cat"})
        assert (back.birthday, back.fields) == (date(1990, 5, 1), {"car": "Golf", "pet": "dog"})
        assert "purchase" in [e.kind for e in timeline.read(s, gone.id).entries]
    assert (done.missing, set(done.returned)) == (1, {"joined_at", "language"})


def test_a_nameless_record_gives_the_name_back(floor: Floor) -> None:
    with floor.till(floor.shops) as s:
        keep = service.enrol(s, name="", card="1111000")
        gone = service.enrol(s, name="Bea Smith")
        service.merge(s, keep.id, gone.id)
        assert [f.customer.id for f in queries.find(s, "smith")] == [keep.id]
        service.unmerge(s, gone.id)
        assert [f.customer.id for f in queries.find(s, "smith")] == [gone.id]
        assert queries.get(s, keep.id).name == ""


def test_a_dry_run_tells_all_and_changes_nothing(floor: Floor) -> None:
    keep, gone = two(floor, floor.club)
    with floor.till(floor.club) as s:
        service.merge(s, keep.id, gone.id)
    with floor.till(floor.club) as s:
        before = held(s, keep.id)
        told = service.unmerge(s, gone.id, dry_run=True)
        assert held(s, keep.id) == before
        assert queries.get(s, gone.id).id == keep.id
    with floor.till(floor.club, write=False) as s:
        assert held(s, keep.id) == before
        assert s.scalars(sa.select(Dismissal)).all() == []
        assert s.scalars(sa.select(Merge)).one().undone_at is None
    with floor.till(floor.club) as s:
        done = service.unmerge(s, gone.id)
    assert (told.identities, told.returned, told.notes, told.rooms) == (
        done.identities,
        done.returned,
        done.notes,
        done.rooms,
    )


def test_the_two_are_not_offered_again_and_can_be_merged_again(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        keep, gone = (service.enrol(s, name="Ana", phone="020 7946 0018") for _ in range(2))
        assert len(likely_duplicates(s)) == 1
        for _turn in range(3):
            service.merge(s, keep.id, gone.id)
            assert service.merge(s, keep.id, gone.id).created is False
            service.unmerge(s, gone.id)
            assert likely_duplicates(s) == []
        service.merge(s, gone.id, keep.id)
        assert queries.get(s, keep.id).id == gone.id
        with pytest.raises(Conflict, match="not merged with another"):
            service.unmerge(s, gone.id)


def test_merges_are_taken_back_in_the_opposite_order(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        a, b, c, d = (service.enrol(s, name=n, card=f"{n}111000") for n in "abcd")
        before = {one.id: held(s, one.id) for one in (a, b, c, d)}
        service.merge(s, b.id, c.id)
        service.merge(s, a.id, b.id)
        service.merge(s, a.id, d.id)
        assert [(m.gone_id, m.name) for m in standing(s, a.id)] == [(d.id, "d"), (b.id, "b")]
        with pytest.raises(Conflict, match="“d” was merged into the same record later"):
            service.unmerge(s, b.id)
        with pytest.raises(Conflict, match="“b” was itself merged into another record since"):
            service.unmerge(s, c.id)
        service.unmerge(s, d.id)
        assert service.unmerge(s, b.id).records == 1
        assert queries.get(s, c.id).id == b.id
        assert queries.by_card(s, "C111000").id == b.id
        assert [m.gone_id for m in standing(s, b.id)] == [c.id]
        service.unmerge(s, c.id)
        assert {one: held(s, one) for one in before} == before


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def test_after_thirty_days_it_is_too_late_and_nothing_names_anybody(
    floor: Floor, clock: Any
) -> None:
    with floor.till(floor.club) as s:
        keep, gone, other = (service.enrol(s, name=f"Zyxwv {n}") for n in range(3))
        service.merge(s, keep.id, gone.id)
    clock.shift(timedelta(days=29, hours=23))
    with floor.till(floor.club) as s:
        assert [m.until for m in standing(s, keep.id)] == [NOW + timedelta(days=30)]
        assert forgetting.forget_merges(s) == 0
        service.merge(s, keep.id, other.id)
    clock.shift(timedelta(hours=2))
    with floor.till(floor.club) as s:
        assert [m.gone_id for m in standing(s, keep.id)] == [other.id]
        service.unmerge(s, other.id, dry_run=True)
        service.unmerge(s, other.id)
        with pytest.raises(Conflict, match="within 30 days"):
            service.unmerge(s, gone.id)
        assert forgetting.forget_merges(s) == 1
        assert forgetting.forget_merges(s) == 0
        assert all(row.undo is None for row in s.scalars(sa.select(Merge)))
        assert queries.get(s, gone.id).id == keep.id


def test_who_is_erased_does_not_come_back(floor: Floor) -> None:
    with floor.till(floor.shops) as s:
        keep, gone = service.enrol(s, name="Ana"), service.enrol(s, name="Bea", card="2222000")
        service.merge(s, keep.id, gone.id)
        service.erase(s, keep.id, "asked")
        with pytest.raises(NotFound):
            service.unmerge(s, gone.id)
        assert json.dumps(s.scalars(sa.select(Merge)).one().undo) == "null"
        assert s.scalars(sa.select(Identity)).all() == []


def test_the_record_that_came_back_leaves_alone(floor: Floor) -> None:
    keep, gone = two(floor, floor.shops)
    with floor.till(floor.shops) as s:
        service.merge(s, keep.id, gone.id)
        service.unmerge(s, gone.id)
        service.erase(s, gone.id, "asked")
        assert queries.get(s, keep.id).name == "Ana Núñez"
        assert queries.by_card(s, "1111000").id == keep.id
        exported = service.export(s, keep.id)
        assert "Bea" not in json.dumps(exported)
        assert [p["receipt"] for p in exported["purchases"]] == ["K1"]


def test_what_is_out_of_reach_is_not_found(floor: Floor) -> None:
    with floor.till(floor.shops, 0) as s:
        keep, gone = service.enrol(s, name="Ana"), service.enrol(s, name="Bea")
        service.merge(s, keep.id, gone.id)
    with floor.till(floor.shops, 1) as s:
        for one in (gone.id, uuid4()):
            with pytest.raises(NotFound):
                service.unmerge(s, one)
        with pytest.raises(NotFound):
            standing(s, keep.id)


def test_tools_hear_of_it_and_their_words_are_told(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        keep, gone = service.enrol(s, name="Ana"), service.enrol(s, name="Bea")
        service.merge(s, keep.id, gone.id)
        floor.answers["customers_unmerged"] = [Answer("points_club", ["24 points go back"])]
        done = service.unmerge(s, gone.id)
    assert done.tools == {"points_club": ["24 points go back"]}
    (heard,) = floor.hooks("customers_unmerged")
    assert (heard["kept"].id, heard["gone"].id, heard["gone"].status) == (
        keep.id,
        gone.id,
        "active",
    )


def test_two_who_take_it_back_at_once_do_it_once(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        keep = service.enrol(s, name="Ana", card="1111000")
        gone = service.enrol(s, name="Bea", card="2222000")
        service.merge(s, keep.id, gone.id)
    start = threading.Barrier(3)
    outcomes: list[str] = []

    def back() -> None:
        start.wait()
        try:
            with floor.till(floor.club) as s:
                service.unmerge(s, gone.id)
            outcomes.append("done")
        except Conflict:
            outcomes.append("conflict")

    threads = [threading.Thread(target=back) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["conflict", "conflict", "done"]
    with floor.till(floor.club, write=False) as s:
        assert [row.status for row in s.scalars(sa.select(Customer))] == ["active", "active"]
        assert len(s.scalars(sa.select(NameKey).where(NameKey.customer_id == gone.id)).all()) == 1
        assert queries.by_card(s, "2222000").id == gone.id
