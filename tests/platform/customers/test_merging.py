"""Two records of one person become one, and nothing of either is lost."""

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from highstreet.consent import queries as consents
from highstreet.consent import service as consent
from highstreet.customers import queries, service
from highstreet.customers.models import Customer, Merge
from highstreet.purchases import queries as purchases
from highstreet.purchases import service as till
from highstreet.purchases.facts import PurchaseIn
from highstreet.timeline import queries as timeline
from highstreet_tenants.errors import Conflict, Invalid, NotFound
from highstreet_tenants.scopes import Actor
from rooms_given import Floor

NOW = datetime.now(UTC)


def test_everything_of_both_is_found_under_one(floor: Floor) -> None:
    club = floor.club
    with floor.office(club) as s:
        service.define_field(s, key="car", label="Car", kind="text")
        service.define_field(s, key="km", label="Kilometres", kind="number")
    with floor.till(club, 0) as s:
        keep = service.enrol(
            s, name="Ana Núñez", card="1111000", phone="020 7946 0018", fields={"car": "Mini"}
        )
        service.add_note(s, keep.id, "oat milk")
    with floor.till(club, 1) as s:
        gone = service.enrol(
            s,
            name="A. Nunez",
            card="2222000",
            phone="020 7946 0018",
            email="a@example.com",
            birthday=date(1990, 5, 1),
            fields={"car": "Golf", "km": 7},
            at=NOW - timedelta(days=400),
        )
        service.add_note(s, gone.id, "seeded roll")
        till.record(s, PurchaseIn(club.stores[1].id, "R1", NOW, 900, "GBP", gone.id))
    # Merged by a till that does not see what the other store sold.
    with floor.till(club, 0, actor=Actor("user", None, "Dana")) as s:
        done = service.merge(s, keep.id, gone.id)
        assert done.created and done.kept.id == keep.id
    for number in (0, 1):
        with floor.till(club, number, write=False) as s:
            assert queries.by_card(s, "1111000").id == keep.id
            assert queries.by_card(s, "2222000").id == keep.id
            assert queries.get(s, gone.id).id == keep.id
            assert [f.customer.id for f in queries.find(s, "02079460018")] == [keep.id]
            assert [f.customer.id for f in queries.find(s, "nunez")] == [keep.id]
    with floor.till(club, 1, write=False) as s:
        detail = queries.detail(s, gone.id)
        assert detail.customer.joined_at == NOW - timedelta(days=400)
        assert detail.birthday == date(1990, 5, 1)
        assert detail.fields == {"car": "Mini", "km": 7}
        assert {n.text for n in detail.notes} == {"oat milk", "seeded roll"}
        assert [i.value for i in detail.identities if i.kind == "phone"] == ["+442079460018"]
        assert [p.pos_ref for p in purchases.of_customer(s, keep.id)] == ["R1"]
        kinds = [e.kind for e in timeline.read(s, keep.id).entries]
        assert kinds.count("enrolled") == 2 and "purchase" in kinds and "merged" in kinds
    with floor.till(club, 0, write=False) as s:
        assert purchases.of_customer(s, keep.id) == []  # a store sees its own purchases only
        row = s.scalars(sa.select(Merge)).one()
        assert row.actor == "Dana"
        assert row.undo["gone"]["name"] == "A. Nunez"
        assert row.undo["before"]["fields"] == {"car": "Mini"}
        assert len(row.undo["identities"]) == 2 and len(row.undo["notes"]) == 1
        assert row.undo["identities_dropped"][0]["value"] == "+442079460018"


def test_tools_hear_of_it_once_and_merging_again_changes_nothing(floor: Floor) -> None:
    with floor.till(floor.shops) as s:
        keep = service.enrol(s, name="Ana", card="1111000")
        gone = service.enrol(s, name="Ana", card="2222000")
        service.merge(s, keep.id, gone.id)
    with floor.till(floor.shops) as s:
        assert service.merge(s, keep.id, gone.id).created is False
    assert [
        (g["kept"].id, g["gone"].id, g["gone"].status) for g in floor.hooks("customers_merged")
    ] == [(keep.id, gone.id, "merged")]
    with floor.till(floor.shops) as s:
        # A till that was offline still sends the old id.
        done = till.record(s, PurchaseIn(floor.shops.stores[0].id, "R1", NOW, 500, "GBP", gone.id))
        assert done.purchase.customer_id == keep.id


