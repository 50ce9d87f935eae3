"""``highstreet plugins``: the tools of this installation, what failed and what they still owe."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import sqlalchemy as sa

from highstreet import host as hosts
from highstreet.cli.base import (
    brand_option,
    find_brand,
    find_store,
    json_option,
    open_house,
    operating,
    plain,
    print_done,
    print_json,
    print_table,
    telling_of_the_database,
)
from highstreet.cli.doctor import doctor, show
from highstreet.cli.settings_trial import try_settings
from highstreet.cli.uninstall import export_, leftovers, reinstall, uninstall
from highstreet.host import faults, owed, policy, settings, state
from highstreet.i18n import gettext as _
from highstreet_tenants.errors import NotFound, Unavailable
from highstreet_tenants.models import Store
from highstreet_tenants.sessions import ScopedSession


@click.group()
def plugins() -> None:
    """Tools: what is installed, and why it is on or off."""


for command in (doctor, show, try_settings, export_, uninstall, reinstall, leftovers):
    plugins.add_command(command)


@plugins.command("list")
@json_option
def list_plugins(as_json: bool) -> None:
    """All installed tools; those that could not be loaded with the reason.

    Exit code 1 if one could not be loaded.
    """
    with open_house(ready=False) as house:
        with suppress(Unavailable), telling_of_the_database():
            house.look_at_tables()
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
        failed = any(one.reason != "safe-mode" for one in house.host.quarantined.values())
    if as_json:
        print_json(rows)
    else:
        print_table(
            ("name", "title", "from", "state", "detail"),
            [(r["name"], r["title"], r["distribution"], r["state"], r["detail"]) for r in rows],
            _("No tool is installed."),
        )
    raise SystemExit(1 if failed else 0)


@plugins.command("new")
@click.argument("name")
@click.option("--title", default="", help="What people call it (default: made of the name).")
@click.option("--title-zh", default="", help="The same in Simplified Chinese.")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("."),
    help="Folder in which its own folder is made (default: this one).",
)
@json_option
def new_plugin(name: str, title: str, title_zh: str, into: Path, as_json: bool) -> None:
    """Write a new tool: a package that installs, with tests that pass, to be made one's own.

    NAME is small letters and digits, words joined by one underscore: birthday_cake.
    """
    from highstreet.kit import scaffold

    made = scaffold.write(name, into, title=title, title_zh=title_zh)
    print_done(
        as_json,
        _(
            "%(folder)s is a tool that works. Next:\n\n"
            "  cd %(folder)s\n"
            "  pip install -e '.[test]'\n"
            "  pytest\n",
            folder=str(made),
        ),
        name=name,
        package=scaffold.package_of(name),
        folder=str(made),
    )


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
        click.echo(f"  {key} = {_told(one['value'])}  ({one['from']}{lock})")


def _told(value: Any) -> str:
    """A setting's value, for a person: as the JSON has it, a text without its quotes."""
    value = plain(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@plugins.command()
@click.argument("plugin")
@brand_option
@click.option("--store", "store_slug", help="Slug or code; without it, the whole brand.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@json_option
def agree(
    plugin: str, brand_slug: str, store_slug: str | None, dry_run: bool, as_json: bool
) -> None:
    """Agree to what a tool's new version declares, so that it goes on where it was held."""
    with open_house() as house:
        brand = find_brand(house, brand_slug)
        with operating(house, brand, write=not dry_run) as s:
            node = find_store(s, store_slug).id if store_slug else None
            changes = policy.agree(s, plugin, node, dry_run=dry_run)
            rows = [
                {
                    "plugin": one.plugin,
                    "place": one.place.slug,
                    "before": one.before.state,
                    "after": one.after.state,
                }
                for one in changes
            ]
    if as_json:
        print_json(rows)
        return
    print_table(
        ("tool", "place", "before", "after"),
        [tuple(row.values()) for row in rows],
        _("Nothing changes."),
    )


@plugins.command("owed")
@brand_option
@click.option("--store", "store_slug", help="Slug or code; without it, every store.")
@click.option("--plugin", help="Only this tool's.")
@click.option("--again", is_flag=True, help="Try all of it now, wherever the tool is on.")
@json_option
def show_owed(
    brand_slug: str, store_slug: str | None, plugin: str | None, again: bool, as_json: bool
) -> None:
    """What tools still have to do: parts that failed, or that came while a tool stood still.

    Nothing of it is lost: it is tried again by itself, later and later, up to once a day. What says
    what it waits for is done once that is so.
    """
    with open_house() as house:
        brand = find_brand(house, brand_slug)
        with operating(house, brand, write=again) as s:
            only = find_store(s, store_slug).id if store_slug else None
            found = owed.debts(s, plugin, only)
            slugs = {row.id: row.slug for row in s.execute(sa.select(Store.id, Store.slug))}
            rows = [
                {
                    "plugin": debt.plugin,
                    "store": slugs.get(debt.store_id) if debt.store_id else None,
                    "hook": debt.hook,
                    "parts": debt.parts,
                    "since": debt.since,
                    "tries": debt.tries,
                    "next_try": debt.next_try,
                    "waits_for": _waits_for(s, debt),
                }
                for debt in found
            ]
            tried = sum(
                owed.hand(s, debt.plugin, debt.store_id, [debt.hook], everything=True)
                for debt in (found if again else ())
                if not _waits_for(s, debt)
            )
    if as_json:
        print_json({"owed": rows, "tried": tried} if again else rows)
        return
    print_table(
        ("tool", "store", "what", "parts", "since", "tries", "next try"),
        [
            (
                row["plugin"],
                row["store"] or _("head office"),
                row["hook"],
                row["parts"],
                f"{row['since']:%Y-%m-%d %H:%M}",
                row["tries"],
                row["waits_for"] or f"{row['next_try']:%Y-%m-%d %H:%M}",
            )
            for row in rows
        ],
        _("No tool owes anything."),
    )
    if again:
        click.echo(_("%(count)s parts were given to jobs.", count=tried))


def _waits_for(s: ScopedSession, debt: owed.Debt) -> str:
    """Why a part is not tried before something changes; empty if only its time must come."""
    host = hosts.of(s)
    hook = host.hooks.get(debt.hook)
    if debt.plugin in host.plugins and (hook is None or hook.winddown):
        return ""
    try:
        effective = state.explain(s, debt.plugin, debt.store_id)
    except NotFound as error:
        return error.detail
    return "" if effective.on else effective.reason


@plugins.command("faults")
@click.argument("plugin")
@brand_option
@click.option("--store", "store_slug", help="Slug or code; without it, the whole brand.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 500))
@click.option("--trace", is_flag=True, help="Show where in the code, too.")
@json_option
def show_faults(
    plugin: str,
    brand_slug: str,
    store_slug: str | None,
    limit: int,
    trace: bool,
    as_json: bool,
) -> None:
    """What failed in a tool, newest first. An error may name a customer: don't pass it on unread.

    What errors said is forgotten once a customer is erased; where they happened stays.
    """
    with open_house() as house:
        brand = find_brand(house, brand_slug)
        with operating(house, brand) as s:
            only: UUID | None = find_store(s, store_slug).id if store_slug else None
            found = faults.recent(s, plugin, only, limit)
            slugs = {row.id: row.slug for row in s.execute(sa.select(Store.id, Store.slug))}
    rows = [
        {
            "at": one.at,
            "store": slugs.get(one.store_id) if one.store_id else None,
            "hook": one.hook,
            "kind": one.kind,
            "message": one.message,
            "milliseconds": round(one.milliseconds),
            "traceback": one.traceback,
        }
        for one in found
    ]
    if as_json:
        print_json(rows)
        return
    print_table(
        ("when", "store", "where", "message"),
        [
            (
                f"{row['at']:%Y-%m-%d %H:%M:%S}",
                row["store"] or _("head office"),
                row["hook"],
                row["message"],
            )
            for row in rows
        ],
        _("It has not failed."),
    )
    for row in rows if trace else ():
        click.echo(f"\n{row['at']:%Y-%m-%d %H:%M:%S} {row['hook']}\n{row['traceback']}")
