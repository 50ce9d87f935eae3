"""Writes the reference of commands, hooks, events and so on from code (``make docs``)."""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterator, Sequence
from importlib import resources
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import click
from marshmallow.fields import Field
from marshmallow.validate import OneOf

from highstreet.cli import cli
from highstreet.host import manifest as manifests
from highstreet.host.event_types import EventType
from highstreet.host.installed import GROUP
from highstreet.host.spec import Hook


def pages() -> dict[str, str]:
    """File name → Markdown of every page that is generated."""
    from highstreet.cli import sdk_reference

    return {
        "cli.md": "\n".join(_page()) + "\n",
        "hooks.md": "\n".join(_hooks()) + "\n",
        "events.md": "\n".join(_events()) + "\n",
        "checks.md": "\n".join(_checks()) + "\n",
        "slots.md": "\n".join(_slots()) + "\n",
        "macros.md": "\n".join(_macros()) + "\n",
        "sdk.md": "\n".join(sdk_reference.page()) + "\n",
    }


def _page() -> Iterator[str]:
    yield "# Commands"
    yield ""
    yield "Written by `make docs` from the commands themselves; do not edit."
    yield from _command(cli, ("highstreet",), None)


def _command(
    command: click.Command, names: tuple[str, ...], above: click.Context | None
) -> Iterator[str]:
    context = click.Context(
        command, above, names[-1], terminal_width=88, **command.context_settings
    )
    yield ""
    yield f"{'#' * min(len(names) + 1, 4)} {' '.join(names)}"
    yield ""
    yield "```text"
    yield command.get_help(context)
    yield "```"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None:
                yield from _command(inner, (*names, name), context)


def _hooks() -> Iterator[str]:
    from highstreet import rooms
    from highstreet.host.spec import hooks_in

    yield "# Hooks"
    yield ""
    yield "Written by `make docs` from the rooms' own declarations; do not edit. docs/plugins.md"
    yield "says how hooks of each kind are called, and what becomes of one that fails."
    for room in rooms.specs():
        yield ""
        yield f"## {(room.__doc__ or room.__name__).strip().splitlines()[0].rstrip('.')}"
        for hook in sorted(hooks_in(room), key=lambda one: one.name):
            yield from _hook(room, hook)


def _hook(room: type, hook: Hook) -> Iterator[str]:
    from highstreet.cli.base import plain
    from highstreet.kit.samples import sample

    function = getattr(room, hook.name)
    parameters = list(inspect.signature(function).parameters.values())[1:]
    said = ", ".join(_parameter(one) for one in parameters)
    gives = inspect.formatannotation(inspect.signature(function).return_annotation)
    traits: list[str] = [hook.kind]
    traits += ["writes"] if hook.writes else ["reads only"]
    traits += ["winddown: asked of tools that are off as well"] if hook.winddown else []
    traits += ["owed after a fault, and done again"] if hook.retry else []
    yield ""
    yield f"### {hook.name}"
    yield ""
    yield "```python"
    yield "@hookimpl"
    yield f"def {hook.name}({said}) -> {_bare(gives)}: ..."
    yield "```"
    yield ""
    yield f"{'; '.join(traits).capitalize()}. Since {hook.since}, {hook.stability}."
    if hook.budget_ms:
        yield f"It may take {hook.budget_ms / 1000:g} s."
    if hook.deprecated:
        yield f"**Deprecated.** {hook.deprecated}"
    yield ""
    yield hook.doc
    if hook.arguments:
        yield ""
        yield "```json"
        yield json.dumps(plain(sample(hook)), ensure_ascii=False, indent=2)
        yield "```"


def _parameter(one: inspect.Parameter) -> str:
    if one.name == "ctx":
        return "ctx: Ctx"
    return f"{one.name}: {_bare(inspect.formatannotation(one.annotation))}"


def _bare(annotation: object) -> str:
    """A type as an author writes it: without the modules it comes from."""
    bare = re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Za-z])", "", str(annotation))
    return bare.replace("NoneType", "None").strip("'")


def _events() -> Iterator[str]:
    from highstreet.webhooks import catalogue

    yield "# Events"
    yield ""
    yield "Written by `make docs` from the events' own declarations; do not edit. What is told by"
    yield "[webhook](../webhooks.md), with a sample of each. Besides what is listed, `data` always"
    yield "says `store_id` and `store` (the store's number), null where it happened in none."
    yield "Moments are UTC, amounts whole minor units."
    yield ""
    yield "Where stores own their customers, head office hears only of what is marked as naming"
    yield "nobody. *Every store*: where the brand owns the customers, all stores that ask hear of"
    yield "it; of anything else only the store where it happened, and head office."
    yield ""
    yield "## The core's own"
    for one in catalogue.CORE.values():
        yield from _event(one)
    for title, events in _bundled():
        yield ""
        yield f"## {title}"
        for one in events:
            yield from _event(one)


def _bundled() -> Iterator[tuple[str, Sequence[EventType]]]:
    """Title and events of each tool that comes with Highstreet."""
    for point in sorted(entry_points(group=GROUP), key=lambda one: one.name):
        if point.dist is None or point.dist.name != "highstreet":
            continue
        module = point.load()
        manifest = manifests.read(manifests.find(module.__name__))
        if module.plugin.events:
            yield manifest.titled("en"), module.plugin.events


