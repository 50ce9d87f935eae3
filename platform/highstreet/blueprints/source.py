"""Reads a blueprint's TOML, what it extends included, and knows on which line each key stands."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from highstreet.i18n import gettext as _
from highstreet_tenants.cards import mask_payment_cards
from highstreet_tenants.errors import Invalid

Path_ = tuple[str | int, ...]
"""Where in a blueprint: names of tables and keys, and places in lists from 0."""

Places = dict[Path_, tuple[Path, int]]

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*((?:\"[^\"]+\"|[\w.-]+)(?:\s*\.\s*(?:\"[^\"]+\"|[\w-]+))*)\s*=")

MOST_TOLD = 50
"""Mistakes that are told at once: whoever makes thousands makes the same one."""

#: By which key the elements of a list are the same in a blueprint and in what it extends.
IDENTITY = {
    "regions": "slug",
    "owners": "slug",
    "stores": "slug",
    "users": "email",
    "fields": "key",
}


class Source(Struct, frozen=True):
    """One blueprint as written: its data and where in which file each of its keys stands."""

    path: Path
    data: dict[str, Any]
    places: dict[Path_, tuple[Path, int]] = field(default_factory=dict)

    def where(self, path: Path_) -> str:
        """``file:line`` of a key, or of the nearest table that holds it."""
        for length in range(len(path), 0, -1):
            if place := self.places.get(path[:length]):
                return f"{place[0].name}:{place[1]}"
        return self.path.name


class Problems(Struct):
    """Collects everything wrong with a blueprint, to be told at once."""

    source: Source
    found: list[tuple[Path_, str]] = field(default_factory=list)

    def add(self, path: Path_, message: str) -> None:
        """Note what is wrong at ``path``."""
        self.found.append((path, message))

    def add_all(self, path: Path_, messages: Any) -> None:
        """Note what marshmallow found: nested mappings of keys to lists of messages."""
        if isinstance(messages, Mapping):
            for key, inner in messages.items():
                self.add_all(path if key == "_schema" else (*path, key), inner)
        elif isinstance(messages, list | tuple):
            for message in messages:
                self.add_all(path, message)
        else:
            self.add(path, str(messages))

    def settle(self) -> None:
        """Raise Invalid if anything was noted, one line for each problem."""
        if not self.found:
            return
        lines: list[str] = []
        fields: dict[str, list[str]] = {}
        for path, message in self.found[:MOST_TOLD]:
            key = mask_payment_cards(dotted(path))
            lines.append(f"{self.source.where(path)}: {key}: {message}")
            fields.setdefault(key, []).append(message)
        if (more := len(self.found) - MOST_TOLD) > 0:
            lines.append(_("… and %(count)s more", count=more))
        raise Invalid("\n".join(lines), fields=fields)


def dotted(path: Sequence[str | int]) -> str:
    """``stores[3].zone``: a path as people write it; list elements count from 1."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f"{'.' if text else ''}{part}"
    return text or "blueprint"


def listed(names: Collection[str]) -> str:
    """Some names for a message, however many there are."""
    shown = sorted(names)[:20]
    return ", ".join(shown) + (" …" if len(names) > len(shown) else "") or "—"


def read(path: Path) -> Source:
    """Read a blueprint and all that it extends.

    Raises Invalid for a missing file, broken TOML (with its line) and blueprints that extend
    each other in a circle.
    """
    return _read(path, ())


