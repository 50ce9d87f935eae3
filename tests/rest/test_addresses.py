"""A till or a shop on the web reads, writes and takes away a customer's postal address."""

from typing import Any

# What the room writes is tried on both by its own tests; this is how it is asked.
DATABASES = ["sqlite"]

LEEDS = {"country": "gb", "street": ["Flat 2", "15 High St"], "city": "Leeds",
         "postal_code": "ls14dy"}  # fmt: skip
LINES = ["Flat 2", "15 High St", "LEEDS", "LS1 4DY"]


def put(till: Any, path: str, body: dict[str, Any]) -> Any:
    tag = till.get(path).headers["ETag"]
    return till.call("PUT", path, json=body, headers={"If-Match": tag})


def test_an_address_is_put_into_its_countrys_form(club_till, sister_till):
    who = club_till.enrol(name="Ann Lee")["id"]
    path = f"/customers/{who}/address"
    assert club_till.get(path).get_json() == {"address": None}
    assert club_till.get(f"/customers/{who}").get_json()["address"] is None
    answer = put(club_till, path, LEEDS)
    assert answer.status_code == 200
    found = answer.get_json()["address"]
    assert (found["lines"], found["postal_code"], found["state"]) == (LINES, "LS1 4DY", "good")
    assert found["country"] == "GB" and found["household_id"] and found["since"]
    assert sister_till.get(f"/customers/{who}").get_json()["address"] == found


def test_people_of_one_surname_at_one_door_share_a_household(club_till):
    ids = [club_till.enrol(name=name)["id"] for name in ("Ann Lee", "Ben Lee", "Cat Shaw")]
    homes = [
        put(club_till, f"/customers/{one}/address", LEEDS).get_json()["address"]["household_id"]
        for one in ids
    ]
    assert homes[0] == homes[1] != homes[2]


def test_what_breaks_the_countrys_rules_is_refused_field_by_field(club_till):
    who = club_till.enrol(name="Ann Lee")["id"]
    path = f"/customers/{who}/address"
    wrong = put(club_till, path, {**LEEDS, "postal_code": "", "city": ""})
    assert wrong.status_code == 422
    assert set(wrong.get_json()["errors"]) == {"postal_code", "city"}
    assert "EC1Y 8SY" in wrong.get_json()["errors"]["postal_code"][0]
    lines = put(club_till, path, {**LEEDS, "street": ["a", "b", "c", "d", "e"]})
    assert (lines.status_code, list(lines.get_json()["errors"])) == (422, ["street"])
    unknown = put(club_till, path, {**LEEDS, "zip": "1"})
    assert (unknown.status_code, list(unknown.get_json()["errors"])) == (422, ["zip"])
    assert club_till.get(path).get_json() == {"address": None}


def test_a_change_needs_the_version_that_was_read(club_till):
    who = club_till.enrol(name="Ann Lee")["id"]
    path = f"/customers/{who}/address"
    assert club_till.call("PUT", path, json=LEEDS).status_code == 428
    tag = club_till.get(path).headers["ETag"]
    first = club_till.call("PUT", path, json=LEEDS, headers={"If-Match": tag})
    assert first.headers["ETag"] == club_till.get(path).headers["ETag"] != tag
    assert club_till.call("PUT", path, json=LEEDS, headers={"If-Match": tag}).status_code == 412
    assert club_till.call("DELETE", path).status_code == 428
    assert club_till.get(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304


def test_moving_away_and_taking_away(club_till):
    who = club_till.enrol(name="Ann Lee")["id"]
    path = f"/customers/{who}/address"
    for query in ("", "?because=moved", "?because=wrong"):
        put(club_till, path, LEEDS)
        tag = club_till.get(path).headers["ETag"]
        gone = club_till.call("DELETE", path + query, headers={"If-Match": tag})
        assert gone.status_code == 204
        assert club_till.get(path).get_json() == {"address": None}
    tag = club_till.get(path).headers["ETag"]
    again = club_till.call("DELETE", path, headers={"If-Match": tag})
    assert again.status_code == 404
    odd = club_till.call("DELETE", f"{path}?because=bored", headers={"If-Match": tag})
    assert odd.status_code == 422
    kinds = [one["kind"] for one in club_till.get(f"/customers/{who}/timeline").get_json()["items"]]
    assert kinds.count("moved") == 2 and kinds.count("address-removed") == 1


def test_another_brands_customer_is_not_found(club_till, other_till, make):
    who = club_till.enrol(name="Ann Lee")["id"]
    path = f"/customers/{who}/address"
    assert other_till.get(path).status_code == 404
    sent = other_till.call("PUT", path, json=LEEDS, headers={"If-Match": '"x"'})
    assert sent.status_code == 404
    reader = make(0, 0, "customers.read")
    assert reader.get(path).status_code == 200
    sent = reader.call("PUT", path, json=LEEDS, headers={"If-Match": '"x"'})
    assert sent.status_code == 403


def test_the_fields_by_name(club_till):
    who = club_till.enrol(name="Ann Lee")["id"]
    put(club_till, f"/customers/{who}/address", LEEDS)
    asked = "customer.postcode,customer.city,customer.country"
    found = club_till.get(f"/customers/{who}/fields?names={asked}").get_json()["items"]
    assert {one["name"]: one["value"] for one in found} == {
        "customer.postcode": "LS1 4DY",
        "customer.city": "Leeds",
        "customer.country": "GB",
    }
