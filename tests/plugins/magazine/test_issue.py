"""An issue from its cut-off to the mail house: everybody is accounted for, each door gets one."""

from __future__ import annotations

import csv
import email
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import UUID

import pytest

from highstreet.customers import leaving
from highstreet.purchases import service as purchases
from highstreet.purchases.facts import PurchaseIn
from highstreet.sdk import Conflict, Invalid, NotFound
from highstreet_magazine import (
    copies,
    costs,
    counting,
    forms,
    issues,
    listing,
    publications,
    running,
)
from highstreet_magazine.sheets import written
from smtp_sink import Sink

from .conftest import House, steps


def begin(house: House, s: Any, default: str = "print") -> UUID:
    return publications.create(house.ctx(s), "Gear", "magazine", default).id


def test_one_copy_per_door_over_forms_and_editions_and_all_adds_up(
    house: House, sink: Sink
) -> None:
    with house.office() as s:
        gear = begin(house, s)
        north = house.club.stores[1]
        publications.add_edition(house.ctx(s), gear, "North", stores=[str(north.id)])
        publications.add_edition(house.ctx(s), gear, "中文", language="zh")
    with house.store(1) as s:
        ctx = house.ctx(s)
        ann = house.join(s, "Ann Lee", "1 High Street")
        house.join(s, "Cy Shaw", "2 High Street")
        house.join(s, "Di Shaw", "2 High Street")
    with house.store(0) as s:
        ctx = house.ctx(s)
        bo = house.join(s, "Bo Lee", "1 High Street")  # North's ann has it: another edition
        wants = house.join(s, "Vi Lee", "1 High Street")  # and reads it in e-mail, she says
        house.join(s, "Li Wei", "3 High Street", language="zh")
        several = house.join(s, "Ed Fox", "4 High Street")
        not_any = house.join(s, "Flo Gray", "5 High Street")
        by_email = house.join(s, "Gus Hill")
        by_email_too = house.join(s, "Ian Hill", "6 High Street")
        house.join(s, "No Yes", "7 High Street", yes=False)
        house.join(s, "No Door")
        forms.choose(ctx, bo, gear, "print", 4)
        forms.choose(ctx, several, gear, "print", 3)
        forms.choose(ctx, not_any, gear, "none")
        for who in (wants, by_email, by_email_too):
            forms.choose(ctx, who, gear, "email")
    with house.office() as s:
        ctx = house.ctx(s)
        row = house.issue(s, gear)
        told = house.run(s, row.id)
        assert told.selected == 12 and told.sent == 6
        assert steps(told) == {
            "household": 1,  # Di, behind Cy's door
            "other_edition": 1,  # Bo
            "other_form": 1,  # Vi
            "form_none": 1,
            "not_agreed": 1,
            "unreachable": 1,
        }
        found = {(one.run.edition, one.run.form): one for one in counting.parts(ctx, row.id)}
        assert found["North", "print"].pieces == 2
        # Bo wanted four copies behind that door, so Ann's piece is four.
        assert found["North", "print"].copies == 5
        assert found["中文", "print"].copies == 1
        assert found["Usual edition", "print"].copies == 3
        assert found["Usual edition", "email"].pieces == 2
        lines = list(listing.lines(ctx, row.id))
        assert {one.name: one.copies for one in lines} == {
            "Ann Lee": 4, "Cy Shaw": 1, "Li Wei": 1, "Ed Fox": 3,
        }  # fmt: skip
        assert {one.postal_code for one in lines} == {"LS1 4DY"}
        assert counting.postcodes(ctx, row.id) == [("GB", "LS1 4DY", 4)]
        assert listing.labels(ctx, row.id, "L7160").startswith(b"%PDF")
        told_of = {one.customer_id for one in ctx.mailings.of_customer(ann)}
        assert told_of == {ann}
        assert issues.standing(ctx, row) == "running"  # two are in the outbox
    house.work()
    with house.office(write=False) as s:
        assert issues.standing(house.ctx(s), issues.get(house.ctx(s), row.id)) == "finished"
        assert house.told(s, row.id).sent == 6
    subjects = [email.message_from_bytes(one.data)["Subject"] for one in sink.got]
    assert subjects == ["It is here"] * 2


