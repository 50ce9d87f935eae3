"""After a merge is taken back nobody may be contacted more than before it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from highstreet.consent import queries as consents
from highstreet.consent import service as consent
from highstreet.consent.models import ConsentEvent
from highstreet.customers import service
from highstreet_tenants.sessions import ScopedSession
from rooms_given import Floor

NOW = datetime.now(UTC)
LATER = -0.04  # days: after anything that the merge itself writes down
PURPOSES, CHANNELS = ("marketing", "magazine"), ("email", "post")
ASKED = [(purpose, channel) for purpose in PURPOSES for channel in CHANNELS]


def say(
    s: ScopedSession, who: UUID, purpose: str, channel: str, status: str, days_ago: float = 0
) -> None:
    consent.record(
        s,
        who,
        purpose=purpose,
        channel=channel,
        status=status,  # type: ignore[arg-type]  # one of the two
        wording="May we?" if status == "given" else "",
        method="till",
        at=NOW - timedelta(days=days_ago),
    )


def may(s: ScopedSession, who: UUID) -> set[tuple[str, str]]:
    return {asked for asked in ASKED if consents.may_contact(s, who, *asked)}


def test_each_keeps_what_they_agreed_to_themselves(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        keep, gone = service.enrol(s, name="Ana").id, service.enrol(s, name="Bea").id
        say(s, keep, "marketing", "email", "given", 9)
        say(s, gone, "magazine", "post", "given", 8)
        service.merge(s, keep, gone)
        assert may(s, keep) == {("marketing", "email"), ("magazine", "post")}
        say(s, keep, "magazine", "email", "given")  # said since: it is the kept record's
        assert service.unmerge(s, gone).rooms["consent"] == {"refusals": 0}
        assert may(s, keep) == {("marketing", "email"), ("magazine", "email")}
        assert may(s, gone) == {("magazine", "post")}


@pytest.mark.parametrize("refuser", ["keep", "gone", "since"])
@pytest.mark.parametrize("wide", [False, True])
def test_what_either_refused_both_refuse(floor: Floor, refuser: str, wide: bool) -> None:
    with floor.till(floor.club) as s:
        keep, gone = service.enrol(s, name="Ana").id, service.enrol(s, name="Bea").id
        for one in (keep, gone):
            for purpose in PURPOSES:
                say(s, one, purpose, "email", "given", 9)
        no = {"keep": keep, "gone": gone}.get(refuser)
        if no is not None:
            say(s, no, *(("*", "*") if wide else ASKED[0]), "withdrawn", 5)
        service.merge(s, keep, gone)
        if no is None:
            say(s, keep, *(("*", "*") if wide else ASKED[0]), "withdrawn")
        service.unmerge(s, gone)
        left = set() if wide else {("magazine", "email")}
        assert (may(s, keep), may(s, gone)) == (left, left)
        # Whoever of the two agrees anew is asked no more, and the other is as before.
        say(s, gone, "marketing", "email", "given", LATER)
        assert may(s, gone) == left | {("marketing", "email")}
        assert may(s, keep) == left
        for row in s.query(ConsentEvent).where(ConsentEvent.method == "unmerge"):
            assert row.recorded_at >= row.at


def test_an_erased_phone_that_came_back_makes_both_careful(floor: Floor) -> None:
    """Old lists must not wake anybody up through the record that comes back, either."""
    with floor.till(floor.shops) as s:
        old = service.enrol(s, name="Old", phone="020 7946 0018")
        service.erase(s, old.id, "asked")
        keep = service.enrol(s, name="Ana", phone="020 7946 0018").id
        gone = service.enrol(s, name="Bea").id
        service.merge(s, keep, gone)
        service.unmerge(s, gone)
        for one in (keep, gone):
            consent.record(
                s, one, purpose="marketing", channel="email", status="given", wording="Yes",
                method="import",
            )  # fmt: skip
            assert may(s, one) == set()


WORD = st.one_of(
    st.tuples(st.just("given"), st.sampled_from(ASKED)),
    st.tuples(
        st.just("withdrawn"),
        st.tuples(st.sampled_from([*PURPOSES, "*"]), st.sampled_from([*CHANNELS, "*"])),
    ),
)
SAID = st.lists(st.tuples(WORD, st.integers(0, 20)), max_size=5)
SINCE = st.lists(st.tuples(WORD, st.one_of(st.integers(0, 20), st.just(LATER))), max_size=5)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(first=SAID, second=SAID, since=SINCE)
def test_nobody_may_be_contacted_more_than_before(
    floor: Floor, first: list, second: list, since: list
) -> None:
    """Whatever was said in whatever order, also what was said long ago and is told late."""
    with floor.till(floor.club) as s:
        keep, gone = service.enrol(s, name="Ana").id, service.enrol(s, name="Bea").id
        for who, words in ((keep, first), (gone, second)):
            for (status, about), days_ago in words:
                say(s, who, *about, status, days_ago)
        apart = {who: may(s, who) for who in (keep, gone)}
        service.merge(s, keep, gone)
        for (status, about), days_ago in since:
            say(s, keep, *about, status, days_ago)
        before = may(s, keep)
        service.unmerge(s, gone)
        for who in (keep, gone):
            assert may(s, who) <= before
        # And the record that was not spoken to since may not be contacted for anything new.
        assert may(s, gone) <= apart[gone]
