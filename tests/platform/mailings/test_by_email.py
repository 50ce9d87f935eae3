"""A mailing by e-mail: each once, as it was approved, and counted as what became of it."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
import time_machine

from highstreet.consent import gate, laying_down, service, suppressions
from highstreet.consent.models import Contact
from highstreet.customers import leaving
from highstreet.customers import service as customers
from highstreet.email import bounces, senders, stopping
from highstreet.email.bounces import Outcome
from highstreet.email.models import EmailMessage, EmailPiece
from highstreet.mailings import by_email, drafting, queries, releasing
from highstreet.mailings.facts import MailingIn
from highstreet.segments import service as picking
from highstreet.segments.rules import All
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Conflict, Invalid

TEXT = {
    "subject": "{{ customer.name }}, it is spring",
    "text": "Hello {{ name }}, code {{ code }}, you bought {{ customer.purchases | default: 0 }}.",
}


def plan(s: Any, **more: Any) -> UUID:
    given: dict[str, Any] = {
        "name": "Spring",
        "purpose": "marketing",
        "channel": "email",
        "segment_id": picking.save(s, name=f"All {now()}", rule=All()).id,
        "content": TEXT,
        "by_household": False,
    }
    return drafting.draft(s, MailingIn(**(given | more)))


def go(street: Any, **more: Any) -> UUID:
    with street.office() as s:
        mailing = plan(s, **more)
        drafting.approve(s, mailing, drafting.select(s, mailing).manifest)
        releasing.release(s, mailing)
    return mailing


def told(street: Any, mailing: UUID) -> tuple[str, Counter[str]]:
    """Its status, and how many became what; it adds up."""
    with street.office(write=False) as s:
        fall, fact = queries.waterfall(s, mailing), queries.get(s, mailing)
        assert fact.selected == fall.selected
        assert fall.selected == fall.ready + fall.sent + fall.failed + sum(
            one.people for one in fall.steps
        )
        contacts = s.scalar(sa.select(sa.func.count(Contact.id)))
        assert contacts == fall.sent, "whoever was written to, and nobody else, was counted"
        found = Counter({f"{one.reason}{' late' * one.late}": one.people for one in fall.steps})
        more = {"ready": fall.ready, "sent": fall.sent, "failed": fall.failed}
        more["returned"] = fall.returned
        return fact.status, +(found + Counter(more))


@pytest.fixture
def people(street: Any) -> list[UUID]:
    street.sign()
    return [street.member(name) for name in ("Anna", "Ben", "Cleo", "Dora")]


def test_each_gets_theirs_once_and_can_stop_it(street, sink, people):
    with street.office() as s:
        laying_down.lay_down(s, "cap", "email", most=1, days=30)
    mailing = go(street)
    assert told(street, mailing) == ("running", Counter({"ready": 4}))
    street.work()
    assert told(street, mailing) == ("finished", Counter({"sent": 4}))
    assert sorted(one.to[0] for one in sink.got) == [
        f"{name}@post.example" for name in ("anna", "ben", "cleo", "dora")
    ]
    with street.office(write=False) as s:
        codes = {one.code for one in queries.pieces(s, mailing)}
        assert len(set(s.scalars(sa.select(EmailPiece.id)))) == 1
    data = next(one for one in sink.got if one.to == ["anna@post.example"]).data.decode()
    assert "Subject: Anna, it is spring" in data and "you bought 0" in data
    assert re.search(r"code ([0-9A-Z]{10}),", data)[1] in codes
    token = re.search(r"List-Unsubscribe: <[^>]*/u/([^>]+)>", data.replace("\r\n ", ""))[1]
    opened = stopping.open_stop(street.house.tenancy, street.house.mail.tokens, token)
    with street.house.tenancy.session(opened.scope, write=True) as s:
        assert stopping.one_click(s, opened.stop)
    again = go(street)
    street.work()
    assert told_of(street, again) == {"opted_out": 1, "frequency": 3}


def told_of(street: Any, mailing: UUID) -> dict[str, int]:
    with street.office(write=False) as s:
        return {one.reason: one.people for one in queries.waterfall(s, mailing).steps}


def test_what_does_not_arrive_is_counted_as_that(street, sink, people):
    refusals = {"anna": "550 5.1.1 no such user", "ben": "554 5.7.1 no", "cleo": "451 later"}

    def answer(stage: str, argument: str) -> str | None:
        return refusals.get(argument.partition("@")[0]) if stage == "RCPT" else None

    sink.answer = answer
    mailing = go(street)
    street.work()
    assert told(street, mailing) == ("running", Counter({"sent": 2, "failed": 2}))
    with street.office(write=False) as s:
        found = {one.customer_id: one.reason for one in queries.pieces(s, mailing)}
    assert [found[one] for one in people] == ["bounced", "refused", None, None]
    with street.till() as s:  # while it waits to be tried again
        service.refuse_all(s, people[2], method="phone")
    with time_machine.travel(now() + timedelta(minutes=10), tick=True):
        street.work()
        expected = {"sent": 1, "failed": 2, "opted_out late": 1}
        assert told(street, mailing) == ("finished", Counter(expected))
    with street.office() as s:
        dora = s.scalar(sa.select(EmailMessage.id).where(EmailMessage.customer_id == people[3]))
        tag = street.house.mail.tokens.tag(s.brand_id, dora)
    report = (
        f"To: back+{tag}@bounce.example\r\nContent-Type: multipart/report;"
        ' report-type=delivery-status; boundary="b"\r\n\r\n--b\r\n'
        "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
        "Final-Recipient: rfc822; d@post.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        "--b--\r\n"
    )
    outcome = Outcome()
    bounces.take(street.house.tenancy, street.house.mail.tokens, report.encode(), outcome)
    assert outcome.hard == 1
    expected = {"sent": 1, "returned": 1, "failed": 2, "opted_out late": 1}
    assert told(street, mailing)[1] == Counter(expected)


def test_who_changes_their_mind_or_their_address_meanwhile_gets_nothing(street, sink, people):
    mailing = go(street)
    with street.office() as s:
        assert releasing.go_on(s, mailing) == 0  # all are in the outbox
    with street.till() as s:
        suppressions.suppress(s, people[0], reason="deceased", source="console")
        customers.add_identity(s, people[1], "email", "new@post.example")
    with street.office() as s:
        leaving.erase(s, people[2], reason="asked")
    assert told(street, mailing)[0] == "running"
    street.work()
    expected = {"sent": 1, "deceased late": 1, "new_address late": 1, "erased late": 1}
    assert told(street, mailing) == ("finished", Counter(expected))
    assert [one.to for one in sink.got] == [["dora@post.example"]]


def test_in_quiet_hours_and_after_the_last_moment_nothing_leaves(street, sink, people):
    mailing = go(street, not_after=now() + timedelta(minutes=30))
    with pytest.MonkeyPatch.context() as quiet:
        quiet.setattr(gate, "is_quiet", lambda *_given: True)
        street.work()
        assert told(street, mailing) == ("running", Counter({"ready": 4})) and sink.got == []
    with street.office() as s:
        releasing.go_on(s, mailing)
    assert told(street, mailing) == ("running", Counter({"sent": 4})) and sink.got == []
    with time_machine.travel(now() + timedelta(hours=1), tick=True):
        street.work()
        assert told(street, mailing) == ("finished", Counter({"too_late late": 4}))
    assert sink.got == []


def test_pause_and_stop_reach_into_the_outbox(street, sink, people, monkeypatch):
    monkeypatch.setattr(by_email.Email, "chunk", 3)
    mailing = go(street)
    with street.office() as s:
        assert releasing.go_on(s, mailing) == 1
        releasing.pause(s, mailing)
    assert told(street, mailing) == ("paused", Counter({"ready": 4}))
    street.work()
    assert sink.got == []
    with street.office() as s:
        releasing.resume(s, mailing)
        releasing.go_on(s, mailing)
    put_off: list[str] = []

    def stop_while_one_is_sent(stage: str, argument: str) -> str | None:
        if stage != "RCPT" or put_off:
            return None
        put_off.append(argument)
        with street.office() as s:
            releasing.stop(s, mailing)
        return "451 later"

    sink.answer = stop_while_one_is_sent
    street.work()
    sent = len(sink.got)
    with time_machine.travel(now() + timedelta(minutes=10), tick=True):
        street.work()
        assert told(street, mailing) == (
            "stopped",
            +Counter({"sent": sent, "stopped late": 4 - sent}),
        )
    assert len(sink.got) == sent < 4, "what was put off is not tried again"


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"text": "Hello"}, "subject"),
        ({"subject": "Spring"}, "text"),
        ({"subject": "Spring", "text": "{{ nothing.there }}"}, "text"),
        ({"subject": "{{ points_club.balanc }}", "text": "x"}, "subject"),
        ({"subject": "Spring", "html": "<p>{% raw %}</p>"}, "html"),
        ({"subject": "Spring", "text": 7}, "text"),
        ({"subject": "Spring", "text": "x", "template": "t"}, "template"),
    ],
    ids=str,
)
def test_what_cant_be_sent_is_refused_before_anybody_is_selected(street, people, content, field):
    with street.office() as s:
        mailing = plan(s, content=content)
        with pytest.raises(Invalid) as refused:
            drafting.select(s, mailing)
        assert list(refused.value.fields) == [field]


def test_nothing_is_planned_to_leave_where_no_mail_can(street, people, monkeypatch):
    with street.office() as s:
        mailing = plan(s)
        monkeypatch.setattr(senders, "current", lambda _s: None)
        with pytest.raises(Conflict, match="in whose name"):
            drafting.select(s, mailing)
