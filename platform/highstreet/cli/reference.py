"""Writes the reference of commands, hooks and checks out of the code itself (``make docs``)."""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from highstreet.cli import cli
from highstreet.host.spec import Hook


def pages() -> dict[str, str]:
    """File name → Markdown of every page that is generated."""
    return {
        "cli.md": "\n".join(_page()) + "\n",
        "hooks.md": "\n".join(_hooks()) + "\n",
        "checks.md": "\n".join(_checks()) + "\n",
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


def main(folder: Path) -> None:
    """Write all pages into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")
        click.echo(folder / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
