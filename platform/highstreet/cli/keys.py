"""``highstreet keys``: API keys of stores."""

from __future__ import annotations

from uuid import UUID

import click

from highstreet.cli.base import (
    brand_option,
    json_option,
    open_house,
    print_done,
    print_json,
    print_table,
)
from highstreet.i18n import gettext as _
from highstreet_tenants.people import keys as key_verbs
from highstreet_tenants.people import operate
from highstreet_tenants.people.operate import OPERATOR
from highstreet_tenants.people.permissions import Catalogue
from highstreet_tenants.scopes import Scope

store_option = click.option("--store", "store_slug", required=True, help="Slug or code.")


@click.group()
def keys() -> None:
    """API keys: what a store's till carries."""


@keys.command("list")
@brand_option
@store_option
@json_option
def list_keys(brand_slug: str, store_slug: str, as_json: bool) -> None:
    """A store's keys; the keys themselves were shown once."""
    with open_house() as house:
        node = operate.node_at(house, f"{brand_slug}/store/{store_slug}")
        with house.tenancy.control() as s:
            rows = [
                {
                    "id": key.id,
                    "name": key.name,
                    "scopes": sorted(key.scopes),
                    "live": key_verbs.is_live(key),
                    "last_used_at": key.last_used_at,
                }
                for key in key_verbs.keys_of(s, node)
            ]
    if as_json:
        print_json(rows)
        return
    print_table(
        ("id", "name", "may", "live", "last used"),
        [
            (
                r["id"],
                r["name"],
                " ".join(r["scopes"]),  # type: ignore[arg-type]  # a list of names
                _("yes") if r["live"] else _("no"),
                r["last_used_at"],
            )
            for r in rows
        ],
        _("The store has no key yet: highstreet keys create"),
    )


@keys.command()
@brand_option
@store_option
@click.option("--name", required=True, help="Which till or programme will carry it.")
@click.option("--scope", "scopes", multiple=True, required=True, help="What it may do; repeat.")
@json_option
def create(
    brand_slug: str, store_slug: str, name: str, scopes: tuple[str, ...], as_json: bool
) -> None:
    """Make a key and print it. It is shown this once."""
    with open_house() as house:
        catalogue = Catalogue(house.host.permissions())
        unknown = sorted(set(scopes) - set(catalogue.scopes))
        if unknown:
            raise click.UsageError(
                _(
                    "There is no scope %(name)s; there are: %(known)s.",
                    name=unknown[0],
                    known=", ".join(catalogue.scopes),
                )
            )
        node = operate.node_at(house, f"{brand_slug}/store/{store_slug}")
        with house.tenancy.session(Scope.operator(node.brand_id, OPERATOR), write=True) as s:
            made = key_verbs.create_key(s, node, name, scopes, by=None, catalogue=catalogue)
    if as_json:
        print_json({"id": made.id, "key": made.token})
    else:
        click.echo(made.token)


@keys.command()
@brand_option
@store_option
@click.argument("key_id", type=click.UUID)
@json_option
def revoke(brand_slug: str, store_slug: str, key_id: UUID, as_json: bool) -> None:
    """End a key at once."""
    with open_house() as house:
        node = operate.node_at(house, f"{brand_slug}/store/{store_slug}")
        with house.tenancy.session(Scope.operator(node.brand_id, OPERATOR), write=True) as s:
            row = key_verbs.revoke_key(s, key_id, node)
            name = row.name
    words = _("The key “%(name)s” opens nothing any more.", name=name)
    print_done(as_json, words, id=key_id, name=name, live=False)
