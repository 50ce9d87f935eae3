"""Writes the reference of commands out of the commands themselves (``make docs``)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from highstreet.cli import cli


def pages() -> dict[str, str]:
    """File name → Markdown of every page that is generated."""
    return {"cli.md": "\n".join(_page()) + "\n"}


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


def main(folder: Path) -> None:
    """Write all pages into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")
        click.echo(folder / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
