"""Entries of a trail in words, for a page or a file."""

import json
from collections.abc import Mapping
from typing import Any

from highstreet_tenants.people.permissions import N_, ROLES
from highstreet_tenants.trail.actions import ACTIONS
from highstreet_tenants.trail.models import TrailEntry
from highstreet_tenants.words import gettext as _

#: Lines of details that are told.
MOST = 8

#: What stands in details under these names, in words; a tool's own names are shown as they are.
NAMES: Mapping[str, str] = {
    "level": N_("Level"),
    "region": N_("Region"),
    "store": N_("Stores"),
    "note": N_("Note"),
    "role": N_("Role"),
    "roles": N_("Roles"),
    "at": N_("Held at"),
    "for": N_("Link for"),
    "scopes": N_("May do"),
    "number": N_("Number"),
    "name": N_("Name"),
    "zone": N_("Time zone"),
    "currency": N_("Currency"),
    "locale": N_("Language"),
    "address": N_("Address"),
    "status": N_("State"),
    "owner": N_("Owner"),
    "valid_from": N_("Valid from"),
    "before": N_("Entries before"),
    "keys": N_("API keys ended"),
    "tills": N_("Tills ended"),
    "pins": N_("PINs ended"),
    "kind": N_("Kind"),
    "records": N_("Rows"),
    "created": N_("New"),
    "known": N_("Known already"),
    "refused": N_("Refused"),
    "customers": N_("Customers"),
    "gone": N_("Record that was merged"),
    "kept": N_("Record that was kept"),
    "key": N_("Field"),
    "points": N_("Points"),
    "to": N_("Address"),
    "events": N_("Events"),
    "old_secret_hours": N_("Hours for which the old secret signs"),
    "cut": N_("Shortened"),
}
_PLACES = {
    "brand": N_("head office"),
    "region": N_("a region"),
    "owner": N_("an owner’s stores"),
    "store": N_("one store"),
}
_LEVELS = {
    "required": N_("required"),
    "default_on": N_("on by default"),
    "optional": N_("optional"),
    "restricted": N_("on request"),
    "forbidden": N_("forbidden"),
}
#: Values of these names, in words.
VALUES: Mapping[str, Mapping[str, str]] = {
    "level": _LEVELS | _PLACES,
    "at": _PLACES,
    "for": {"invite": N_("a first password"), "reset": N_("a new password")},
    "status": {"open": N_("open"), "closed": N_("closed")},
    "role": {name: role.title for name, role in ROLES.items()},
    "roles": {name: role.title for name, role in ROLES.items()},
}


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
    """The details, a line each: "Level: optional → required", in the reader's language."""
    flat = {name: value for name, value in details.items() if name != "changes"}
    lines = []
    for name, value in flat.items():
        if value not in (None, ""):
            title = _(NAMES[name]) if name in NAMES else name
            lines.append(f"{title}: {_value(value, VALUES.get(name, {}))}")
    if isinstance(changes := details.get("changes"), Mapping):  # of settings: the tool's names
        lines += [f"{name}: {_value(value, {})}" for name, value in changes.items()]
    return lines[:MOST] + (["…"] if len(lines) > MOST else [])


def as_json(details: Mapping[str, Any]) -> str:
    """The details for a file; nothing for none."""
    return json.dumps(details, ensure_ascii=False) if details else ""


def _value(value: Any, said: Mapping[str, str]) -> str:
    if isinstance(value, list) and len(value) == 2:
        before, after = value
        return f"{_short(before, said)} → {_short(after, said)}"
    return _short(value, said)


def _short(value: Any, said: Mapping[str, str]) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        text = ", ".join(_short(one, said) for one in value) or "–"
    elif isinstance(value, str):
        text = _(said[value]) if value in said else value or "–"
    else:
        text = "–" if value is None else as_text(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def as_text(value: Any) -> str:
    """A plain value as JSON writes it; a list with commas."""
    if isinstance(value, list):
        return ", ".join(_short(one, {}) for one in value)
    return json.dumps(value, ensure_ascii=False)
