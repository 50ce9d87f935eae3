"""Any rule over any town picks whom a plain reading of it picks: a second reader, in Python."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from msgspec import Struct, field

from highstreet.customers import anchors, merging
from highstreet.customers import service as customers
from highstreet.purchases import service as purchases
from highstreet.purchases.facts import LineIn, PurchaseIn
from highstreet.segments import queries
from highstreet.segments.rules import All, Bought, Field, Not, OneOf, Rule
from highstreet_tenants.sessions import ScopedSession
from rooms_given import Floor

NOW = datetime.now(UTC).replace(microsecond=0)
DEPARTMENTS = ("Oil", "Tyres", "Tools")


class Sale(Struct):
    """A receipt: days ago, whole amount, department, place of the store."""

    days: int
    amount: int
    department: str
    store: int


class Soul(Struct):
    """What the second reader knows of somebody."""

    name: str
    birthday: date | None
    language: str | None
    sales: list[Sale] = field(default_factory=list)


def settle(floor: Floor, random: Random) -> list[Soul]:
    """A town of thirty, some of whom were two records once."""
    souls, ids = [], []
    for number in range(30):
        born = date(1960 + number, 1 + number % 12, 1 + number % 28) if number % 3 else None
        soul = Soul(f"S{number:02d}", born, random.choice([None, "en", "zh-Hans"]))
        with floor.till(floor.club, number % 2) as s:
            given_ = {"name": soul.name, "birthday": born, "language": soul.language}
            ids.append(customers.enrol(s, **given_).id)
        souls.append(soul)
    for turn in range(120):
        who, store = random.randrange(30), random.randrange(2)
        sale = Sale(
            random.randrange(200), random.randrange(1, 40), random.choice(DEPARTMENTS), store
        )
        souls[who].sales.append(sale)
        with floor.till(floor.club, store) as s:
            at = NOW - timedelta(days=sale.days)
            lines = (LineIn(1, "P", sale.department, 1, sale.amount),)
            purchases.record(
                s, PurchaseIn(s.store_id, f"T{turn}", at, sale.amount, "GBP", ids[who], lines)
            )
    with floor.office(floor.club) as s:
        for kept, gone in ((0, 15), (3, 16), (7, 8)):
            merging.merge(s, ids[kept], ids[gone])
            souls[kept].sales += souls[gone].sales
            if souls[kept].birthday is None:
                souls[kept].birthday = souls[gone].birthday
            if souls[kept].language is None:
                souls[kept].language = souls[gone].language
    return [soul for number, soul in enumerate(souls) if number not in (15, 16, 8)]


def reads(rule: Rule, soul: Soul, today: date) -> bool:
    """Whether somebody is in a rule, by the words of its documentation."""
    match rule:
        case All():
            return all(reads(one, soul, today) for one in rule.of)
        case OneOf():
            return any(reads(one, soul, today) for one in rule.of)
        case Not():
            return not reads(rule.of, soul, today)
        case Bought():
            return _bought(rule, soul)
        case Field():
            return _field(rule, soul, today)
    raise AssertionError(rule)


def _bought(rule: Bought, soul: Soul) -> bool:
    sales = [
        one
        for one in soul.sales
        if (rule.in_last_days is None or one.days < rule.in_last_days)
        and (not rule.departments or one.department in rule.departments)
    ]
    return len(sales) >= rule.times and sum(one.amount for one in sales) >= (
        rule.at_least_minor or 0
    )


def _field(rule: Field, soul: Soul, today: date) -> bool:
    value: Any = {
        "customer.purchases": len(soul.sales),
        "customer.spent": sum(one.amount for one in soul.sales),
        "customer.last_purchase_at": min((one.days for one in soul.sales), default=None),
        "customer.first_purchase_at": max((one.days for one in soul.sales), default=None),
        "customer.birthday": soul.birthday,
        "customer.language": soul.language,
        "customer.name": soul.name,
    }[rule.name]
    if rule.op in ("empty", "filled"):
        return (value is None) == (rule.op == "empty")
    if value is None:
        return False
    asked: Any = rule.value
    return bool(
        {
            "is": lambda: value == asked,
            "is_not": lambda: value != asked,
            "at_least": lambda: value >= asked,
            "at_most": lambda: value <= asked,
            "between": lambda: asked[0] <= value <= asked[1],
            "in_last_days": lambda: value < asked,
            "not_in_last_days": lambda: value >= asked,
            "anniversary_month": lambda: value.month == asked,
            "before": lambda: value < date.fromisoformat(asked),
            "begins": lambda: value.lower().startswith(asked.lower()),
        }[rule.op]()
    )


amounts = st.integers(0, 150)
days = st.integers(1, 220)
moments = st.sampled_from(["customer.last_purchase_at", "customer.first_purchase_at"])
counted = st.sampled_from(["customer.purchases", "customer.spent"])
leaves = st.one_of(
    st.builds(Field, counted, st.sampled_from(["at_least", "at_most", "is"]), amounts),
    st.builds(Field, counted, st.just("between"), st.lists(amounts, min_size=2, max_size=2)),
    st.builds(Field, moments, st.sampled_from(["in_last_days", "not_in_last_days"]), days),
    st.builds(Field, moments, st.sampled_from(["empty", "filled"])),
    st.builds(
        Field,
        st.just("customer.language"),
        st.sampled_from(["is", "is_not"]),
        st.sampled_from(["en", "zh-Hans", "fr"]),
    ),
    st.builds(
        Field,
        st.sampled_from(["customer.language", "customer.birthday", "customer.spent"]),
        st.sampled_from(["empty", "filled"]),
    ),
    st.builds(
        Field, st.just("customer.birthday"), st.just("anniversary_month"), st.integers(1, 12)
    ),
    st.builds(Field, st.just("customer.birthday"), st.just("before"), st.just("1975-06-01")),
    st.builds(
        Field, st.just("customer.name"), st.just("begins"), st.sampled_from(["s1", "S0", "x"])
    ),
    st.builds(
        Bought,
        departments=st.lists(st.sampled_from(DEPARTMENTS), max_size=2, unique=True).map(tuple),
        in_last_days=st.none() | days,
        times=st.integers(1, 4),
        at_least_minor=st.none() | st.integers(1, 120),
    ),
)
rules_ = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(All, st.lists(inner, max_size=3).map(tuple)),
        st.builds(OneOf, st.lists(inner, max_size=3).map(tuple)),
    ),
    max_leaves=8,
)


def picked(s: ScopedSession, rule: Rule) -> set[str]:
    from highstreet.segments.compiling import Compiler

    ids = s.scalars(Compiler(s).people(rule)).all()
    return set(anchors.names(s, ids).values())


@pytest.mark.slow
def test_any_rule_is_read_alike(floor: Floor) -> None:
    souls = settle(floor, Random(7))
    today = NOW.date()

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(rules_)
    def check(rule: Rule) -> None:
        with floor.office(floor.club, write=False) as s:
            note(f"{rule!r}")
            wanted = {one.name for one in souls if reads(rule, one, today)}
            assert picked(s, rule) == wanted
            assert queries.count(s, rule) == len(wanted)

    check()
