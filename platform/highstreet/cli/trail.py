"""``highstreet trail``: who did what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from highstreet.cli.base import (
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
from highstreet_tenants.people import accounts, events
from highstreet_tenants.trail import pruning, reading, words
from highstreet_tenants.trail.models import TrailEntry
from highstreet_tenants.trail.reading import Wanted

if TYPE_CHECKING:
    from highstreet.host.registry import Host
    from highstreet.host.snapshot import Place

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group(invoke_without_command=True)
@click.option("--brand", "brand_slug", help="Slug of the brand.")
@click.option("--store", "store_slug", help="Only what concerns this store.")
@click.option("--by", "email", help="Only what the person with this e-mail did.")
@click.option("--action", help="Only this action, such as key.created.")
@click.option("--object", "thing", help="Only what was done to this: its whole name, or its id.")
@click.option("--since", type=_DAY, help="From this day on (UTC).")
@click.option("--until", type=_DAY, help="Up to this day, itself included (UTC).")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@json_option
@click.pass_context
def trail(
    context: click.Context,
    brand_slug: str | None,
    store_slug: str | None,
    email: str | None,
    action: str | None,
    thing: str | None,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    as_json: bool,
) -> None:
    """Who did what in a brand, newest first."""
    if context.invoked_subcommand is not None:
        return
    if brand_slug is None:
        raise click.UsageError(_("Name the brand: --brand SLUG"))
    from highstreet.host import state

    with open_house() as house:
        actor_id = None
        if email is not None:
            with house.tenancy.control() as c:
                actor_id = accounts.known_user(c, email).id
        wanted = Wanted(
            actor_id=actor_id,
            action=action,
            object=thing,
            since=since.replace(tzinfo=UTC) if since else None,
            until=until.replace(tzinfo=UTC) + timedelta(days=1) if until else None,
        )
        with operating(house, find_brand(house, brand_slug)) as s:
            store_id = find_store(s, store_slug).id if store_slug else None
            rows = [
                _facts(entry, house.host, state.place(s, entry.store_id))
                for entry in reading.page(s, wanted, limit=limit, store_id=store_id)
            ]
    if as_json:
        print_json(rows)
        return
    print_table(
        ("at", "who", "action", "to what", "details"),
        [
            (r["at"], r["actor"], r["action"], r["object"] or r["object_id"], "; ".join(r["told"]))
            for r in rows
        ],
        _("Nothing found."),
    )


@trail.command("sign-ins")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@json_option
def sign_ins(limit: int, as_json: bool) -> None:
    """Sign-ins of this installation, failed ones too, newest first."""
    with open_house() as house, house.tenancy.control() as s:
        rows = [
            {
                "at": one.at,
                "email": one.email or None,
                "what": one.what,
                "address": one.address,
            }
            for one in events.of_everybody(s, limit=limit)
        ]
    if as_json:
        print_json(rows)
        return
    print_table(
        ("at", "e-mail", "what", "from"),
        [(r["at"], r["email"] or _("nobody’s"), r["what"], r["address"]) for r in rows],
        _("Nothing found."),
    )


@trail.command()
@click.option("--before", type=_DAY, required=True, help="Entries of earlier days go (UTC).")
@click.confirmation_option(prompt="Entries that are removed are gone for good. Go on?")
@json_option
def prune(before: datetime, as_json: bool) -> None:
    """Remove old entries and sign-ins of all brands, as your rule on keeping them says.

    Nothing but this command can; each brand's trail notes it. It uses the owner's database URL.
    """
    with open_house() as house:
        gone = pruning.prune(
            house.tenancy,
            str(house.config["owner_database_url"]),
            before.replace(tzinfo=UTC),
        )
    words_ = _("%(entries)s entries and %(events)s sign-ins are removed.", **gone)
    print_done(as_json, words_, **gone)


def _facts(entry: TrailEntry, host: Host, place: Place) -> dict[str, Any]:
    from highstreet.stores import trail_words

    return {
        "id": entry.id,
        "at": entry.at,
        "actor_kind": entry.actor_kind,
        "actor_id": entry.actor_id,
        "actor": entry.actor_name,
        "action": entry.action,
        "object_kind": entry.object_kind,
        "object_id": entry.object_id,
        "object": entry.object_name,
        "store_id": entry.store_id,
        "from": words.origin(entry),
        "details": entry.details,
        "told": trail_words.told(entry, host, place),
    }
