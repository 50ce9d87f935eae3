"""``highstreet stores``: the stores of a brand."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import sqlalchemy as sa

from highstreet.cli.base import (
    brand_option,
    find_brand,
    find_store,
    json_option,
    open_house,
    operating,
    print_done,
    print_json,
    print_table,
)
from highstreet.i18n import gettext as _
from highstreet.spreadsheet import as_csv
from highstreet_tenants.models import Owner, Region, Store
from highstreet_tenants.people import operate
from highstreet_tenants.people.operate import OPERATOR
from highstreet_tenants.people.permissions import Catalogue


@click.group()
def stores() -> None:
    """Stores of a brand."""


@stores.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@brand_option
@click.option("--mapping", type=click.Path(path_type=Path), help="TOML that names the columns.")
@click.option("--make", is_flag=True, help="Make regions and owners that are not there.")
@click.option("--new-links", is_flag=True, help="New links for managers who have not come yet.")
@click.option(
    "--links", type=click.Path(dir_okay=False, path_type=Path), help="File for the links."
)
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
@json_option
def import_stores(
    file: Path,
    brand_slug: str,
    mapping: Path | None,
    make: bool,
    new_links: bool,
    links: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Take in the stores of a CSV or XLSX file, and invite their managers.

    Columns: number, name, region, owner, zone, currency, locale, street, postcode, city, state,
    country, manager_email, manager_name. A store that is there is changed only where a row says
    so. Rows that are wrong go beside the file; exit code 1 if there are any.
    """
    from highstreet.imports import mapping as mappings
    from highstreet.stores import onboarding
    from highstreet.stores.reading import COLUMNS

    with open_house() as house:
        done = onboarding.take_in(
            house.tenancy,
            find_brand(house, brand_slug),
            file,
            mapping=mappings.load(mapping, "stores", COLUMNS),
            make=make,
            again=new_links,
            dry_run=dry_run,
            errors_beside=True,
            actor=OPERATOR,
            catalogue=Catalogue(house.host.permissions()),
        )
        handed = [
            {
                "email": one.email,
                "store": one.store,
                "link": operate.link_url(house, one.token),
                "until": one.expires_at,
            }
            for one in done.links
        ]
    if links is not None and handed:
        _write_links(links, handed)
    facts = {
        "added": done.count("add"),
        "changed": done.count("change"),
        "same": done.count("same"),
        "refused": [{"line": one.line, "reason": one.reason} for one in done.refused],
        "made": done.made,
        "dry_run": dry_run,
        "errors_file": done.errors_file,
        "links": handed,
    }
    if as_json:
        print_json(facts)
    else:
        for told in done.told:
            if told.action != "same":
                sign = "+" if told.action == "add" else "~"
                what = ", ".join(f"{k}: {b or '–'} → {a}" for k, (b, a) in told.changes.items())
                click.echo(f"{sign} {told.number} {told.name} ({what})")
        for one in done.refused:
            click.echo(_("line %(line)s: %(why)s", line=one.line, why=one.reason), err=True)
        if links is None:
            for link in handed:
                click.echo(f"{link['email']}\t{link['link']}")
        click.echo(
            _(
                "%(added)s added, %(changed)s changed, %(same)s as they were, %(refused)s refused.",
                added=facts["added"],
                changed=facts["changed"],
                same=facts["same"],
                refused=len(done.refused),
            )
        )
    raise SystemExit(1 if done.refused else 0)


def _write_links(path: Path, handed: Sequence[Mapping[str, object]]) -> None:
    """The links as a file that its owner alone may read."""
    rows = [("email", "store", "link", "until"), *(tuple(one.values()) for one in handed)]
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(as_csv(rows))


@stores.command()
@brand_option
@click.argument("slug")
@click.option("--dry-run", is_flag=True, help="Say what would end, and change nothing.")
@json_option
def close(brand_slug: str, slug: str, dry_run: bool, as_json: bool) -> None:
    """Close a store: its API keys, tills, sessions and PINs end at once.

    What it still owes its members through its tools is told, as head office may see it, and stays.
    """
    from highstreet.stores import closing, owing

    with open_house() as house:
        brand = find_brand(house, brand_slug)
        with operating(house, brand) as s:
            store = find_store(s, slug)
        owes = owing.ask(house.tenancy, brand, store.id, OPERATOR)
        with operating(house, brand, write=True) as s:
            ended = closing.close(s, store.slug, owes=owes, dry_run=dry_run)
        kept = owing.kept(owes)
        said = list(owing.told(kept, house.host.title, owes.locale))
    words = _(
        "%(slug)s: %(keys)s API keys, %(tills)s tills and %(pins)s PINs end.",
        slug=slug,
        keys=ended.keys,
        tills=ended.tills,
        pins=ended.pins,
    )
    facts = {"owed": [], "owed_in": owes.currency, "owed_unknown": [], **kept}
    facts |= {"keys": ended.keys, "tills": ended.tills, "pins": ended.pins}
    print_done(as_json, "\n".join((words, *said)), slug=slug, dry_run=dry_run, **facts)


@stores.command("open")
@brand_option
@click.argument("slug")
@json_option
def reopen(brand_slug: str, slug: str, as_json: bool) -> None:
    """Open a closed store again; keys, tills and PINs are made anew."""
    from highstreet.stores import closing

    with open_house() as house, operating(house, find_brand(house, brand_slug), write=True) as s:
        closing.reopen(s, find_store(s, slug).slug)
    print_done(as_json, _("%(slug)s is open again.", slug=slug), slug=slug, status="open")


@stores.command("list")
@brand_option
@json_option
def list_stores(brand_slug: str, as_json: bool) -> None:
    """All stores of a brand with region and owner."""
    with open_house() as house, operating(house, find_brand(house, brand_slug)) as s:
        regions = {row.id: row.slug for row in s.scalars(sa.select(Region))}
        owners = {row.id: row.slug for row in s.scalars(sa.select(Owner))}
        rows = [
            {
                "slug": store.slug,
                "code": store.code,
                "name": store.name,
                "region": regions.get(store.region_id) if store.region_id else None,
                "owner": owners.get(store.owner_id) if store.owner_id else None,
                "zone": store.zone,
                "currency": store.currency,
                "status": store.status,
            }
            for store in s.scalars(sa.select(Store).order_by(Store.slug))
        ]
    if as_json:
        print_json(rows)
        return
    print_table(
        ("slug", "code", "name", "region", "owner", "zone", "currency", "status"),
        [tuple(row.values()) for row in rows],
        _("The brand has no stores yet; add them to its blueprint."),
    )
