"""Who gets in, to what, and what never leaves a store."""

from uuid import uuid4

import pytest
import sqlalchemy as sa

from highstreet.host import access, policy
from highstreet_tenants.clock import now
from highstreet_tenants.people.models import ApiKey
from highstreet_tenants.scopes import Scope

# Who is let in is the same Python on either database.
DATABASES = ["sqlite"]

ONE = "00000000-0000-7000-8000-000000000001"


def operations(app):
    """(method, path, view) of every operation under /api/v1, the tools' too."""
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/v1/"):
            path = rule.rule
            for name, converter in rule._converters.items():
                kind = type(converter).__name__
                value = {"UUIDConverter": ONE, "IntegerConverter": "1"}.get(kind, "x1")
                path = path.replace(f"<{kind.removesuffix('Converter').lower()}:{name}>", value)
                path = path.replace(f"<{name}>", value)
            for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
                yield method, path, app.view_functions[rule.endpoint]


def send(till, method, path, **how):
    if method != "GET":
        how.setdefault("json", {})
    return till.call(method, path, **how)


def test_every_operation_states_its_permission(app):
    found = list(operations(app))
    assert len(found) > 12
    assert any("/tools/points_club/" in path for _m, path, _v in found)
    for method, path, view in found:
        assert "<" not in path, path
        assert access.permission_of(view), f"{method} {path} says nothing"


def test_without_a_good_key_nothing_opens(app, club_till):
    for method, path, _view in operations(app):
        for header in (
            "",
            "Basic eDp5",
            "Bearer",
            "Bearer x",
            f"Bearer hs_{uuid4().hex}_{'a' * 43}",
        ):
            answer = send(club_till, method, path, headers={"Authorization": header})
            assert answer.status_code == 401, (method, path, header)
            assert answer.get_json()["type"] == "/problems/unauthenticated"
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_key_does_only_what_its_scopes_say(app, two_brands, make):
    """A key with every scope but the one that is needed is refused, and told which it lacks."""
    scopes = {access.permission_of(view) for _m, _p, view in operations(app)}
    tills = {left_out: make(0, 0, *(scopes - {left_out})) for left_out in scopes}
    for method, path, view in operations(app):
        needed = access.permission_of(view)
        answer = send(tills[needed], method, path)
        assert answer.status_code == 403, (method, path)
        assert needed in answer.get_json()["detail"]


def test_a_revoked_key_is_refused_at_the_next_request(app, club_till):
    assert club_till.get("/store").status_code == 200
    with app.extensions["highstreet"].tenancy.control(write=True) as c:
        c.execute(sa.update(ApiKey).values(revoked_at=now()))
    for answer in (club_till.get("/store"), club_till.buy(100), club_till.get("/store")):
        assert answer.status_code == 401


def test_a_session_cookie_opens_nothing(app):
    client = app.test_client()
    client.set_cookie("hs-session", "anything")
    assert client.get("/api/v1/store").status_code == 401


def test_a_post_needs_a_key_of_its_own(app, club_till):
    for key in ("", " ", "a b", "x" * 201, "é"):
        answer = club_till.post("/customers", {"name": "A"}, headers={"Idempotency-Key": key})
        assert answer.status_code == 400, key
        assert answer.get_json()["type"] == "/problems/idempotency-key-missing"
        assert "Idempotency-Key" in answer.get_json()["errors"]
    assert club_till.get("/customers?q=a").get_json()["items"] == []


