"""Entries of the trail in words: the core's own, settings of tools, what a closed store owed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from babel.dates import format_datetime

from highstreet.host import setting_words
from highstreet.i18n import format_locale, language
from highstreet.stores import owing
from highstreet_tenants import clock
from highstreet_tenants.trail import words

if TYPE_CHECKING:
    from highstreet.host.registry import Host
    from highstreet.host.snapshot import Place
    from highstreet_tenants.trail.models import TrailEntry


def told(entry: TrailEntry, host: Host, place: Place) -> list[str]:
    """The details of an entry, a line each, in the reader's language.

    place: the store that it concerns, or the brand. A tool that is gone leaves the keys of its
    settings.
    """

    def title(tool: str) -> str:
        return host.title(tool, language())

    details = {name: one for name, one in entry.details.items() if name not in owing.KEPT}
    lines: list[str] = []
    changes = details.get("changes")
    if entry.action == "settings.changed" and isinstance(changes, Mapping):
        loaded = host.plugins.get(entry.object_name)
        schema = loaded.plugin.settings if loaded is not None else None
        found, left = setting_words.changed(schema, changes, place.currency, place.locale)
        lines = found[: words.MOST] + (["…"] if len(found) > words.MOST else [])
        details["changes"] = left
    if "valid_from" in details:
        details["valid_from"] = _moment(details["valid_from"], place)
    return [*words.told(details), *lines, *owing.told(entry.details, title, place.locale)]


def thing(entry: TrailEntry, host: Host) -> str:
    """To what it was done; a tool by its title."""
    if entry.object_kind == "tool" and host.manifest(entry.object_name) is not None:
        return host.title(entry.object_name, language())
    return words.thing(entry)


def _moment(value: Any, place: Place) -> str:
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return str(value)
    zone, written = clock.zone(place.zone), format_locale(place.locale)
    return str(format_datetime(at.astimezone(zone), "medium", tzinfo=zone, locale=written))
