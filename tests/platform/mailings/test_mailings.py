"""Everybody who was selected is accounted for, to the piece, whatever happens on the way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from highstreet.consent import laying_down, service, suppressions
from highstreet.customers import leaving, merging
from highstreet.mailings import drafting, post, queries, releasing
from highstreet.mailings.facts import MailingIn
from highstreet.mailings.models import Piece
from highstreet.results import holdouts
from highstreet.segments import queries as segments
from highstreet.segments import service as picking
from highstreet.segments.rules import Field
from highstreet_tenants.errors import Conflict, Invalid, NotFound
from mailings_given import member, plan, reconciles, steps
from rooms_given import Floor

NOW = datetime.now(UTC)


@pytest.fixture
def club(floor: Floor) -> Floor:
    """Two Lees at one door, a Shaw at the same, one without address, one who never agreed."""
    with floor.office(floor.club):
        pass
    with floor.till(floor.club) as s:
        member(s, "Ann Lee", "1 High Street")
        member(s, "Bo Lee", "1 High Street")
        member(s, "Cy Shaw", "1 High Street")
        member(s, "Di Park")
        member(s, "Ed Moss", "2 High Street", yes=False)
    return floor


def test_everybody_is_accounted_for_from_selection_to_release(club: Floor) -> None:
    with club.office(club.club) as s:
        mailing = plan(s)
        fact = drafting.select(s, mailing)
        told = reconciles(s, mailing)
        assert (told.selected, told.ready) == (5, 2)
        assert steps(told) == {"not_agreed": 1, "unreachable": 1, "household": 1}
        drafting.approve(s, mailing, fact.manifest)
        releasing.release(s, mailing)
        assert releasing.go_on(s, mailing) == 0
        told = reconciles(s, mailing)
        assert (told.sent, told.ready) == (2, 0)
        assert queries.get(s, mailing).status == "finished"
        lines = list(post.rows(s, mailing))
        assert [row[1] for row in lines[1:]] == ["Ann Lee", "Cy Shaw"]
        assert lines[1][2:5] == ["1 High Street", "LEEDS", "LS1 4DY"]
        code = lines[1][0]
        assert queries.piece_by_code(s, code[:5].lower() + "-" + code[5:]).state == "sent"
        with pytest.raises(NotFound):
            queries.piece_by_code(s, "ZZZZZZZZZZ")
        assert releasing.go_on(s, mailing) == 0, "what is finished is finished"
        again = plan(s, purpose="news")
        assert drafting.select(s, again).selected == 5


def test_by_person_each_gets_one(club: Floor) -> None:
    with club.office(club.club) as s:
        mailing = plan(s, by_household=False)
        drafting.select(s, mailing)
        assert reconciles(s, mailing).ready == 3


def test_holdouts_are_by_household_and_counted_apart(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        people = [member(s, f"A{n} Family{n // 2}", f"{n // 2} High Street") for n in range(80)]
    with floor.office(floor.club) as s:
        holdouts.hold_out(s, "", 5000)
        mailing = plan(s, holdout=4000)
        drafting.select(s, mailing)
        told = reconciles(s, mailing)
        rows = s.execute(sa.select(Piece.household_id, Piece.reason, Piece.state)).all()
        held = {h for h, reason, _state in rows if reason in ("held_out", "held_out_of_all")}
        went = {h for h, _reason, state in rows if state == "ready"}
        assert held and went and not held & went and len(held) + len(went) == 40
        assert len(people) == told.selected == 80
        assert {"held_out", "held_out_of_all", "household"} == set(steps(told))
        before = held
        drafting.select(s, mailing)
        rows = s.execute(sa.select(Piece.household_id, Piece.reason)).all()
        assert {h for h, reason in rows if reason and reason.startswith("held")} == before


def test_who_changes_their_mind_after_the_approval_gets_nothing(club: Floor) -> None:
    with club.office(club.club) as s:
        mailing = plan(s, by_household=False)
        fact = drafting.select(s, mailing)
        drafting.approve(s, mailing, fact.manifest)
        ann, bo, cy = (one.customer_id for one in _ready(s, mailing))
        service.refuse_all(s, ann, method="phone")
        suppressions.suppress(s, bo, reason="deceased", source="console")
        leaving.erase(s, cy, reason="asked")
        assert steps(reconciles(s, mailing))["erased late"] == 1
        releasing.release(s, mailing)
        releasing.go_on(s, mailing)
        told = reconciles(s, mailing)
        assert told.sent == 0
        assert {"opted_out late": 1, "deceased late": 1, "erased late": 1}.items() <= steps(
            told
        ).items()
        assert list(post.rows(s, mailing))[1:] == []


def _ready(s: Any, mailing: UUID) -> list[Any]:
    return [one for one in queries.pieces(s, mailing) if one.state == "ready"]


def test_a_merged_person_is_asked_as_who_they_became(club: Floor) -> None:
    with club.office(club.club) as s:
        mailing = plan(s, by_household=False)
        fact = drafting.select(s, mailing)
        drafting.approve(s, mailing, fact.manifest)
        ann, bo, _cy = (one.customer_id for one in _ready(s, mailing))
        merging.merge(s, bo, ann)
        service.refuse_all(s, bo, method="phone")
        releasing.release(s, mailing)
        releasing.go_on(s, mailing)
        told = reconciles(s, mailing)
        assert (told.sent, steps(told)["opted_out late"]) == (1, 2)
        assert {one.state for one in queries.of_customer(s, ann)} == {"withheld"}


def test_pause_resume_stop(club: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post.Post, "chunk", 1)
    with club.office(club.club) as s:
        mailing = plan(s, by_household=False)
        fact = drafting.select(s, mailing)
        with pytest.raises(Conflict, match="approved before"):
            releasing.release(s, mailing)
        drafting.approve(s, mailing, fact.manifest)
        releasing.release(s, mailing)
        assert releasing.go_on(s, mailing) == 2
        releasing.pause(s, mailing)
        assert releasing.go_on(s, mailing) == 0 and reconciles(s, mailing).sent == 1
        releasing.resume(s, mailing)
        assert releasing.go_on(s, mailing) == 1
        releasing.stop(s, mailing)
        told = reconciles(s, mailing)
        assert (told.sent, steps(told)["stopped late"]) == (2, 1)
        for refused in (releasing.pause, releasing.resume, releasing.stop, drafting.discard):
            with pytest.raises(Conflict):
                refused(s, mailing)
        assert releasing.go_on(s, mailing) == 0
        assert {one.batch for one in queries.pieces(s, mailing) if one.state == "sent"} == {1, 2}


def test_nothing_goes_out_after_its_last_moment(club: Floor) -> None:
    with club.office(club.club) as s:
        mailing = plan(s, not_after=NOW + timedelta(hours=1))
        fact = drafting.select(s, mailing)
        drafting.approve(s, mailing, fact.manifest)
        releasing.release(s, mailing)
        row = queries.row(s, mailing)
        row.not_after = NOW - timedelta(seconds=1)
        s.flush()
        assert releasing.go_on(s, mailing) == 0
        assert steps(reconciles(s, mailing))["too_late late"] == 2
        assert queries.get(s, mailing).status == "finished"
        late = plan(s, not_after=NOW - timedelta(days=1))
        fact = drafting.select(s, late)
        with pytest.raises(Conflict, match="passed"):
            drafting.approve(s, late, fact.manifest)


def test_what_was_looked_at_is_what_goes_out(club: Floor) -> None:
    with club.office(club.club) as s:
        mailing = plan(s)
        fact = drafting.select(s, mailing)
        again = drafting.select(s, mailing)
        assert again.manifest != fact.manifest, "each has codes of its own"
        with pytest.raises(Conflict, match="Others were selected"):
            drafting.approve(s, mailing, fact.manifest)
        drafting.approve(s, mailing, again.manifest)
        with pytest.raises(Conflict):
            drafting.select(s, mailing)
        drafting.change(
            s,
            mailing,
            MailingIn("Spring", "news", "post", queries.get(s, mailing).segment_id, {"t": 2}),
        )
        assert queries.get(s, mailing).status == "draft" and not queries.pieces(s, mailing)
        fact = drafting.select(s, mailing)
        drafting.approve(s, mailing, fact.manifest)
        queries.row(s, mailing).content = {"template": "edited behind the house's back"}
        s.flush()
        with pytest.raises(Conflict, match="edited"):
            releasing.release(s, mailing)


def test_a_mailing_counts_for_the_caps_of_the_next(club: Floor) -> None:
    with club.office(club.club) as s:
        laying_down.lay_down(s, "cap", "post", most=1, days=30)
        for number in range(2):
            mailing = plan(s, by_household=False)
            fact = drafting.select(s, mailing)
            drafting.approve(s, mailing, fact.manifest)
            releasing.release(s, mailing)
            releasing.go_on(s, mailing)
            told = reconciles(s, mailing)
            assert told.sent == (0 if number else 3)
        assert steps(told)["frequency"] == 3


def test_two_mailings_that_were_selected_before_either_went_out(club: Floor) -> None:
    """The cap is asked again at the release: the second finds the first's contacts."""
    with club.office(club.club) as s:
        laying_down.lay_down(s, "cap", "post", most=1, days=30)
        both = []
        for _each in range(2):
            mailing = plan(s, by_household=False)
            fact = drafting.select(s, mailing)
            drafting.approve(s, mailing, fact.manifest)
            releasing.release(s, mailing)
            both.append(mailing)
        for mailing in both:
            releasing.go_on(s, mailing)
        assert reconciles(s, both[0]).sent == 3
        assert steps(reconciles(s, both[1]))["frequency late"] == 3


