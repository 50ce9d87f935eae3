"""Entry points of installed packages, also where one package's metadata is broken."""

import logging
from collections.abc import Iterator
from importlib.metadata import Distribution, EntryPoint, distributions, entry_points

from msgspec import Struct

GROUP = "highstreet.plugins"
log = logging.getLogger("highstreet.host")


class Unreadable(Struct, frozen=True):
    """An installed package whose metadata is broken, so that nobody knows its tools."""

    name: str
    why: str


def points() -> list[EntryPoint | Unreadable]:
    """The entry points of all tools.

    Python reads the metadata of all packages at once and raises if one is broken, whether or not
    that is a tool; then they are read one by one.
    """
    try:
        return list(entry_points(group=GROUP))
    except Exception:
        log.debug("the metadata of an installed package is broken", exc_info=True)
    found: list[EntryPoint | Unreadable] = []
    seen: set[str] = set()
    for one in distributions():
        try:
            name = str(one.metadata["Name"] or "")
            key = name.lower().replace("-", "_").replace(".", "_")
            if not key:
                raise ValueError("it has no name")
            if key not in seen:  # of two versions on the path, Python imports the first
                found += _tools_of(one)
                seen.add(key)
        except Exception as error:
            found.append(Unreadable(_place(one), f"{type(error).__name__}: {error}"))
    return found


def _tools_of(one: Distribution) -> Iterator[EntryPoint]:
    return (point for point in one.entry_points if point.group == GROUP)


def _place(one: Distribution) -> str:
    """What to call a package whose metadata does not say: its folder."""
    return getattr(getattr(one, "_path", None), "name", "") or repr(one)
