"""A rule is kept and read as it was meant; what is none is refused with its place."""

import pytest

from highstreet.segments import rules
from highstreet.segments.rules import All, Bought, Field, Not
from highstreet_tenants.errors import Invalid


def test_a_rule_is_the_same_after_it_was_kept() -> None:
    rule = All(
        (
            Field("customer.spent", "between", [100, 2000]),
            Not(Bought(departments=("Oil",), in_last_days=30)),
            Field("customer.name", "filled"),
        )
    )
    kept = rules.dump(rule)
    assert kept["of"][1] == {
        "is": "not",
        "of": {"is": "bought", "departments": ["Oil"], "in_last_days": 30},
    }
    assert kept["of"][2] == {"is": "field", "name": "customer.name", "op": "filled"}
    assert rules.load(kept) == rule
    assert rules.digest(rule) == rules.digest(rules.load(kept))
    assert rules.digest(rule) != rules.digest(All(rule.of[:2]))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("x", "rule"),
        (None, "rule"),
        ({"is": "nothing"}, "nothing"),
        ({"is": "all", "of": [{"is": "field", "name": 7, "op": "is"}]}, r"\$\.of\[0\]\.name"),
        ({"is": "all", "of": [{"is": "field", "name": "a", "op": "is", "valeu": 1}]}, "valeu"),
        ({"is": "segment", "id": "1; DROP TABLE core_segment"}, "id"),
        ({"is": "bought", "times": 0}, "10,000"),
        ({"is": "bought", "in_last_days": 5, "first": "2026-01-01"}, "not both"),
        ({"is": "bought", "first": "2026-02-01", "last": "2026-01-01"}, "before the first"),
        ({"is": "bought", "at_least_minor": -1}, "below zero"),
        ({"is": "people", "ids": ["00000000-0000-0000-0000-000000000001"] * 1001}, "1000 people"),
    ],
)
def test_what_is_no_rule_is_refused(data: object, says: str) -> None:
    with pytest.raises(Invalid, match=says) as error:
        rules.load(data)
    assert "rule" in error.value.fields


def nested(depth: int) -> dict[str, object]:
    inner: dict[str, object] = {"is": "field", "name": "customer.name", "op": "filled"}
    for _turn in range(depth):
        inner = {"is": "not", "of": inner}
    return inner


def test_rules_that_nest_or_grow_without_end_are_refused() -> None:
    rules.load(nested(19))
    for depth in (20, 50, 5000):
        with pytest.raises(Invalid, match="20 deep"):
            rules.load(nested(depth))
    many = {"is": "any", "of": [nested(0)] * 199}
    rules.load(many)
    with pytest.raises(Invalid, match="200 conditions"):
        rules.load({"is": "any", "of": [nested(0)] * 200})
