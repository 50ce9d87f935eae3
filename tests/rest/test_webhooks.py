"""The store's webhooks by the API: set up, the secret once, what was sent, sent again."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from standardwebhooks.webhooks import Webhook as Verifier

from highstreet.webhooks import subscriptions
from highstreet.webhooks.delivering import deliverer
from highstreet.webhooks.models import Webhook, WebhookDelivery
from highstreet_tenants import clock
from highstreet_tenants.scopes import Scope
from highstreet_tenants.trail.models import TrailEntry
from webhook_sink import Sink

GIVEN = {"name": "CRM", "url": "https://crm.example/in", "events": ["customer.enrolled"]}


@pytest.fixture
def sink() -> Any:
    found = Sink()
    server = found.start()
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture
def house(app: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The house, where webhooks may go to this machine."""
    found = app.extensions["highstreet"]
    monkeypatch.setitem(found.config, "webhooks_local", True)
    monkeypatch.setitem(found.jobs._handlers, subscriptions.DELIVER, deliverer(local=True))
    return found


def work(house: Any) -> None:
    while house.runner.run_one() is not None:
        pass


def subscribe(till: Any, **more: Any) -> dict[str, Any]:
    answer = till.post("/webhooks", GIVEN | more)
    assert answer.status_code == 201, answer.get_json()
    return answer.get_json()


def test_the_secret_is_in_the_first_answer_and_in_no_other(club_till, database):
    first = club_till.post("/webhooks", GIVEN, key="k-1")
    again = club_till.post("/webhooks", GIVEN, key="k-1")
    made, repeated = first.get_json(), again.get_json()
    assert made["secret"].startswith("whsec_")
    assert len(base64.b64decode(made["secret"].removeprefix("whsec_"))) == 32
    assert made["notice"] is None
    assert first.headers["Cache-Control"] == "no-store"
    assert again.headers["Idempotent-Replay"] == "true"
    assert (repeated["id"], repeated["secret"]) == (made["id"], None)
    assert "rotate" in repeated["notice"]
    assert club_till.get(first.headers["Location"]).get_json()["id"] == made["id"]
    assert len(club_till.get("/webhooks").get_json()["items"]) == 1
    for path in ("/webhooks", f"/webhooks/{made['id']}"):
        assert "secret" not in json.dumps(club_till.get(path).get_json()).replace("old_secret", "")
    with database.owner.connect() as connection:
        for table in ("core_idempotency", "core_webhook", "core_trail_entry"):
            rows = connection.exec_driver_sql(f"SELECT * FROM {table}").all()
            assert rows
            assert made["secret"].removeprefix("whsec_") not in repr(rows), table


def test_a_new_secret_is_shown_once_too_and_an_answer_that_was_lost_breaks_nothing(
    club_till, house, sink
):
    old = subscribe(club_till, url=sink.url)
    path = f"/webhooks/{old['id']}"
    lost = club_till.post(f"{path}/rotate", {}, key="k-2")
    assert club_till.post(f"{path}/rotate", {}, key="k-2").get_json()["secret"] is None
    new = club_till.post(f"{path}/rotate", {}, key="k-3").get_json()
    club_till.enrol(name="Anna")
    work(house)
    for secret in (old["secret"], lost.get_json()["secret"], new["secret"]):
        Verifier(secret).verify(sink.got[-1].body, sink.got[-1].headers)
    assert club_till.get(path).get_json()["old_secret_until"] is not None


def test_a_secret_that_leaked_ends_at_once(club_till, house, sink):
    old = subscribe(club_till, url=sink.url)
    path = f"/webhooks/{old['id']}"
    new = club_till.post(f"{path}/rotate", {"old_secret_hours": 0}).get_json()
    assert new["old_secret_until"] is None
    club_till.enrol(name="Anna")
    work(house)
    [got] = sink.got
    assert len(got.headers["webhook-signature"].split()) == 1
    Verifier(new["secret"]).verify(got.body, got.headers)
    answer = club_till.post(f"{path}/rotate", {"old_secret_hours": 169})
    assert answer.status_code == 422
    assert "old_secret_hours" in answer.get_json()["errors"]


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        ({"url": "http://crm.example/"}, "url", "https only"),
        ({"url": "https://169.254.169.254/"}, "url", "not public"),
        ({"url": "https://crm.example:22/"}, "url", "port 443"),
        ({"url": "https://me:secret@crm.example/"}, "url", "Leave out user and password"),
        ({"name": "  "}, "name", "1"),
        ({"events": ["no.such"]}, "events", "There is no event no.such"),
        ({"events": []}, "events", "1"),
        ({"surprise": 1}, "surprise", "no such field"),
    ],
)
def test_what_is_wrong_names_the_field_and_how_to_mend_it(club_till, wrong, field, said):
    answer = club_till.post("/webhooks", GIVEN | wrong)
    assert answer.status_code == 422
    errors = answer.get_json()["errors"]
    assert said in " ".join(errors[next(name for name in errors if name.startswith(field))])
    assert club_till.get("/webhooks").get_json()["items"] == []


