"""``highstreet segments``: listed, shown, counted, explained, for people and for machines."""

import json

import pytest
from sqlalchemy import select

from highstreet.app import create_app
from highstreet.customers import service as customers
from highstreet.segments import service
from highstreet.segments.rules import Field
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.scopes import Scope

from .conftest import Call
from .test_campaigns import BRAND

ON = ("--brand", "larkfield")


@pytest.fixture
def larkfield(call: Call, instance, tmp_path):
    """A club with Ann and Bob, and two segments: head office's and one store's."""
    file = tmp_path / "brand.toml"
    file.write_text(BRAND, encoding="utf-8")
    assert call("brands", "apply", file).code == 0
    app = create_app({"instance": str(instance), "secret_key": "for tests only"})
    house = app.extensions["highstreet"]
    with house.tenancy.control() as c:
        brand = c.scalars(select(Brand)).one()
    with house.tenancy.session(Scope.operator(brand.id)) as s:
        store = s.scalars(select(Store).where(Store.slug == "mill-lane")).one()
    with app.app_context(), house.tenancy.session(Scope.store(brand.id, store.id), write=True) as s:
        customers.enrol(s, name="Ann", card="10001")
        customers.enrol(s, name="Bob", card="10002")
        service.save(s, name="Own", rule=Field("customer.name", "is", "Bob"))
    with app.app_context(), house.tenancy.session(Scope.brand(brand), write=True) as s:
        service.save(s, name="A names", about="To try", rule=Field("customer.name", "begins", "a"))
    yield
    house.engine.dispose()


def test_segments_from_the_command_line(call: Call, larkfield, tmp_path):
    (listed,) = call("segments", "list", *ON, "--json", debug=True).json
    assert (listed["name"], listed["of"], listed["kind"]) == ("A names", "office", "rule")
    at = (*ON, "--store", "mill-lane")
    assert [one["name"] for one in call("segments", "list", *at, "--json").json] == [
        "A names",
        "Own",
    ]
    shown = call("segments", "show", "A names", *ON, debug=True)
    assert "Name begins with “a”" in shown.out and "To try" in shown.out
    assert call("segments", "show", listed["id"], *ON, "--json").json["rule"]["op"] == "begins"
    assert "There is no segment “Own” here." in call("segments", "show", "Own", *ON).err
    assert call("segments", "count", "A names", *ON).out == "1 of 2 customers\n"
    assert call("segments", "count", "Own", *at, "--json").json == {"people": 1, "of": 2}
    (ann,) = call("segments", "people", "A names", *ON, "--json").json
    assert ann["name"] == "Ann"
    told = call("segments", "why", "A names", "10001", *ON, "--json")
    assert told.code == 0 and told.json["holds"] is True
    told = call("segments", "why", "A names", "10002", *ON)
    assert told.code == 1
    assert "- Name begins with “a”  [Bob]" in told.out
    rule = tmp_path / "rule.json"
    rule.write_text(json.dumps({"is": "not", "of": {"is": "any"}}), encoding="utf-8")
    assert call("segments", "count", "--rule", rule, *ON, "--json").json["people"] == 2
    rule.write_text("{", encoding="utf-8")
    assert call("segments", "count", "--rule", rule, *ON).code == 2
    assert call("segments", "count", *ON).code == 2
