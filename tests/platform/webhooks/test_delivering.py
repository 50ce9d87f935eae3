"""Webhooks from a verb to the receiver: what is sent, to whom, how often, and when no more."""

import json
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from standardwebhooks.webhooks import Webhook as Verifier

from highstreet.consent import service as consent
from highstreet.customers import service as customers
from highstreet.host import policy
from highstreet.purchases import service as purchases
from highstreet.purchases.facts import PurchaseIn
from highstreet.webhooks import again, subscriptions
from highstreet.webhooks.delivering import SCHEDULE, wait_after
from highstreet.webhooks.models import Webhook, WebhookDelivery, WebhookEvent
from highstreet_tenants import clock
from highstreet_tenants.errors import Conflict, Invalid, NotFound


def deliveries(s: Any) -> list[WebhookDelivery]:
    return list(s.scalars(sa.select(WebhookDelivery).order_by(WebhookDelivery.id)))


def buy(s: Any, ref: str, who: Any = None) -> Any:
    given = PurchaseIn(s.store_id, ref, clock.now(), 1250, "GBP", customer_id=who)
    return purchases.record(s, given).purchase


def test_what_happened_arrives_signed_as_another_implementation_checks(street, sink):
    with street.till() as s:
        made = street.listen(s, sink.url)
    with street.till() as s:
        anna = customers.enrol(s, name="Anna Secret", phone="+441632960001")
        code = s.scalar(sa.text("SELECT 1"))
    assert code == 1
    assert street.work() == ["done", "done"]
    [got] = sink.got
    body = Verifier(made.secret).verify(got.body, got.headers)
    assert body["type"] == "customer.enrolled"
    assert body["data"]["customer_id"] == str(anna.id)
    assert body["data"]["store_id"] == str(street.club.stores[0].id)
    assert got.path == "/hooks?from=highstreet"
    assert b"Anna" not in got.body
    assert b"1632" not in got.body
    with street.till() as s:
        assert [one.status for one in deliveries(s)] == ["sent"]
        assert s.scalars(sa.select(WebhookEvent)).all() == []


def test_where_nobody_listens_nothing_is_written(street):
    with street.till() as s:
        anna = customers.enrol(s, name="Anna")
        buy(s, "1", anna.id)
        assert s.scalars(sa.select(WebhookEvent)).all() == []
    assert street.work() == []


def test_a_deed_that_is_let_go_tells_nobody(street, sink):
    with street.till() as s:
        street.listen(s, sink.url)
    with pytest.raises(RuntimeError), street.till() as s:
        customers.enrol(s, name="Anna")
        raise RuntimeError
    assert street.work() == []
    assert sink.got == []


def test_a_store_hears_of_its_own_purchases_and_not_of_others(street, sink):
    with street.till(0) as s:
        street.listen(s, sink.url, "purchase.recorded")
    with street.till(1) as s:
        buy(s, "other")
    with street.till(0) as s:
        mine = buy(s, "mine")
    street.work()
    assert [json.loads(one.body)["data"]["purchase_id"] for one in sink.got] == [str(mine.id)]


def test_every_store_of_a_club_hears_that_a_member_refused(street, sink):
    with street.till(1) as s:
        street.listen(s, sink.url, "consent.changed")
    with street.till(0) as s:
        anna = customers.enrol(s, name="Anna")
        consent.refuse_all(s, anna.id, method="till")
    street.work()
    [got] = sink.got
    assert json.loads(got.body)["data"]["status"] == "withdrawn"


def test_once_nobody_asks_any_more_no_store_writes_down_what_concerns_the_whole_club(street, sink):
    with street.till(1) as s:
        made = street.listen(s, sink.url, "consent.changed")
        street.listen(s, sink.url, "customer.updated")
    with street.till(1) as s:
        subscriptions.remove(s, made.webhook.id)
    with street.till(0) as s:
        anna = customers.enrol(s, name="Anna")
        consent.refuse_all(s, anna.id, method="till")
    street.work()  # finds nobody to tell, and remembers that
    with street.till(0) as s:
        consent.refuse_all(s, anna.id, method="phone")
        assert s.scalars(sa.select(WebhookEvent)).all() == []
        customers.update(s, anna.id, name="Anne")
    street.work()
    assert [json.loads(one.body)["type"] for one in sink.got] == ["customer.updated"]


