"""Somebody who listens to all that a tool tells others' programmes, in the kit's town."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from highstreet import host as hosts
from highstreet.kit.databases import Database
from highstreet.webhooks import catalogue, outbox, subscriptions
from highstreet.webhooks.models import WebhookDelivery, WebhookEvent
from highstreet_tenants.sessions import ScopedSession

HANDING = frozenset({outbox.SPREAD, subscriptions.DELIVER})
"""Jobs of webhooks."""


def listen(s: ScopedSession, tool: str) -> None:
    """Subscribe a session's place to all the tool's events that it may hear, and send nothing: a
    webhook that is paused keeps what it would have sent."""
    own = {one.name for one in hosts.of(s).plugins[tool].plugin.events}
    kinds = sorted(own & catalogue.offered(s).keys()) if own else []
    if kinds:
        made = subscriptions.subscribe(
            s, name="The kit", url="http://127.0.0.1/", events=kinds, local=True
        )
        s.flush()
        subscriptions.pause(s, made.webhook.id)


def told(database: Database, tool: str) -> list[tuple[str, Mapping[str, Any]]]:
    """What the tool has told, in order: (name, data)."""
    with database.owner.connect() as connection:
        waiting = connection.execute(sa.select(WebhookEvent.id, WebhookEvent.body))
        handed = connection.execute(sa.select(WebhookDelivery.event_id, WebhookDelivery.body))
        bodies = {row[0]: json.loads(row[1]) for row in (*waiting, *handed)}
    said = [bodies[one] for one in sorted(bodies)]
    return [(one["type"], one["data"]) for one in said if one["type"].startswith(f"{tool}.")]
