"""The straight way of loading a body comes to what marshmallow's own way comes to."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError

from highstreet.rest.objects import Object
from highstreet.rest.purchase_schemas import BasketIn, LineIn, PurchaseIn, ReturnIn, ReturnLineIn

OBJECTS = [LineIn, BasketIn, PurchaseIn, ReturnLineIn, ReturnIn]

UUIDS = st.sampled_from(["01970000-0000-7000-9000-000000000001", "0197", " x "])
MOMENTS = st.sampled_from(["2026-05-03T10:00:00Z", "2026-05-03T10:00", "2026-13-03T10:00:00Z"])
ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 3), st.integers(), st.floats(allow_nan=False),
    st.text(max_size=5), UUIDS, MOMENTS, st.just([]), st.just({}),
)  # fmt: skip
LINES = st.fixed_dictionaries(
    {"product": st.sampled_from(["10001", " milk "]), "amount_minor": st.integers(-5, 5000)},
    optional={
        "line_no": st.one_of(st.integers(0, 3), ANYTHING),
        "department": st.one_of(st.sampled_from(["", "DAIRY"]), ANYTHING),
        "quantity": st.one_of(st.sampled_from([1, 0.5, 0.12345, -1]), ANYTHING),
        "odd": ANYTHING,
    },
)
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "pos_ref": st.one_of(st.sampled_from(["R1", " R2 ", ""]), ANYTHING),
        "purchase_pos_ref": st.one_of(st.just("R0"), ANYTHING),
        "total_minor": st.one_of(st.integers(-1, 10**10 + 1), ANYTHING),
        "amount_minor": st.one_of(st.integers(-1, 5000), ANYTHING),
        "customer_id": st.one_of(st.none(), UUIDS, ANYTHING),
        "card": st.one_of(st.none(), st.just("C0001"), ANYTHING),
        "currency": st.one_of(st.sampled_from(["USD", "usd"]), ANYTHING),
        "occurred_at": st.one_of(MOMENTS, ANYTHING),
        "lines": st.one_of(st.lists(LINES, max_size=3), ANYTHING),
        "product": st.one_of(st.just("10001"), ANYTHING),
        "line_no": st.one_of(st.integers(0, 3), ANYTHING),
        "quantity": st.one_of(st.integers(0, 3), ANYTHING),
        "department": st.one_of(st.just("DAIRY"), ANYTHING),
        "odd": ANYTHING,
    },
)


def outcome(load: Any, body: Any) -> tuple[str, Any]:
    try:
        return "loaded", load(body)
    except ValidationError as error:
        return "refused", error.normalized_messages()


@pytest.mark.parametrize("kind", OBJECTS)
@settings(max_examples=300, deadline=None)
@given(body=st.one_of(BODIES, LINES, ANYTHING))
def test_both_ways_agree(kind: type[Object], body: Any) -> None:
    schema = kind()
    assert outcome(schema.load, body) == outcome(lambda b: Schema.load(schema, b), body)


def test_what_is_right_goes_straight(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_what: Any, **_how: Any) -> None:
        raise AssertionError("marshmallow's own way was taken")

    monkeypatch.setattr(Schema, "load", never)
    loaded = PurchaseIn().load(
        {
            "pos_ref": " R1 ",
            "total_minor": 1250,
            "card": "C0001",
            "lines": [{"product": "10001", "quantity": 0.5, "amount_minor": 1250}],
        }
    )
    assert loaded["pos_ref"] == "R1"
    assert loaded["customer_id"] is None
    assert loaded["lines"][0]["department"] == ""


@pytest.mark.parametrize("kind", OBJECTS)
def test_fields_bear_their_own_names(kind: type[Object]) -> None:
    for name, field in kind().load_fields.items():
        assert field.data_key in (None, name)
        assert field.attribute in (None, name)