def test_head_office_hears_of_people_only_where_the_brand_owns_them(street, sink):
    with street.office() as s:
        street.listen(s, sink.url, "purchase.recorded")
    with pytest.raises(Invalid, match="no event"), street.office(brand=street.shops) as s:
        street.listen(s, sink.url, "purchase.recorded")
    with street.office(brand=street.shops) as s:
        made = street.listen(s, sink.url, "tool.switched")
        made.webhook.events = ["tool.switched", "purchase.recorded"]  # as an older policy left it
    with street.till(brand=street.shops) as s:
        buy(s, "of the shops")
    with street.till() as s:
        club = buy(s, "of the club")
    street.work()
    assert [json.loads(one.body)["data"]["purchase_id"] for one in sink.got] == [str(club.id)]


def test_a_store_does_not_hear_of_another_stores_customers_where_stores_own_them(street, sink):
    with street.till(1, brand=street.shops) as s:
        street.listen(s, sink.url, "customer.enrolled", "customer.erased", "consent.changed")
    with street.till(0, brand=street.shops) as s:
        anna = customers.enrol(s, name="Anna")
        consent.refuse_all(s, anna.id, method="till")
        customers.erase(s, anna.id, "asked")
    street.work()
    assert sink.got == []


def test_head_office_switches_a_tool_and_the_store_is_told(street, sink):
    with street.till(brand=street.shops) as s:
        street.listen(s, sink.url, "tool.switched")
    with street.office(brand=street.shops) as s:
        policy.set_policy(s, "points_club", "required")
    street.work()
    [got] = sink.got
    said = json.loads(got.body)["data"]
    assert (said["tool"], said["on"]) == ("points_club", True)


def test_an_erasure_leaves_no_message_that_names_the_customer(street, sink):
    with street.till(brand=street.shops) as s:
        street.listen(s, sink.url, "customer.enrolled", "customer.erased")
        anna = customers.enrol(s, name="Anna")
        bert = customers.enrol(s, name="Bert")
    street.work()
    with street.till(brand=street.shops) as s:
        customers.erase(s, anna.id, "asked")
        left = [one.body for one in deliveries(s)]
    assert len(left) == 1
    assert str(bert.id) in left[0]
    street.work()
    assert json.loads(sink.got[-1].body)["type"] == "customer.erased"


def test_a_failure_is_tried_again_later_with_the_same_id(street, sink):
    sink.reply = lambda _got: (500, {}, b"<b>out of order</b>")
    with street.till() as s:
        street.listen(s, sink.url)
        customers.enrol(s, name="Anna")
    street.work()
    assert len(sink.got) == 1
    with street.till() as s:
        [one] = deliveries(s)
        assert (one.status, one.attempts, one.answer_status) == ("pending", 1, 500)
        assert one.answer == "<b>out of order</b>"
        due = one.due_at
    sink.reply = lambda _got: (200, {}, b"fine")
    with time_machine.travel(due + timedelta(seconds=1), tick=True):
        street.work()
    assert len(sink.got) == 2
    assert sink.got[0].id == sink.got[1].id
    assert sink.got[0].body == sink.got[1].body


def test_the_schedule_covers_three_days_and_then_it_is_given_up():
    assert 3 <= sum(SCHEDULE, timedelta()).total_seconds() / 86_400 <= 3.5
    assert wait_after(1, None, lambda: 0.5) == timedelta(seconds=5)
    assert wait_after(1, timedelta(hours=1), lambda: 0.5) == timedelta(hours=1)
    assert wait_after(len(SCHEDULE) + 1, None) is None


