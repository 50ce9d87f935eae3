"""What a tool says that it brings: shown at switch-on, agreed to, held against its next.

Each thing is named "kind:name", such as "capability:mail.send" or "table:house_notes_note", so that
two versions are compared by plain sets.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from highstreet.host.manifest import CAPABILITIES
from highstreet.i18n import gettext as _
from highstreet.i18n import language

if TYPE_CHECKING:
    from highstreet.host.registry import Host, Loaded

#: Capabilities by which a tool reaches people: shown apart, as the messages that it may send.
MESSAGES = frozenset({"mail.send", "mailings", "print"})
#: The kinds in the order in which they are shown.
KINDS = (
    "message",
    "capability",
    "permission",
    "event",
    "field",
    "table",
    "job",
    "schedule",
    "hook",
    "screen",
    "operation",
    "slot",
    "verb",
    "file",
    "setting",
)


def of(host: "Host", name: str) -> frozenset[str]:
    """All that a loaded tool declares; nothing of one that is not loaded."""
    loaded = host.plugins.get(name)
    if loaded is None:
        return frozenset()
    known = host.declarations.get(name)
    if known is None:
        known = host.declarations[name] = frozenset(_of(host, name, loaded))
    return known


def shown(host: "Host", name: str) -> frozenset[str]:
    """All that it declares, and its settings: a new one asks nobody to agree, for it can do no
    more than the tool may."""
    loaded = host.plugins.get(name)
    schema = loaded.plugin.settings if loaded is not None else None
    settings = schema._declared_fields if schema is not None else ()
    return of(host, name) | {f"setting:{one}" for one in settings}


def _of(host: "Host", name: str, loaded: "Loaded") -> Iterator[str]:
    manifest, plugin = loaded.manifest, loaded.plugin
    for capability in manifest.capabilities:
        yield f"{'message' if capability in MESSAGES else 'capability'}:{capability}"
    yield from (f"permission:{one}" for one in manifest.permissions)
    yield from (f"table:{one}" for one in loaded.tables)
    yield from (f"job:{one.name}" for one in plugin.jobs)
    yield from (f"schedule:{one.name} {one.every} {one.at}" for one in plugin.periodic)
    yield from (f"hook:{hook}" for hook, calls in host.calls.items() if name in calls)
    yield from (f"screen:{one.name}" for one in plugin.screens)
    yield from (f"operation:{one.name}" for one in plugin.api)
    yield from (f"event:{one.name}" for one in plugin.events)
    yield from (f"field:{one.name}" for one in plugin.fields)
    yield from (f"slot:{one}" for one in plugin.slots)
    yield from (f"verb:{one.name}" for one in plugin.verbs)
    yield from (f"file:{one.name}" for one in plugin.imports)


#: What everybody who is to agree must see; the rest tells who looks after the installation.
_FOR_ALL = frozenset({"message", "capability", "permission", "event", "field"})


class Declared(NamedTuple):
    """Things of one kind, in words. technical: for whoever looks after the installation."""

    title: str
    things: list[str]
    technical: bool


def titled(host: "Host", name: str, things: Iterable[str]) -> list[Declared]:
    """Things by kind, in words for whoever is to agree."""
    titles = {
        "message": _("Messages it may send"),
        "capability": _("What it may do"),
        "permission": _("Permissions it adds"),
        "table": _("Tables it keeps"),
        "job": _("Work in the background"),
        "schedule": _("Work that comes round by itself"),
        "hook": _("Hooks it answers"),
        "screen": _("Screens it adds"),
        "operation": _("Operations it adds to the API"),
        "event": _("What it tells others’ programmes, where you set up a webhook"),
        "field": _("Facts about customers that it lends to lists, files and other tools"),
        "slot": _("Pieces it puts into pages"),
        "verb": _("Commands for whoever runs Highstreet"),
        "file": _("Files it takes in"),
        "setting": _("Settings it has"),
    }
    manifest, words = host.manifest(name), _words(host, name)
    found: dict[str, list[str]] = {}
    for thing in sorted(things):
        kind, _sign, what = thing.partition(":")
        if kind in ("capability", "message"):
            what = str(CAPABILITIES.get(what, what))
        elif kind == "permission" and manifest is not None:
            what = manifest.permitted(what, language())
        found.setdefault(kind, []).append(words.get(thing, what))
    return [
        Declared(titles[kind], found[kind], kind not in _FOR_ALL) for kind in KINDS if kind in found
    ]


def _words(host: "Host", name: str) -> dict[str, str]:
    """The tool's own words, in the reader's language, for things that have some."""
    loaded = host.plugins.get(name)
    if loaded is None:
        return {}
    plugin = loaded.plugin
    fields = plugin.settings._declared_fields if plugin.settings is not None else {}
    return {
        **{f"event:{one.name}": str(one.title) for one in plugin.events},
        **{f"field:{one.name}": str(one.label) for one in plugin.fields},
        **{f"setting:{key}": str(one.metadata.get("label", key)) for key, one in fields.items()},
    }
