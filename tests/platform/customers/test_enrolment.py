"""Joining in ten seconds, with clear words where something is wrong."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from highstreet.customers import fields, queries, service
from highstreet.timeline import queries as timeline
from highstreet_tenants.errors import Conflict, Invalid, NotFound
from highstreet_tenants.scopes import Actor
from rooms_given import Floor


@pytest.mark.parametrize("brand", ["club", "shops"])
def test_rows_belong_to_whom_the_brand_decided(floor: Floor, brand: str) -> None:
    where = getattr(floor, brand)
    with floor.till(where) as s:
        fact = service.enrol(s, name="Ana", card="4071228693")
    assert fact.store_id == (None if brand == "club" else where.stores[0].id)
    assert fact.home_store_id == where.stores[0].id
    assert fact.status == "active"
    assert [given["customers"] for given in floor.hooks("customers_enrolled")] == [(fact,)]
    with floor.till(where, write=False) as s:
        assert [e.title for e in timeline.read(s, fact.id).entries] == ["Joined"]


def test_an_operator_enrols_for_the_store_that_is_named(floor: Floor) -> None:
    home = floor.shops.stores[1].id
    with floor.operator(floor.shops) as s:
        fact = service.enrol(s, name="Ana", card="4071228693", store_id=home)
        assert (fact.store_id, fact.home_store_id) == (home, home)
        with pytest.raises(Invalid, match="Say which store"):
            service.enrol(s, name="Nobody's")
        with pytest.raises(NotFound):
            service.enrol(s, name="Ana", store_id=floor.club.stores[0].id)


def test_a_till_cannot_enrol_for_the_store_next_door(floor: Floor) -> None:
    with floor.till(floor.shops, 0) as s, pytest.raises(NotFound):
        service.enrol(s, name="Ana", store_id=floor.shops.stores[1].id)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\x00"}, "name"),
        ({"name": "\udc00"}, "name"),
        ({"name": "4111 1111 1111 1111"}, "name"),
        ({"name": "Ana", "phone": "12"}, "phone"),
        ({"name": "Ana", "email": "ana"}, "email"),
        ({"name": "Ana", "card": "!"}, "card"),
        ({"name": "Ana", "card": "4111111111111111"}, "card"),
        ({"name": "Ana", "language": "english please"}, "language"),
        ({"name": "Ana", "birthday": date(1850, 1, 1)}, "birthday"),
        ({"name": "Ana", "birthday": date(2999, 1, 1)}, "birthday"),
        ({"name": "Ana", "at": datetime(2026, 1, 1)}, "joined_at"),
        ({"name": "Ana", "at": datetime.now(UTC) + timedelta(days=3)}, "joined_at"),
        ({"name": "Ana", "fields": {"nope": 1}}, "fields.nope"),
    ],
)
def test_bad_input_names_its_field(floor: Floor, given: dict[str, Any], field: str) -> None:
    with floor.till(floor.club) as s:
        with pytest.raises(Invalid) as error:
            service.enrol(s, **given)
        assert list(error.value.fields) == [field]
        assert queries.find(s, "ana") == []


def test_a_card_is_one_customer_s_and_a_phone_may_be_a_family_s(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        ana = service.enrol(s, name="Ana", card="4071228693", phone="020 7946 0018")
        ben = service.enrol(s, name="Ben", phone="020 7946 0018")
        assert {f.customer.id for f in queries.find(s, "02079460018")} == {ana.id, ben.id}
        with pytest.raises(Conflict) as error:
            service.issue_card(s, ben.id, "4071-2286-93")
        assert "card" in error.value.fields
        again = service.issue_card(s, ana.id, "4071228693")
        assert again.status == "active"
        assert len(queries.detail(s, ana.id).identities) == 2
    with floor.till(floor.club, 1) as s, pytest.raises(Conflict):
        service.enrol(s, name="Cem", card="4071228693")


def test_a_record_is_corrected(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        ana = service.enrol(
            s, name="Ana", phone="020 7946 0018", email="a@example.com", birthday=date(1990, 5, 1)
        )
        changed = service.update(
            s, ana.id, name="Anna Núñez", phone="020 7946 0099", email=None, language="zh_Hans"
        )
        assert (changed.name, changed.language) == ("Anna Núñez", "zh-Hans")
        detail = queries.detail(s, ana.id)
        assert [i.value for i in detail.identities] == ["+442079460099"]
        assert detail.birthday == date(1990, 5, 1)
        assert queries.find(s, "020 7946 0018") == queries.find(s, "a@example.com") == []
        assert queries.find(s, "nunez")[0].customer.id == ana.id
        assert [f.customer.name for f in queries.find(s, "ana")] == []
        entries = timeline.read(s, ana.id).entries
        assert entries[0].data == {"what": ["name", "phone", "email", "language"]}
        service.update(s, ana.id, name="Anna Núñez")
        assert len(timeline.read(s, ana.id).entries) == len(entries)
        with pytest.raises(Invalid):
            service.update(s, ana.id, phone="1")


def test_notes_keep_who_wrote_them(floor: Floor) -> None:
    dana = Actor("user", None, "Dana")
    with floor.till(floor.club, 0, actor=dana) as s:
        ana = service.enrol(s, name="Ana")
        note = service.add_note(s, ana.id, "flat white\nwith oat milk")
        with pytest.raises(Invalid):
            service.add_note(s, ana.id, " ")
        with pytest.raises(Invalid):
            service.add_note(s, ana.id, "pays with 4111-1111-1111-1111")
    with floor.till(floor.club, 1) as s:
        assert [(n.text, n.author) for n in queries.detail(s, ana.id).notes] == [
            ("flat white\nwith oat milk", "Dana")
        ]
        service.remove_note(s, ana.id, note.id)
        assert queries.detail(s, ana.id).notes == ()


def test_custom_fields_are_the_brand_s_own(floor: Floor) -> None:
    with floor.office(floor.club) as s:
        service.define_field(
            s, key="skin", label="Skin type", kind="choice", choices=["dry", "oily"], required=True
        )
        service.define_field(s, key="car", label="Car", kind="text")
        service.define_field(s, key="km", label="Kilometres", kind="number")
        service.define_field(s, key="service", label="Last service", kind="date")
        service.define_field(s, key="vip", label="VIP", kind="yes-no")
    with floor.till(floor.club) as s:
        quick = service.enrol(s, name="Quick")  # the questions can wait
        with pytest.raises(Invalid) as error:
            service.enrol(s, name="Ana", fields={"car": "Mini"})
        assert list(error.value.fields) == ["fields.skin"]
        ana = service.enrol(
            s,
            name="Ana",
            fields={"skin": "dry", "km": "12000", "service": "2026-05-31", "vip": False},
        )
        assert queries.detail(s, ana.id).fields == {
            "skin": "dry",
            "km": 12000,
            "service": "2026-05-31",
            "vip": False,
        }
        service.update(s, ana.id, fields={"km": 12.5, "service": None})
        assert queries.detail(s, ana.id).fields == {"skin": "dry", "km": 12.5, "vip": False}
        for key, value in (
            ("skin", "normal"),
            ("skin", None),
            ("km", "many"),
            ("km", float("nan")),
            ("km", True),
            ("service", "31/05/2026"),
            ("vip", "yes"),
            ("car", "4111 1111 1111 1111"),
            ("car", 7),
            ("nope", "x"),
        ):
            with pytest.raises(Invalid) as error:
                service.update(s, ana.id, fields={key: value})
            assert list(error.value.fields) == [f"fields.{key}"], key
        with pytest.raises(Invalid):
            service.update(s, quick.id, fields={})
    with floor.till(floor.shops) as s, pytest.raises(Invalid):
        service.enrol(s, name="Bo", fields={"skin": "dry"})  # the other brand has no such field


def test_a_field_keeps_its_kind_and_its_answers(floor: Floor) -> None:
    with floor.office(floor.club) as s:
        service.define_field(s, key="car", label="Car", kind="text")
        assert service.define_field(s, key="car", label="Your car", kind="text").label == "Your car"
        with pytest.raises(Conflict):
            service.define_field(s, key="car", label="Car", kind="number")
        with pytest.raises(Invalid):
            service.define_field(s, key="Car!", label="Car", kind="text")
        with pytest.raises(Invalid):
            service.define_field(s, key="x", label="X", kind="choice")
        with pytest.raises(Invalid):
            service.define_field(s, key="x", label="X", kind="choice", choices=["a", "a"])
    with floor.till(floor.club) as s:
        ana = service.enrol(s, name="Ana", fields={"car": "Mini"})
    with floor.office(floor.club) as s:
        service.retire_field(s, "car")
        assert fields.listed(s) == []
        with pytest.raises(NotFound):
            service.retire_field(s, "nope")
    with floor.till(floor.club) as s:
        assert queries.detail(s, ana.id).fields == {"car": "Mini"}
        with pytest.raises(Invalid):
            service.update(s, ana.id, fields={"car": "Golf"})
