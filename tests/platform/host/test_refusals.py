"""marshmallow's own messages reach people in their language: all that a settings form can cause."""

from typing import Any

import pytest
from marshmallow import RAISE, Schema, ValidationError, fields, validate

from highstreet.host import refusals


class Everything(Schema):
    """One field for each message."""

    class Meta:
        unknown = RAISE

    needed = fields.String(required=True)
    text = fields.String(validate=validate.Length(2, 3))
    least = fields.String(validate=validate.Length(min=2))
    most = fields.String(validate=validate.Length(max=3))
    count = fields.Integer(strict=True, validate=validate.Range(1, 5))
    low = fields.Integer(validate=validate.Range(min=1))
    high = fields.Integer(validate=validate.Range(max=5))
    rate = fields.Decimal()
    share = fields.Float()
    day = fields.Date()
    time = fields.Time()
    on = fields.Boolean()
    many = fields.List(fields.String())
    pairs = fields.Dict()
    mode = fields.String(validate=validate.OneOf(["a", "b"]))


WRONG: dict[str, Any] = {
    "text": "x", "least": "x", "most": "long", "count": 9, "low": 0, "high": 9, "rate": "x",
    "share": "x", "day": "x", "time": "x", "on": "x", "many": "x", "pairs": "x", "mode": "c",
    "strange": 1,
}  # fmt: skip


def messages(data: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(ValidationError) as refused:
        Everything().load(data)
    return {key: found[0] for key, found in refused.value.normalized_messages().items()}


@pytest.mark.parametrize("data", [WRONG, dict.fromkeys(WRONG), {**WRONG, "count": "x", "text": 5}])
def test_every_message_of_marshmallows_is_known(data: dict[str, Any]) -> None:
    for key, message in messages(data).items():
        said = refusals.translated(message)
        assert said != message, key
        assert "%(" not in said


def test_figures_stay_and_a_tools_own_words_too() -> None:
    found = messages(WRONG)
    assert refusals.translated(found["count"]) == "Use a number from 1 to 5."
    assert refusals.translated(found["mode"]) == "Choose one of: a, b."
    assert refusals.translated("The last day is before the first.") == (
        "The last day is before the first."
    )
