"""Segments over the API: kept, changed, counted, paged through, explained; in the key's store."""

from __future__ import annotations

from uuid import uuid4

import pytest

SPENT = {"is": "field", "name": "customer.spent", "op": "at_least", "value": 1000}


@pytest.fixture
def people(club_till):
    """Ann spent 20.00, Bob 5.00, Cid nothing."""
    found = {name: club_till.enrol(name=name)["id"] for name in ("Ann", "Bob", "Cid")}
    assert club_till.buy(2000, customer_id=found["Ann"]).status_code == 201
    assert club_till.buy(500, customer_id=found["Bob"]).status_code == 201
    return found


def make(till, rule=SPENT, name="Spenders", **more):
    answer = till.post("/segments", {"name": name, "rule": rule, **more})
    assert answer.status_code == 201, answer.get_json()
    return answer.get_json()


def test_a_rule_is_kept_read_and_listed(club_till, people):
    made = make(club_till, about="For the autumn")
    assert (made["of"], made["kind"], made["rule"]) == ("store", "rule", SPENT)
    assert club_till.get(f"/segments/{made['id']}").get_json() == made
    assert club_till.get("/segments").get_json() == {"items": [made]}


def test_a_rule_is_counted_without_being_kept(club_till, people):
    rule = {"is": "not", "of": SPENT}
    answer = club_till.call("POST", "/segments/count", json={"rule": rule})
    assert answer.get_json() == {"people": 2, "of": 3}
    made = make(club_till)
    assert club_till.get(f"/segments/{made['id']}/count").get_json() == {"people": 1, "of": 3}
    assert len(club_till.get("/segments").get_json()["items"]) == 1


def test_people_come_page_by_page_each_once(club_till, people):
    made = make(club_till, {"is": "all"}, "Everybody")
    met, cursor = [], ""
    while cursor is not None:
        more = f"&cursor={cursor}" if cursor else ""
        page = club_till.get(f"/segments/{made['id']}/people?limit=2{more}").get_json()
        met += page["items"]
        cursor = page["next_cursor"]
    assert met == sorted(people.values())
    wrong = club_till.get(f"/segments/{made['id']}/people?cursor=x")
    assert wrong.status_code == 422


def test_why_somebody_is_in_it(club_till, people):
    made = make(club_till, {"is": "all", "of": [SPENT, {"is": "bought", "in_last_days": 5}]})
    told = club_till.get(f"/segments/{made['id']}/people/{people['Ann']}").get_json()
    assert told["holds"] is True
    assert [(line["depth"], line["holds"]) for line in told["why"]] == [
        (0, True), (1, True), (1, True),
    ]  # fmt: skip
    told = club_till.get(f"/segments/{made['id']}/people/{people['Bob']}").get_json()
    assert told["holds"] is False
    assert [line["holds"] for line in told["why"]] == [False, False, True]
    assert told["why"][1]["reads"]
    assert club_till.get(f"/segments/{made['id']}/people/{uuid4()}").status_code == 404


def test_a_change_needs_the_etag_that_was_read(club_till, people):
    made = make(club_till)
    url = f"/segments/{made['id']}"
    body = {"name": "Others", "rule": {"is": "not", "of": SPENT}}
    assert club_till.call("PUT", url, json=body).status_code == 428
    tag = club_till.get(url).headers["ETag"]
    done = club_till.call("PUT", url, json=body, headers={"If-Match": tag})
    assert done.status_code == 200, done.get_json()
    assert done.get_json()["rule"] == body["rule"]
    assert club_till.call("PUT", url, json=body, headers={"If-Match": tag}).status_code == 412


def test_one_is_taken_out_of_use_unless_another_asks_it(club_till, people):
    made = make(club_till)
    other = make(club_till, {"is": "segment", "id": made["id"]}, "Others")
    refused = club_till.call("DELETE", f"/segments/{made['id']}")
    assert refused.status_code == 409
    assert "Others" in refused.get_json()["detail"]
    assert club_till.call("DELETE", f"/segments/{other['id']}").status_code == 204
    assert club_till.call("DELETE", f"/segments/{made['id']}").status_code == 204
    assert club_till.get("/segments").get_json() == {"items": []}


@pytest.mark.parametrize(
    "rule",
    [
        {"is": "every"},
        {"is": "all", "of": {}},
        {"is": "field", "name": "customer.nothing", "op": "is", "value": 1},
        {"is": "field", "name": "customer.spent", "op": "begins", "value": "x"},
        {"is": "field", "name": "customer.spent", "op": "at_least", "value": "much"},
        {"is": "bought", "times": 0},
        "all",
        None,
    ],
)
def test_a_rule_that_is_none_is_refused_with_the_reason(club_till, rule):
    for path in ("/segments", "/segments/count"):
        answer = club_till.post(
            path, {"name": "x", "rule": rule} if path == "/segments" else {"rule": rule}
        )
        assert answer.status_code == 422, (path, answer.get_json())
        assert answer.get_json()["errors"]


def test_another_store_has_none_of_it(club_till, sister_till, make_office):
    made, office = make(club_till), make_office(club_till)
    assert [one["id"] for one in sister_till.get("/segments").get_json()["items"]] == [str(office)]
    for path in ("", "/count", "/people", f"/people/{uuid4()}"):
        assert sister_till.get(f"/segments/{made['id']}{path}").status_code == 404
    assert sister_till.call("DELETE", f"/segments/{made['id']}").status_code == 404
    assert sister_till.call("DELETE", f"/segments/{office}").status_code == 403


@pytest.fixture
def make_office(app):
    """A segment of head office's."""
    from highstreet.segments import rules, service
    from highstreet_tenants.scopes import Scope

    def make_one(till):
        tenancy = app.extensions["highstreet"].tenancy
        with tenancy.session(Scope.operator(till.brand.id), write=True) as s:
            return service.save(s, name="Office", rule=rules.All()).id

    return make_one


def test_a_key_needs_the_scope(make):
    reader = make(0, 0, "segments.read")
    assert reader.get("/segments").status_code == 200
    assert reader.post("/segments", {"name": "x", "rule": SPENT}).status_code == 403
    assert make(0, 0, "till.read").get("/segments").status_code == 403


def test_the_document_says_what_a_rule_is(club_till):
    document = club_till.get("/api/openapi.json").get_json()
    schemas = document["components"]["schemas"]
    assert schemas["SegmentIn"]["properties"]["rule"] == {"$ref": "#/components/schemas/Rule"}
    rule = schemas["Rule"]
    assert rule["discriminator"]["propertyName"] == "is"
    for name, where in rule["discriminator"]["mapping"].items():
        assert schemas[where.rpartition("/")[2]]["properties"]["is"]["enum"] == [name]
    assert schemas["RuleNot"]["properties"]["of"] == {"$ref": "#/components/schemas/Rule"}
