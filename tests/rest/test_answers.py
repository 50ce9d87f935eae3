"""Whatever a tool answers, the till gets JSON, and the purchase stands."""

import json
from enum import StrEnum
from typing import Any

import pytest

from highstreet.host.plans import Answer
from highstreet.rest.answers import by_tool

ENDLESS: dict[str, Any] = {}
ENDLESS["again"] = [ENDLESS]


class Tier(StrEnum):
    """Words that are more than words."""

    GOLD = "gold"


class Mute:
    """Can't even be shown."""

    def __str__(self) -> str:
        raise RuntimeError("nothing to say")


@pytest.mark.parametrize("bad", [ENDLESS, float("nan"), {"a": float("inf")}, Mute(), [[Mute()]]])
def test_an_answer_that_is_no_json_is_left_out(bad: Any) -> None:
    good = {"earned": 3, "rate": 0.5, "tier": Tier.GOLD}
    said = by_tool([Answer("bad", bad), Answer("good", good)])
    assert said == {"good": {"earned": 3, "rate": 0.5, "tier": "gold"}}
    json.dumps(said, allow_nan=False)


def test_odd_answers_are_told_as_well_as_they_can_be() -> None:
    said = by_tool([Answer("words", "two for one"), Answer("list", [1, 2]), Answer("none", {})])
    assert said == {"words": {"says": "two for one"}, "list": {"items": [1, 2]}}