def test_the_wrapper_tells_each_member_their_points_or_nothing(house: House) -> None:
    house.set_up(wrapper="{{ points_club.balance }} points for {{ customer.spent | default: 0 }}")
    with house.office() as s:
        gear = begin(house, s)
    with house.store(0) as s:
        ann = house.join(s, "Ann Lee", "1 High Street")
        house.join(s, '=HYPERLINK("x")', "2 High Street")
        bought = PurchaseIn(s.store_id, "r1", datetime.now(UTC), 12_00, "GBP", ann, ())
        purchases.record(s, bought)
    with house.office() as s:
        ctx = house.ctx(s)
        row = house.issue(s, gear)
        with pytest.raises(Conflict):
            list(listing.lines(ctx, row.id))
        with pytest.raises(Invalid, match="no field"):
            issues.change(
                ctx, row.id, title="", cutoff_at=row.cutoff_at, in_home_on=row.in_home_on,
                wrapper="{{ points_club.pints }}",
            )  # fmt: skip
        house.run(s, row.id)
        rows = [listing.headings(), *map(listing.cells, listing.lines(ctx, row.id))]
        table = list(csv.DictReader(StringIO("".join(written(rows)).lstrip("\ufeff"))))
        assert [one["On the wrapper"] for one in table] == [
            "12 points for 12.00",
            "0 points for 0",
        ]
        assert table[1]["Name"].startswith("'=")  # a spreadsheet runs nothing of it


def test_whoever_has_long_been_away_gets_no_more_unless_they_ask_to(house: House) -> None:
    house.set_up(lapse_months=6, keep_months=12)
    long_ago = datetime.now(UTC) - timedelta(days=400)
    with house.office() as s:
        gear = begin(house, s)
    with house.store(0) as s:
        ctx = house.ctx(s)
        for place, (name, at) in enumerate(
            [("Away Long", long_ago), ("Keep Me", long_ago), ("Here Now", datetime.now(UTC))]
        ):
            who = house.join(s, name, f"{place + 1} High Street")
            purchases.record(s, PurchaseIn(s.store_id, f"r{place}", at, 500, "GBP", who, ()))
            if name == "Keep Me":
                forms.keep(ctx, who, gear)
        house.join(s, "New Here", "9 High Street")
    with house.office() as s:
        row = house.issue(s, gear)
        told = house.run(s, row.id)
        assert steps(told) == {"lapsed": 1} and told.sent == 3


def test_steps_in_their_order_and_what_keeps_an_issue_back(house: House) -> None:
    with house.office() as s:
        ctx = house.ctx(s)
        gear = begin(house, s)
        ahead = datetime.now(UTC) + timedelta(days=3)
        row = issues.plan(
            ctx, gear, title="", cutoff_at=ahead, in_home_on=(ahead + timedelta(days=9)).date()
        )
        with pytest.raises(Conflict, match="cut-off"):
            running.order(ctx, row.id)
        with pytest.raises(Conflict, match="cut-off"):
            running.select(ctx, row.id)
        issues.discard(ctx, row.id)
        row = issues.plan(
            ctx, gear, title="", cutoff_at=datetime.now(UTC),
            in_home_on=ahead.date(), number=row.number if row.number > 0 else 1,
        )  # fmt: skip
        assert running.select(ctx, row.id).problem  # there is nobody
    with house.store(0) as s:
        ann = house.join(s, "Ann Lee", "1 High Street")
        forms.choose(house.ctx(s), ann, gear, "email")
    with house.office() as s:
        ctx = house.ctx(s)
        assert "e-mail" in running.select(ctx, row.id).problem and row.state != "selected"
        usual = publications.editions(ctx, gear)[-1]
        issues.write(ctx, row.id, usual.id, {"subject": "New", "text": "Hello {{ customer.name }}"})
        assert running.select(ctx, row.id).state == "selected"
        seen = running.manifest(ctx, row.id)
        running.select(ctx, row.id)  # others may have come
        with pytest.raises(Conflict, match="meanwhile"):
            running.approve(ctx, row.id, seen)
        running.approve(ctx, row.id, running.manifest(ctx, row.id))
        with pytest.raises(Conflict):
            issues.write(ctx, row.id, usual.id, {})
        with pytest.raises(Conflict):
            costs.put(ctx, row.id, 100)
        running.release(ctx, row.id)
        running.pause(ctx, row.id)
        assert issues.standing(ctx, issues.get(ctx, row.id)) == "paused"
        running.resume(ctx, row.id)
        running.stop(ctx, row.id)
        told = house.told(s, row.id)
        assert steps(told) == {"stopped": 1} and told.sent == 0
    with house.office(brand=house.shops) as s:
        gear = begin(house, s)
        row = house.issue(s, gear)
        assert "each store" in running.select(house.ctx(s), row.id).problem


