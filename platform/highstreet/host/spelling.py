"""Says what somebody may have meant who wrote a key that there is not."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from marshmallow import Schema, fields

from highstreet.i18n import gettext as _


def meant(word: str, known: Iterable[str]) -> str:
    """“ (did you mean …?)”, to stand behind a message; empty where nothing known is alike."""
    alike = get_close_matches(word, list(known), 1)
    return " " + _("(did you mean “%(word)s”?)", word=alike[0]) if alike else ""


def suggest(schema: Schema, messages: Any) -> Any:
    """marshmallow's messages about data for ``schema``, those about unknown keys with what may
    have been meant."""
    if not isinstance(messages, dict):
        return messages
    known = {field.data_key or name: field for name, field in schema.fields.items()}
    told: dict[Any, Any] = {}
    for key, inner in messages.items():
        if key in known:
            told[key] = _inside(known[key], inner)
        elif key == "_schema" or not isinstance(inner, list):
            told[key] = inner
        else:
            told[key] = [f"{words}{meant(str(key), known)}" for words in inner]
    return told


def _inside(field: Any, messages: Any) -> Any:
    if not isinstance(messages, dict):
        return messages
    if isinstance(field, fields.Nested):
        if not field.many:
            return suggest(field.schema, messages)
        return {place: suggest(field.schema, inner) for place, inner in messages.items()}
    if isinstance(field, fields.List):
        return {place: _inside(field.inner, inner) for place, inner in messages.items()}
    if isinstance(field, fields.Mapping) and field.value_field is not None:
        return {
            key: {
                part: _inside(field.value_field, about) if part == "value" else about
                for part, about in inner.items()
            }
            if isinstance(inner, dict)
            else inner
            for key, inner in messages.items()
        }
    return messages


__all__ = ["meant", "suggest"]