def test_errors_are_in_the_readers_language(club_till):
    answer = club_till.post(
        "/webhooks", GIVEN | {"url": "http://crm.example/"}, headers={"Accept-Language": "zh-CN"}
    )
    assert "https" in answer.get_json()["errors"]["url"][0]
    assert "Webhooks go by" not in answer.get_data(as_text=True)


def test_changing_pausing_and_going_on(club_till):
    path = f"/webhooks/{subscribe(club_till)['id']}"
    changed = club_till.patch(path, {"name": "Mail", "events": ["purchase.recorded"]}).get_json()
    assert (changed["name"], changed["events"]) == ("Mail", ["purchase.recorded"])
    assert changed["url"] == GIVEN["url"]
    for enabled, status in ((False, "paused"), (False, "paused"), (True, "active")):
        assert club_till.patch(path, {"enabled": enabled}).get_json()["status"] == status
    assert club_till.patch(path, {"enabled": "yes"}).status_code == 422
    assert club_till.patch(path, {"url": "https://10.0.0.1/"}).status_code == 422
    assert club_till.get(path).get_json()["url"] == GIVEN["url"]


def test_a_closed_page_of_what_was_sent_by_cursors_and_by_state(club_till, house, sink):
    path = f"/webhooks/{subscribe(club_till, url=sink.url)['id']}"
    for number in range(5):
        club_till.enrol(name=f"Member {number}")
    work(house)
    seen, cursor = [], None
    while True:
        page = club_till.get(
            f"{path}/deliveries?limit=2" + (f"&cursor={cursor}" if cursor else "")
        ).get_json()
        seen += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len({one["id"] for one in seen}) == 5
    assert [one["created_at"] for one in seen] == sorted(
        (one["created_at"] for one in seen), reverse=True
    )
    newest = seen[0]
    assert (newest["status"], newest["answer_status"], newest["due_at"]) == ("sent", 204, None)
    assert newest["message_id"] == sink.got[-1].id
    assert newest["payload"] == json.loads(sink.got[-1].body)
    assert club_till.get(f"{path}/deliveries?status=failed").get_json()["items"] == []
    assert club_till.get(f"{path}/deliveries?status=odd").status_code == 422
    assert club_till.get(f"{path}/deliveries?cursor=odd").status_code == 422
    assert club_till.get(f"{path}/deliveries/{newest['id']}").get_json() == newest


def test_a_test_is_sent_and_one_message_sent_again(club_till, house, sink):
    path = f"/webhooks/{subscribe(club_till, url=sink.url)['id']}"
    sink.reply = lambda _got: (500, {}, b"out of order")
    sent = club_till.post(f"{path}/test", {}).get_json()
    assert (sent["type"], sent["status"]) == ("webhook.test", "pending")
    work(house)
    failed = club_till.get(f"{path}/deliveries/{sent['id']}").get_json()
    assert (failed["answer_status"], failed["answer"]) == (500, "out of order")
    sink.reply = lambda _got: (204, {}, b"")
    assert club_till.post(f"{path}/deliveries/{sent['id']}/retry", {}).status_code == 200
    work(house)
    assert club_till.get(f"{path}/deliveries/{sent['id']}").get_json()["status"] == "sent"
    assert sink.got[0].id == sink.got[1].id == sent["message_id"]


