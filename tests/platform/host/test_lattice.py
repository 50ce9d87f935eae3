"""The policy lattice, by property: whatever is said and chosen, nobody gets more than allowed."""

from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from highstreet.host.lattice import (
    PERMITS,
    UNSAID,
    Approval,
    Choice,
    Compatibility,
    Level,
    Pause,
    Policy,
    Ruling,
    Word,
    judge,
    narrows,
)

MAY = datetime(2026, 5, 3, 9, tzinfo=UTC)
levels = st.sampled_from(Level)
words = st.builds(Word, levels, st.just("Ann"), st.just(MAY), st.none() | st.just("why"))
policies = st.builds(Policy, st.none() | words, st.none() | words, st.just("Coast"))
choices = st.none() | st.builds(Choice, st.booleans(), st.just("Ruth"), st.just(MAY))
approvals = st.none() | st.builds(Approval, st.booleans(), st.just("Ann"), st.just(MAY))
fits = st.sampled_from(
    [Compatibility(), Compatibility("absent", "broken"), Compatibility("needs", "Points")]
)
pauses = st.none() | st.builds(Pause, st.just(MAY), st.sampled_from([0, 5]), st.just("Ruth"))


def outcome(ruling: Ruling, approval: Approval | None) -> str:
    """ "off", "on", or "approved": an on for which somebody above said yes."""
    if not ruling.on:
        return "off"
    return "approved" if ruling.code == "approved" else "on"


@given(policies, choices, approvals)
def test_a_store_gets_only_what_head_office_permits(
    policy: Policy, choice: Choice | None, approval: Approval | None
) -> None:
    above = policy.brand.level if policy.brand else UNSAID
    assert outcome(judge(policy, choice, approval), approval) in PERMITS[above]


@given(words, words, choices, approvals)
def test_a_region_that_narrows_is_obeyed_and_one_that_widens_is_not(
    brand: Word, region: Word, choice: Choice | None, approval: Approval | None
) -> None:
    both = judge(Policy(brand, region, "Coast"), choice, approval)
    effective = region.level if narrows(region.level, brand.level) else brand.level
    assert outcome(both, approval) in PERMITS[effective]
    if not narrows(region.level, brand.level):
        assert both == judge(Policy(brand), choice, approval)


@given(policies, choices, approvals, fits, pauses)
def test_what_stands_in_the_way_only_ever_switches_off(
    policy: Policy,
    choice: Choice | None,
    approval: Approval | None,
    fit: Compatibility,
    pause: Pause | None,
) -> None:
    free = judge(policy, choice, approval)
    held = judge(policy, choice, approval, fit, pause)
    assert held.on <= free.on
    assert held.on == (free.on and fit.works and pause is None)
    if not free.on:
        assert held == free  # a forbidden tool says so even if it is broken too
    assert held.paused_only == (free.on and fit.works and pause is not None)


@given(policies, choices, approvals, fits, pauses)
def test_it_is_pure(
    policy: Policy,
    choice: Choice | None,
    approval: Approval | None,
    fit: Compatibility,
    pause: Pause | None,
) -> None:
    once = judge(policy, choice, approval, fit, pause)
    assert once == judge(policy, choice, approval, fit, pause)


@given(levels, levels, levels)
def test_narrowing_is_an_order(a: Level, b: Level, c: Level) -> None:
    assert narrows(a, a)
    if narrows(a, b) and narrows(b, c):
        assert narrows(a, c)
    if narrows(a, b) and narrows(b, a) and a is not b:
        assert {a, b} == {Level.DEFAULT_ON, Level.OPTIONAL}  # they differ in the default only


def test_forbidden_and_required_are_the_ends() -> None:
    free = {Level.DEFAULT_ON, Level.OPTIONAL}
    allowed = {(a, b) for a, b in product(Level, Level) if narrows(a, b)}
    expected = {(a, b) for a in Level for b in free}
    expected |= {(Level.RESTRICTED, Level.RESTRICTED), (Level.FORBIDDEN, Level.RESTRICTED)}
    expected |= {(Level.REQUIRED, Level.REQUIRED), (Level.FORBIDDEN, Level.FORBIDDEN)}
    assert allowed == expected


def say(level: Level | None, region: Level | None = None) -> Policy:
    def word(said: Level | None, who: str) -> Word | None:
        return Word(said, who, MAY) if said is not None else None

    return Policy(word(level, "Ann"), word(region, "Rolf"), "Coast")


YES, NO = Choice(True, "Ruth", MAY), Choice(False, "Ruth", MAY)
GRANTED, DENIED = Approval(True, "Ann", MAY), Approval(False, "Ann", MAY)


@pytest.mark.parametrize(
    ("policy", "choice", "approval", "state", "code"),
    [
        (say(None), None, None, "off", "not_chosen"),
        (say(None), YES, None, "on", "chosen"),
        (say(Level.REQUIRED), NO, None, "required", "required"),
        (say(Level.FORBIDDEN), YES, GRANTED, "forbidden", "forbidden"),
        (say(Level.DEFAULT_ON), None, None, "on", "from_the_start"),
        (say(Level.DEFAULT_ON), NO, None, "off", "declined"),
        (say(Level.OPTIONAL), None, None, "off", "not_chosen"),
        (say(Level.RESTRICTED), None, GRANTED, "off", "ask_first"),
        (say(Level.RESTRICTED), YES, None, "waiting", "waiting"),
        (say(Level.RESTRICTED), YES, GRANTED, "on", "approved"),
        (say(Level.RESTRICTED), YES, DENIED, "refused", "refused"),
        (say(Level.RESTRICTED), NO, GRANTED, "off", "declined"),
        (say(Level.OPTIONAL, Level.REQUIRED), NO, None, "required", "required"),
        (say(Level.RESTRICTED, Level.REQUIRED), None, None, "off", "ask_first"),
        (say(Level.OPTIONAL, Level.DEFAULT_ON), None, None, "on", "from_the_start"),
        (say(Level.FORBIDDEN, Level.REQUIRED), YES, None, "forbidden", "forbidden"),
    ],
)
def test_each_state(
    policy: Policy, choice: Choice | None, approval: Approval | None, state: str, code: str
) -> None:
    ruling = judge(policy, choice, approval)
    assert (ruling.state, ruling.code) == (state, code)
