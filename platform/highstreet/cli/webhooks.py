"""``highstreet webhooks``: who is told what happens, and whether it came."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

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
from highstreet.host import shops
from highstreet.i18n import gettext as _
from highstreet.i18n import ngettext
from highstreet.webhooks import again, queries, signing, subscriptions
from highstreet.webhooks.models import Webhook, WebhookDelivery
from highstreet.webhooks.queries import Undelivered
from highstreet_tenants.errors import NotFound
from highstreet_tenants.models import Brand
from highstreet_tenants.people.operate import OPERATOR
from highstreet_tenants.scopes import Scope

if TYPE_CHECKING:
    from highstreet.house import House
    from highstreet_tenants.sessions import ScopedSession

_id = click.argument("webhook_id", type=click.UUID)


@click.group()
def webhooks() -> None:
    """Webhooks of stores and of head office: who is told what happens, and whether it came."""


@webhooks.command("list")
@brand_option
@click.option("--store", "store_slug", help="Only this store's: its slug or code.")
@click.option("--office", is_flag=True, help="Only head office's own.")
@json_option
def list_webhooks(brand_slug: str, store_slug: str | None, office: bool, as_json: bool) -> None:
    """All webhooks of a brand, head office's first, with how many messages did not get there."""
    with open_house() as house, operating(house, find_brand(house, brand_slug)) as s:
        only = find_store(s, store_slug).id if store_slug else None
        rows = [
            row
            for row in queries.everywhere(s)
            if (not only or row.store_id == only) and not (office and row.store_id)
        ]
        rows.sort(key=lambda row: row.store_id is not None)
        found = _facts(s, rows)
    if as_json:
        print_json(found)
        return
    print_table(
        ("id", "store", "name", "state", "waiting", "given up", "last taken"),
        [
            (
                one["id"],
                one["store"] or _("head office"),
                one["name"],
                _state(one),
                one["pending"],
                one["failed"],
                one["last_sent_at"] and f"{one['last_sent_at']:%Y-%m-%d %H:%M}",
            )
            for one in found
        ],
        _("There is no webhook yet: highstreet webhooks add"),
    )


@webhooks.command()
@_id
@brand_option
@json_option
def show(webhook_id: UUID, brand_slug: str, as_json: bool) -> None:
    """One webhook, all that is known of it but its secret."""
    with open_house() as house, _place_of(house, brand_slug, webhook_id) as s:
        facts = _facts(s, [subscriptions.get(s, webhook_id)])[0]
    if as_json:
        print_json(facts)
        return
    for name, value in facts.items():
        if value is not None:
            click.echo(f"{name}: {' '.join(value) if isinstance(value, list) else value}")


@webhooks.command()
@brand_option
@click.option("--store", "store_slug", help="The store's slug or code; head office if not given.")
@click.option("--name", required=True, help="Who listens there.")
@click.option("--url", required=True, help="Where messages go: https, and public.")
@click.option("--event", "events", multiple=True, required=True, help="What to tell; repeat.")
@json_option
def add(
    brand_slug: str,
    store_slug: str | None,
    name: str,
    url: str,
    events: tuple[str, ...],
    as_json: bool,
) -> None:
    """Make a webhook and print its secret. It is shown this once."""
    with open_house() as house:
        brand = find_brand(house, brand_slug)
        store_id = None
        if store_slug:
            with operating(house, brand) as s:
                store_id = find_store(s, store_slug).id
        with house.tenancy.session(_scope(brand, store_id), write=True) as s:
            made = subscriptions.subscribe(
                s, name=name, url=url, events=events, local=_local(house)
            )
            facts = _facts(s, [made.webhook])[0]
    _print_secret(facts, made.secret, as_json)


@webhooks.command()
@_id
@brand_option
@json_option
def pause(webhook_id: UUID, brand_slug: str, as_json: bool) -> None:
    """Send nothing for now. What happens meanwhile is kept, and sent later."""
    _switch(webhook_id, brand_slug, False, as_json)


