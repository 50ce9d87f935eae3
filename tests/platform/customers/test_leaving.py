"""People see everything that is held about them, and can be forgotten."""

import json
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from highstreet.consent import queries as consents
from highstreet.consent import service as consent
from highstreet.customers import queries, service
from highstreet.customers.facts import CustomerFact, EnrolIn
from highstreet.customers.models import Erasure
from highstreet.host import faults
from highstreet.host.dispatch import Answer
from highstreet.purchases import queries as purchases
from highstreet.purchases import service as till
from highstreet.purchases.facts import LineIn, PurchaseIn, ReturnIn
from highstreet.timeline import queries as timeline
from highstreet.timeline.service import write
from highstreet_tenants.base import Base
from highstreet_tenants.errors import Forbidden, Invalid, NotFound
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import ScopedSession
from rooms_given import Floor

NOW = datetime.now(UTC)
MARKS = ("zyxwv", "ZYXWV", "+442079460018", "20 7946 0018", "1990-05-01", "oat milk", "4071228693")


def _known(floor: Floor, brand: SimpleNamespace) -> CustomerFact:
    """A customer of whom every room holds something, under two merged records."""
    with floor.operator(brand) as s:
        service.define_field(s, key="car", label="Your car", kind="text")
    with floor.till(brand) as s:
        ana = service.enrol(
            s,
            name="Zyxwv Núñez",
            phone="020 7946 0018",
            email="zyxwv@example.com",
            card="4071228693",
            birthday=date(1990, 5, 1),
            fields={"car": "zyxwv mobile"},
        )
        old = service.enrol(s, name="Zyxwv old")
        service.add_note(s, ana.id, "oat milk")
        consent.record(
            s,
            ana.id,
            purpose="marketing",
            channel="email",
            status="given",
            wording="May we write?",
            method="form",
            evidence="signed by zyxwv",
        )
        store = brand.stores[0].id
        line = LineIn(1, "ham", "deli", 2, 1500)
        till.record(s, PurchaseIn(store, "R1", NOW, 1500, "GBP", old.id, (line,)))
        till.record_return(s, ReturnIn(store, "RR1", "R1", NOW, 500))
        write(s, ana.id, "visit", "Zyxwv came by", occurred_at=NOW)
        service.merge(s, ana.id, old.id)
    return ana


def _leaver(floor: Floor, brand: SimpleNamespace) -> Scope:
    """Who may export and erase: head office for a club, the store for its own customers."""
    if brand.customers == "brand":
        return Scope.brand(brand.row)
    return Scope.store(brand.id, brand.stores[0].id)


@pytest.mark.parametrize("which", ["club", "shops"])
def test_an_export_holds_everything(floor: Floor, which: str) -> None:
    brand = getattr(floor, which)
    ana = _known(floor, brand)
    floor.answers["export_customer"] = [Answer("points_club", {"balance": 12})]
    with floor.database.tenancy.session(_leaver(floor, brand), write=True) as s:
        out = json.loads(json.dumps(service.export(s, ana.id)))
    person = out["customer"]
    assert (person["name"], person["birthday"]) == ("Zyxwv Núñez", "1990-05-01")
    assert person["fields"] == [{"key": "car", "label": "Your car", "value": "zyxwv mobile"}]
    assert {i["value"] for i in person["identities"]} == {
        "4071228693",
        "+442079460018",
        "zyxwv@example.com",
    }
    assert [n["text"] for n in person["notes"]] == ["oat milk"]
    assert len(person["earlier_ids"]) == 1
    assert out["purchases"][0]["lines"][0]["product"] == "ham"
    assert out["purchases"][0]["returns"][0]["amount_minor"] == 500
    assert out["consent"][0]["wording"] == "May we write?"
    assert out["consent"][0]["evidence"] == "signed by zyxwv"
    assert "Zyxwv came by" in [e["title"] for e in out["timeline"]]
    assert out["tools"] == {"points_club": {"balance": 12}}


def test_an_export_says_which_tools_are_missing(floor: Floor) -> None:
    """Those that failed, and those whose answer can't be written down."""
    ana = _known(floor, floor.shops)

    def fail(s: ScopedSession) -> None:
        faults.record(s, faults.of_error("broken", "export_customer", None, ValueError(), 1.0))

    floor.answers["export_customer"] = [Answer("fine", {"a": 1}), Answer("odd", {"a": object()})]
    with floor.database.tenancy.session(_leaver(floor, floor.shops), write=True) as s:
        fail(s)
        out = service.export(s, ana.id)
    assert (out["tools"], out["missing"]) == ({"fine": {"a": 1}}, ["broken", "odd"])
    with floor.database.tenancy.session(_leaver(floor, floor.shops), write=True) as s:
        assert service.export(s, ana.id)["missing"] == ["odd"]


def test_a_store_of_a_club_can_neither_show_nor_forget_all_of_a_member(floor: Floor) -> None:
    ana = _known(floor, floor.club)
    with floor.till(floor.club) as s:
        with pytest.raises(Forbidden, match="head office"):
            service.export(s, ana.id)
        with pytest.raises(Forbidden, match="head office"):
            service.erase(s, ana.id, "asked")
        assert queries.get(s, ana.id).name == "Zyxwv Núñez"


