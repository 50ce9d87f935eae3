"""What tools answered, as JSON: an object under each tool's name."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from highstreet.rest.fields import zulu


def by_tool(answers: Iterable[Any]) -> dict[str, dict[str, Any]]:
    """The answers (`host.plans.Answer`) by tool; a tool that has nothing to say is left out.

    A tool heard of one purchase, so of a list of one the one is meant.
    """
    said: dict[str, dict[str, Any]] = {}
    for answer in answers:
        value = plain(answer.value)
        if isinstance(value, list):
            value = value[0] if len(value) == 1 else {"items": value}
        if isinstance(value, dict):
            if value:
                said[answer.plugin] = value
        elif value is not None:
            said[answer.plugin] = {"says": value}
    return said


def plain(value: Any) -> Any:
    """A value as JSON: frozen facts become objects; ids, times and exact numbers become text."""
    kind = type(value)
    if value is None or kind in (str, int, float, bool):
        return value
    if kind is UUID:
        return str(value)
    if kind is datetime:
        return zulu(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, Sequence | Set):
        return [plain(inner) for inner in value]
    return str(value)  # words that are translated when shown
