"""``highstreet audit``."""

from __future__ import annotations

from typing import Any

import click
import sqlalchemy as sa

from highstreet.audits import service
from highstreet.cli.base import find_brand, json_option, open_house, operating, print_json
from highstreet.house import House
from highstreet.i18n import gettext as _
from highstreet_tenants.models import Brand


@click.command()
@click.option("--brand", "brand_slug", help="Only this brand.")
@json_option
def audit(brand_slug: str | None, as_json: bool) -> None:
    """Re-derive every balance from the ledger and say what differs.

    Exit code 1 if anything does.
    """
    with open_house() as house:
        found = [_audit(house, brand) for brand in _brands(house, brand_slug)]
    differs = sum(len(part["differences"]) for brand in found for part in brand["parts"])
    if as_json:
        print_json({"differs": differs, "brands": found})
    else:
        _print(found, differs)
    raise SystemExit(1 if differs else 0)


def _brands(house: House, slug: str | None) -> list[Brand]:
    if slug is not None:
        return [find_brand(house, slug)]
    with house.tenancy.control() as s:
        return list(s.scalars(sa.select(Brand).order_by(Brand.slug)))


def _audit(house: House, brand: Brand) -> dict[str, Any]:
    with operating(house, brand) as s:
        parts = service.audit(s)
    return {
        "brand": brand.slug,
        "parts": [
            {
                "by": part.by,
                "checked": part.audited.checked,
                "differences": list(part.audited.differences),
            }
            for part in parts
        ],
    }


def _print(found: list[dict[str, Any]], differs: int) -> None:
    for brand in found:
        for part in brand["parts"]:
            click.echo(
                _(
                    "%(brand)s, %(by)s: %(checked)s checked, %(differ)s differ",
                    brand=brand["brand"],
                    by=part["by"],
                    checked=part["checked"],
                    differ=len(part["differences"]),
                )
            )
            for one in part["differences"]:
                click.echo(
                    "  "
                    + _(
                        "%(what)s: kept %(kept)s, derived %(derived)s",
                        what=one.what,
                        kept=one.kept,
                        derived=one.derived,
                    )
                )
    if not differs:
        click.echo(_("Nothing differs."))
