"""A till writes down what customers agree to, and honours a refusal at once."""

from uuid import UUID

import pytest

from highstreet.consent import queries
from highstreet_tenants.scopes import Scope

# What the room writes is tried on both by its own tests; this is how it is asked.
DATABASES = ["sqlite"]

YES = {
    "purpose": "marketing",
    "channel": "email",
    "status": "given",
    "wording": "May we send you offers by e-mail?",
}


@pytest.fixture
def ann(club_till):
    return club_till.enrol(name="Ann Lee", email="ann@example.com", card="12345678")


@pytest.fixture
def may(app, club_till, ann, two_brands):
    """Whether Ann may be written to."""

    def ask(purpose="marketing", channel="email"):
        scope = Scope.store(two_brands[0].id, two_brands[0].stores[0].id)
        with app.extensions["highstreet"].tenancy.session(scope) as s:
            return bool(queries.may_contact(s, UUID(ann["id"]), purpose, channel))

    return ask


def test_a_yes_is_kept_with_its_words_and_a_no_ends_it(club_till, sister_till, ann, may):
    path = f"/customers/{ann['id']}/consents"
    assert club_till.get(path).get_json() == {"items": []}
    assert not may()
    said = club_till.post(path, {**YES, "evidence": "form 7", "at": "2026-06-30T09:00:00"})
    assert said.status_code == 201, said.get_json()
    assert may()
    assert said.get_json() == {
        "purpose": "marketing",
        "channel": "email",
        "controller": "brand",
        "status": "given",
        "method": "till",
        "at": "2026-06-30T08:00:00Z",
        "version": said.get_json()["version"],
        "wording": YES["wording"],
    }
    assert sister_till.get(path).get_json()["items"] == [said.get_json()]
    refused = {"purpose": "*", "channel": "*", "status": "withdrawn", "method": "phone"}
    assert sister_till.post(path, refused).status_code == 201
    assert not may()
    held = club_till.get(path).get_json()["items"]
    assert [(one["purpose"], one["status"]) for one in held] == [
        ("*", "withdrawn"),
        ("marketing", "given"),
    ]
    story = club_till.get(f"/customers/{ann['id']}/timeline").get_json()["items"]
    # The yes was said the day before she was enrolled here.
    assert [e["kind"] for e in story] == ["consent-withdrawn", "enrolled", "consent-given"]


def test_a_repeated_word_is_written_once(club_till, ann):
    path = f"/customers/{ann['id']}/consents"
    first, again = (club_till.post(path, YES, key="the-same") for _n in range(2))
    assert first.get_json() == again.get_json()
    story = club_till.get(f"/customers/{ann['id']}/timeline").get_json()["items"]
    assert [e["kind"] for e in story].count("consent-given") == 1


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"wording": ""}, "wording"),
        ({"purpose": "*"}, "purpose"),
        ({"purpose": "Big Offers!"}, "purpose"),
        ({"channel": "*"}, "purpose"),
        ({"channel": "pigeon"}, "channel"),
        ({"status": "maybe"}, "status"),
        ({"method": "By Phone"}, "method"),
        ({"at": "2090-01-01T00:00:00Z"}, "at"),
        ({"evidence": "paid with 4111 1111 1111 1111"}, "evidence"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_no_consent_is_refused_by_field(club_till, ann, may, changed, field):
    answer = club_till.post(f"/customers/{ann['id']}/consents", {**YES, **changed})
    assert answer.status_code == 422
    assert field in answer.get_json()["errors"], answer.get_json()
    assert not may()


def test_others_customers_are_not_found(other_till, make, ann):
    bob = other_till.enrol(name="Bob")
    for till in (other_till, make(1, 1)):
        who = ann["id"] if till is other_till else bob["id"]
        assert till.get(f"/customers/{who}/consents").status_code == 404
        assert till.post(f"/customers/{who}/consents", YES).status_code == 404


def test_reading_and_writing_need_their_scopes(make, ann):
    reads, sells = make(0, 0, "customers.read"), make(0, 0, "till.write")
    path = f"/customers/{ann['id']}/consents"
    assert reads.get(path).status_code == 200
    assert reads.post(path, YES).status_code == 403
    assert sells.get(path).status_code == 403