def test_a_cost_is_split_to_the_last_cent_and_stays_when_somebody_is_erased(house: House) -> None:
    with house.office() as s:
        gear = begin(house, s)
    for store, people in ((0, 2), (1, 1)):
        with house.store(store) as s:
            for number in range(people):
                ann = house.join(s, f"Ann {store}{number}", f"{store}{number} High Street")
    with house.office() as s:
        ctx = house.ctx(s)
        row = house.issue(s, gear)
        running.select(ctx, row.id)
        running.approve(ctx, row.id, running.manifest(ctx, row.id))
        running.release(ctx, row.id)
        code = ""
        for run in issues.runs(ctx, row.id):
            while ctx.mailings.get(run.mailing_id).status == "running":
                from highstreet.mailings import releasing

                releasing.go_on(s, run.mailing_id)
            code = ctx.mailings.addressed(run.mailing_id)[0].code
        copies.followed(ctx, {"issue": str(row.id)})
        costs.put(ctx, row.id, 10_000)
        shares = counting.by_store(ctx, row.id)
        assert [(one.copies, one.minor) for one in shares] == [(2, 6667), (1, 3333)]
        assert sum(one.minor or 0 for one in shares) == 10_000
        assert [
            ctx.mailings.get(run.mailing_id).cost_minor for run in issues.runs(ctx, row.id)
        ] == [10_000]
        came = listing.came_back(ctx, f" {code.lower()[:5]}-{code[5:]} ")
        assert listing.came_back(ctx, code) == came and counting.returned(ctx, row.id) == 1
        assert [one.code for one in listing.returned(ctx, row.id)] == [code]
        listing.undo(ctx, code)
        assert counting.returned(ctx, row.id) == 0
        with pytest.raises(NotFound):
            listing.came_back(ctx, "0000000000")
    with house.store(1) as s:
        ctx = house.ctx(s)
        assert [(one.copies, one.minor) for one in counting.of_store(ctx).values()] == [(1, 3333)]
        kinds = [one.kind for one in timeline_of(s, ann)]
        assert "magazine-sent" in kinds
    with house.office() as s:
        ctx = house.ctx(s)
        leaving.erase(s, ann, "asked")
        assert sum(one.minor or 0 for one in counting.by_store(ctx, row.id)) == 10_000
        assert house.told(s, row.id).sent == 3
        assert len(list(listing.lines(ctx, row.id))) == 2  # what it was sent to is forgotten


def timeline_of(s: Any, who: UUID) -> list[Any]:
    from highstreet.timeline import queries

    return list(queries.read(s, who, None, 50).entries)


@pytest.mark.parametrize(
    ("minor", "weights", "parts"),
    [
        (100, (1, 1, 1), (34, 33, 33)),
        (2, (1, 1, 1), (1, 1, 0)),
        (7, (0, 5, 0), (0, 7, 0)),
        (5, (0, 0, 0), (0, 0, 5)),
        (0, (3, 4, 5), (0, 0, 0)),
        (9_999_999_999_999, (3, 7, 11), (1428571428571, 3333333333333, 5238095238095)),
    ],
)
def test_largest_remainders(minor: int, weights: Any, parts: Any) -> None:
    order = ["a", "b", "c"]
    found = costs.split(minor, dict(zip(order, weights, strict=True)), order)
    assert tuple(found.get(key, 0) for key in order) == parts and sum(parts) == minor
