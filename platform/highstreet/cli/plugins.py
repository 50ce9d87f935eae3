"""``highstreet plugins``: the tools of this installation."""

from __future__ import annotations

from typing import Any

import click
import sqlalchemy as sa

from highstreet.cli.base import (
    brand_option,
    find_brand,
    find_store,
    json_option,
    open_house,
    operating,
    print_json,
    print_table,
)
from highstreet.host import settings, state
from highstreet.i18n import gettext as _
from highstreet_tenants.models import Store


@click.group()
def plugins() -> None:
    """Tools: what is installed, and why it is on or off."""


@plugins.command("list")
@json_option
def list_plugins(as_json: bool) -> None:
    """All installed tools; those that could not be loaded with the reason.

    Exit code 1 if one could not be loaded.
    """
    with open_house(ready=False) as house:
        rows = [
            {
                "name": one.name,
                "title": house.host.title(one.name),
                "version": str(getattr(one.manifest, "version", "")),
                "distribution": one.distribution,
                "state": "loaded",
                "detail": "",
            }
            for one in house.host.plugins.values()
        ]
        rows += [
            {
                "name": bad.name,
                "title": house.host.title(bad.name),
                "version": "",
                "distribution": bad.distribution,
                "state": bad.reason,
                "detail": str(bad.detail),
            }
            for bad in house.host.quarantined.values()
        ]
        failed = bool(house.host.quarantined)
    if as_json:
        print_json(rows)
    else:
        print_table(
            ("name", "title", "from", "state", "detail"),
            [(r["name"], r["title"], r["distribution"], r["state"], r["detail"]) for r in rows],
            _("No tool is installed."),
        )
    raise SystemExit(1 if failed else 0)


@plugins.command()
@click.argument("plugin")
@brand_option
@click.option("--store", "store_slug", help="Slug or code; without it, every store.")
@json_option
def explain(plugin: str, brand_slug: str, store_slug: str | None, as_json: bool) -> None:
    """Say of each store whether a tool is on there, and why; with --store its settings, too."""
    with open_house() as house:
        brand = find_brand(house, brand_slug)
        with operating(house, brand) as s:
            if store_slug is not None:
                stores = [find_store(s, store_slug)]
            else:
                stores = list(s.scalars(sa.select(Store).order_by(Store.slug)))
            rows: list[dict[str, Any]] = []
            for store in stores:
                effective = state.explain(s, plugin, store.id)
                rows.append(
                    {
                        "store": store.slug,
                        "on": effective.on,
                        "state": effective.state,
                        "reason": effective.reason,
                    }
                )
            if store_slug is not None and plugin in house.host.plugins:
                resolved = settings.resolve(s, plugin, stores[0].id)
                rows[0]["settings"] = {
                    key: {
                        "value": value,
                        "from": resolved.provenance[key].level,
                        "locked": resolved.provenance[key].locked,
                    }
                    for key, value in resolved.shown().items()
                }
    if as_json:
        print_json(rows)
        return
    print_table(
        ("store", "state", "reason"),
        [(r["store"], r["state"], r["reason"]) for r in rows],
        _("The brand has no stores yet."),
    )
    for key, one in (rows[0].get("settings", {}) if store_slug else {}).items():
        lock = ", locked" if one["locked"] else ""
        click.echo(f"  {key} = {one['value']}  ({one['from']}{lock})")