@webhooks.command()
@_id
@brand_option
@json_option
def resume(webhook_id: UUID, brand_slug: str, as_json: bool) -> None:
    """Switch a webhook on again that was paused or switched off."""
    _switch(webhook_id, brand_slug, True, as_json)


@webhooks.command()
@_id
@brand_option
@click.option(
    "--old-hours",
    type=click.IntRange(0, subscriptions.LONGEST_OVERLAP_HOURS),
    default=24,
    show_default=True,
    help="So long the old secret signs as well; 0 if it leaked.",
)
@json_option
def rotate(webhook_id: UUID, brand_slug: str, old_hours: int, as_json: bool) -> None:
    """Make a new secret and print it. It is shown this once."""
    with open_house() as house, _place_of(house, brand_slug, webhook_id, write=True) as s:
        made = subscriptions.rotate(s, webhook_id, overlap=timedelta(hours=old_hours))
        facts = _facts(s, [made.webhook])[0]
    _print_secret(facts, made.secret, as_json)


@webhooks.command()
@_id
@brand_option
@json_option
def test(webhook_id: UUID, brand_slug: str, as_json: bool) -> None:
    """Send a message that says that it is a test; see: highstreet webhooks deliveries."""
    with open_house() as house, _place_of(house, brand_slug, webhook_id, write=True) as s:
        made = again.test(s, webhook_id)
    print_done(as_json, _("A test is on its way: %(id)s", id=made), id=made, status="pending")


@webhooks.command()
@_id
@brand_option
@click.option("--status", type=click.Choice(["pending", "sent", "failed"]), help="Only these.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@json_option
def deliveries(
    webhook_id: UUID, brand_slug: str, status: str | None, limit: int, as_json: bool
) -> None:
    """The messages of the last 30 days and what the receiver answered, the latest first."""
    with open_house() as house, _place_of(house, brand_slug, webhook_id) as s:
        rows = queries.deliveries(s, webhook_id, status=status, limit=limit)
        found = [_message(row) for row in rows]
    if as_json:
        print_json(found)
        return
    print_table(
        ("id", "event", "at", "state", "tries", "answer"),
        [
            (
                one["id"],
                one["type"],
                f"{one['created_at']:%Y-%m-%d %H:%M:%S}",
                one["status"],
                one["attempts"],
                " ".join(str(said) for said in (one["answer_status"], one["answer"]) if said),
            )
            for one in found
        ],
        _("Nothing was sent yet."),
    )


@webhooks.command()
@_id
@brand_option
@click.option("--delivery", "delivery_id", type=click.UUID, help="This message alone.")
@click.option(
    "--since", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]), help="What is not older (UTC)."
)
@json_option
def retry(
    webhook_id: UUID,
    brand_slug: str,
    delivery_id: UUID | None,
    since: datetime | None,
    as_json: bool,
) -> None:
    """Send again all that failed, or one message whatever became of it; with the same ids."""
    if delivery_id is not None and since is not None:
        raise click.UsageError(_("Say --delivery or --since, not both."))
    with open_house() as house, _place_of(house, brand_slug, webhook_id, write=True) as s:
        if delivery_id is not None:
            again.resend(s, webhook_id, delivery_id)
            many = 1
        else:
            start = since.replace(tzinfo=UTC) if since else None
            many = again.resend_failed(s, webhook_id, start)
    words = ngettext("%(num)s message is sent again.", "%(num)s messages are sent again.", many)
    print_done(as_json, words, id=webhook_id, retried=many)


