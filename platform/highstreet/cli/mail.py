"""``highstreet mail``: whether mail leaves, what became of it, what came back."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from msgspec.structs import asdict

from highstreet.cli.base import (
    brand_option,
    find_brand,
    json_option,
    open_house,
    operating,
    print_json,
    print_table,
)
from highstreet.email import bounces as reports
from highstreet.email import outbox, queries, senders, trying
from highstreet.i18n import gettext as _
from highstreet_tenants.errors import Conflict


@click.group()
def mail() -> None:
    """E-mail: whether it leaves, what became of it, what came back."""


@mail.command()
@brand_option
@click.option("--to", "address", required=True, help="Where to send it.")
@json_option
def test(brand_slug: str, address: str, as_json: bool) -> None:
    """Send one message now and print what the server says. Exit code 1 if it does not take it."""
    with open_house() as house:
        with operating(house, find_brand(house, brand_slug)) as s:
            envelope = trying.compose(s, address)
        answer = trying.send(house.mail, envelope)
    if as_json:
        print_json(asdict(answer))
    else:
        click.echo(f"{answer.fate}: {answer.code or ''} {answer.text}".replace("  ", " "))
    if answer.fate != "taken":
        raise click.exceptions.Exit(1)


@mail.command()
@brand_option
@json_option
def status(brand_slug: str, as_json: bool) -> None:
    """What became of the last thirty days' messages, and what is in the way now."""
    with open_house() as house, operating(house, find_brand(house, brand_slug)) as s:
        sender = senders.current(s)
        facts: dict[str, Any] = {
            "goes_through": house.mail.shown or None,
            "sender": f"{sender.name} <{sender.address}>" if sender else None,
            "in_the_way": outbox.not_ready(s),
            "messages": queries.counts(s),
            "came_back": queries.reports(s),
            "troubles": [asdict(one) for one in queries.troubles(s)],
        }
    if as_json:
        print_json(facts)
        return
    for name in ("goes_through", "sender", "in_the_way"):
        if facts[name]:
            click.echo(f"{name.replace('_', ' ')}: {facts[name]}")
    for name in ("messages", "came_back"):
        told = ", ".join(f"{key} {count}" for key, count in facts[name].items() if count)
        click.echo(f"{name.replace('_', ' ')}: {told or _('none')}")
    print_table(
        ("at", "state", "what", "code", "why"),
        [
            (f"{one['at']:%Y-%m-%d %H:%M}", one["state"], one["kind"], one["code"], one["answer"])
            for one in facts["troubles"]
        ],
        _("Nothing went wrong with any."),
    )


@mail.command()
@click.argument("sources", nargs=-1, type=click.Path(path_type=Path))
@json_option
def bounces(sources: tuple[Path, ...], as_json: bool) -> None:
    """Take in mail that came back, and complaints.

    Reads one message from standard input, as a mail server's alias pipes it, or all files of the
    given folders. Of a maildir its new messages, which are moved to cur. The same report counts
    once, however often it is read.
    """
    outcome = reports.Outcome()
    with open_house() as house:
        for raw, done in _messages(sources):
            reports.take(house.tenancy, house.mail.tokens, raw, outcome)
            if done is not None:
                os.replace(*done)
    facts = asdict(outcome)
    if as_json:
        print_json(facts)
    else:
        click.echo(", ".join(f"{name} {count}" for name, count in facts.items()))


def _messages(sources: tuple[Path, ...]) -> Iterator[tuple[bytes, tuple[Path, Path] | None]]:
    """Each message, and where its file goes once it is taken in."""
    if not sources:
        yield sys.stdin.buffer.read(reports.MOST + 1), None
    for source in sources:
        new = source / "new"
        try:
            if new.is_dir():
                (source / "cur").mkdir(exist_ok=True)
                for one in sorted(new.iterdir()):
                    yield _read(one), (one, source / "cur" / f"{one.name}:2,S")
            elif source.is_dir():
                for one in sorted(source.iterdir()):
                    if one.is_file():
                        yield _read(one), None
            else:
                yield _read(source), None
        except OSError as error:
            raise Conflict(
                _("%(file)s can't be read: %(why)s", file=source, why=error.strerror)
            ) from error


def _read(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(reports.MOST + 1)
