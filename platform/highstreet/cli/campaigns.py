"""``highstreet campaigns``: head office's campaigns over the whole brand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import sqlalchemy as sa

from highstreet.campaigns import drafting, launching, queries, standing
from highstreet.campaigns.drafting import CampaignIn
from highstreet.campaigns.models import Campaign
from highstreet.campaigns.queries import Count
from highstreet.cli.base import (
    brand_option,
    find_brand,
    json_option,
    open_house,
    operating,
    print_done,
    print_json,
    print_table,
)
from highstreet.i18n import gettext as _
from highstreet.spreadsheet import as_csv
from highstreet_tenants import clock
from highstreet_tenants.errors import Invalid
from highstreet_tenants.models import Region, Store
from highstreet_tenants.sessions import ScopedSession

number_argument = click.argument("number", type=click.IntRange(1))


@click.group()
def campaigns() -> None:
    """Campaigns: what head office does in its stores from one day to another."""


@campaigns.command("list")
@brand_option
@json_option
def list_campaigns(brand_slug: str, as_json: bool) -> None:
    """All campaigns of a brand, the newest first."""
    with open_house() as house, operating(house, find_brand(house, brand_slug)) as s:
        at = clock.now()
        rows = [_facts(one, at) for one in queries.listed(s, limit=10_000)]
    if as_json:
        print_json(rows)
        return
    print_table(
        ("number", "name", "state", "first day", "last day", "taking part", "action"),
        [
            (
                *(r["number"], r["name"], r["state"], r["first_day"], r["last_day"]),
                *(r["participation"], r["action"]),
            )
            for r in rows
        ],
        _("The brand has no campaigns yet."),
    )


def _facts(one: Campaign, at: Any) -> dict[str, Any]:
    return {
        "number": one.number,
        "id": one.id,
        "name": one.name,
        "state": queries.state_of(one, at),
        "first_day": one.first_day,
        "last_day": one.last_day,
        "participation": one.participation,
        "reach": one.reach,
        "action": one.action,
        "terms": one.terms,
        "stores_may_change": one.store_fields,
        "begins_at": one.begins_at,
        "ends_at": one.ends_at,
    }


@campaigns.command()
@number_argument
@brand_option
@json_option
def show(number: int, brand_slug: str, as_json: bool) -> None:
    """One campaign: its terms, who did what, how its stores stand, and what came of it."""
    with open_house() as house, operating(house, find_brand(house, brand_slug)) as s:
        at = clock.now()
        one = queries.by_number(s, number)
        facts = _facts(one, at) | {"description": one.description}
        steps = [
            {"step": step.action, "by": step.actor_name, "at": step.at, "details": step.details}
            for step in reversed(queries.steps(s, one.id, limit=10_000))
        ]
        counts = {c.store_id: c for c in queries.counts(s, one.action, one.id)}
        stores = [_standing(found, counts) for found in queries.standings(s, one, at)]
    if as_json:
        print_json(facts | {"steps": steps, "stores": stores})
        return
    for name, value in facts.items():
        click.echo(f"{name}: {value}")
    for step in steps:
        said = f": {step['details']}" if step["details"] else ""
        click.echo(f"{step['at']:%Y-%m-%d %H:%M} {step['step']} ({step['by']}){said}")
    _print_stores(stores, counted=True)


def _standing(one: standing.Standing, counts: dict[UUID, Count]) -> dict[str, Any]:
    count = counts.get(one.place.store_id) if one.place.store_id else None
    return {
        "store": one.place.slug,
        "takes_part": one.takes_part,
        "why": one.why,
        "reason": one.reason or one.note,
        "terms": dict(one.terms),
        "begins_at": one.begins_at,
        "ends_at": one.ends_at,
        "answer": one.answer,
        "conflicts": list(one.clashes),
        "purchases": count.purchases if count else None,
        "members": count.people if count else None,
        "points": count.points if count else None,
    }


def _print_stores(stores: Sequence[dict[str, Any]], *, counted: bool = False) -> None:
    columns: tuple[str, ...] = ("store", "in", "begins", "reason", "conflicts")
    if counted:
        columns = (*columns, "purchases", "points")
    rows = [
        (
            *(r["store"], _("yes") if r["takes_part"] else _("no")),
            f"{r['begins_at']:%Y-%m-%d %H:%M} UTC",
            *(r["reason"], " ".join(r["conflicts"])),
            *((r["purchases"], r["points"]) if counted else ()),
        )
        for r in stores
    ]
    print_table(columns, rows, _("No store is in its reach."))


@campaigns.command()
@number_argument
@brand_option
@json_option
def preview(number: int, brand_slug: str, as_json: bool) -> None:
    """The dry run: which stores take part, on what terms, or why not; and what gets in the way.

    Writes nothing, and is what the launch then does.
    """
    with open_house() as house, operating(house, find_brand(house, brand_slug)) as s:
        one = queries.by_number(s, number)
        found = queries.standings(s, one, clock.now(), clashes=True)
        stores = [_standing(each, {}) for each in found]
    if as_json:
        print_json(stores)
        return
    _print_stores(stores)
    taking = sum(each["takes_part"] for each in stores)
    click.echo(_("%(some)s of %(all)s stores take part.", some=taking, all=len(stores)))


@campaigns.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@brand_option
@json_option
def draft(file: Path, brand_slug: str, as_json: bool) -> None:
    """Write a campaign down, as a TOML file says it.

    \b
    name = "Double points week"
    action = "points_club.multiply"
    first_day = 2026-05-04
    last_day = 2026-05-10
    participation = "opt_out"           # or opt_in, mandatory
    terms = { percent = 200 }
    bounds.percent = { min = 150, max = 300 }   # what stores may change
    regions = ["coast"]                 # or stores = ["101", "102"]; neither: all
    """
    import tomllib

    try:
        given = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid(_("%(file)s can't be read: %(why)s", file=file, why=error)) from error
    with open_house() as house, operating(house, find_brand(house, brand_slug), write=True) as s:
        campaign_id = drafting.draft(s, _read(s, given))
        number = queries.get(s, campaign_id).number
    print_done(as_json, _("Campaign %(number)s is drafted.", number=number), number=number,
               id=campaign_id)  # fmt: skip


_KEYS = frozenset(
    {"name", "action", "first_day", "last_day", "participation", "terms", "description", "bounds",
     "regions", "stores"}
)  # fmt: skip


def _read(s: ScopedSession, given: dict[str, Any]) -> CampaignIn:
    needed = {"name", "action", "first_day", "last_day", "participation"}
    wrong = [
        *(_("There is no key “%(key)s”.", key=key) for key in sorted(given.keys() - _KEYS)),
        *(_("“%(key)s” is missing.", key=key) for key in sorted(needed - given.keys())),
        *(
            _("“%(key)s” must be a day, written like 2026-05-14.", key=key)
            for key in ("first_day", "last_day")
            if key in given and type(given[key]) is not date
        ),
    ]
    if wrong:
        raise Invalid(" ".join(wrong))
    values = {key: value for key, value in given.items() if key not in ("regions", "stores")}
    if "regions" in given:
        values |= {"reach": "regions", "regions": _ids(s, Region.slug, Region.id, given["regions"])}
    elif "stores" in given:
        values |= {"reach": "stores", "stores": _ids(s, Store.code, Store.id, given["stores"])}
    return CampaignIn(**{"terms": {}, **values})


def _ids(s: ScopedSession, key: Any, found: Any, names: Sequence[str]) -> list[UUID]:
    known = {row[0]: row[1] for row in s.execute(sa.select(key, found).where(key.in_(names)))}
    if strange := [name for name in names if name not in known]:
        raise Invalid(_("The brand has none of these: %(names)s.", names=", ".join(strange)))
    return [known[name] for name in names]


def _step(
    number: int, brand_slug: str, verb: Callable[[ScopedSession, UUID], None], *, go: bool = False
) -> None:
    """Take a step; `go`: and go through the stores at once, for no runner may be there."""
    with open_house() as house:
        brand = find_brand(house, brand_slug)
        with operating(house, brand, write=True) as s:
            campaign_id = queries.by_number(s, number).id
            verb(s, campaign_id)
        left = 1 if go else 0
        while left:
            with operating(house, brand, write=True) as s:
                left = launching.go_on(s, queries.get(s, campaign_id))


@campaigns.command()
@number_argument
@brand_option
@json_option
def approve(number: int, brand_slug: str, as_json: bool) -> None:
    """Say that a draft may be launched as it is."""
    _step(number, brand_slug, drafting.approve)
    print_done(as_json, _("Approved."), number=number, state="approved")


@campaigns.command()
@number_argument
@brand_option
@json_option
def launch(number: int, brand_slug: str, as_json: bool) -> None:
    """Start what was approved: stores hear of it and answer until it begins with them.

    Launched again, it reaches the stores that came since.
    """
    _step(number, brand_slug, drafting.launch, go=True)
    print_done(as_json, _("Launched."), number=number, state="launched")


@campaigns.command()
@number_argument
@brand_option
@click.option("--reason", default="", help="Told to the stores.")
@json_option
def stop(number: int, brand_slug: str, reason: str, as_json: bool) -> None:
    """End it now, in every store. What it gave stays given."""
    _step(number, brand_slug, lambda s, one: drafting.stop(s, one, reason=reason), go=True)
    print_done(as_json, _("Stopped."), number=number, state="stopped")


@campaigns.command()
@number_argument
@brand_option
@click.option("--csv", "csv_file", type=click.Path(dir_okay=False, path_type=Path))
@json_option
def counts(number: int, brand_slug: str, csv_file: Path | None, as_json: bool) -> None:
    """Purchases, members and points under it, store by store."""
    with open_house() as house, operating(house, find_brand(house, brand_slug)) as s:
        one = queries.by_number(s, number)
        slugs = {row.id: row.slug for row in s.execute(sa.select(Store.id, Store.slug))}
        rows = sorted(
            (slugs.get(c.store_id, ""), c.purchases, c.people, c.points)
            for c in queries.counts(s, one.action, one.id)
        )
    columns = ("store", "purchases", "members", "points")
    if csv_file is not None:
        csv_file.write_text(as_csv([columns, *rows]), encoding="utf-8", newline="")
    elif as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        print_table(columns, rows, _("Nothing came of it yet."))
