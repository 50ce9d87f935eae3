"""``highstreet brands``: brands and their blueprints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa

from highstreet.blueprints import apply as blueprints
from highstreet.cli.base import (
    find_brand,
    json_option,
    open_house,
    operating,
    print_json,
    print_table,
)
from highstreet.customers.models import Customer
from highstreet.house import House
from highstreet.i18n import gettext as _
from highstreet.purchases.models import Purchase
from highstreet_tenants.models import Brand, Owner, Region, Store
from highstreet_tenants.people.operate import OPERATOR


@click.group()
def brands() -> None:
    """Brands, made and changed by blueprints."""


@brands.command("list")
@json_option
def list_brands(as_json: bool) -> None:
    """All brands of this installation."""
    with open_house() as house:
        with house.tenancy.control() as s:
            found = list(s.scalars(sa.select(Brand).order_by(Brand.slug)))
        rows = [_facts(house, brand) for brand in found]
    if as_json:
        print_json(rows)
        return
    print_table(
        ("slug", "name", "customers", "stores", "members", "purchases"),
        [
            (r["slug"], r["name"], r["customers_of"], r["stores"], r["customers"], r["purchases"])
            for r in rows
        ],
        _("No brand yet. Make one: highstreet brands apply FILE, or look at: highstreet demo"),
    )


@brands.command()
@click.argument("slug")
@json_option
def show(slug: str, as_json: bool) -> None:
    """One brand in figures."""
    with open_house() as house:
        facts = _facts(house, find_brand(house, slug))
    if as_json:
        print_json(facts)
        return
    for name, value in facts.items():
        click.echo(f"{name}: {value}")


@brands.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@json_option
def apply(file: Path, dry_run: bool, as_json: bool) -> None:
    """Make a brand, or change it, as a blueprint says, and print the difference."""
    with open_house() as house:
        outcome = blueprints.apply(house.tenancy, house.host, file, dry_run=dry_run, actor=OPERATOR)
    if as_json:
        print_json(outcome)
        return
    for change in outcome.changes:
        click.echo(str(change))
    for name in outcome.left:
        click.echo(_("  %(name)s is not in the blueprint and stays", name=name))
    if not outcome.changes:
        click.echo(_("Nothing to change."))
    elif dry_run:
        click.echo(_("This was a dry run: nothing was written."))


def _facts(house: House, brand: Brand) -> dict[str, Any]:
    with operating(house, brand) as s:

        def count(model: Any, *where: Any) -> int:
            return s.scalar(sa.select(sa.func.count(model.id)).where(*where)) or 0

        return {
            "slug": brand.slug,
            "name": brand.name,
            "currency": brand.currency,
            "locale": brand.locale,
            "zone": brand.zone,
            "customers_of": brand.customers,
            "regions": count(Region),
            "owners": count(Owner),
            "stores": count(Store),
            "customers": count(Customer, Customer.status == "active"),
            "purchases": count(Purchase),
        }
