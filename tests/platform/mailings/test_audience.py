"""A mailing's own audience: a rule, who is left out of it, how many at most, not twice a series."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from highstreet.consent import suppressions
from highstreet.i18n import lazy_gettext as _l
from highstreet.mailings import drafting, matching, past, queries, releasing, returns, telling
from highstreet.mailings.facts import LeaveOut
from highstreet_tenants import clock
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Conflict, Invalid, NotFound
from mailings_given import member, plan, reconciles, steps
from rooms_given import Floor

ALL = {"is": "all", "of": []}
LEES = {"is": "field", "name": "customer.name", "op": "contains", "value": "Lee"}


def own(s: Any, **more: Any) -> UUID:
    return plan(s, **({"rule": ALL} | more))


@pytest.fixture
def club(floor: Floor) -> Floor:
    with floor.till(floor.club) as s:
        for place, name in enumerate(("Ann Lee", "Bo Lee", "Cy Shaw", "Di Moss", "Ed Fox")):
            member(s, name, f"{place + 1} High Street")
        member(s, "No Yes", "9 High Street", yes=False)
    return floor


def sent(s: Any, mailing_id: UUID) -> None:
    drafting.approve(s, mailing_id, drafting.select(s, mailing_id).manifest)
    releasing.release(s, mailing_id)
    while releasing.go_on(s, mailing_id):
        pass


def test_a_rule_of_its_own_and_who_is_left_out_of_it(club: Floor) -> None:
    with club.office(club.club) as s:
        left = LeaveOut("moved", _l("They moved %(where)s.", where="far"), LEES)
        mailing = own(s, leave_out=[left])
        one = drafting.select(s, mailing)
        told = reconciles(s, mailing)
        assert steps(told) == {"not_agreed": 1, "moved": 2} and told.ready == 3
        assert [step.words for step in told.steps][1] == "They moved far."
        assert one.rule == {"is": "all", "of": []} and telling.audience(s, mailing)
        # The law is asked before the mailing's own rules, whatever these say.
        other = own(
            s,
            leave_out=[LeaveOut("nobody", "100 % of them", {"is": "not", "of": LEES})],
        )
        drafting.select(s, other)
        told = reconciles(s, other)
        assert steps(told) == {"not_agreed": 1, "nobody": 3}
        assert told.steps[1].words == "100 % of them"
        why = telling.why(s, next(p for p in queries.pieces(s, other) if p.reason == "nobody"))
        assert why.reason == "100 % of them"


def test_a_mailing_takes_no_more_than_it_has_room_for(club: Floor) -> None:
    with club.office(club.club) as s:
        mailing = own(s, most=2)
        drafting.select(s, mailing)
        told = reconciles(s, mailing)
        assert told.ready == 2 and steps(told) == {"not_agreed": 1, "most": 3}
        chosen = {one.customer_id for one in queries.pieces(s, mailing) if one.state == "ready"}
        drafting.select(s, mailing)
        again = {one.customer_id for one in queries.pieces(s, mailing) if one.state == "ready"}
        assert again == chosen  # drawn from the mailing's id, not anew


def test_nobody_gets_another_of_a_series_too_soon(
    club: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with club.office(club.club) as s:
        first = own(s, series="lapsed", again_after=60, most=2)
        sent(s, first)
        abandoned = own(s, series="lapsed", again_after=60)
        assert drafting.select(s, abandoned).selected == 4  # three with room, one who never agreed
        second = own(s, series="lapsed", again_after=60)
        drafting.select(s, second)
        assert reconciles(s, second).ready == 3  # what is only planned keeps nobody from anything
        assert any("60 days" in words for _depth, words in telling.audience(s, second))
        assert drafting.select(s, own(s, series="birthday", again_after=60)).selected == 6
        later = now() + timedelta(days=61)
        monkeypatch.setattr(clock, "now", lambda: later)
        third = own(s, series="lapsed", again_after=60)
        monkeypatch.setattr("highstreet.mailings.selecting.now", lambda: later)
        assert drafting.select(s, third).selected == 6


def test_a_piece_that_came_back_is_scanned(club: Floor) -> None:
    with club.office(club.club) as s:
        mailing = own(s, rule=LEES)
        sent(s, mailing)
        piece = queries.pieces(s, mailing)[0]
        assert piece.code
        typed = f"{piece.code[:5].lower()}-{piece.code[5:]}"
        for _twice in range(2):
            assert returns.came_back(s, typed).state == "returned"
        told = reconciles(s, mailing)
        assert (told.sent, told.returned) == (2, 1)
        assert [one.reason for one in suppressions.of_customer(s, piece.customer_id)] == [
            "returned"
        ]
        again = own(s, rule=LEES)
        drafting.select(s, again)
        assert steps(reconciles(s, again)) == {"returned": 1}
        assert returns.undo(s, typed).state == "sent"
        assert suppressions.of_customer(s, piece.customer_id) == []
        with pytest.raises(Conflict):
            returns.undo(s, typed)
        ready = next(p for p in queries.pieces(s, again) if p.code is None)
        assert ready.reason == "returned"
        with pytest.raises(NotFound):
            returns.came_back(s, "0000000000")


@pytest.mark.parametrize(
    "given",
    [
        {"rule": None},
        {"most": 0},
        {"again_after": 99_999},
        {"leave_out": [LeaveOut("deceased", "x", LEES)]},
        {"leave_out": [LeaveOut("No!", "x", LEES)]},
    ],
    ids=lambda given: next(iter(given)),
)
def test_an_audience_that_cant_be_is_refused(club: Floor, given: dict[str, Any]) -> None:
    with club.office(club.club) as s, pytest.raises(Invalid):
        own(s, **given)


def test_what_went_out_before_is_taken_over_once(club: Floor) -> None:
    given = past.PastIn("Campaign 26", "news", "post", now() - timedelta(days=200))
    with club.office(club.club) as s:
        drafting.select(s, own(s))
        meant = [one.customer_id for one in queries.pieces(s, queries.listed(s)[0].id)]
        first = past.take_over(s, given, meant[:4])
        again = past.take_over(s, given, [*meant, meant[0], uuid4()])
        assert (first.mailing_id, first.added, again.added) == (again.mailing_id, 4, 2)
        told = reconciles(s, again.mailing_id)
        assert (told.selected, told.sent) == (6, 6) and telling.audience(s, again.mailing_id)
        assert queries.get(s, again.mailing_id).status == "finished"
        assert matching.match_back(s, again.mailing_id, 30).got.units == 6
        with pytest.raises(Invalid):
            past.take_over(s, past.PastIn("x", "news", "post", now() + timedelta(days=1)), meant)
