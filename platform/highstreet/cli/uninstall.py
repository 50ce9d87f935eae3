"""``highstreet plugins export``, ``uninstall``, ``reinstall``, ``leftovers``: away and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from highstreet.cli.base import json_option, open_house, print_json, print_table, progress
from highstreet.i18n import gettext as _
from highstreet_migrations import leftovers as room
from highstreet_tenants.people.operate import OPERATOR

if TYPE_CHECKING:
    from highstreet.house import House
    from highstreet_migrations.archive import Contents
    from highstreet_migrations.leftovers import Leftover

to_option = click.option(
    "--to", "folder", required=True, type=click.Path(path_type=Path), help="A new folder."
)


@click.command("export")
@click.argument("plugin")
@to_option
@json_option
def export_(plugin: str, folder: Path, as_json: bool) -> None:
    """Write all that a tool keeps to files: for each store a folder, for each table a file.

    docs/uninstalling.md describes them. They hold personal data.
    """
    with open_house() as house, progress(as_json) as move:
        contents, _earlier = house.take_out(plugin, folder, drop=False, progress=move)
    _tell(contents, folder, as_json)


@click.command()
@click.argument("plugin")
@to_option
@click.option("--yes", is_flag=True, help="Don't ask.")
@json_option
def uninstall(plugin: str, folder: Path, yes: bool, as_json: bool) -> None:
    """Write all that a tool keeps to files, look whether they are whole, and drop its tables.

    Stop the servers and workers first. A run that was killed is run again with the same folder, and
    does what is left to do. Afterwards remove the package with pip, and start them
    again. `reinstall` brings everything back.
    """
    with open_house() as house:
        house.owner_of(plugin)
        if not yes:
            click.confirm(
                _(
                    "All rows of %(name)s are written to %(path)s, then its tables are dropped in"
                    " every brand. Go on?",
                    name=plugin,
                    path=folder,
                ),
                abort=True,
                err=True,
            )
        with progress(as_json) as move:
            contents, earlier = house.take_out(plugin, folder, drop=True, progress=move)
        left = [one for one in _leftovers(house, without=plugin) if one.tool == plugin]
    _tell(contents, folder, as_json, left)
    if not as_json:
        if earlier:
            click.echo(
                _(
                    "An earlier run had taken the tables away: these are the rows of %(at)s.",
                    at=f"{contents.at:%Y-%m-%d %H:%M:%S} UTC",
                )
            )
        click.echo(
            _(
                "Its tables are gone. Now remove the package (pip uninstall) and start the servers"
                " again; `highstreet plugins reinstall %(name)s %(path)s` brings it back.",
                name=plugin,
                path=folder,
            )
        )


@click.command()
@click.argument("plugin")
@click.argument("folder", type=click.Path(path_type=Path))
@json_option
def reinstall(plugin: str, folder: Path, as_json: bool) -> None:
    """Read back what `uninstall` or `export` wrote, into the empty tables of the installed tool.

    What the tool should have done meanwhile (returns, merged and erased customers) is done at
    once. All of it goes in, or nothing.
    """
    with open_house(ready=False) as house, progress(as_json) as move:
        contents, caught_up = house.bring_back(plugin, folder, OPERATOR, progress=move)
    if as_json:
        print_json({"tool": plugin, "rows": contents.rows(), "caught_up": caught_up})
        return
    _print_rows(contents)
    click.echo(
        _(
            "Everything is back. Done since for what happened meanwhile: %(done)s; failed, and"
            " tried again by itself: %(failed)s.",
            done=caught_up.get("done", 0),
            failed=caught_up.get("failed", 0),
        )
    )


@click.command()
@json_option
def leftovers(as_json: bool) -> None:
    """What tools that are not installed any more have left: tables, and rows that name them.

    Exit code 1 if there are tables. Rows of the core that name a tool (policy, choices, settings,
    the customers' story) harm nobody and hold when it comes back.
    """
    with open_house(ready=False) as house:
        found = _leftovers(house)
    if as_json:
        print_json(found)
    else:
        _print_leftovers(found)
    raise SystemExit(1 if any(one.tables for one in found) else 0)


def _leftovers(house: House, *, without: str | None = None) -> list[Leftover]:
    installed = {*house.host.plugins, *house.host.quarantined} - {without}
    return room.look(house.config["owner_database_url"], house.histories, installed)


def _tell(
    contents: Contents, folder: Path, as_json: bool, left: list[Leftover] | None = None
) -> None:
    if as_json:
        said = {
            "tool": contents.tool,
            "folder": folder,
            "rows": contents.rows(),
            "files": len(contents.files),
        }
        print_json(said if left is None else {**said, "leftovers": left})
        return
    _print_rows(contents)
    click.echo(_("%(count)s files in %(path)s.", count=len(contents.files), path=folder))
    if left:
        _print_leftovers(left)


def _print_rows(contents: Contents) -> None:
    print_table(("table", "rows"), list(contents.rows().items()), _("It has no tables."))


def _print_leftovers(found: list[Leftover]) -> None:
    print_table(
        ("tool", "what is left", "where", "rows"),
        [
            (one.tool, what, table, rows)
            for one in found
            for what, places in (
                (_("its own table"), one.tables),
                (_("rows that name it"), one.remembered),
            )
            for table, rows in places.items()
        ],
        _("Nothing is left of tools that are not installed."),
    )
