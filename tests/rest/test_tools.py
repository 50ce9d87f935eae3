"""A tool's operations go through the same pipeline as the core's."""

import pytest


@pytest.fixture
def ann(club_till):
    return club_till.enrol(name="Ann Lee", card="12345678")


@pytest.fixture
def path(ann):
    return f"/tools/points_club/customers/{ann['id']}"


def test_a_tools_post_is_done_once_per_key(club_till, path):
    body = {"points": 100, "reason": "opening balance"}
    first = club_till.post(f"{path}/corrections", body, key="k")
    again = club_till.post(f"{path}/corrections", body, key="k")
    assert (first.status_code, again.get_json()) == (201, first.get_json())
    assert again.headers["Idempotent-Replay"] == "true"
    assert club_till.get(f"{path}/balance").get_json()["balance"] == 100
    other = club_till.post(f"{path}/corrections", {**body, "points": 5}, key="k")
    assert (other.status_code, other.get_json()["type"]) == (
        422,
        "/problems/idempotency-key-reused",
    )


def test_a_tools_body_is_guarded_like_the_cores(club_till, path):
    for body, field in (
        ({"points": 10, "reason": "4111 1111 1111 1111"}, "reason"),
        ({"points": 10, "reason": "a\x00b"}, "reason"),
        ({"points": 2**70, "reason": "because"}, "points"),
        ({"points": 10, "reason": "because", "more": 1}, "more"),
    ):
        answer = club_till.post(f"{path}/corrections", body)
        assert answer.status_code == 422
        assert field in answer.get_json()["errors"], answer.get_json()
    assert club_till.get(f"{path}/balance").get_json()["balance"] == 0


def test_a_tools_failure_is_a_problem_and_leaves_nothing(club_till, path, ann):
    wanted = {"customer_id": ann["id"], "reward": "no-such-reward"}
    answer = club_till.post("/tools/points_club/rewards", wanted, key="k")
    assert answer.status_code in (404, 409, 422)
    assert answer.mimetype == "application/problem+json"
    kind = answer.get_json()["type"]
    assert club_till.app.test_client().get(kind).status_code == 200, "its page exists"


def test_a_tools_unknown_query_is_refused(club_till, path):
    answer = club_till.get(f"{path}/story?limt=5")
    assert (answer.status_code, list(answer.get_json()["errors"])) == (422, ["limt"])


def test_points_follow_purchases_and_returns(club_till, path):
    club_till.buy(2550, pos_ref="R-1", card="12345678")
    assert club_till.get(f"{path}/balance").get_json()["balance"] == 25
    club_till.post("/returns", {"pos_ref": "B-1", "purchase_pos_ref": "R-1", "amount_minor": 560})
    assert club_till.get(f"{path}/balance").get_json()["balance"] == 19
    story = club_till.get(f"{path}/story").get_json()["items"]
    assert sum(line["points"] for line in story) == 19
