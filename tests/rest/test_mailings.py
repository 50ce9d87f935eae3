"""Mailings over the API: from the plan to the piece; in the key's store, by the scopes it holds."""

from __future__ import annotations

from uuid import uuid4

import pytest


@pytest.fixture
def segment(club_till):
    """Ann and Bob at one door, Cid who was never asked; all of them."""
    for name, street in (("Ann Lee", "1 High St"), ("Bob Lee", "1 High St"), ("Cid", "2 High St")):
        who = club_till.enrol(name=name)["id"]
        lives = {"country": "GB", "street": [street], "city": "Leeds", "postal_code": "LS1 4DY"}
        path = f"/customers/{who}/address"
        tag = club_till.get(path).headers["ETag"]
        put = club_till.call("PUT", path, json=lives, headers={"If-Match": tag})
        assert put.status_code < 300, put.get_json()
        said = {"purpose": "magazine", "channel": "post", "status": "given", "wording": "Yes"}
        if name != "Cid":
            assert club_till.post(f"/customers/{who}/consents", said).status_code == 201
    made = club_till.post("/segments", {"name": "Everybody", "rule": {"is": "all"}})
    return made.get_json()["id"]


def plan(till, segment, **more):
    given = {"name": "Spring", "purpose": "magazine", "channel": "post", "segment_id": segment}
    answer = till.post("/mailings", given | more)
    assert answer.status_code == 201, answer.get_json()
    return answer.get_json()


def step(till, made, name, body=None, status=200):
    answer = till.post(f"/mailings/{made['id']}/{name}", body or {})
    assert answer.status_code == status, answer.get_json()
    return answer.get_json()


def work(app):
    while app.extensions["highstreet"].runner.run_one() is not None:
        pass


def test_a_mailing_goes_out_and_every_piece_says_why(app, club_till, segment):
    made = plan(club_till, segment, cost_minor=500)
    assert (made["status"], made["number"], made["waterfall"]["selected"]) == ("draft", 1, 0)
    picked = step(club_till, made, "select")
    fall = picked["waterfall"]
    assert (fall["selected"], fall["ready"]) == (3, 1)
    assert [(one["reason"], one["people"]) for one in fall["steps"]] == [
        ("not_agreed", 1), ("household", 1),
    ]  # fmt: skip
    assert fall["steps"][0]["words"] == "They were never asked, or never said yes."
    again = step(club_till, made, "select")
    assert (
        "Others"
        in step(club_till, made, "approve", {"manifest": picked["manifest"]}, 409)["detail"]
    )
    step(club_till, made, "release", status=409)
    step(club_till, made, "approve", {"manifest": again["manifest"]})
    step(club_till, made, "release")
    step(club_till, made, "pause")
    work(app)
    assert step(club_till, made, "resume")["waterfall"]["sent"] == 0
    work(app)
    whole = club_till.get(f"/mailings/{made['id']}").get_json()
    assert (whole["status"], whole["waterfall"]["sent"]) == ("finished", 1)
    step(club_till, made, "stop", status=409)
    met, cursor = [], ""
    while cursor is not None:
        more = f"&cursor={cursor}" if cursor else ""
        page = club_till.get(f"/mailings/{made['id']}/pieces?limit=2{more}").get_json()
        met += page["items"]
        cursor = page["next_cursor"]
    assert sorted(one["state"] for one in met) == ["sent", "withheld", "withheld"]
    page = club_till.get(f"/mailings/{made['id']}/pieces?state=sent").get_json()
    (sent,) = page["items"]
    assert sent["lines"] == ["1 High St", "LEEDS", "LS1 4DY"]
    told = club_till.get(f"/mailings/pieces/{sent['code'].lower()}").get_json()
    assert (told["mailing"], told["consent_wording"]) == ("Spring", "Yes")
    assert told["piece"] == sent
    back = f"/mailings/pieces/{sent['code']}/returned"
    for _twice in range(2):
        came = club_till.call("PUT", back, json={})
        assert came.get_json()["piece"]["state"] == "returned"
    whole = club_till.get(f"/mailings/{made['id']}").get_json()
    assert (whole["waterfall"]["sent"], whole["waterfall"]["returned"]) == (1, 1)
    assert club_till.call("DELETE", back).status_code == 204
    assert club_till.call("DELETE", back).status_code == 409
    assert club_till.get("/mailings/pieces/ZZZZZZZZZZ").status_code == 404


def test_a_change_needs_the_etag_and_takes_the_selection_back(club_till, segment):
    made = plan(club_till, segment)
    url = f"/mailings/{made['id']}"
    step(club_till, made, "select")
    body = {"name": "Autumn", "purpose": "news", "channel": "post", "segment_id": segment}
    assert club_till.call("PUT", url, json=body).status_code == 428
    tag = club_till.get(url).headers["ETag"]
    done = club_till.call("PUT", url, json=body, headers={"If-Match": tag})
    assert done.status_code == 200, done.get_json()
    assert (done.get_json()["status"], done.get_json()["selected"]) == ("draft", None)
    assert club_till.call("PUT", url, json=body, headers={"If-Match": tag}).status_code == 412
    cost = club_till.call("PUT", f"{url}/cost", json={"cost_minor": 1200})
    assert cost.get_json()["cost_minor"] == 1200
    assert club_till.call("DELETE", url).status_code == 204
    assert club_till.get("/mailings").get_json() == {"items": []}
    missing = club_till.post("/mailings", body | {"segment_id": str(uuid4())})
    assert missing.status_code == 404


@pytest.mark.parametrize("database_module", ["sqlite"], indirect=True)
def test_an_audience_of_its_own_says_who_is_left_out(club_till, segment):
    named = {"is": "field", "name": "customer.name", "op": "is", "value": "Bob Lee"}
    left_out = [{"reason": "too_far", "words": "They live too far away.", "rule": named}]
    more = {"rule": {"is": "all", "of": []}, "leave_out": left_out, "most": 1, "series": "Letters"}
    made = plan(club_till, None, **more)
    assert {name: made[name] for name in more} == more
    fall = step(club_till, made, "select")["waterfall"]
    assert [(one["reason"], one["words"]) for one in fall["steps"][1:]] == [
        ("too_far", "They live too far away.")
    ]
    both = {"name": "x", "purpose": "x", "channel": "post", "segment_id": segment}
    assert club_till.post("/mailings", both | {"rule": {"is": "all"}}).status_code == 422


@pytest.mark.parametrize("database_module", ["sqlite"], indirect=True)
def test_who_plans_need_not_be_who_approves(make, club_till, sister_till, segment):
    made = plan(club_till, segment)
    planner = make(0, 0, "mailings.read", "mailings.manage")
    picked = step(planner, made, "select")
    step(planner, made, "approve", {"manifest": picked["manifest"]}, 403)
    step(planner, made, "release", status=403)
    items = planner.get(f"/mailings/{made['id']}/pieces").get_json()["items"]
    assert items and not any(one["lines"] for one in items), "it may not see customers"
    assert make(0, 0, "till.read").get("/mailings").status_code == 403
    assert sister_till.get("/mailings").get_json() == {"items": []}
    for path in ("", "/pieces"):
        assert sister_till.get(f"/mailings/{made['id']}{path}").status_code == 404
    for name in ("select", "release", "pause", "resume", "stop"):
        step(sister_till, made, name, status=404)
