"""What is known of customers by name, over REST."""


def test_all_that_is_known_of_a_customer_by_name(club_till):
    ann = club_till.enrol(name="Ann Lee", card="12345678")
    club_till.buy(2550, pos_ref="R-1", card="12345678")
    listed = {one["name"]: one for one in club_till.get("/customer-fields").get_json()["items"]}
    assert listed["points_club.balance"] == {
        "name": "points_club.balance",
        "label": "Points",
        "kind": "points",
        "choices": [],
    }
    path = f"/customers/{ann['id']}/fields"
    found = {one["name"]: one["value"] for one in club_till.get(path).get_json()["items"]}
    assert found["customer.name"] == "Ann Lee"
    assert found["points_club.balance"] == 25
    assert found["customer.joined_at"] == ann["joined_at"]
    assert set(found) <= set(listed)


def test_some_fields_and_a_name_that_there_is_not(club_till):
    ann = club_till.enrol(name="Ann Lee")
    path = f"/customers/{ann['id']}/fields"
    some = club_till.get(f"{path}?names=customer.name, customer.language").get_json()["items"]
    assert [one["name"] for one in some] == ["customer.name"]
    answer = club_till.get(f"{path}?names=customer.nmae")
    assert answer.status_code == 404
    assert "customer.name" in answer.get_json()["detail"]


def test_anothers_customer_is_not_found(club_till, other_till):
    ann = club_till.enrol(name="Ann Lee")
    assert other_till.get(f"/customers/{ann['id']}/fields").status_code == 404