@pytest.mark.parametrize(
    ("body", "kind", "status", "slug"),
    [
        (b"{", "application/json", 400, "malformed"),
        (b"", "application/json", 400, "malformed"),
        (b"[]", "application/json", 422, "invalid"),
        (b"null", "application/json", 422, "invalid"),
        (b'"x"', "application/json", 422, "invalid"),
        (b"{}", "text/plain", 415, "media-type"),
        (b"name=A", "application/x-www-form-urlencoded", 415, "media-type"),
        (b'{"name": "' + b"a" * 300_000 + b'"}', "application/json", 413, "too-large"),
        (b'{"name": "a\\u0000"}', "application/json", 422, "invalid"),
        (b'{"name": "\\ud800"}', "application/json", 422, "invalid"),
        (b'{"name": "A", "name": "B"}', "application/json", 422, "invalid"),
        (b'{"name": "A", "fields": {"a": 1e400}}', "application/json", 422, "invalid"),
        (b'{"name": "A", "fields": {"a": NaN}}', "application/json", 400, "malformed"),
        (
            b'{"name": "A", "fields": ' + b"[" * 5000 + b"]" * 5000 + b"}",
            "application/json",
            422,
            "invalid",
        ),
    ],
)
def test_bad_bodies_get_a_clear_answer(club_till, body, kind, status, slug):
    answer = club_till.call("POST", "/customers", data=body, content_type=kind)
    assert answer.status_code == status, answer.get_data(as_text=True)[:300]
    assert answer.mimetype == "application/problem+json"
    problem = answer.get_json()
    assert problem["type"] == f"/problems/{slug}"
    assert problem["status"] == status
    assert problem["title"] and problem["detail"]


def test_card_numbers_and_nul_are_refused_in_addresses_too(club_till):
    for path in (
        "/customers?q=4111111111111111",
        "/customers?q=a%00b",
        "/purchases/4111111111111111",
        "/purchases/a%00b",
        "/customers?4111111111111111=a",
    ):
        answer = club_till.get(path)
        assert answer.status_code in (404, 422), path
        assert "4111" not in answer.get_data(as_text=True)


def test_another_stores_and_brands_rows_are_not_found(club_till, sister_till, other_till):
    """One club: the sister store knows the member, but neither sees the other's purchases."""
    ann = club_till.enrol(name="Ann Lee", card="12345678")
    club_till.buy(1000, pos_ref="R-1", card="12345678")
    zoe = other_till.enrol(name="Zoe Quarry", card="77777777")
    other_till.buy(1000, pos_ref="R-2", card="77777777")

    assert sister_till.get(f"/customers/{ann['id']}").status_code == 200
    assert sister_till.get("/purchases/R-1").status_code == 404
    assert sister_till.get("/purchases").get_json()["items"] == []
    assert sister_till.get(f"/purchases?customer_id={ann['id']}").get_json()["items"] == []
    story = sister_till.get(f"/customers/{ann['id']}/timeline").get_json()["items"]
    assert "purchase" not in {e["kind"] for e in story}

    for till, stranger, card, ref in (
        (club_till, zoe["id"], "77777777", "R-2"),
        (other_till, ann["id"], "12345678", "R-1"),
    ):
        assert till.get(f"/customers/{stranger}").status_code == 404
        assert till.get(f"/customers/{stranger}/timeline").status_code == 404
        assert till.get(f"/customers?card={card}").get_json()["items"] == []
        assert till.get(f"/purchases/{ref}").status_code == 404
        assert till.patch(f"/cards/{card}", {"status": "lost"}).status_code == 404
        assert till.buy(100, customer_id=stranger).status_code == 422
        assert till.buy(100, card=card).status_code == 422
        issued = till.post(f"/customers/{stranger}/cards", {"number": "55556666"})
        assert issued.status_code == 404
        changed = till.patch(f"/customers/{stranger}", {"name": "X"}, headers={"If-Match": '"x"'})
        assert changed.status_code == 404


def test_stores_that_own_their_customers_do_not_share_them(app, make):
    first, second = make(1, 0), make(1, 1)
    ann = first.enrol(name="Ann Lee", card="12345678")
    assert second.get(f"/customers/{ann['id']}").status_code == 404
    assert second.get("/customers?q=ann").get_json()["items"] == []
    assert second.enrol(name="Another Ann", card="12345678")["id"] != ann["id"]


def test_the_same_key_text_of_two_tills_is_two_keys(club_till, sister_till):
    one = club_till.post("/customers", {"name": "Ann"}, key="1")
    two = sister_till.post("/customers", {"name": "Bob"}, key="1")
    assert (one.status_code, two.status_code) == (201, 201)
    assert "Idempotent-Replay" not in two.headers


