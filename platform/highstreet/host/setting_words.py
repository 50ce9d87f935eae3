"""Settings of a tool in words: a change as the trail keeps it, by the labels of the schema."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal
from marshmallow import Schema, fields
from msgspec import Struct

from highstreet.host.cascade import MASK
from highstreet.i18n import format_locale
from highstreet.i18n import gettext as _
from highstreet_tenants.money import format_minor

#: What `settings.put` writes behind a key whose lock was changed.
LOCKED = " locked"
_NOTHING = "–"
_LONGEST = 80


class _Written(Struct, frozen=True):
    currency: str
    locale: Locale


def label(name: str, one: fields.Field[Any]) -> str:
    """What a field is called, in the reader's language."""
    return str(one.metadata.get("label") or name.replace("_", " ").capitalize())


def changed(
    schema: type[Schema] | None, changes: Mapping[str, Any], currency: str, locale: str
) -> tuple[list[str], dict[str, Any]]:
    """(changes of settings, a line each: "Points lapse: never → after days"; what the schema does
    not know, or no more).

    schema: None where the tool has none or is gone. currency, locale: of the place.
    """
    known = schema().fields if schema is not None else {}
    how = _Written(currency, format_locale(locale))
    lines: list[str] = []
    left: dict[str, Any] = {}
    for name, value in changes.items():
        one = known.get(name)
        locked = known.get(name.removesuffix(LOCKED)) if name.endswith(LOCKED) else None
        if one is not None and value == MASK:
            lines.append(f"{label(name, one)}: {MASK}")
        elif one is not None and isinstance(value, list) and len(value) == 2:
            lines += _lines(label(name, one), one, value[0], value[1], how)
        elif locked is not None:
            said = _("locked for the levels below") if value else _("no longer locked")
            lines.append(f"{label(name.removesuffix(LOCKED), locked)}: {said}")
        else:
            left[name] = value
    return lines, left


def _lines(
    title: str, one: fields.Field[Any], before: Any, after: Any, how: _Written
) -> Iterator[str]:
    """A group tells what in it changed, a list of groups which are other ones, or what became of
    the one that is."""
    if before == after:
        return
    if (
        isinstance(one, fields.Nested)
        and isinstance(before, Mapping)
        and isinstance(after, Mapping)
    ):
        for name, inner in one.schema.fields.items():
            if before.get(name) != after.get(name):
                deeper = f"{title}, {label(name, inner)}"
                yield from _lines(deeper, inner, before.get(name), after.get(name), how)
        return
    if isinstance(before, list) and isinstance(after, list):
        gone = [value for value in before if value not in after]
        new = [value for value in after if value not in before]
        if isinstance(one, fields.List) and (same := _same(gone, new)):
            yield from _lines(f"{title} ({same})", one.inner, gone[0], new[0], how)
            return
        if gone or new:  # else they stand in another order
            before, after = gone, new
    yield f"{title}: {_cut(_text(one, before, how))} → {_cut(_text(one, after, how))}"


def _same(gone: list[Any], new: list[Any]) -> str:
    """By what name a single thing in a list goes that was changed; empty for anything else."""
    if len(gone) != 1 or len(new) != 1:
        return ""
    before, after = gone[0], new[0]
    if not (isinstance(before, Mapping) and isinstance(after, Mapping)):
        return ""
    named = before.get("name")
    return named if isinstance(named, str) and named == after.get("name") else ""


def _text(one: fields.Field[Any], value: Any, how: _Written) -> str:
    """A value as the trail keeps it (plain JSON), as a person reads it."""
    if value in (None, "", [], {}):
        return _NOTHING
    if isinstance(one, fields.Nested) and isinstance(value, Mapping):
        return _group(one, value, how)
    if isinstance(one, fields.List) and isinstance(value, list):
        between = " / " if isinstance(one.inner, fields.Nested) else ", "
        return between.join(_text(one.inner, each, how) for each in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name} = {each}" for name, each in value.items())
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    chosen = (one.metadata.get("options") or {}).get(value)
    if chosen is not None:
        return str(chosen)
    if isinstance(value, int | float):
        if one.metadata.get("money"):
            return format_minor(int(value), how.currency, str(how.locale))
        number = str(format_decimal(value, locale=how.locale)).replace("-", "−")
        return f"{number} {one.metadata.get('unit', '')}".rstrip()
    return _day(value, how) if isinstance(one, fields.Date) else str(value)


def _group(one: fields.Nested, value: Mapping[str, Any], how: _Written) -> str:
    parts = [
        f"{label(name, inner)} {_text(inner, value[name], how)}"
        for name, inner in one.schema.fields.items()
        if value.get(name) not in _unsaid(inner)
    ]
    return ", ".join(parts) or _NOTHING


def _unsaid(one: fields.Field[Any]) -> Sequence[Any]:
    """What goes without saying within a group: nothing, and what holds unless it is said."""
    usual = one.load_default() if callable(one.load_default) else one.load_default
    return (None, "", [], {}, False, usual)


def _day(value: Any, how: _Written) -> str:
    try:
        return str(format_date(date.fromisoformat(str(value)), "medium", locale=how.locale))
    except ValueError:
        return str(value)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