def test_a_receiver_that_asks_for_time_gets_it(street, sink):
    sink.reply = lambda _got: (429, {"Retry-After": "7200"}, b"")
    with street.till() as s:
        street.listen(s, sink.url)
        customers.enrol(s, name="Anna")
        customers.enrol(s, name="Bert")
    street.work()
    assert len(sink.got) == 1
    with time_machine.travel(clock.now() + timedelta(hours=1), tick=True):
        street.work()
    assert len(sink.got) == 1
    sink.reply = lambda _got: (204, {}, b"")
    with time_machine.travel(clock.now() + timedelta(hours=2, minutes=5), tick=True):
        street.work()
    assert len({one.id for one in sink.got}) == 2


def test_gone_disables_and_nothing_more_is_written_down(street, sink):
    sink.reply = lambda _got: (410, {}, b"")
    with street.till() as s:
        made = street.listen(s, sink.url)
        customers.enrol(s, name="Anna")
    street.work()
    with street.till() as s:
        customers.enrol(s, name="Bert")
        row = subscriptions.get(s, made.webhook.id)
        assert (row.status, row.reason) == ("disabled", "gone")
    assert street.work() == []


def test_a_receiver_that_takes_nothing_for_days_is_disabled(street, sink):
    sink.reply = lambda _got: (500, {}, b"")
    with street.till() as s:
        made = street.listen(s, sink.url)
        customers.enrol(s, name="Anna")
    at = clock.now()
    for _turn in range(len(SCHEDULE) + 1):
        with time_machine.travel(at, tick=True):
            street.work()
        at += timedelta(days=1, hours=3)
    assert len(sink.got) == len(SCHEDULE) + 1
    with street.till() as s:
        row = subscriptions.get(s, made.webhook.id)
        assert (row.status, row.reason) == ("disabled", "failing")
        assert [one.status for one in deliveries(s)] == ["failed"]
    sink.reply = lambda _got: (204, {}, b"")
    with time_machine.travel(at, tick=True):
        with street.till() as s:
            subscriptions.enable(s, made.webhook.id)
            assert again.resend_failed(s, made.webhook.id) == 1
        street.work()
    assert sink.got[-1].id == sink.got[0].id
    with street.till() as s:
        assert [one.status for one in deliveries(s)] == ["sent"]


def test_a_silent_receiver_is_not_hammered_with_what_waits(street, sink):
    sink.reply = lambda _got: (503, {}, b"")
    with street.till() as s:
        street.listen(s, sink.url)
        for number in range(20):
            customers.enrol(s, name=f"Member {number}")
    street.work()
    assert len(sink.got) == 3


def test_messages_come_in_the_order_in_which_things_happened(street, sink):
    with street.till() as s:
        street.listen(s, sink.url)
    wanted = []
    for number in range(120):
        with street.till() as s:
            wanted.append(str(customers.enrol(s, name=f"Member {number}").id))
    street.work()
    assert [json.loads(one.body)["data"]["customer_id"] for one in sink.got] == wanted


def test_while_paused_nothing_is_sent_and_nothing_lost(street, sink):
    with street.till() as s:
        made = street.listen(s, sink.url)
        subscriptions.pause(s, made.webhook.id)
    with street.till() as s:
        customers.enrol(s, name="Anna")
    street.work()
    assert sink.got == []
    with street.till() as s:
        subscriptions.enable(s, made.webhook.id)
    street.work()
    assert len(sink.got) == 1


def test_both_secrets_sign_for_a_day_after_rotating(street, sink):
    with street.till() as s:
        old = street.listen(s, sink.url)
        new = subscriptions.rotate(s, old.webhook.id)
        customers.enrol(s, name="Anna")
    assert old.secret != new.secret
    street.work()
    for secret in (old.secret, new.secret):
        Verifier(secret).verify(sink.got[0].body, sink.got[0].headers)
    with time_machine.travel(clock.now() + timedelta(hours=25), tick=True):
        with street.till() as s:
            customers.enrol(s, name="Bert")
        street.work()
        Verifier(new.secret).verify(sink.got[1].body, sink.got[1].headers)
        assert len(sink.got[1].headers["webhook-signature"].split()) == 1