def test_a_segment_says_which_mailings_use_it(club: Floor) -> None:
    with club.office(club.club) as s:
        segment = picking.save(s, name="Named", rule=Field("customer.name", "filled"))
        mailing = plan(s, segment_id=segment.id)
        assert [(u.kind, u.id) for u in segments.used_by(s, segment.id)] == [("mailing", mailing)]
        picking.retire(s, segment.id)
        with pytest.raises(Invalid, match="out of use"):
            plan(s, segment_id=segment.id)


def test_stores_write_to_their_own_and_see_nobody_elses(floor: Floor) -> None:
    with floor.till(floor.shops) as s:
        member(s, "Ann Lee", "1 High Street")
        mailing = plan(s)
        assert drafting.select(s, mailing).selected == 1
    with floor.till(floor.shops, 1) as s:
        member(s, "Bo Lee", "1 High Street")
        other = plan(s)
        assert drafting.select(s, other).selected == 1
        assert [one.id for one in queries.listed(s)] == [other]
        with pytest.raises(NotFound):
            queries.waterfall(s, mailing)
    with floor.office(floor.shops) as s, pytest.raises(Conflict, match="stores own"):
        plan(s)


@pytest.mark.parametrize(
    "given",
    [
        {"name": " "},
        {"purpose": "*"},
        {"channel": "owl"},
        {"holdout": 5001},
        {"cost_minor": -1},
        {"not_after": datetime(2030, 1, 1)},
    ],
    ids=str,
)
def test_a_plan_that_cant_be_is_refused(club: Floor, given: dict[str, Any]) -> None:
    with club.office(club.club) as s, pytest.raises(Invalid):
        plan(s, **given)