@pytest.mark.parametrize("which", ["club", "shops"])
def test_erasing_leaves_nothing_that_names_the_person(floor: Floor, which: str) -> None:
    brand = getattr(floor, which)
    ana = _known(floor, brand)
    with floor.till(brand) as s:
        bystander = service.enrol(s, name="Bystander", phone="020 7946 0099", card="555000")
        service.dismiss_pair(s, bystander.id, ana.id)
    assert _places_with_marks(floor)  # so that finding none below means something
    floor.answers["erase_customer"] = [Answer("points_club", {"cards": 1})]
    with floor.database.tenancy.session(_leaver(floor, brand), write=True) as s:
        done = service.erase(s, ana.id, "asked by letter")
    floor.answers.clear()
    assert done.parts["tools"] == ["points_club"]
    assert done.parts["timeline"]["entries"] > 0
    assert done.parts["customers"] == {
        "identities": 3,
        "name_keys": 2,
        "notes": 1,
        "dismissals": 1,
    }
    assert _places_with_marks(floor) == []
    with floor.database.tenancy.session(_leaver(floor, brand)) as s:
        for text in ("4071228693", "020 7946 0018", "zyxwv@example.com", "zyx", "nunez"):
            assert queries.find(s, text, store_id=brand.stores[0].id) == [], text
        for ask in (queries.get, queries.detail, timeline.read, service.export):
            with pytest.raises(NotFound):
                ask(s, ana.id)
        assert not consents.may_contact(s, ana.id, "marketing", "email")
        # The books stay, and so does the log of what was done.
        assert purchases.by_ref(s, brand.stores[0].id, "R1").returned_minor == 500
        log = s.scalars(sa.select(Erasure)).one()
        assert (log.reason, log.customer_id) == ("asked by letter", ana.id)
        assert (
            queries.find(s, "020 7946 0099", store_id=brand.stores[0].id)[0].customer.id
            == bystander.id
        )
    again = floor.database.tenancy.session(_leaver(floor, brand), write=True)
    with again as s, pytest.raises(NotFound):
        service.erase(s, ana.id, "again")


def _places_with_marks(floor: Floor) -> list[str]:
    """Tables and columns of the whole database in which something of the person can be read."""
    found = []
    with floor.database.owner.connect() as connection:
        present = set(sa.inspect(connection).get_table_names())
        for table in Base.metadata.sorted_tables:
            if table.name in present:
                for row in connection.execute(sa.select(table)).mappings():
                    for column, value in row.items():
                        text = json.dumps(value, default=str, ensure_ascii=False)
                        if any(mark in text for mark in MARKS):
                            found.append(f"{table.name}.{column}")
    return found


def test_tools_take_part_before_the_name_is_gone(floor: Floor) -> None:
    ana = _known(floor, floor.shops)
    with floor.till(floor.shops) as s:
        service.erase(s, ana.id, "asked")
    assert [given["customer"].name for given in floor.hooks("erase_customer")] == ["Zyxwv Núñez"]


def test_the_reason_must_not_be_missing(floor: Floor) -> None:
    ana = _known(floor, floor.shops)
    with floor.till(floor.shops) as s, pytest.raises(Invalid):
        service.erase(s, ana.id, " ")


@pytest.mark.parametrize("way", ["enrol", "batch", "update"])
@pytest.mark.parametrize("key", ["phone", "email"])
def test_an_old_list_does_not_bring_consent_back(floor: Floor, way: str, key: str) -> None:
    ana = _known(floor, floor.shops)
    store = floor.shops.stores[0].id
    with floor.till(floor.shops) as s:
        service.erase(s, ana.id, "asked")
    given = {"phone": "+44 (0)20 7946 0018"} if key == "phone" else {"email": "Zyxwv@Example.com"}
    with floor.till(floor.shops) as s:
        if way == "enrol":
            back = service.enrol(s, name="Zyxwv", **given).id
        elif way == "batch":
            back = service.enrol_batch(s, [EnrolIn(store, "Zyxwv", **given)]).ids[0]
        else:
            back = service.enrol(s, name="Zyxwv").id
            service.update(s, back, **given)
        other = service.enrol(s, name="Somebody else", phone="020 7946 0044").id
        for who in (back, other):
            consent.record(
                s,
                who,
                purpose="marketing",
                channel="email",
                status="given",
                wording="old list",
                method="import",
            )
        assert not consents.may_contact(s, back, "marketing", "email")
        assert consents.may_contact(s, other, "marketing", "email")
        # The person may come back and say yes themselves.
        consent.record(
            s,
            back,
            purpose="marketing",
            channel="email",
            status="given",
            wording="May we?",
            method="till",
        )
        assert consents.may_contact(s, back, "marketing", "email")


def test_suppression_is_the_realm_s_own(floor: Floor) -> None:
    ana = _known(floor, floor.shops)
    with floor.till(floor.shops, 0) as s:
        service.erase(s, ana.id, "asked")
    for brand, number in ((floor.shops, 1), (floor.club, 0)):
        with floor.till(brand, number) as s:
            same = service.enrol(s, name="Zyxwv", email="zyxwv@example.com")
            consent.record(
                s,
                same.id,
                purpose="marketing",
                channel="email",
                status="given",
                wording="list",
                method="import",
            )
            assert consents.may_contact(s, same.id, "marketing", "email")
