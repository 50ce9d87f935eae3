"""Nobody is contacted who did not agree; each word given or taken back is kept as it was."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from highstreet.consent import queries, service
from highstreet.consent.facts import ConsentState
from highstreet.customers import service as customers
from highstreet.customers.facts import CustomerFact
from highstreet.timeline import queries as timeline
from highstreet_tenants import append_only
from highstreet_tenants.errors import Invalid, NotFound
from highstreet_tenants.scopes import Actor
from highstreet_tenants.sessions import ScopedSession
from rooms_given import Floor

NOW = datetime.now(UTC)


def say(s: ScopedSession, who: CustomerFact, status: str = "given", **other: Any) -> ConsentState:
    given: dict[str, Any] = {
        "purpose": "marketing",
        "channel": "email",
        "wording": "May we write to you?",
        "method": "till",
        **other,
    }
    return service.record(s, who.id, status=status, **given)  # type: ignore[arg-type]


def test_without_a_word_the_answer_is_no(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        ana = customers.enrol(s, name="Ana", email="ana@example.com")
        ben = customers.enrol(s, name="Ben")
        say(s, ben)
        answer = queries.may_contact(s, ana.id, "marketing", "email")
        assert not answer and "never" in answer.reason
        assert queries.may_contact(s, ben.id, "marketing", "email")
        for purpose, channel in (("marketing", "sms"), ("magazine", "email")):
            assert not queries.may_contact(s, ben.id, purpose, channel)


def test_the_last_word_counts_by_when_it_was_said(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        ana = customers.enrol(s, name="Ana")
        say(s, ana, at=NOW - timedelta(days=10))
        say(s, ana, "withdrawn", at=NOW - timedelta(days=5))
        assert not queries.may_contact(s, ana.id, "marketing", "email")
        # An older yes that arrives late changes nothing.
        say(s, ana, at=NOW - timedelta(days=7))
        assert not queries.may_contact(s, ana.id, "marketing", "email")
        say(s, ana, at=NOW - timedelta(days=1))
        assert queries.may_contact(s, ana.id, "marketing", "email")
        # At one and the same moment the refusal is believed, in whichever order they came.
        say(s, ana, "withdrawn", at=NOW)
        say(s, ana, at=NOW)
        answer = queries.may_contact(s, ana.id, "marketing", "email")
        assert not answer and "refused" in answer.reason


def test_stop_everything_stops_everything_until_a_new_yes(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        ana = customers.enrol(s, name="Ana")
        for channel in ("email", "post"):
            say(s, ana, channel=channel, at=NOW - timedelta(days=2))
        say(s, ana, "withdrawn", channel="*", at=NOW - timedelta(days=1))
        assert not queries.may_contact(s, ana.id, "marketing", "post")
        say(s, ana, channel="post", at=NOW)
        assert queries.may_contact(s, ana.id, "marketing", "post")
        assert not queries.may_contact(s, ana.id, "marketing", "email")
        service.refuse_all(s, ana.id, method="phone")
        assert not queries.may_contact(s, ana.id, "marketing", "post")


def test_brand_and_franchisee_are_asked_for_apart(floor: Floor) -> None:
    shop = floor.shops.stores[0]
    with floor.till(floor.shops) as s:
        ana = customers.enrol(s, name="Ana")
        assert say(s, ana).owner_id == shop.owner_id  # the store's own legal entity
        assert queries.may_contact(s, ana.id, "marketing", "email")
        assert not queries.may_contact(s, ana.id, "marketing", "email", controller="brand")
        say(s, ana, controller="brand")
        say(s, ana, "withdrawn")
        assert queries.may_contact(s, ana.id, "marketing", "email", controller="brand")
        assert not queries.may_contact(s, ana.id, "marketing", "email", controller=shop.owner_id)
        with pytest.raises(NotFound):
            say(s, ana, controller=floor.club.stores[0].owner_id)
    with floor.till(floor.club) as s:
        bea = customers.enrol(s, name="Bea")
        assert say(s, bea).owner_id is None  # the club is the brand's


def test_words_method_and_evidence_are_kept(floor: Floor) -> None:
    dana = Actor("user", None, "Dana")
    with floor.till(floor.club, actor=dana) as s:
        ana = customers.enrol(s, name="Ana")
        say(s, ana, evidence="form 12, signed", version="2026-05")
        say(s, ana, channel="post", version="2026-05")
        first, second = queries.state(s, ana.id)
        assert first.wording == second.wording == "May we write to you?"
        assert first.version == "2026-05" and first.method == "till"
        say(s, ana, channel="sms", wording="Other words")
        assert len({c.version for c in queries.state(s, ana.id)}) == 2
        titles = [e.title for e in timeline.read(s, ana.id).entries]
        assert "Agreed to marketing by post" in titles
    with floor.database.owner.connect() as connection:
        words = connection.execute(sa.text("SELECT count(*) FROM core_consent_wording")).scalar()
        proofs = connection.execute(sa.text("SELECT evidence FROM core_consent_evidence")).all()
        actors = connection.execute(
            sa.text("SELECT DISTINCT actor_kind FROM core_consent_event")
        ).all()
    assert words == 2  # the same words are one row
    assert proofs == [("form 12, signed",)] and actors == [("user",)]


@pytest.mark.parametrize(
    "other",
    [
        {"status": "maybe"},
        {"channel": "pigeon"},
        {"purpose": "Sell Me!"},
        {"purpose": "*"},
        {"channel": "*"},
        {"wording": ""},
        {"wording": "x\x00"},
        {"method": ""},
        {"at": datetime(2026, 1, 1)},
        {"at": NOW + timedelta(days=3)},
        {"evidence": "card 4111 1111 1111 1111"},
    ],
)
def test_bad_input_is_refused(floor: Floor, other: dict[str, Any]) -> None:
    with floor.till(floor.club) as s:
        ana = customers.enrol(s, name="Ana")
        with pytest.raises(Invalid):
            say(s, ana, **{"status": "given", **other})
        assert queries.state(s, ana.id) == []


def test_the_database_itself_refuses_to_change_or_delete_an_event(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        ana = customers.enrol(s, name="Ana")
        say(s, ana, "withdrawn", wording="")
    for sql in (
        "UPDATE core_consent_event SET status = 'given'",
        "DELETE FROM core_consent_event",
        "TRUNCATE core_consent_event CASCADE",
    ):
        if sql.startswith("TRUNCATE") and floor.database.kind == "sqlite":
            continue
        with (
            pytest.raises(sa.exc.DBAPIError, match="append-only"),
            floor.database.owner.begin() as connection,
        ):
            connection.exec_driver_sql(sql)
    with floor.till(floor.club, write=False) as s:
        assert [c.status for c in queries.state(s, ana.id)] == ["withdrawn"]


def test_the_triggers_can_be_made_again_after_a_migration(floor: Floor) -> None:
    assert "core_consent_event" in append_only.registered()
    with floor.database.owner.begin() as connection:
        append_only.apply(connection)
        append_only.apply(connection)


def test_other_stores_customers_are_out_of_reach(floor: Floor) -> None:
    with floor.till(floor.shops, 0) as s:
        ana = customers.enrol(s, name="Ana")
        say(s, ana)
    for session in (
        floor.till(floor.shops, 1),
        floor.till(floor.club),
        floor.office(floor.shops),
    ):
        with session as s:
            assert not queries.may_contact(s, ana.id, "marketing", "email")
            with pytest.raises(NotFound):
                queries.state(s, ana.id)
            with pytest.raises(NotFound):
                say(s, ana)