@webhooks.command()
@_id
@brand_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def remove(webhook_id: UUID, brand_slug: str, yes: bool, as_json: bool) -> None:
    """Delete a webhook with its secret and its messages; those that wait are never sent."""
    with open_house() as house, _place_of(house, brand_slug, webhook_id, write=True) as s:
        row = subscriptions.get(s, webhook_id)
        name, waiting = row.name, queries.undelivered(s, [row.id])[row.id].pending
        if not yes and not as_json:
            asked = ngettext(
                "Delete “%(name)s”? %(num)s message that waits is never sent.",
                "Delete “%(name)s”? %(num)s messages that wait are never sent.",
                waiting,
                name=name,
            )
            click.confirm(asked, abort=True)
        subscriptions.remove(s, webhook_id)
    words = _("“%(name)s” is deleted; nothing more is sent there.", name=name)
    print_done(as_json, words, id=webhook_id, name=name, deleted=True)


@contextmanager
def _place_of(
    house: House, brand_slug: str, webhook_id: UUID, *, write: bool = False
) -> Iterator[ScopedSession]:
    """A session of the store that the webhook is of, or of head office. Raises NotFound."""
    brand = find_brand(house, brand_slug)
    with operating(house, brand) as s:
        places = {row.id: row.store_id for row in queries.everywhere(s)}
    if webhook_id not in places:
        raise NotFound(_("There is no such webhook in this brand; see: highstreet webhooks list"))
    with house.tenancy.session(_scope(brand, places[webhook_id]), write=write) as s:
        yield s


def _scope(brand: Brand, store_id: UUID | None) -> Scope:
    if store_id is None:
        return Scope.brand(brand, OPERATOR)
    return Scope.store(brand.id, store_id, OPERATOR)


def _local(house: House) -> bool:
    return bool(house.config["webhooks_local"])


def _switch(webhook_id: UUID, brand_slug: str, on: bool, as_json: bool) -> None:
    with open_house() as house, _place_of(house, brand_slug, webhook_id, write=True) as s:
        row = subscriptions.switch(s, webhook_id, on)
        name, status = row.name, row.status
    if status == "active":
        words = _("“%(name)s” is on. What waits is sent now.", name=name)
    elif status == "paused":
        words = _("“%(name)s” is paused. What happens meanwhile is kept.", name=name)
    else:
        words = _("“%(name)s” is switched off already.", name=name)
    print_done(as_json, words, id=webhook_id, name=name, status=status)


def _print_secret(facts: dict[str, Any], secret: str, as_json: bool) -> None:
    if as_json:
        print_json(facts | {"secret": secret})
        return
    click.echo(_("Webhook %(id)s; its secret, shown this once:", id=facts["id"]), err=True)
    click.echo(secret)


def _facts(s: ScopedSession, rows: Sequence[Webhook]) -> list[dict[str, Any]]:
    undelivered = queries.undelivered(s, [row.id for row in rows])
    places = shops.named(s, {row.store_id for row in rows if row.store_id is not None})
    return [
        _fact(row, undelivered[row.id], places[row.store_id].code if row.store_id else None)
        for row in rows
    ]


def _fact(row: Webhook, undelivered: Undelivered, store: str | None) -> dict[str, Any]:
    return {
        "id": row.id,
        "store": store,
        "name": row.name,
        "url": row.url,
        "events": list(row.events),
        "status": row.status,
        "reason": row.reason,
        "status_at": row.status_at,
        "pending": undelivered.pending,
        "failed": undelivered.failed,
        "last_sent_at": row.last_sent_at,
        "last_failed_at": row.last_failed_at,
        "created_by": row.created_by,
        "created_at": row.created_at,
    }


def _state(fact: dict[str, Any]) -> str:
    return f"{fact['status']} ({fact['reason']})" if fact["reason"] else str(fact["status"])


def _message(row: WebhookDelivery) -> dict[str, Any]:
    return {
        "id": row.id,
        "message_id": signing.message_id(row.event_id),
        "type": row.type,
        "status": row.status,
        "attempts": row.attempts,
        "created_at": row.created_at,
        "due_at": row.due_at,
        "last_at": row.last_at,
        "answer_status": row.answer_status,
        "answer": row.answer,
    }
