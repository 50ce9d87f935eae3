"""``highstreet segments``: customers picked by rules, in a store or over a brand's club."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from highstreet.cli.base import (
    brand_option,
    json_option,
    print_json,
    print_table,
    standing,
)
from highstreet.customers import anchors
from highstreet.customers import queries as customers
from highstreet.i18n import gettext as _
from highstreet.segments import queries, rules
from highstreet.segments.facts import SegmentFact
from highstreet.segments.rules import InSegment
from highstreet_tenants.errors import Conflict, Invalid, NotFound
from highstreet_tenants.sessions import ScopedSession

store_option = click.option(
    "--store", "store_slug", help="The store; without it the club, or head office’s rules."
)
which_argument = click.argument("which")


@click.group()
def segments() -> None:
    """Segments: customers picked by rules. WHICH is a segment's name or id."""


def _find(s: ScopedSession, which: str) -> SegmentFact:
    for one in queries.listed(s, retired=True):
        if which in (str(one.id), one.name):
            return one
    raise NotFound(_("There is no segment “%(which)s” here.", which=which))


def _facts(one: SegmentFact) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "about": one.about,
        "of": "office" if one.store_id is None else "store",
        "kind": "rule" if one.rule is not None else "list",
        "rule": rules.dump(one.rule) if one.rule is not None else None,
        "retired": one.retired,
        "changed_by": one.changed_by,
        "changed_at": one.changed_at,
    }


@segments.command("list")
@brand_option
@store_option
@json_option
def list_segments(brand_slug: str, store_slug: str | None, as_json: bool) -> None:
    """The segments of a place, by name."""
    with standing(brand_slug, store_slug) as s:
        rows = [_facts(one) for one in queries.listed(s)]
    if as_json:
        print_json(rows)
        return
    print_table(
        ("name", "kind", "of", "id"),
        [(row["name"], row["kind"], row["of"], row["id"]) for row in rows],
        _("There are no segments here yet."),
    )


@segments.command()
@which_argument
@brand_option
@store_option
@json_option
def show(which: str, brand_slug: str, store_slug: str | None, as_json: bool) -> None:
    """One segment: its rule in words, and what uses it."""
    with standing(brand_slug, store_slug) as s:
        one = _find(s, which)
        lines = queries.in_words(s, one.rule) if one.rule is not None else []
        uses = queries.used_by(s, one.id)
    if as_json:
        print_json(_facts(one) | {"used_by": uses})
        return
    click.echo(f"{one.name}  {one.id}")
    if one.about:
        click.echo(one.about)
    for depth, words in lines:
        click.echo(f"{'  ' * (depth + 1)}{words}")
    for use in uses:
        click.echo(f"used by {use.kind}: {use.name}")


@segments.command()
@click.argument("which", required=False)
@click.option(
    "--rule",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with a rule as JSON, in place of WHICH.",
)
@brand_option
@store_option
@json_option
def count(
    which: str | None, file: Path | None, brand_slug: str, store_slug: str | None, as_json: bool
) -> None:
    """How many customers are in a segment, or in a rule."""
    if (which is None) == (file is None):
        raise click.UsageError("Name a segment, or give a rule by --rule.")
    with standing(brand_slug, store_slug, people=True) as s:
        rule = _read(file) if file is not None else InSegment(_find(s, which or "").id)
        found = queries.counted(s, rule, sample=0)
    if as_json:
        print_json({"people": found.people, "of": found.of})
    else:
        click.echo(_("%(people)s of %(of)s customers", people=found.people, of=found.of))


def _read(file: Path) -> rules.Rule:
    try:
        return rules.load(json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, RecursionError) as error:
        raise Invalid(_("%(path)s is not JSON: %(why)s", path=file, why=error)) from error


@segments.command()
@which_argument
@brand_option
@store_option
@json_option
def people(which: str, brand_slug: str, store_slug: str | None, as_json: bool) -> None:
    """Who is in a segment now: ids and names."""
    with standing(brand_slug, store_slug, people=True) as s:
        ids = sorted(s.scalars(queries.ids(s, _find(s, which))))
        names = anchors.names(s, ids)
    if as_json:
        print_json([{"id": one, "name": names.get(one, "")} for one in ids])
        return
    print_table(
        ("id", "name"),
        [(one, names.get(one, "")) for one in ids],
        _("Nobody is in it."),
    )


@segments.command()
@which_argument
@click.argument("who")
@brand_option
@store_option
@json_option
def why(which: str, who: str, brand_slug: str, store_slug: str | None, as_json: bool) -> None:
    """Is somebody in a segment, and why? WHO is a card, phone, e-mail, name or id. Exit code 1 if
    they are not in it."""
    with standing(brand_slug, store_slug, people=True) as s:
        one, customer_id = _find(s, which), _person(s, who)
        holds = queries.holds(s, InSegment(one.id), customer_id)
        lines = queries.why(s, one.rule, customer_id) if one.rule is not None else []
    if as_json:
        print_json({"holds": holds, "why": lines})
    else:
        click.echo(_("Is in it.") if holds else _("Is not in it."))
        for line in lines:
            known = f"  [{line.reads}]" if line.reads else ""
            click.echo(f"{'  ' * line.depth}{'+' if line.holds else '-'} {line.words}{known}")
    if not holds:
        raise SystemExit(1)


def _person(s: ScopedSession, who: str) -> UUID:
    try:
        return customers.get(s, UUID(who)).id
    except ValueError:
        found = customers.find(s, who, 5)
    if not found:
        raise NotFound(_("Nobody is found by “%(who)s”.", who=who))
    if len(found) > 1:
        ids = ", ".join(f"{one.customer.name} {one.customer.id}" for one in found)
        raise Conflict(
            _(
                "“%(who)s” may mean several people; give a card number or an id: %(ids)s",
                who=who,
                ids=ids,
            )
        )
    return found[0].customer.id