def test_blocked_and_lost_cards_stay_so(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        keep = service.enrol(s, name="Ana", card="1111000")
        gone = service.enrol(s, name="Ana", card="2222000")
        service.issue_card(s, gone.id, "3333000")
        service.set_card_status(s, "2222000", "blocked")
        service.set_card_status(s, "3333000", "lost")
        service.merge(s, keep.id, gone.id)
        assert queries.by_card(s, "1111000").id == keep.id
        for number in ("2222000", "3333000"):
            with pytest.raises(queries.CardBlocked):
                queries.by_card(s, number)


def test_a_chain_of_merges_ends_at_the_last(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        a, b, c = (service.enrol(s, name=f"Ana {n}", card=f"{n}111000") for n in "123")
        service.merge(s, b.id, c.id)
        service.merge(s, a.id, b.id)
        assert {queries.get(s, one.id).id for one in (a, b, c)} == {a.id}
        assert set(queries.lineage(s, a.id)) == {a.id, b.id, c.id}
        assert queries.by_card(s, "3111000").id == a.id
        with pytest.raises(Conflict):
            service.merge(s, b.id, a.id)
        with pytest.raises(Conflict):
            service.merge(s, c.id, a.id)


def test_what_can_not_be_one_person_is_refused(floor: Floor) -> None:
    with floor.till(floor.shops, 0) as s:
        ana = service.enrol(s, name="Ana", card="1111000")
    with floor.till(floor.shops, 1) as s:
        bea = service.enrol(s, name="Bea", card="1111000")
    with floor.till(floor.club) as s:
        cem = service.enrol(s, name="Cem")
    with floor.till(floor.shops, 0) as s:
        with pytest.raises(Invalid):
            service.merge(s, ana.id, ana.id)
        for other in (bea.id, cem.id):
            with pytest.raises(NotFound):
                service.merge(s, ana.id, other)
    with floor.operator(floor.shops) as s, pytest.raises(Invalid, match="two stores"):
        service.merge(s, ana.id, bea.id)
    with floor.till(floor.shops, 1, write=False) as s:
        assert queries.by_card(s, "1111000").id == bea.id
    assert floor.hooks("customers_merged") == []


@pytest.mark.parametrize("refuser", ["keep", "gone"])
@pytest.mark.parametrize("wide", [False, True])
def test_the_stricter_consent_wins(floor: Floor, refuser: str, wide: bool) -> None:
    with floor.till(floor.club) as s:
        keep = service.enrol(s, name="Ana")
        gone = service.enrol(s, name="Ana")
        no, yes = (keep, gone) if refuser == "keep" else (gone, keep)
        if wide:
            consent.refuse_all(s, no.id, method="phone")
        else:
            consent.record(
                s,
                no.id,
                purpose="marketing",
                channel="email",
                status="withdrawn",
                wording="",
                method="phone",
            )
        # The yes is the later word, and still it is another record's.
        for purpose in ("marketing", "magazine"):
            consent.record(
                s,
                yes.id,
                purpose=purpose,
                channel="email",
                status="given",
                wording="May we?",
                method="till",
            )
        service.merge(s, keep.id, gone.id)
        assert not consents.may_contact(s, keep.id, "marketing", "email")
        assert bool(consents.may_contact(s, keep.id, "magazine", "email")) is not wide
        # From now on the customer's own new word counts again.
        consent.record(
            s,
            keep.id,
            purpose="marketing",
            channel="email",
            status="given",
            wording="May we?",
            method="till",
        )
        assert consents.may_contact(s, gone.id, "marketing", "email")


def test_two_tills_that_merge_the_same_pair_both_ways_leave_one(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        a = service.enrol(s, name="Ana", card="1111000")
        b = service.enrol(s, name="Ana", card="2222000")
    start = threading.Barrier(2)
    outcomes: list[str] = []

    def merge(keep: object, gone: object) -> None:
        start.wait()
        try:
            with floor.till(floor.club) as s:
                service.merge(s, keep, gone)  # type: ignore[arg-type]
            outcomes.append("merged")
        except Conflict:
            outcomes.append("conflict")

    threads = [threading.Thread(target=merge, args=pair) for pair in ((a.id, b.id), (b.id, a.id))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["conflict", "merged"]
    with floor.till(floor.club, write=False) as s:
        rows = s.scalars(sa.select(Customer)).all()
        assert sorted(row.status for row in rows) == ["active", "merged"]
        one = queries.get(s, a.id)
        assert one.id == queries.get(s, b.id).id
        assert queries.by_card(s, "1111000").id == queries.by_card(s, "2222000").id == one.id
