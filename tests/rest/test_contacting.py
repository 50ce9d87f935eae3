"""A till asks whether somebody may be contacted, writes down why not, and lifts it."""

from uuid import uuid4

import pytest

YES = {
    "purpose": "marketing",
    "channel": "email",
    "status": "given",
    "wording": "May we send you offers by e-mail?",
}


@pytest.fixture
def ann(club_till):
    return club_till.enrol(name="Ann Lee", email="ann@example.com", card="12345678")


def test_what_stands_against_contacting_is_kept_told_and_lifted(club_till, sister_till, ann):
    asked = f"/customers/{ann['id']}/contact?purpose=marketing&channel=email"
    path = f"/customers/{ann['id']}/suppressions"
    answer = club_till.get(asked).get_json()
    assert answer == {"allowed": False, "reason": "They were never asked, or never said yes."}
    club_till.post(f"/customers/{ann['id']}/consents", YES)
    assert club_till.get(asked).get_json()["allowed"] is True
    made = sister_till.post(path, {"reason": "deceased"})
    assert made.status_code == 201, made.get_json()
    kept = made.get_json()
    assert (kept["reason"], kept["channel"], kept["source"]) == ("deceased", "*", "api")
    assert sister_till.post(path, {"reason": "deceased"}).get_json()["id"] == made.get_json()["id"]
    assert club_till.get(path).get_json()["items"] == [made.get_json()]
    answer = club_till.get(asked).get_json()
    assert answer == {"allowed": False, "reason": "They are deceased."}
    bo = club_till.enrol(name="Bo Lee", card="12345679")
    one = made.get_json()["id"]
    assert club_till.call("DELETE", f"/customers/{bo['id']}/suppressions/{one}").status_code == 404
    assert club_till.call("DELETE", f"{path}/{one}").status_code == 204
    assert club_till.call("DELETE", f"{path}/{one}").status_code == 404
    assert club_till.get(asked).get_json()["allowed"] is True


def test_what_is_wrong_is_refused(club_till, ann):
    path = f"/customers/{ann['id']}/suppressions"
    assert club_till.post(path, {"reason": "asleep"}).status_code == 422
    gone = {"reason": "do_not_contact", "until": "2020-01-01T00:00:00Z"}
    assert club_till.post(path, gone).status_code == 422
    asked = f"/customers/{ann['id']}/contact"
    assert club_till.get(f"{asked}?purpose=marketing&channel=owl").status_code == 422
    nobody = f"/customers/{uuid4()}/contact?purpose=marketing&channel=post"
    assert club_till.get(nobody).status_code == 404
