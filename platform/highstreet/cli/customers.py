"""``highstreet export-customer``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from highstreet.cli.base import (
    brand_option,
    find_brand,
    find_store,
    open_house,
    operating,
    plain,
    print_json,
)
from highstreet.customers import queries, service
from highstreet.i18n import gettext as _
from highstreet_tenants.errors import Conflict, Invalid, NotFound
from highstreet_tenants.models import Brand
from highstreet_tenants.people.operate import OPERATOR
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import ScopedSession


@click.command()
@brand_option
@click.option("--store", "store_slug", help="The store, where each store owns its customers.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write.")
@click.argument("who")
def export_customer(brand_slug: str, store_slug: str | None, output: Path | None, who: str) -> None:
    """Write out, as JSON, all that is held of one customer.

    WHO is a card number, phone number, e-mail address, name or id that means one person. Exit code
    1 if a tool could not answer.
    """
    with open_house() as house:
        brand = find_brand(house, brand_slug)
        with operating(house, brand) as s:
            scope = _scope(s, brand, store_slug)
        with house.tenancy.session(scope, write=True) as s:
            held = service.export(s, _one(s, who))
    if output is None:
        print_json(held)
    else:
        _write(output, held)
        click.echo(_("Written to %(path)s.", path=output))
    if held["missing"]:
        click.echo(
            _(
                "Not whole: %(tools)s could not answer. Look at their faults, then try again.",
                tools=", ".join(held["missing"]),
            ),
            err=True,
        )
        raise SystemExit(1)


def _write(output: Path, held: Mapping[str, Any]) -> None:
    import json

    try:
        output.write_text(
            json.dumps(plain(held), ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
        )
    except OSError as error:
        raise Invalid(
            _("%(path)s can't be written: %(reason)s", path=output, reason=error.strerror)
        ) from error


def _scope(s: ScopedSession, brand: Brand, store_slug: str | None) -> Scope:
    if brand.customers == "brand":
        return Scope.operator(brand.id, OPERATOR)
    if store_slug is None:
        raise Invalid(
            _("In this brand each store keeps its own customers. Name the store: --store")
        )
    return Scope.store(brand.id, find_store(s, store_slug).id, OPERATOR)


def _one(s: ScopedSession, who: str) -> UUID:
    try:
        return UUID(who)
    except ValueError:
        found = queries.find(s, who, limit=5)
    if not found:
        raise NotFound(_("Nobody is found by “%(who)s”.", who=who))
    if len(found) > 1:
        raise Conflict(
            _(
                "“%(who)s” may mean several people; give a card number or an id: %(ids)s",
                who=who,
                ids=", ".join(f"{one.customer.name} {one.customer.id}" for one in found),
            )
        )
    return found[0].customer.id
