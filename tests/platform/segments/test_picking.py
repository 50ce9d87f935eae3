"""A rule picks whom it means, on both databases, in a store and in head office."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from highstreet.consent import service as consent
from highstreet.customers import fields, merging
from highstreet.customers import service as customers
from highstreet.purchases import service as purchases
from highstreet.purchases.facts import LineIn, PurchaseIn, ReturnIn
from highstreet.segments import queries, service
from highstreet.segments.rules import (
    All,
    Bought,
    Consented,
    Field,
    InSegment,
    Not,
    OneOf,
    People,
    Rule,
)
from highstreet_tenants.errors import Conflict, Forbidden, Invalid, NotFound
from rooms_given import Floor

NOW = datetime.now(UTC).replace(microsecond=0)


def buy(s: Any, who: UUID, ref: str, total: int, *, days: int = 0, department: str = "Oil") -> None:
    lines = (LineIn(1, "P1", department, 1, total),)
    at = NOW - timedelta(days=days)
    purchases.record(s, PurchaseIn(s.store_id, ref, at, total, "GBP", who, lines))


def names(s: Any, rule: Rule) -> list[str]:
    found = s.scalars(queries.ids(s, _as_fact(rule))).all()
    told = sorted(customers_by_id(s, found))
    assert queries.count(s, rule) == len(told)
    return told


def customers_by_id(s: Any, ids: Any) -> list[str]:
    from highstreet.customers import anchors

    return list(anchors.names(s, ids).values())


def _as_fact(rule: Rule) -> Any:
    from highstreet.segments.facts import SegmentFact

    return SegmentFact(uuid4(), None, "", "", rule, "", None, "", NOW, False)


@pytest.fixture
def club(floor: Floor) -> Floor:
    """Ana and Bo bought in the first store, Cy in the second, Di nowhere; Ed became Ana."""
    with floor.till(floor.club) as s:
        fields.define(s, key="car", label="Car", kind="text")
        fields.define(s, key="km", label="Kilometres", kind="number")
        fields.define(s, key="tested", label="Tested", kind="date")
        ana = customers.enrol(
            s,
            name="Ana",
            birthday=date(1990, 2, 28),
            fields={"car": "Mini", "km": 120, "tested": "2026-01-15"},
        )
        bo = customers.enrol(s, name="Bo", language="zh-Hans", fields={"km": 7.5})
        ed = customers.enrol(s, name="Ed")
        buy(s, ana.id, "1", 1000, days=100)
        buy(s, ana.id, "2", 250, days=3, department="Tyres")
        buy(s, bo.id, "3", 900, days=70)
        buy(s, ed.id, "4", 40, days=1)
        merging.merge(s, ana.id, ed.id)
        consent.record(
            s, ed.id, purpose="news", channel="post", status="given", wording="Yes", method="till"
        )
    with floor.till(floor.club, 1) as s:
        cy = customers.enrol(s, name="Cy", birthday=date(2000, 2, 29))
        buy(s, cy.id, "5", 5000, days=10)
        customers.enrol(s, name="Di")
    return floor


def field(name: str, op: str, value: Any = None) -> Field:
    return Field(f"customer.{name}" if "." not in name else name, op, value)


@pytest.mark.parametrize(
    ("rule", "office", "first"),
    [
        (All(), "Ana Bo Cy Di", "Ana Bo"),
        (OneOf(), "", ""),
        (Not(OneOf()), "Ana Bo Cy Di", "Ana Bo"),
        (field("spent", "at_least", 1290), "Ana Cy", "Ana"),
        (field("spent", "between", [900, 1290]), "Ana Bo", "Ana Bo"),
        (field("spent", "at_most", 950), "Bo Di", "Bo"),
        (Not(field("spent", "at_most", 950)), "Ana Cy", "Ana"),
        (field("purchases", "is", 0), "Di", ""),
        (field("purchases", "is", 3), "Ana", "Ana"),
        (field("last_purchase_at", "in_last_days", 2), "Ana", "Ana"),
        (field("last_purchase_at", "not_in_last_days", 60), "Bo", "Bo"),
        (field("last_purchase_at", "empty"), "Di", ""),
        (field("last_purchase_at", "filled"), "Ana Bo Cy", "Ana Bo"),
        (
            All((field("purchases", "at_least", 1), field("spent", "at_most", 1000))),
            "Bo",
            "Bo",
        ),
        (All((field("purchases", "at_most", 1), field("spent", "at_least", 100))), "Bo Cy", "Bo"),
        (field("name", "begins", "a"), "Ana", "Ana"),
        (field("name", "contains", "%"), "", ""),
        (field("name", "is_not", "Ana"), "Bo Cy Di", "Bo"),
        (field("language", "is", "zh-Hans"), "Bo", "Bo"),
        (field("language", "empty"), "Ana Cy Di", "Ana"),
        (field("birthday", "anniversary_month", 2), "Ana Cy", "Ana"),
        (field("birthday", "before", "1995-01-01"), "Ana", "Ana"),
        (field("birthday", "on", "2000-02-29"), "Cy", ""),
        (field("custom.car", "is", "Mini"), "Ana", "Ana"),
        (field("custom.km", "at_least", 7), "Ana Bo", "Ana Bo"),
        (field("custom.km", "is", 7.5), "Bo", "Bo"),
        (field("custom.tested", "between", ["2026-01-01", "2026-01-31"]), "Ana", "Ana"),
        (field("custom.tested", "anniversary_month", 1), "Ana", "Ana"),
        (field("custom.tested", "empty"), "Bo Cy Di", "Bo"),
        (Bought(), "Ana Bo Cy", "Ana Bo"),
        (Bought(departments=("Tyres",)), "Ana", "Ana"),
        (Bought(departments=("Oil",), in_last_days=2), "Ana", "Ana"),
        (Not(Bought(in_last_days=60)), "Bo Di", "Bo"),
        (Bought(times=2), "Ana", "Ana"),
        (Bought(departments=("Oil",), times=2), "Ana", "Ana"),
        (Bought(at_least_minor=1291), "Cy", ""),
        (Bought(at_least_minor=1290), "Ana Cy", "Ana"),
        (Consented("news", "post"), "Ana", "Ana"),
        (Consented("news", "email"), "", ""),
    ],
    ids=str,
)
def test_it_picks_whom_it_means(club: Floor, rule: Rule, office: str, first: str) -> None:
    with club.office(club.club, write=False) as s:
        assert names(s, rule) == office.split()
    with club.till(club.club, write=False) as s:
        assert names(s, rule) == first.split()


def test_a_store_has_only_its_own_customers_to_write_to(club: Floor) -> None:
    with club.till(club.club, 1, write=False) as s:
        assert names(s, All()) == ["Cy", "Di"]
    with club.till(club.club, 1) as s:
        (bo,) = customers_found(s, "Bo")
        buy(s, bo, "9", 10)
        assert names(s, All()) == ["Bo", "Cy", "Di"], "Bo has bought here now"
        assert names(s, field("spent", "is", 10)) == ["Bo"], "of what was bought here"


def customers_found(s: Any, text: str) -> list[UUID]:
    from highstreet.customers import queries as found

    return [one.customer.id for one in found.find(s, text)]


def test_what_is_asked_of_other_stores_holds_for_nobody_in_a_store(club: Floor) -> None:
    first, second = (one.id for one in club.club.stores)
    with club.office(club.club, write=False) as s:
        assert names(s, Bought(stores=(second,))) == ["Cy"]
        assert names(s, field("home_store", "one_of", [str(second)])) == ["Cy", "Di"]
        assert names(s, field("home_store", "not_one_of", [str(second)])) == ["Ana", "Bo"]
    with club.till(club.club, write=False) as s:
        assert names(s, Bought(stores=(second,))) == []
        assert names(s, Bought(stores=(first, second))) == ["Ana", "Bo"]
        assert names(s, field("home_store", "one_of", [str(second)])) == []


def test_stores_that_own_their_customers_see_nobody_elses(floor: Floor) -> None:
    with floor.till(floor.shops) as s:
        buy(s, customers.enrol(s, name="Ana").id, "1", 100)
    with floor.till(floor.shops, 1) as s:
        buy(s, customers.enrol(s, name="Bo").id, "1", 100)
        consent.record(
            s,
            customers_found(s, "Bo")[0],
            purpose="news",
            channel="post",
            status="given",
            wording="Yes",
            method="till",
        )
        assert (
            names(s, All()) == names(s, Bought()) == names(s, Consented("news", "post")) == ["Bo"]
        )
    with floor.office(floor.shops, write=False) as s:
        assert names(s, All()) == names(s, Bought()) == []
    with floor.till(floor.shops, write=False) as s:
        assert names(s, Consented("news", "post")) == []


def test_what_came_back_whole_was_not_bought(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        ana = customers.enrol(s, name="Ana")
        buy(s, ana.id, "1", 500)
        store = floor.club.stores[0].id
        purchases.record_return(s, ReturnIn(store, "R1", "1", NOW, 499))
        assert names(s, Bought()) == ["Ana"]
        purchases.record_return(s, ReturnIn(store, "R2", "1", NOW, 1))
        assert names(s, Bought()) == []
        assert names(s, field("spent", "is", 0)) == ["Ana"]


def test_a_later_no_ends_an_agreement_and_a_later_yes_renews_it(club: Floor) -> None:
    with club.till(club.club) as s:
        (ana,) = customers_found(s, "Ana")
        said = {"purpose": "news", "wording": "Yes", "method": "till"}
        consent.refuse_all(s, ana, method="till")
        assert names(s, Consented("news", "post")) == []
        consent.record(s, ana, channel="post", status="given", **said)  # type: ignore[arg-type]
        assert names(s, Consented("news", "post")) == ["Ana"]
        consent.record(
            s,
            ana,
            channel="*",
            status="withdrawn",
            **(said | {"wording": ""}),  # type: ignore[arg-type]
        )
        assert names(s, Consented("news", "post")) == []


def test_classes_of_five_put_the_same_in_the_same_class(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        for number in range(10):
            who = customers.enrol(s, name=f"C{number}")
            # Six bought once, four twice; each spent and came at another time.
            for turn in range(1 if number < 6 else 2):
                buy(s, who.id, f"{number}-{turn}", 100 + number, days=90 - 2 * number - turn)
        often = field("frequency", "is", 1)
        assert names(s, often) == [f"C{number}" for number in range(6)]
        assert names(s, field("frequency", "is", 4)) == ["C6", "C7", "C8", "C9"]
        assert names(s, field("recency", "is", 5)) == ["C8", "C9"]
        assert names(s, field("money", "is", 1)) == ["C0", "C1"]
        assert names(s, field("money", "empty")) == []
        customers.enrol(s, name="None")
        assert names(s, field("money", "empty")) == ["None"]


def test_segments_ask_one_another_and_never_themselves(club: Floor) -> None:
    with club.office(club.club) as s:
        buyers = service.save(s, name="Buyers", rule=Bought())
        large = service.save(
            s, name="Large", rule=All((InSegment(buyers.id), field("spent", "at_least", 1000)))
        )
        small = Not(InSegment(large.id))
        assert names(s, InSegment(large.id)) == ["Ana", "Cy"]
        assert names(s, small) == ["Bo", "Di"]
        twice = All((InSegment(buyers.id), OneOf((InSegment(large.id), InSegment(buyers.id)))))
        assert names(s, twice) == ["Ana", "Bo", "Cy"]
        with pytest.raises(Conflict, match="asks itself"):
            service.save(s, name="Buyers", rule=InSegment(large.id), segment_id=buyers.id)
        with pytest.raises(NotFound):
            queries.count(s, InSegment(uuid4()))
        assert [(one.kind, one.name) for one in queries.used_by(s, buyers.id)] == [
            ("segment", "Large")
        ]
        with pytest.raises(Conflict, match="Large"):
            service.retire(s, buyers.id)
        service.retire(s, large.id)
        service.retire(s, buyers.id)
    with club.till(club.club) as s:
        assert names(s, InSegment(large.id)) == ["Ana"], "head office's rule, the store's people"
        with pytest.raises(Forbidden):
            service.save(s, name="Mine", rule=All(), segment_id=large.id)


def test_a_chain_of_segments_has_an_end(club: Floor) -> None:
    with club.office(club.club) as s:
        last = service.save(s, name="0", rule=Bought())
        for number in range(1, 20):
            last = service.save(s, name=str(number), rule=InSegment(last.id))
        assert names(s, InSegment(last.id)) == ["Ana", "Bo", "Cy"]
        last = service.save(s, name="20", rule=InSegment(last.id))
        with pytest.raises(Conflict, match="20 deep"):
            queries.count(s, InSegment(last.id))


def test_a_list_stays_as_it_is_and_follows_whoever_was_merged(club: Floor) -> None:
    with club.office(club.club) as s:
        kept = service.make_list(s, name="Guests", people=[*_ids(s, "Bo"), *_ids(s, "Cy")])
        assert kept.rule is None
        bo, cy = _ids(s, "Bo")[0], _ids(s, "Cy")[0]
        assert names(s, InSegment(kept.id)) == ["Bo", "Cy"]
        merging.merge(s, _ids(s, "Di")[0], bo)
        assert names(s, InSegment(kept.id)) == ["Cy", "Di"]
        assert names(s, People((bo, cy))) == ["Cy", "Di"]
        froze = service.freeze(s, kept.id, name="Guests again")
        assert names(s, InSegment(froze.id)) == ["Cy", "Di"]
    with club.till(club.club, write=False) as s:
        assert names(s, InSegment(kept.id)) == ["Di"], "who bought here, as Bo"


def _ids(s: Any, text: str) -> list[UUID]:
    return customers_found(s, text)


def test_a_snapshot_stays_when_the_segment_changes(club: Floor) -> None:
    with club.office(club.club) as s:
        segment = service.save(s, name="Buyers", rule=Bought())
        use = uuid4()
        taken = service.take(s, segment.id, used_for=f"mailing:{use}")
        service.save(s, name="Buyers", rule=OneOf(), segment_id=segment.id)
        assert taken.people == 3 and taken.digest == segment.digest
        assert queries.snapshot(s, taken.id).rule == Bought()
        assert [(one.kind, one.id) for one in queries.used_by(s, segment.id)] == [("mailing", use)]


def test_why_somebody_is_in_it_is_said_condition_by_condition(club: Floor) -> None:
    rule = All(
        (
            field("spent", "at_least", 1000),
            OneOf((field("language", "is", "zh-Hans"), Bought(departments=("Tyres",)))),
            Not(Consented("news", "email")),
        )
    )
    with club.office(club.club, write=False) as s:
        (ana,) = _ids(s, "Ana")
        told = [(one.depth, one.holds) for one in queries.why(s, rule, ana)]
        assert told == [
            (0, True), (1, True), (1, True), (2, False), (2, True), (1, True), (2, False),
        ]  # fmt: skip
        spent = queries.why(s, rule, ana)[1]
        assert spent.words == "Spent is at least £10.00" and spent.reads == "£12.90"
        assert queries.holds(s, rule, ana)
        assert not queries.holds(s, rule, _ids(s, "Bo")[0])


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (field("nothing", "is", 1), "nothing called"),
        (field("spent", "begins", "x"), "can't be asked so"),
        (field("spent", "at_least", "much"), "a number"),
        (field("spent", "at_least", 1.5), "a number"),
        (field("spent", "at_least", True), "a number"),
        (field("spent", "between", [1]), "two numbers"),
        (field("birthday", "on", "soon"), "a day such as"),
        (field("birthday", "on", "9999-12-31"), "a day such as"),
        (field("birthday", "anniversary_month", 13), "from 1 to 12"),
        (field("last_purchase_at", "in_last_days", 0), "from 1 to 36500"),
        (field("name", "is", ""), "one or more words"),
        (field("home_store", "one_of", ["x"]), "one or more stores"),
    ],
    ids=str,
)
def test_what_cant_be_asked_is_refused_with_words(club: Floor, rule: Rule, says: str) -> None:
    with club.office(club.club) as s, pytest.raises(Invalid, match=says):
        service.save(s, name="Bad", rule=rule)


def test_names_are_unique_in_a_place(club: Floor) -> None:
    with club.office(club.club) as s:
        service.save(s, name="Buyers", rule=Bought())
        with pytest.raises(Invalid, match="already"):
            service.save(s, name="buyers", rule=Bought())
        with pytest.raises(Invalid):
            service.save(s, name=" ", rule=Bought())