def _event(one: EventType) -> Iterator[str]:
    from highstreet.webhooks import catalogue

    heard = (["every store"] if one.club else []) + ([] if one.personal else ["names nobody"])
    yield ""
    yield f"### {one.name}"
    yield ""
    yield f"{one.title}. {one.summary}" + (f" *({', '.join(heard)})*" if heard else "")
    yield ""
    yield "| Field | What it is |"
    yield "|---|---|"
    for name, field in one.schema().fields.items():
        yield f"| `{name}` | {_field(field)} |"
    yield ""
    yield "```json"
    yield json.dumps(catalogue.sample(one), ensure_ascii=False, indent=2)
    yield "```"


def _field(field: Field[Any]) -> str:
    said = type(field).__name__
    for check in field.validators:
        if isinstance(check, OneOf):
            said = ", ".join(f"`{choice}`" for choice in check.choices)
    if field.allow_none:
        said += ", or null"
    about = str(field.metadata.get("description", ""))
    return f"{said}. {about}" if about else said


def _checks() -> Iterator[str]:
    import highstreet.kit.checks  # noqa: F401 - declares them
    from highstreet.kit.check import CHECKS

    needs = {
        "files": "its files alone",
        "tool": "the tool, loaded",
        "house": "the tool at work, on SQLite and on PostgreSQL",
    }
    yield "# What the kit checks"
    yield ""
    yield "Written by `make docs` from the checks themselves; do not edit."
    yield "`pytest --highstreet-plugin NAME` asks all of them of an installed tool, and says of"
    yield "each finding what is wrong, where, and how to mend it."
    for need, words in needs.items():
        yield ""
        yield f"## Asked of {words}"
        yield ""
        yield "| Check | What should be so |"
        yield "|---|---|"
        for one in CHECKS.values():
            if one.needs == need:
                yield f"| `{one.id}` | {one.about} |"


def _slots() -> Iterator[str]:
    from highstreet.web.slots import SLOTS

    yield "# Slots"
    yield ""
    yield "Written by `make docs` from the pages' own list; do not edit. A tool puts pieces into"
    yield 'these by `Plugin.slots`, `{"today.panel": panel}`: `panel(ctx, **page)` gives Markup, or'
    yield "None for nothing. A name that is not here is refused at load."
    yield ""
    yield "A *row* is what stands in one line of a list: the core makes the list and the frame."
    yield "A *panel* brings its own frame, by the macro `panel` ([pieces of pages](macros.md)),"
    yield "and a heading of level 2; else loose words stand between the core's panels. Both are"
    yield "drawn in the page's request, so `url_for` and `render_template` work."
    yield ""
    yield "| Slot | What fits there | The frame | Given besides `ctx` |"
    yield "|---|---|---|---|"
    for name, fits in sorted(SLOTS.items()):
        what, _opens, given = fits.partition(" (")
        names = ", ".join(f"`{one.strip()}`" for one in given.rstrip(")").split(",") if one)
        frame = "the core's" if what.startswith("a row") else "yours"
        yield f"| `{name}` | {what} | {frame} | {names or 'nothing'} |"


def _macros() -> Iterator[str]:
    yield "# Pieces of pages"
    yield ""
    yield "Written by `make docs` out of the template; do not edit. A tool's page that is made"
    yield "of these looks native, in light and dark, by keyboard and on a phone:"
    yield ""
    yield "```html"
    yield '{%- extends "console.html" -%}'
    yield '{%- from "macros/ui.html" import act, empty, field with context -%}'
    yield '{% block title %}{{ _("House notes") }}{% endblock %}'
    yield "{% block main %} … {% endblock %}"
    yield "```"
    yield ""
    yield "Filters for what people read: `num`, `money(currency)`, `day`, `moment`, `card`."
    for comment, said in macros():
        yield ""
        yield f"## `{said}`"
        yield ""
        yield comment
    yield from _look()


def _look() -> Iterator[str]:
    from highstreet.web.icons import TOOL_CLASSES, TOOL_ICONS

    sprite = resources.files("highstreet.web").joinpath("templates", "_sprite.html")
    signs = re.findall(r'id="([is]-[a-z]+)"', sprite.read_text("utf-8"))
    yield ""
    yield "## Icons"
    yield ""
    own = ", ".join(f"`{one}`" for one in sorted(TOOL_ICONS))
    yield f"`NavEntry.icon` is one of {own}; another word shows the plug. The macro `icon`"
    yield f"draws any sign of the page: {', '.join(f'`{one}`' for one in sorted(set(signs)))}."
    yield ""
    yield "## Classes"
    yield ""
    yield "What the macros don't make, these classes do. Beside them stand Bootstrap's for columns"
    yield "and spaces (`row`, `col-sm-6`, `g-3`, `mb-3`, `m-0`), and for words that only screen"
    yield "readers say (`visually-hidden`). No `style` and no script of a page's own: the browser"
    yield "refuses them."
    yield ""
    yield "| Class | What it is for |"
    yield "|---|---|"
    for name, what in TOOL_CLASSES.items():
        yield f"| `{name}` | {what} |"


def macros() -> list[tuple[str, str]]:
    """(what it is for, name with arguments) of each macro that tools may import, in their order."""
    template = resources.files("highstreet.web").joinpath("templates", "macros", "ui.html")
    found = re.findall(
        r"(?:\{#((?:(?!#\}).)*)#\}\n)?\{% macro ([a-z].+?) -%\}", template.read_text("utf-8"), re.S
    )
    return [(" ".join(comment.split()), said) for comment, said in found]


def main(folder: Path) -> None:
    """Write all pages into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")
        click.echo(folder / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
