"""Entries of a trail in words, for a page or a file."""

import json
from collections.abc import Mapping
from typing import Any

from highstreet_tenants.trail.actions import ACTIONS
from highstreet_tenants.trail.models import TrailEntry
from highstreet_tenants.words import gettext as _

_MOST = 8


def known(of_tools: Mapping[str, object]) -> dict[str, str]:
    """Every action there is, the core's and the tools', with its words in the reader's language."""
    own = {action: _(title) for action, title in ACTIONS.items()}
    return own | {action: str(title) for action, title in of_tools.items()}


def thing(entry: TrailEntry) -> str:
    """What it was done to: its name as it was then, or its id where it has none to tell."""
    if entry.object_name:
        return entry.object_name
    return entry.object_id.hex[-12:] if entry.object_id else ""


def origin(entry: TrailEntry) -> str:
    """Through what it was done."""
    if entry.origin_kind == "till":
        return _("at %(till)s", till=entry.origin_name)
    if entry.origin_kind == "session":
        return _("from %(address)s", address=entry.origin_name or "?")
    return {
        "key": _("API key"),
        "job": _("background job"),
        "system": _("whoever runs Highstreet"),
        "member": _("the member"),
    }.get(entry.actor_kind, "")


def told(details: Mapping[str, Any]) -> list[str]:
    """The details, a line each: "level: optional → required"."""
    flat = dict(details)
    if isinstance(changes := flat.pop("changes", None), Mapping):
        flat |= changes
    lines = [f"{name}: {_value(value)}" for name, value in flat.items() if value not in (None, "")]
    return lines[:_MOST] + (["…"] if len(lines) > _MOST else [])


def as_json(details: Mapping[str, Any]) -> str:
    """The details for a file; nothing for none."""
    return json.dumps(details, ensure_ascii=False) if details else ""


def _value(value: Any) -> str:
    if isinstance(value, list) and len(value) == 2:
        before, after = value
        return f"{_short(before)} → {_short(after)}"
    return _short(value)


def _short(value: Any) -> str:
    text = "–" if value is None else value if isinstance(value, str) else as_text(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def as_text(value: Any) -> str:
    """A plain value as JSON writes it; a list with commas."""
    if isinstance(value, list):
        return ", ".join(_short(one) for one in value)
    return json.dumps(value, ensure_ascii=False)
