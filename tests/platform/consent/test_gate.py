"""The gate gives each person the first reason that holds, alone as in a crowd."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from highstreet.addresses import service as addresses
from highstreet.addresses.facts import AddressIn
from highstreet.consent import contacts, gate, laying_down, service, suppressions
from highstreet.consent.gate import Asking
from highstreet.customers import merging
from highstreet.customers import service as customers
from highstreet.customers.models import Customer
from highstreet_tenants.errors import Forbidden, Invalid, NotFound
from rooms_given import Floor

NOW = datetime.now(UTC)
POST = Asking("marketing", "post")
MAIL = Asking("marketing", "email")


def member(s: Any, name: str, *, yes: str = "post email", **given: Any) -> UUID:
    who = customers.enrol(s, name=name, **given).id
    for channel in yes.split():
        service.record(
            s,
            who,
            purpose="marketing",
            channel=channel,
            status="given",
            wording="Yes",
            method="till",
            at=NOW - timedelta(days=9),
        )
    return who


def lives(s: Any, who: UUID, street: str = "1 High Street") -> None:
    addresses.put(
        s,
        who,
        AddressIn(country="GB", street=street, city="Leeds", postal_code="LS1 4DY"),
    )


def everybody(s: Any) -> Any:
    return sa.select(Customer.id).where(Customer.status == "active", *s.scope.owns(Customer))


def told(s: Any, asking: Asking = POST) -> dict[str, str | None]:
    rows = s.execute(gate.answers(s, everybody(s), asking)).all()
    names = dict(s.execute(sa.select(Customer.id, Customer.name)).all())
    assert len({row.customer_id for row in rows}) == len(rows)
    for row in rows:
        one = gate.may_contact(s, row.customer_id, asking)
        assert one.allowed is (row.reason is None), "alone as in the crowd"
        assert row.reason is None or one.reason == str(gate.WORDS[row.reason])
    return {names[row.customer_id]: row.reason for row in rows}


def test_each_gets_the_first_reason_that_holds(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        people = {
            name: member(s, name, email=f"{name.lower()}@example.com")
            for name in ("Ann", "Bo", "Cy", "Di", "Ed", "Fay", "Gus")
        }
        for name in ("Ann", "Cy", "Di", "Ed", "Fay", "Gus"):
            lives(s, people[name])
        member(s, "Never", yes="")
        service.refuse_all(s, people["Cy"], method="phone")
        for name, reason in (
            ("Di", "deceased"),
            ("Ed", "do_not_mail"),
            ("Fay", "gone_away"),
            ("Gus", "do_not_contact"),
            ("Cy", "gone_away"),
        ):
            suppressions.suppress(s, people[name], reason=reason, source="console")
        assert told(s) == {
            "Ann": None,
            "Bo": "unreachable",
            "Cy": "opted_out",
            "Di": "deceased",
            "Ed": "do_not_mail",
            "Fay": "gone_away",
            "Gus": "do_not_contact",
            "Never": "not_agreed",
        }
        assert told(s, MAIL) == {
            "Ann": None,
            "Bo": None,
            "Cy": "opted_out",
            "Di": "deceased",
            "Ed": None,
            "Fay": None,
            "Gus": "do_not_contact",
            "Never": "not_agreed",
        }
        assert told(s, Asking("news", "email"))["Ann"] == "not_agreed"
        (standing,) = suppressions.of_customer(s, people["Di"])
        suppressions.lift(s, standing.id)
        assert told(s)["Di"] is None
        with pytest.raises(NotFound):
            suppressions.lift(s, standing.id)


def test_what_holds_for_an_address_ends_with_it(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        ann = member(s, "Ann", email="old@example.com")
        lives(s, ann)
        home = s.execute(gate.answers(s, everybody(s), POST)).one().reached_at
        suppressions.suppress(s, ann, reason="returned", source="piece", address_id=UUID(home))
        suppressions.suppress(s, ann, reason="bounced", source="bounce", address="old@example.com")
        assert told(s) == {"Ann": "returned"} and told(s, MAIL) == {"Ann": "bounced"}
        lives(s, ann, "9 Low Road")
        customers.add_identity(s, ann, "email", "new@example.com")
        assert told(s) == {"Ann": None} and told(s, MAIL) == {"Ann": None}


def test_a_cap_counts_what_anybody_of_the_brand_sent(floor: Floor) -> None:
    club = floor.club
    with floor.till(club) as s:
        ann, bo = member(s, "Ann", email="a@x.com"), member(s, "Bo", email="b@x.com")
    with floor.office(club) as s:
        cap = laying_down.lay_down(s, "cap", "*", most=2, days=30)
        contacts.note(
            s, [ann], channel="post", purpose="marketing", used_for="mailing:a",
            at=NOW - timedelta(days=29),
        )  # fmt: skip
        assert told(s, MAIL) == {"Ann": None, "Bo": None}
    with floor.till(club, 1) as s:
        for _turn in range(3):  # a killed job does it again
            contacts.note(
                s, [ann, bo], channel="email", purpose="marketing", used_for="mailing:b",
                at=NOW - timedelta(days=1),
            )  # fmt: skip
    with floor.till(club) as s:
        assert told(s, MAIL) == {"Ann": "frequency", "Bo": None}
        its_own = Asking("marketing", "email", used_for="mailing:b")
        assert told(s, its_own)["Ann"] is None, "a mailing is not in its own way"
        later = Asking("marketing", "email", at=NOW + timedelta(days=2))
        assert told(s, later)["Ann"] is None
        with pytest.raises(Forbidden):
            laying_down.withdraw(s, cap.id)
    with floor.office(club) as s:
        laying_down.lay_down(s, "cap", "email", most=1, days=7, place_id=club.stores[1].id)
    with floor.till(club, 1) as s:
        assert told(s, MAIL) == {"Ann": "frequency", "Bo": "frequency"}, "narrower in one store"
    with floor.till(club) as s:
        assert told(s, MAIL)["Bo"] is None
    with floor.office(club) as s:
        region = laying_down.lay_down(s, "cap", "*", most=0, days=1, region_id=club.region_id)
    with floor.till(club) as s:
        assert told(s, MAIL) == {"Ann": "frequency", "Bo": "frequency"}, "none in the region"
    with floor.office(club) as s:
        laying_down.withdraw(s, region.id)
        assert told(s, MAIL)["Bo"] is None


def test_post_may_need_no_yes_but_a_no_holds(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        ann, bo = member(s, "Ann", yes=""), member(s, "Bo", yes="")
        lives(s, ann), lives(s, bo)
        service.refuse_all(s, bo, method="phone")
        assert told(s) == {"Ann": "not_agreed", "Bo": "opted_out"}
    with floor.office(floor.club) as s:
        laying_down.lay_down(s, "basis", "post")
        assert told(s) == {"Ann": None, "Bo": "opted_out"}
        assert told(s, MAIL)["Ann"] == "not_agreed"
        with pytest.raises(Invalid):
            laying_down.lay_down(s, "basis", "post", place_id=floor.club.stores[0].id)


def test_a_service_message_needs_no_yes(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        member(s, "Ann", yes="", email="a@x.com")
        bo = member(s, "Bo", yes="", email="b@x.com")
        service.refuse_all(s, bo, method="phone")
        assert told(s, Asking("service", "email")) == {"Ann": None, "Bo": "opted_out"}


def test_quiet_hours_are_those_of_the_place(floor: Floor) -> None:
    with floor.office(floor.club) as s:
        laying_down.lay_down(s, "quiet", "*", starts=21 * 60, ends=8 * 60)
        laying_down.lay_down(s, "quiet", "sms", starts=12 * 60, ends=13 * 60)
    with floor.till(floor.club) as s:
        zone = gate.places.place(s, s.store_id).zone
        from zoneinfo import ZoneInfo

        def at(hour: int, minute: int = 0) -> datetime:
            return datetime(2026, 7, 1, hour, minute, tzinfo=ZoneInfo(zone))

        quiet = [hour for hour in range(24) if gate.is_quiet(s, "email", at(hour))]
        assert quiet == [*range(8), 21, 22, 23]
        assert gate.is_quiet(s, "sms", at(12, 30)) and not gate.is_quiet(s, "sms", at(13))
        who = member(s, "Ann", email="a@x.com")
        asking = Asking("marketing", "email", at=at(22))
        assert "hour" in gate.may_contact(s, who, asking).reason


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "none", "channel": "email"},
        {"kind": "cap", "channel": "owl", "most": 1, "days": 1},
        {"kind": "cap", "channel": "*", "most": -1, "days": 1},
        {"kind": "cap", "channel": "*", "most": 1, "days": 0},
        {"kind": "quiet", "channel": "*", "starts": 5, "ends": 5},
        {"kind": "quiet", "channel": "*", "starts": 5, "ends": 1440},
        {"kind": "basis", "channel": "*"},
    ],
    ids=str,
)
def test_a_rule_that_says_nothing_is_refused(floor: Floor, given: dict[str, Any]) -> None:
    with floor.office(floor.club) as s, pytest.raises(Invalid):
        laying_down.lay_down(s, **given)


def test_merged_records_are_one_person_and_parted_both_stay_suppressed(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        ann = member(s, "Ann", email="a@x.com")
        old = member(s, "Old Ann")
        suppressions.suppress(s, old, reason="do_not_contact", source="console")
        merging.merge(s, ann, old)
        assert told(s, MAIL) == {"Ann": "do_not_contact"}
        from highstreet.customers import unmerging

        unmerging.unmerge(s, old)
        assert told(s, MAIL) == {"Ann": "do_not_contact", "Old Ann": "do_not_contact"}


def test_stores_that_own_their_customers_have_gates_of_their_own(floor: Floor) -> None:
    with floor.till(floor.shops) as s:
        ann = member(s, "Ann", email="a@x.com")
        suppressions.suppress(s, ann, reason="do_not_contact", source="console")
        assert told(s, MAIL) == {"Ann": "do_not_contact"}
    with floor.till(floor.shops, 1) as s:
        member(s, "Ann", email="a@x.com")
        assert told(s, MAIL) == {"Ann": None}
        assert gate.may_contact(s, ann, MAIL).reason == str(gate.WORDS["not_a_customer"])
    with floor.operator(floor.shops) as s:
        assert not gate.may_contact(s, ann, MAIL), "the store's suppression"
        bo = customers.enrol(s, name="Bo", email="b@x.com", store_id=floor.shops.stores[0].id).id
        for controller, may in (("brand", False), (floor.shops.stores[0].owner_id, True)):
            service.record(
                s,
                bo,
                purpose="marketing",
                channel="email",
                status="given",
                wording="Yes",
                method="till",
                controller=controller,
            )
            assert gate.may_contact(s, bo, MAIL).allowed is may, "a yes to the store's owner"


def test_many_are_suppressed_at_once_and_once(floor: Floor) -> None:
    random = Random(3)
    with floor.till(floor.club) as s:
        people = [member(s, f"P{number}") for number in range(40)]
        for who in people:
            lives(s, who)
        listed = random.sample(people, 15)
        assert suppressions.suppress_many(s, listed, reason="do_not_mail", source="import") == 15
        assert suppressions.suppress_many(
            s, people[:20], reason="do_not_mail", source="import"
        ) == len(set(people[:20]) - set(listed))
        wanted = {*people[:20], *listed}
        assert sum(reason == "do_not_mail" for reason in told(s).values()) == len(wanted)
        with pytest.raises(Invalid):
            suppressions.suppress_many(s, people, reason="ugly", source="import")