def test_a_tool_that_is_off_is_off_here_too(app, two_brands, club_till, other_till):
    ann = club_till.enrol(name="Ann Lee", card="12345678")
    tools = [(m, p) for m, p, _v in operations(app) if "/tools/points_club/" in p]
    with app.extensions["highstreet"].tenancy.session(
        Scope.operator(two_brands[0].id), write=True
    ) as s:
        policy.set_policy(s, "points_club", "forbidden")
    for method, path in tools:
        answer = send(club_till, method, path)
        assert answer.status_code == 404, (method, path, answer.get_json())
        assert answer.get_json()["type"] == "/problems/tool-off", (method, path)
        assert "forbid" in answer.get_json()["detail"].lower(), answer.get_json()["detail"]
    assert club_till.get("/store").get_json()["tools"] == []
    assert club_till.buy(1000, customer_id=ann["id"]).get_json()["tools"] == {}
    preview = club_till.post("/baskets/preview", {"total_minor": 100})
    assert preview.get_json() == {"tools": {}}
    assert [t["name"] for t in other_till.get("/store").get_json()["tools"]] == ["points_club"]


def test_the_till_learns_where_it_is(club_till):
    where = club_till.get("/store").get_json()
    assert where["store"]["code"] == "101"
    assert where["store"]["zone"] == "Europe/London"
    assert where["store"]["currency"] == "GBP"
    assert where["brand"] == {"slug": "harbour", "name": "Harbour", "customers": "brand"}
    assert set(where["key"]["scopes"]) >= {"till.read", "till.write"}
    assert where["tools"] == [{"name": "points_club", "title": "Points club"}]


def test_addresses_that_do_not_exist_answer_with_problems(app, club_till):
    for method, path, status in (
        ("GET", "/nothing", 404),
        ("DELETE", "/store", 405),
        ("PUT", "/customers", 405),
    ):
        answer = club_till.call(method, path)
        assert answer.status_code == status
        assert answer.mimetype == "application/problem+json"
    assert "GET" in club_till.call("DELETE", "/store").headers["Allow"]
    page = app.test_client().get("/nothing-here")
    assert (page.status_code, page.mimetype) == (404, "text/html"), "pages keep their own errors"


def test_an_unforeseen_defect_is_a_problem_too(app, club_till, monkeypatch, caplog):
    from highstreet.rest import store

    def broken(*_whatever):
        raise RuntimeError("secret inside")

    monkeypatch.setattr(store.state, "enabled", broken)
    answer = club_till.get("/store")
    assert (answer.status_code, answer.get_json()["type"]) == (500, "/problems/error")
    assert "secret" not in answer.get_data(as_text=True)
    assert "secret inside" in caplog.text


def test_a_busy_database_asks_for_another_try(club_till, monkeypatch):
    import sqlite3

    from highstreet.rest import purchases

    words = "interrupted"

    def busy(*_whatever):
        raise sqlite3.OperationalError(words)

    with monkeypatch.context() as broken:
        broken.setattr(purchases.service, "record", busy)
        long = club_till.buy(100, pos_ref="R-1", key="k")
        words = "database is locked"
        answer = club_till.buy(100, pos_ref="R-1", key="k")
    assert (long.status_code, "longer than it may" in long.get_json()["detail"]) == (503, True)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert club_till.buy(100, pos_ref="R-1", key="k").status_code == 201


def test_a_deadlocks_victim_is_tried_again(club_till, monkeypatch):
    from highstreet.rest import purchases

    record, tries = purchases.service.record, []

    class Deadlock(Exception):
        sqlstate = "40P01"

    def second_time(s, given):
        tries.append(1)
        if len(tries) == 1:
            record(s, given)
            raise Deadlock
        return record(s, given)

    monkeypatch.setattr(purchases.service, "record", second_time)
    answer = club_till.buy(100)
    assert (answer.status_code, len(tries)) == (201, 2)
    assert answer.get_json()["created"] is True