def test_a_test_message_says_that_it_is_one(street, sink):
    with street.till() as s:
        made = street.listen(s, sink.url)
        again.test(s, made.webhook.id)
    street.work()
    assert json.loads(sink.got[0].body)["type"] == "webhook.test"


def test_head_office_without_customers_hears_of_tools_and_tests(street, sink):
    with street.office(brand=street.shops) as s:
        made = street.listen(s, sink.url, "tool.switched")
        again.test(s, made.webhook.id)
    with street.till(brand=street.shops) as s:
        policy.choose(s, "points_club", True)
    street.work()
    assert {json.loads(one.body)["type"] for one in sink.got} == {"webhook.test", "tool.switched"}
    with street.till(brand=street.shops) as s, pytest.raises(NotFound):
        subscriptions.get(s, made.webhook.id)


def test_secrets_are_not_kept_in_the_clear_and_another_installation_can_not_send(street, sink):
    with street.till() as s:
        made = street.listen(s, sink.url)
        assert made.secret not in made.webhook.secret
        made.webhook.secret = made.webhook.secret[:-6] + "AAAA=="
        customers.enrol(s, name="Anna")
    street.work()
    assert sink.got == []
    with street.till() as s:
        row = subscriptions.get(s, made.webhook.id)
        assert (row.status, row.reason) == ("disabled", "secret")
        new = subscriptions.rotate(s, made.webhook.id)
        subscriptions.enable(s, made.webhook.id)
    street.work()  # nobody waits for the job that could not read the secret
    Verifier(new.secret).verify(sink.got[0].body, sink.got[0].headers)


def test_an_address_that_rules_forbid_by_now_gets_nothing(street, sink):
    with street.till() as s:
        made = street.listen(s, sink.url)
        made.webhook.url = "https://10.0.0.1/"
        customers.enrol(s, name="Anna")
    street.work()
    with street.till() as s:
        row = subscriptions.get(s, made.webhook.id)
        assert (row.status, row.reason) == ("disabled", "address")
        subscriptions.change(s, made.webhook.id, url=sink.url, local=True)
        subscriptions.enable(s, made.webhook.id)
    street.work()
    assert len(sink.got) == 1


def test_the_webhooks_of_a_closed_store_end(street, sink):
    from highstreet.host import state
    from highstreet_tenants.models import Store

    with street.till() as s:
        made = street.listen(s, sink.url)
        customers.enrol(s, name="Anna")
    with street.office() as s:
        s.execute(
            sa.update(Store).where(Store.id == street.club.stores[0].id).values(status="closed")
        )
        state.touch(s)
    street.work()
    assert sink.got == []
    with street.till() as s:
        assert subscriptions.get(s, made.webhook.id).reason == "closed"
        with pytest.raises(Conflict, match="closed"):
            subscriptions.enable(s, made.webhook.id)


def test_another_stores_webhook_is_not_found(street, sink):
    with street.till(0) as s:
        made = street.listen(s, sink.url)
    for other in (street.till(1), street.office(), street.till(brand=street.shops)):
        with other as s, pytest.raises(NotFound):
            subscriptions.get(s, made.webhook.id)


def test_a_deleted_webhook_leaves_nothing(street, sink):
    with street.till() as s:
        made = street.listen(s, sink.url)
        customers.enrol(s, name="Anna")
    street.work()
    with street.till() as s:
        subscriptions.remove(s, made.webhook.id)
        assert deliveries(s) == []
        assert s.scalars(sa.select(Webhook)).all() == []


def test_deliveries_are_deleted_after_thirty_days(street, sink):
    with street.till() as s:
        street.listen(s, sink.url)
        customers.enrol(s, name="Anna")
    street.work()
    with time_machine.travel(clock.now() + timedelta(days=32), tick=True):
        street.work()
        with street.till() as s:
            assert deliveries(s) == []
