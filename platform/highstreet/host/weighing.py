"""What is asked before a setting is taken: whether there is one of this name, whether a level above
holds it, and whether the tool's schema takes it beside the others. Pure.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError

from highstreet.host import cascade, refusals
from highstreet.host.cascade import Given, Level
from highstreet.host.spelling import meant, suggest
from highstreet.i18n import gettext as _
from highstreet_tenants.errors import Forbidden, Invalid


def check_keys(schema_class: type[Schema] | None, keys: set[str]) -> None:
    """Raise Invalid, naming those there are, for keys that the schema has not."""
    known = set(schema_class._declared_fields) if schema_class is not None else set()
    if strange := sorted(keys - known):
        words = _("There is no such setting. There are: %(known)s.", known=", ".join(sorted(known)))
        raise Invalid(words, fields={key: [f"{words}{meant(key, known)}"] for key in strange})


def refuse_locked(
    counting: Mapping[tuple[Level, str], Given], level: Level, keys: set[str]
) -> None:
    """Raise Forbidden for keys that a level above `level` has locked."""
    above = cascade.ORDER[: cascade.ORDER.index(level)]
    held = {
        key: row.by
        for key in keys
        for level in above
        if (row := counting.get((level, key))) is not None and row.locked
    }
    if held:
        raise Forbidden(
            _(
                "Locked by %(who)s: %(keys)s. Ask them to change it.",
                who=", ".join(sorted(set(held.values()))),
                keys=", ".join(sorted(held)),
            ),
            fields={key: [_("Locked by %(who)s.", who=who)] for key, who in held.items()},
        )


def validate(
    schema_class: type[Schema] | None,
    counting: Mapping[tuple[Level, str], Given],
    level: Level,
    values: Mapping[str, Any],
    clear: Collection[str],
) -> dict[str, Any]:
    """The new values as JSON, checked together with what they will stand beside. Raises Invalid."""
    if schema_class is None:
        return {}
    schema = schema_class(unknown=EXCLUDE)
    visible = cascade.ORDER[: cascade.ORDER.index(level) + 1]
    beside = {
        place: row
        for place, row in counting.items()
        if place[0] in visible and not (place[0] == level and row.key in clear)
    }
    raw, _sources, _givers = cascade.fold(beside)
    sound = cascade.resolve(schema_class, beside).problems  # what was refused before is not ours
    raw = {k: v for k, v in raw.items() if k not in sound and k in schema.fields}
    try:
        loaded = schema.load({**raw, **values})
    except ValidationError as error:
        messages = suggest(schema, error.normalized_messages())  # type: ignore[no-untyped-call]
        raise Invalid(
            _("Some settings can't be so. Nothing was changed."), fields=_by_key(messages)
        ) from error
    dumped = schema.dump(loaded)
    plain = {key: dumped.get(key, values[key]) for key in values}
    for key, value in plain.items():
        _check_json(key, value)
    return plain


def _by_key(messages: Mapping[Any, Any], path: str = "") -> dict[str, list[str]]:
    """Messages by dotted key, for nested settings too."""
    found: dict[str, list[str]] = {}
    for key, inner in messages.items():
        name = f"{path}.{key}" if path else str(key)
        if isinstance(inner, Mapping):
            found |= _by_key(inner, name)
        else:
            given = inner if isinstance(inner, list) else [inner]
            found[name] = [refusals.translated(str(m)) for m in given]
    return found


def _check_json(key: str, value: Any) -> None:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode("utf-8")
    except (TypeError, ValueError) as error:
        words = _("This can't be stored. Use plain text and numbers.")
        raise Invalid(words, fields={key: [words]}) from error
    if "\\u0000" in text:
        words = _("This holds a character that can't be stored (NUL).")
        raise Invalid(words, fields={key: [words]})
