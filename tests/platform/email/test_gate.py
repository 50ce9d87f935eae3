"""Mail passes the same gate as everything else: when it is queued, and when it goes out."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from highstreet.consent import gate, laying_down, suppressions
from highstreet.consent.models import Contact
from highstreet.customers import service as customers
from highstreet.email.models import EmailMessage
from highstreet_tenants.clock import now


def states(street, brand=None):
    with street.office(brand=brand, write=False) as s:
        return sorted(s.scalars(sa.select(EmailMessage.state)))


@pytest.mark.parametrize("reason", ["deceased", "do_not_contact", "complained"])
@pytest.mark.parametrize("purpose", ["marketing", "service"])
def test_whoever_must_not_be_contacted_gets_nothing(street, sink, reason, purpose):
    street.sign()
    anna, ben = street.member("Anna"), street.member("Ben")
    with street.till() as s:
        suppressions.suppress(s, anna, reason=reason, source="console")
    assert street.send(anna, purpose=purpose).reason == str(gate.WORDS[reason])
    assert street.send(ben, purpose=purpose)
    with street.till() as s:  # after it was queued
        suppressions.suppress(s, ben, reason=reason, source="console")
    street.work()
    assert states(street) == ["stopped"] and sink.got == []


def test_what_goes_to_many_is_asked_at_once_and_each_by_their_own(street, sink):
    street.sign()
    people = [street.member(f"M{number}") for number in range(6)]
    for number, who in enumerate(people):
        assert street.send(who, purpose="marketing" if number % 2 else "service")
    with street.till() as s:
        suppressions.suppress(s, people[0], reason="deceased", source="console")
        suppressions.suppress(s, people[1], reason="deceased", source="console")
        customers.remove_identity(s, people[2], "email", "m2@post.example")
    street.work()
    assert states(street) == ["sent"] * 3 + ["stopped"] * 3 and len(sink.got) == 3


def test_mail_counts_against_the_caps_but_for_what_is_their_own(street, sink):
    street.sign()
    anna = street.member()
    with street.office() as s:
        laying_down.lay_down(s, "cap", "*", most=1, days=30)
    assert street.send(anna, purpose="service", key="a")
    assert street.send(anna, key="b")
    street.work()
    with street.till() as s:
        (one,) = s.scalars(sa.select(Contact))
        assert (one.purpose, one.channel) == ("marketing", "email")
    assert street.send(anna, key="c").reason == str(gate.WORDS["frequency"])
    assert street.send(anna, purpose="service", key="d")


def test_in_quiet_hours_mail_waits(street, sink):
    street.sign()
    anna = street.member()
    with pytest.MonkeyPatch.context() as quiet:
        quiet.setattr(gate, "is_quiet", lambda *_given: True)
        assert street.send(anna)
        street.work()
        assert states(street) == ["queued"] and sink.got == []
    street.work()
    assert sink.got == [], "it is looked at again in ten minutes"
    with time_machine.travel(now() + timedelta(minutes=11), tick=True):
        street.work()
    assert states(street) == ["sent"] and len(sink.got) == 1
