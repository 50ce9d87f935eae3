"""What tools answered, as JSON: an object under each tool's name."""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from typing import Any
from uuid import UUID

from flask import Response
from flask.json.provider import DefaultJSONProvider

from highstreet.rest.fields import zulu
from highstreet_tenants.failures import FAILURES
from highstreet_tenants.values import fields_of

log = logging.getLogger(__name__)

#: An answer is an object with a list in it, perhaps; one that goes deeper may well hold itself.
MOST_DEPTH = 16


def by_tool(answers: Iterable[Any]) -> dict[str, dict[str, Any]]:
    """The answers (`host.plans.Answer`) by tool; a tool that has nothing to say is left out.

    A tool heard of one purchase, so of a list of one the one is meant. An answer that can't be
    written as JSON is left out and logged: what it was about stands.
    """
    said: dict[str, dict[str, Any]] = {}
    for answer in answers:
        try:
            value = plain(answer.value)
        except FAILURES:
            log.exception("the answer of %s can't be written as JSON", answer.plugin)
            continue
        if isinstance(value, list):
            value = value[0] if len(value) == 1 else {"items": value}
        if isinstance(value, dict):
            if value:
                said[answer.plugin] = value
        elif value is not None:
            said[answer.plugin] = {"says": value}
    return said


#: Everything that the API says: sorted, so that equal answers are equal to the letter.
_ENCODER = json.JSONEncoder(sort_keys=True, default=DefaultJSONProvider.default)


def say(body: Mapping[str, Any], status: int = 200) -> Response:
    """An answer in JSON."""
    return Response(_ENCODER.encode(body), status=status, mimetype="application/json")


def plain(value: Any, depth: int = 0) -> Any:
    """A value as JSON: frozen facts become objects; ids, times and exact numbers become text.

    Raises ValueError for a number that JSON does not have, and for nesting beyond MOST_DEPTH.
    """
    kind = type(value)
    if value is None or kind in (str, int, bool):
        return value
    if depth > MOST_DEPTH or (kind is float and not isfinite(value)):
        raise ValueError("JSON has neither endless objects nor endless numbers")
    if kind is float:
        return value
    if kind is UUID:
        return str(value)
    if kind is datetime:
        return zulu(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    names = fields_of(kind)
    if names is not None:
        return {name: plain(getattr(value, name), depth + 1) for name in names}
    if isinstance(value, str | bytes):  # an enumeration's, say; a list of its letters helps nobody
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, Sequence | Set):
        return [plain(inner, depth + 1) for inner in value]
    return str(value)  # words that are translated when shown
