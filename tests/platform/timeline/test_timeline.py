"""One story per customer, told by every tool, in the reader's language."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from highstreet.customers import service as customers
from highstreet.i18n import lazy_gettext as _l
from highstreet.timeline import queries, service
from highstreet.timeline.service import EntryIn
from highstreet.timeline.words import say
from highstreet_tenants.errors import Invalid, NotFound
from rooms_given import Floor

NOW = datetime.now(UTC)


def test_pages_follow_one_another_without_gap_or_repeat(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        ana = customers.enrol(s, name="Ana", at=NOW - timedelta(days=100))
        old = customers.enrol(s, name="Old", at=NOW - timedelta(days=100))
        other = customers.enrol(s, name="Other")
        for n in range(60):
            who = (ana, old)[n % 2]
            # Ten entries share each moment: the cursor must not lose any.
            service.write(
                s, who.id, "visit", f"Visit {n}", occurred_at=NOW - timedelta(days=n // 10)
            )
        service.write(s, other.id, "visit", "Not hers", occurred_at=NOW)
        customers.merge(s, ana.id, old.id)
    seen = []
    cursor = None
    with floor.till(floor.club, write=False) as s:
        while True:
            page = queries.read(s, old.id, cursor, 7)
            seen += page.entries
            cursor = page.cursor
            if cursor is None:
                break
            assert len(page.entries) == 7
    assert len(seen) == len({e.id for e in seen}) == 63
    assert {e.title for e in seen} == {f"Visit {n}" for n in range(60)} | {
        "Joined",
        "Two records of this customer were merged",
    }
    assert [e.occurred_at for e in seen] == sorted((e.occurred_at for e in seen), reverse=True)


def test_a_store_s_entry_is_its_own_and_the_club_s_is_everybody_s(floor: Floor) -> None:
    with floor.till(floor.club, 0) as s:
        ana = customers.enrol(s, name="Ana")
        service.write(s, ana.id, "visit", "Asked for brakes", occurred_at=NOW)
        service.write(s, ana.id, "tier", "Reached gold", occurred_at=NOW, store_id=None)
    with floor.till(floor.club, 1, write=False) as s:
        assert {e.title for e in queries.read(s, ana.id).entries} == {"Joined", "Reached gold"}
    with floor.office(floor.club, write=False) as s:
        assert len(queries.read(s, ana.id).entries) == 3


def test_where_stores_own_customers_the_story_is_the_store_s(floor: Floor) -> None:
    with floor.till(floor.shops, 0) as s:
        ana = customers.enrol(s, name="Ana")
        service.write(s, ana.id, "tier", "Reached gold", occurred_at=NOW, store_id=None)
    with floor.operator(floor.shops) as s:
        service.write(s, ana.id, "note", "From the office", occurred_at=NOW)
        assert {e.store_id for e in queries.read(s, ana.id).entries} == {floor.shops.stores[0].id}
    for session in (floor.till(floor.shops, 1), floor.till(floor.club)):
        with session as s:
            with pytest.raises(NotFound):
                queries.read(s, ana.id)
            with pytest.raises(NotFound):
                service.write(s, ana.id, "visit", "x", occurred_at=NOW)


def test_many_are_written_at_once(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        ana = customers.enrol(s, name="Ana")
        ref = uuid4()
        entries = [
            EntryIn(
                ana.id,
                "points",
                _l("%(points)s points earned"),
                NOW - timedelta(minutes=n),
                None,
                {"points": 1000 + n},
                "points_club",
                ref,
            )
            for n in range(1500)
        ]
        assert service.write_many(s, entries) == 1500
        assert service.write_many(s, []) == 0
        page = queries.read(s, ana.id, limit=3)
        newest = next(e for e in page.entries if e.kind == "points")
        assert newest.title == "1,000 points earned"
        assert (newest.source, newest.ref_id) == ("points_club", ref)


def test_titles_are_filled_with_money_days_and_numbers() -> None:
    data = {"amount": {"minor": 1240, "currency": "GBP"}, "on": {"date": "2026-05-31"}, "n": 1234}
    assert say("%(amount)s on %(on)s, %(n)s", data, "en_GB") == "£12.40 on 31 May 2026, 1,234"
    assert say("100% wool", {}) == "100% wool"
    assert say("%(missing)s", {}) == "%(missing)s"
    assert say("%(n)q", {"n": 1}) == "%(n)q"


def test_bad_entries_and_cursors_are_refused(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        ana = customers.enrol(s, name="Ana")
        for kind, title in (("Bad Kind", "x"), ("visit", ""), ("visit", "x" * 301)):
            with pytest.raises(Invalid):
                service.write(s, ana.id, kind, title, occurred_at=NOW)
        with pytest.raises(Invalid):
            service.write(s, ana.id, "visit", "x", occurred_at=datetime(2026, 1, 1))
        with pytest.raises(Invalid):
            service.write(
                s, ana.id, "pay", "x", occurred_at=NOW, data={"c": "4111111111111111"}, source="pay"
            )
        with pytest.raises(NotFound):
            service.write(s, uuid4(), "visit", "x", occurred_at=NOW)
        for cursor in ("x", "e30", "W10", "'; drop", "WyIyMDI2LTAxLTAxIiwgIngiXQ"):
            with pytest.raises(Invalid):
                queries.read(s, ana.id, cursor)
