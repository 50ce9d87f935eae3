"""From the outbox to the server: once at most, tried again where that is safe, and all counted."""

from datetime import timedelta
from email import message_from_bytes, policy

import pytest
import sqlalchemy as sa
import time_machine

from highstreet.consent import service as consent
from highstreet.customers import service as customers
from highstreet.email import posting
from highstreet.email.models import EmailMessage
from highstreet_tenants import clock


def rows(street, brand=None):
    with street.till(brand=brand, write=False) as s:
        return s.scalars(sa.select(EmailMessage).order_by(EmailMessage.id)).all()


def states(street, brand=None):
    return [one.state for one in rows(street, brand)]


def test_a_message_goes_out_in_the_brands_name_and_frame(street, sink):
    street.sign()
    anna = street.member()
    assert street.send(anna)
    assert street.work() == ["done"]
    [got] = sink.got
    message = message_from_bytes(got.data, policy=policy.default)
    assert str(message["From"]) == "Harbour Club <club@harbour.example>"
    assert str(message["Reply-To"]) == "ask@harbour.example"
    assert str(message["To"]) == "Anna <anna@post.example>"
    assert str(message["Subject"]) == "Two for one, Anna"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    text = message.get_body(("plain",)).get_content()
    assert "today two <b>coffees</b>." in text
    assert "1 Quay Street, Bristol" in text
    html = message.get_body(("html",)).get_content()
    assert "two &lt;b&gt;coffees&lt;/b&gt;" in html, "what a field says is no HTML"
    assert "1 Quay Street, Bristol" in html
    link = str(message["List-Unsubscribe"])[1:-1]
    assert html.count(link) == 1 and link in text
    [row] = rows(street)
    assert (row.state, row.code, row.attempts) == ("sent", 250, 1)
    assert str(message["Message-ID"]) == f"<{row.id.hex}@harbour.example>"
    tag = got.sender.removeprefix("back+").removesuffix("@bounce.example")
    assert street.house.mail.tokens.read_tag(street.club.id, tag) == row.id
    assert street.house.mail.tokens.read_tag(street.shops.id, tag) is None


def test_where_stores_own_their_customers_a_stores_mail_is_its_own(street, sink):
    street.sign(street.shops)
    anna = street.member(brand=street.shops)
    assert street.send(anna, brand=street.shops)
    assert street.work() == ["done"]
    assert len(sink.got) == 1
    assert states(street, street.shops) == ["sent"]
    with street.till(1, brand=street.shops, write=False) as s:
        assert s.scalars(sa.select(EmailMessage)).all() == []


def test_nothing_is_queued_for_whom_nothing_may_be_sent(street):
    anna = street.member()
    assert street.send(anna).reason == (
        "Head office has not said yet in whose name e-mail is sent."
    )
    street.sign()
    ben = street.member("Ben", agrees=False)
    assert street.send(ben).reason == "They were never asked, or never said yes."
    assert street.send(ben, purpose="service"), "what concerns their own membership"
    with street.till() as s:
        consent.refuse_all(s, ben, method="till")
        nobody = customers.enrol(s, name="Nobody").id
    assert not street.send(ben, purpose="service")
    assert street.send(nobody, purpose="service").reason == "There is no address to reach them at."


def test_where_no_server_is_set_up_nothing_is_queued(street, monkeypatch):
    street.sign()
    anna = street.member()
    monkeypatch.setattr(street.house.mail, "_url", "")
    answer = street.send(anna)
    assert not answer and "no mail leaves" in answer.reason
    assert rows(street) == []


def test_once_for_one_reason(street, sink):
    street.sign()
    anna = street.member()
    assert street.send(anna, key="lapse:2026-12-01")
    assert street.send(anna, key="lapse:2026-12-01").reason == "It was sent for this before."
    assert street.send(anna, key="lapse:2027-01-01")
    street.work()
    assert len(sink.got) == 2


def test_who_changes_their_mind_meanwhile_gets_nothing(street, sink):
    street.sign()
    anna, ben = street.member(), street.member("Ben")
    assert street.send(anna) and street.send(ben)
    with street.till() as s:
        consent.record(
            s,
            anna,
            purpose="marketing",
            channel="email",
            status="withdrawn",
            wording="",
            method="till",
        )
    with street.office() as s:
        customers.erase(s, ben, reason="asked for it")
    street.work()
    assert sink.got == []
    anna_row, ben_row = rows(street)
    assert anna_row.state == "stopped"
    assert (ben_row.state, ben_row.address, ben_row.called, ben_row.fills) == (
        "stopped",
        "",
        "",
        {},
    )


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        ("550 5.1.1 no such person", "bounced"),
        ("554 5.7.1 no", "failed"),
        ("451 4.3.0 wait", "queued"),
    ],
)
def test_what_the_server_says(street, sink, reply, state):
    street.sign()
    anna = street.member()
    street.send(anna)
    sink.answer = lambda stage, _to: reply if stage == "RCPT" else None
    street.work()
    [row] = rows(street)
    assert (row.state, row.code, row.answer) == (state, int(reply[:3]), reply[4:])
    if state == "bounced":
        assert street.send(anna).reason == "Mail to this address came back for good."


def test_what_the_server_puts_off_is_tried_again_later(street, sink):
    street.sign()
    street.send(street.member())
    replies = iter(["451 4.3.0 wait"] * 2)
    sink.answer = lambda stage, _to: next(replies, None) if stage == "RCPT" else None
    street.work()
    for hours in (1, 2, 3):
        with time_machine.travel(clock.now() + timedelta(hours=hours), tick=True):
            street.work()
    assert len(sink.got) == 1
    [row] = rows(street)
    assert (row.state, row.attempts) == ("sent", 3)


def test_a_server_that_is_away_burns_nothing_and_is_given_up_in_the_end(street, sink):
    street.sign()
    for number in range(60):
        street.send(street.member(f"A{number}"))
    sink.answer = lambda stage, _to: "drop" if stage == "greeting" else None
    street.work()
    assert sink.connections < 40, "no connection for each message"
    assert set(states(street)) == {"queued"}
    with time_machine.travel(clock.now() + timedelta(days=4), tick=True):
        street.work()
    assert set(states(street)) == {"late"}
    assert sink.got == []


def test_a_drop_after_the_content_is_never_sent_again(street, sink):
    street.sign()
    street.send(street.member())
    sink.answer = lambda stage, _to: "drop" if stage == "content" else None
    street.work()
    assert states(street) == ["unknown"]
    sink.answer = lambda _stage, _to: None
    with time_machine.travel(clock.now() + timedelta(days=1), tick=True):
        street.work()
    assert sink.got == []
    assert states(street) == ["unknown"]


def test_waits_grow_and_end():
    waits = [posting.wait_after(number, lambda: 0.5) for number in range(1, 11)]
    assert waits[:3] == [timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15)]
    assert waits[9] is None
    assert waits[:9] == sorted(waits[:9])


def test_many_go_in_chunks(street, sink):
    street.sign()
    for number in range(posting.CHUNK + 5):
        street.send(street.member(f"A{number}"))
    street.work()
    assert len({one.to[0] for one in sink.got}) == len(sink.got) == posting.CHUNK + 5
    assert set(states(street)) == {"sent"}