def test_all_that_failed_since_a_moment_is_sent_again(club_till, house, sink):
    path = f"/webhooks/{subscribe(club_till, url=sink.url)['id']}"
    start = clock.now()
    sink.reply = lambda _got: (500, {}, b"")
    for days in (0, 2):
        with time_machine.travel(start + timedelta(days=days), tick=True):
            club_till.enrol(name="Member")
            work(house)
    sink.reply, sink.got = lambda _got: (204, {}, b""), []
    with house.tenancy.session(
        Scope.store(club_till.brand.id, club_till.store.id), write=True
    ) as s:
        s.execute(
            sa.update(WebhookDelivery)
            .where(WebhookDelivery.store_id == s.store_id)
            .values(status="failed", attempts=10)
        )
    assert club_till.get(path).get_json()["failed"] == 2
    since = (start + timedelta(days=1)).isoformat().replace("+00:00", "Z")
    for asked, retried in (({"since": since}, 1), ({}, 1)):
        answer = club_till.post(f"{path}/retry-failed", asked)
        assert answer.get_json() == {"retried": retried}
        work(house)
    assert len(sink.got) == 2
    assert club_till.get(path).get_json()["failed"] == 0


def test_what_is_off_can_not_be_tried_and_is_switched_on_by_a_change(club_till, house):
    path = f"/webhooks/{subscribe(club_till)['id']}"
    with house.tenancy.session(
        Scope.store(club_till.brand.id, club_till.store.id), write=True
    ) as s:
        subscriptions.disable(s, s.scalars(sa.select(Webhook)).one(), "gone")
    assert club_till.get(path).get_json()["reason"] == "gone"
    for what in ("test", "retry-failed"):
        answer = club_till.post(f"{path}/{what}", {})
        assert answer.status_code == 409
        assert "Switch the webhook on first" in answer.get_json()["detail"]
    answer = club_till.patch(path, {"enabled": True}).get_json()
    assert (answer["status"], answer["reason"]) == ("active", None)


def test_deleting_ends_it(club_till):
    path = f"/webhooks/{subscribe(club_till)['id']}"
    answer = club_till.call("DELETE", path)
    assert (answer.status_code, answer.get_data()) == (204, b"")
    assert club_till.get(path).status_code == 404
    assert club_till.call("DELETE", path).status_code == 404


def test_other_stores_and_head_office_have_theirs_and_this_key_sees_none(
    club_till, sister_till, other_till
):
    made = subscribe(club_till)
    for till in (sister_till, other_till):
        assert till.get("/webhooks").get_json()["items"] == []
        for method, path in (
            ("GET", ""),
            ("PATCH", ""),
            ("DELETE", ""),
            ("POST", "/rotate"),
            ("POST", "/test"),
            ("GET", "/deliveries"),
            ("POST", "/retry-failed"),
        ):
            body = {} if method in ("POST", "PATCH") else None
            answer = till.call(method, f"/webhooks/{made['id']}{path}", json=body)
            assert answer.status_code == 404, (method, path)
    assert club_till.get(f"/webhooks/{made['id']}").get_json()["status"] == "active"


def test_a_key_needs_the_scope_and_what_it_does_stands_in_the_trail(make, club_till, house):
    plain = make(0, 0, "till.read", "till.write", "customers.read", "customers.write")
    answer = plain.post("/webhooks", GIVEN)
    assert answer.status_code == 403
    assert "webhooks.manage" in answer.get_json()["detail"]
    only = make(0, 0, "webhooks.manage")
    path = f"/webhooks/{subscribe(only)['id']}"
    only.patch(path, {"url": "https://other.example/very-secret-path"})
    only.call("DELETE", path)
    with house.tenancy.session(Scope.store(only.brand.id, only.store.id)) as s:
        entries = s.scalars(
            sa.select(TrailEntry).where(TrailEntry.object_kind == "webhook").order_by(TrailEntry.id)
        ).all()
    assert [one.action for one in entries] == [
        "webhook.created", "webhook.changed", "webhook.deleted",
    ]  # fmt: skip
    assert entries[0].actor_kind == "key"
    assert entries[1].details == {"to": ["crm.example", "other.example"]}


def test_kinds_are_those_of_the_store_with_samples(club_till):
    items = {one["name"]: one for one in club_till.get("/webhook-events").get_json()["items"]}
    assert {"customer.enrolled", "points_club.earned"} <= items.keys()
    assert items["points_club.earned"]["sample"]["data"]["why"] == "purchase"
    made = subscribe(club_till, events=["points_club.earned"])
    assert made["events"] == ["points_club.earned"]