def _read(path: Path, above: tuple[Path, ...]) -> Source:
    here = path.resolve()
    if here in above:
        circle = " → ".join(one.name for one in (*above[above.index(here) :], here))
        raise Invalid(
            _("Blueprints extend each other in a circle: %(circle)s. Break it.", circle=circle)
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError) as error:
        raise Invalid(_("There is no blueprint file %(path)s.", path=path)) from error
    except UnicodeDecodeError as error:
        raise Invalid(_("%(path)s is not UTF-8 text; save it as UTF-8.", path=path)) from error
    except OSError as error:
        raise Invalid(_("%(path)s: %(reason)s", path=path, reason=error.strerror)) from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Invalid(_("%(path)s: %(reason)s", path=path.name, reason=error)) from error
    except RecursionError as error:
        raise Invalid(
            _("%(path)s: lists or tables stand inside each other too deeply.", path=path.name)
        ) from error
    source = Source(path, data, {key: (path, line) for key, line in _places(text).items()})
    base = data.pop("extends", None)
    if base is None:
        return source
    if not isinstance(base, str):
        raise Invalid(_("%(place)s: extends must name one file.", place=source.where(("extends",))))
    return _extend(_read(path.parent / base, (*above, here)), source)


def _extend(base: Source, top: Source) -> Source:
    """``top`` laid over ``base``: tables key by key, lists of named things thing by thing."""
    places: Places = {}
    data = _lay_over((), base, (), top, (), base.data, top.data, places)
    return Source(top.path, data, places)


def _lay_over(
    to: Path_,
    base: Source,
    base_at: Path_,
    top: Source,
    top_at: Path_,
    below: dict[str, Any],
    above: dict[str, Any],
    places: Places,
) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for key in [*below, *(key for key in above if key not in below)]:
        at = (*to, key)
        if key not in above:
            data[key] = below[key]
            _move(base, (*base_at, key), at, places)
        elif key not in below:
            data[key] = above[key]
            _move(top, (*top_at, key), at, places)
        elif isinstance(above[key], dict) and isinstance(below[key], dict):
            _move(top, (*top_at, key), at, places)
            data[key] = _lay_over(
                at, base, (*base_at, key), top, (*top_at, key), below[key], above[key], places
            )
        elif not to and key in IDENTITY and _are_tables(below[key]) and _are_tables(above[key]):
            data[key] = _join_lists(key, base, top, below[key], above[key], places)
        else:
            data[key] = above[key]
            _move(top, (*top_at, key), at, places)
    return data


def _join_lists(
    key: str,
    base: Source,
    top: Source,
    below: list[dict[str, Any]],
    above: list[dict[str, Any]],
    places: Places,
) -> list[dict[str, Any]]:
    name = IDENTITY[key]
    newer = {one.get(name): place for place, one in enumerate(above)}
    joined: list[dict[str, Any]] = []
    for old, one in enumerate(below):
        to = (key, len(joined))
        new = newer.pop(one.get(name), None) if one.get(name) is not None else None
        if new is None:
            _move(base, (key, old), to, places)
            joined.append(one)
        else:
            _move(top, (key, new), to, places)
            joined.append(_lay_over(to, base, (key, old), top, (key, new), one, above[new], places))
    for new in sorted(newer.values()):
        _move(top, (key, new), (key, len(joined)), places)
        joined.append(above[new])
    return joined


def _are_tables(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def _move(source: Source, old: Path_, new: Path_, places: Places) -> None:
    for path, place in source.places.items():
        if path[: len(old)] == old:
            places[(*new, *path[len(old) :])] = place


def _places(text: str) -> dict[Path_, int]:
    """The line of every table and key: a rough reading of valid TOML, good enough for messages."""
    lines: dict[Path_, int] = {}
    table: Path_ = ()
    counts: dict[Path_, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _resolve(_split(header[2]), counts, grows=header[1] == "[[")
            for depth in range(1, len(table) + 1):
                lines.setdefault(table[:depth], number)
        elif key := _KEY.match(line):
            path = table
            for part in _split(key[1]):
                path = (*path, part)
                lines.setdefault(path, number)
    return lines


def _resolve(names: list[str], counts: dict[Path_, int], *, grows: bool) -> Path_:
    path: Path_ = ()
    for depth, name in enumerate(names):
        path = (*path, name)
        if grows and depth == len(names) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _split(dotted_key: str) -> list[str]:
    return [part.strip().strip('"') for part in re.findall(r'"[^"]*"|[^."\s]+', dotted_key)]
