"""``highstreet tool``: what the tools of this installation can do on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from highstreet.cli.base import (
    find_brand,
    find_store,
    json_option,
    open_house,
    operating,
    print_json,
    print_table,
)
from highstreet.host import verbs
from highstreet.i18n import gettext as _
from highstreet_tenants.errors import Invalid
from highstreet_tenants.people.operate import OPERATOR
from highstreet_tenants.scopes import Scope


@click.command()
@click.argument("verb", required=False)
@click.argument("options", nargs=-1, metavar="[OPTION=VALUE]...")
@click.option("--brand", "brand_slug", help="Slug of the brand.")
@click.option("--store", "store_slug", help="Slug or code of one store.")
@json_option
def tool(
    verb: str | None,
    options: Sequence[str],
    brand_slug: str | None,
    store_slug: str | None,
    as_json: bool,
) -> None:
    """Ask something of a tool, such as: tool points_club.books --brand B month=2026-10.

    Without a VERB it lists those there are. Where the tool is off, it is off here too.
    """
    with open_house() as house:
        if verb is None:
            _list(house, as_json)
            return
        verbs.find(house.host, verb)
        if brand_slug is None:
            raise Invalid(_("Name the brand (--brand)."))
        brand = find_brand(house, brand_slug)
        given = _given(options)
        writes = verbs.find(house.host, verb)[1].writes
        if store_slug is None:
            with operating(house, brand, write=writes) as s:
                rows = list(verbs.run(s, verb, given))
        else:
            with operating(house, brand) as s:
                store_id = find_store(s, store_slug).id
            scope = Scope.store(brand.id, store_id, OPERATOR)
            with house.tenancy.session(scope, write=writes) as s:
                rows = list(verbs.run(s, verb, given, store_id))
    if as_json:
        print_json(rows)
    else:
        columns = list(dict.fromkeys(name for row in rows for name in row))
        print_table(columns, [[row.get(one) for one in columns] for row in rows], _("Nothing."))


def _list(house: Any, as_json: bool) -> None:
    rows = [
        {
            "verb": verb.name,
            "at": verb.at,
            "options": ", ".join(verb.options),
            "what": str(verb.title),
        }
        for _tool, verb in sorted(verbs.of(house.host).values(), key=lambda one: one[1].name)
    ]
    if as_json:
        print_json(rows)
    else:
        print_table(
            ("verb", "at", "options", "what"),
            [tuple(row.values()) for row in rows],
            _("No tool has a verb."),
        )


def _given(options: Sequence[str]) -> dict[str, str]:
    found = {}
    for one in options:
        name, sign, value = one.partition("=")
        if not sign or not name:
            raise Invalid(_("Write options like month=2026-10, not “%(text)s”.", text=one[:40]))
        found[name] = value
    return found
