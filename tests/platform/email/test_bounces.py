"""Mail that came back and complaints: believed by their tag alone, each counted once."""

from email import message_from_bytes, policy

import pytest
import sqlalchemy as sa

from highstreet.consent import queries as consent
from highstreet.email import bounces
from highstreet.email.bounces import Outcome
from highstreet.email.models import EmailMessage, EmailReport

DSN = """\
From: MAILER-DAEMON@mx.example
To: {path}
Subject: Undelivered
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain

{number} It failed.
--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; anna@post.example
Action: {action}
Status: {status}

--B--
"""
ARF = """\
From: fbl@provider.example
To: abuse@harbour.example
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="B"

--B
Content-Type: text/plain

Somebody complained.
--B
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: provider/1
Version: 1

--B
Content-Type: message/rfc822

{original}
--B--
"""


@pytest.fixture
def got(street, sink):
    """One message that went out."""
    street.sign()
    street.anna = street.member()
    assert street.send(street.anna)
    street.work()
    return sink.got[0]


def take(street, *texts: str) -> Outcome:
    found = Outcome()
    for text in texts:
        raw = text.replace("\n", "\r\n").encode()
        bounces.take(street.house.tenancy, street.house.mail.tokens, raw, found)
    return found


def dsn(path: str, status: str = "5.1.1", action: str = "failed", number: int = 1) -> str:
    return DSN.format(path=path, status=status, action=action, number=number)


def reports(street) -> list[tuple[str, str]]:
    with street.office(write=False) as s:
        return [(one.kind, one.code) for one in s.scalars(sa.select(EmailReport))]


def state(street) -> str:
    with street.office(write=False) as s:
        return s.scalars(sa.select(EmailMessage.state)).one()


def test_a_dead_address_gets_nothing_more(street, got):
    assert take(street, dsn(got.sender)) == Outcome(hard=1)
    assert state(street) == "bounced"
    assert street.send(street.anna).reason == "Mail to this address came back for good."
    assert take(street, dsn(got.sender)) == Outcome(seen=1), "the same report counts once"
    assert reports(street) == [("hard", "5.1.1")]


@pytest.mark.parametrize(
    ("status", "action"), [("4.2.2", "delayed"), ("5.2.2", "failed"), ("5.7.1", "failed")]
)
def test_what_is_for_now_is_counted_and_stops_nothing(street, got, status, action):
    first = dsn(got.sender, status, action)
    second = dsn(got.sender, status, action, number=2)
    assert take(street, first, second, first) == Outcome(soft=2, seen=1)
    assert state(street) == "sent"
    assert street.send(street.anna)


def test_a_tag_that_is_not_ours_says_nothing(street, got):
    local, _at, domain = got.sender.partition("@")
    other = local[:-1] + ("a" if local[-1] != "a" else "b")
    forged = [
        f"{other}@{domain}",
        "anna@post.example",
        f"back+{'a' * 42}@{domain}",
        f"back+{'7' * 42}@{domain}",
    ]
    assert take(street, *(dsn(one) for one in forged)) == Outcome(strange=len(forged))
    assert state(street) == "sent"


def test_a_tag_is_of_one_brand_alone(street, got):
    tokens = street.house.mail.tokens
    with street.office(write=False) as s:
        message_id = s.scalars(sa.select(EmailMessage.id)).one()
    foreign = tokens.tag(street.shops.id, message_id)
    assert take(street, dsn(f"back+{foreign}@bounce.example")) in (
        Outcome(strange=1),
        Outcome(seen=1),
    )
    assert state(street) == "sent"
    assert reports(street) == []


def test_case_is_no_matter(street, got):
    assert take(street, dsn(got.sender.upper())) == Outcome(hard=1)


def test_a_complaint_takes_consent_back(street, got):
    original = got.data.decode().replace("\r\n", "\n")
    arf = ARF.format(original=original)
    assert take(street, arf, arf) == Outcome(complaints=1, seen=1)
    with street.office(write=False) as s:
        assert not consent.may_contact(s, street.anna, "marketing", "email")
        [said] = [one for one in consent.state(s, street.anna) if one.status == "withdrawn"]
    assert said.method == "complaint"
    assert reports(street) == [("complaint", "")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "Subject: out of office\n\nBack on Monday",
        "\x00" * 100,
        "Content-Type: multipart/report\n\n--",
    ],
)
def test_what_is_no_report_is_left(street, got, text):
    assert take(street, text + f"\n{got.sender}") == Outcome(strange=1)


def test_reports_are_read_as_their_makers_write_them():
    """A postfix bounce without machine-readable part, as flufl.bounce knows it."""
    text = (
        "From: MAILER-DAEMON@mx.example\nSubject: Undelivered Mail Returned to Sender\n"
        'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n--b\n'
        "Content-Description: Notification\nContent-Type: text/plain\n\n"
        "I could not deliver your message.\n\n                   The Postfix program\n\n"
        "<anna@post.example>: unknown user\n\n--b--\n"
    )
    report = bounces.read(message_from_bytes(text.encode(), policy=policy.default))
    assert report is not None and report.kind == "hard"
