"""The store's webhooks: who is told what happens here, and whether it came."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Response, url_for

from highstreet.host.access import requires
from highstreet.i18n import lazy_gettext as _l
from highstreet.rest import cursors, pipeline
from highstreet.rest.blueprints import Blueprint
from highstreet.rest.current import current
from highstreet.rest.webhook_schemas import (
    DeliveryOut,
    DeliveryPage,
    DeliveryQuery,
    KindList,
    NothingIn,
    RetriedOut,
    RetryFailedIn,
    RotateIn,
    WebhookIn,
    WebhookList,
    WebhookMade,
    WebhookOut,
    WebhookPatch,
)
from highstreet.webhooks import again, catalogue, queries, signing, subscriptions
from highstreet.webhooks.models import PENDING, Webhook, WebhookDelivery
from highstreet.webhooks.queries import Undelivered
from highstreet_tenants.clock import now

blueprint = Blueprint(
    "api-webhooks", __name__, description="Who is told what happens, and whether it came."
)
_ONE = "/webhooks/<uuid:webhook_id>"
_MADE = WebhookMade()
_GONE = _l(
    "The secret stands in the first answer only. If that did not reach you, make a new one by"
    " POST …/rotate with a new Idempotency-Key."
)


@blueprint.route("/webhook-events")
@blueprint.response(200, KindList())
@requires("webhooks.manage")
def kinds() -> dict[str, Any]:
    """What can be told?

    The kinds of events that this store's webhooks may ask for, each with a sample.
    """
    return {
        "items": [
            {
                "name": name,
                "title": str(one.title),
                "summary": str(one.summary),
                "sample": catalogue.sample(one),
            }
            for name, one in catalogue.offered(current.s).items()
        ]
    }


@blueprint.route("/webhooks")
@blueprint.response(200, WebhookList())
@requires("webhooks.manage")
def listing() -> dict[str, Any]:
    """List the store's webhooks.

    In the order in which they were made.
    """
    return {"items": _jsons(queries.listed(current.s))}


@blueprint.route("/webhooks", methods=["POST"])
@blueprint.arguments(WebhookIn())
@blueprint.response(201, _MADE)
@requires("webhooks.manage")
@pipeline.shown_once("secret", _GONE)
def create(data: dict[str, Any]) -> Response:
    """Make a webhook.

    The answer holds the secret by which the receiver checks signatures, this once: an answer that
    is repeated for its Idempotency-Key says null.
    """
    made = subscriptions.subscribe(current.s, **data, local=_local())
    answer = _shown_once(made, 201)
    answer.headers["Location"] = url_for("api-webhooks.one", webhook_id=made.webhook.id)
    return answer


@blueprint.route(_ONE)
@blueprint.response(200, WebhookOut())
@requires("webhooks.manage")
def one(webhook_id: UUID) -> dict[str, Any]:
    """One webhook."""
    return _json(subscriptions.get(current.s, webhook_id))


@blueprint.route(_ONE, methods=["PATCH"])
@blueprint.arguments(WebhookPatch())
@blueprint.response(200, WebhookOut())
@blueprint.alt_response(409, description="The store has closed.")
@requires("webhooks.manage")
def change(data: dict[str, Any], webhook_id: UUID) -> dict[str, Any]:
    """Change a webhook, pause it, or switch it on.

    Only what you name changes. Setting what is so already changes nothing.
    """
    s = current.s
    enabled = data.pop("enabled", None)
    row = subscriptions.get(s, webhook_id)
    if data:
        row = subscriptions.change(s, webhook_id, **data, local=_local())
    if enabled is not None:
        row = subscriptions.switch(s, webhook_id, enabled)
    return _json(row)


@blueprint.route(_ONE, methods=["DELETE"])
@blueprint.response(204)
@requires("webhooks.manage")
def delete(webhook_id: UUID) -> str:
    """Delete a webhook.

    What was not delivered yet never will be; to stop for a while, pause it.
    """
    subscriptions.remove(current.s, webhook_id)
    return ""


@blueprint.route(f"{_ONE}/rotate", methods=["POST"])
@blueprint.arguments(RotateIn())
@blueprint.response(200, _MADE)
@requires("webhooks.manage")
@pipeline.shown_once("secret", _GONE)
def rotate(data: dict[str, Any], webhook_id: UUID) -> Response:
    """Make a new secret.

    Messages are signed with the old one as well for a day, or as you say, so that the receiver can
    change over. The new one is shown this once.
    """
    hours = timedelta(hours=data["old_secret_hours"])
    return _shown_once(subscriptions.rotate(current.s, webhook_id, overlap=hours), 200)


@blueprint.route(f"{_ONE}/test", methods=["POST"])
@blueprint.arguments(NothingIn())
@blueprint.response(201, DeliveryOut())
@blueprint.alt_response(409, description="It is paused or switched off.")
@requires("webhooks.manage")
def test(_data: dict[str, Any], webhook_id: UUID) -> dict[str, Any]:
    """Send a message that says that it is a test.

    It is under way when this answers; read the message a little later to see what came of it.
    """
    s = current.s
    return _message(queries.delivery(s, webhook_id, again.test(s, webhook_id)))


@blueprint.route(f"{_ONE}/deliveries")
@blueprint.arguments(DeliveryQuery(), location="query")
@blueprint.response(200, DeliveryPage())
@requires("webhooks.manage")
def deliveries(asked: dict[str, Any], webhook_id: UUID) -> dict[str, Any]:
    """List the messages of a webhook.

    The latest first, each with what the receiver answered. They are kept for 30 days.
    """
    place, limit = cursors.decode(asked["cursor"]), asked["limit"]
    rows = queries.deliveries(
        current.s,
        webhook_id,
        status=asked["status"],
        before=place[2] if place else None,
        limit=limit + 1,
    )
    return cursors.page(
        rows, limit, _message, lambda row: (row.created_at.date(), row.created_at, row.id)
    )


@blueprint.route(f"{_ONE}/deliveries/<uuid:delivery_id>")
@blueprint.response(200, DeliveryOut())
@requires("webhooks.manage")
def delivery(webhook_id: UUID, delivery_id: UUID) -> dict[str, Any]:
    """One message, and what came of it."""
    return _message(queries.delivery(current.s, webhook_id, delivery_id))


@blueprint.route(f"{_ONE}/deliveries/<uuid:delivery_id>/retry", methods=["POST"])
@blueprint.arguments(NothingIn())
@blueprint.response(200, DeliveryOut())
@blueprint.alt_response(409, description="It is paused or switched off.")
@requires("webhooks.manage")
def retry(_data: dict[str, Any], webhook_id: UUID, delivery_id: UUID) -> dict[str, Any]:
    """Send one message again, whatever became of it.

    With the same `webhook-id`, so that a receiver which had it already knows.
    """
    s = current.s
    again.resend(s, webhook_id, delivery_id)
    return _message(queries.delivery(s, webhook_id, delivery_id))


@blueprint.route(f"{_ONE}/retry-failed", methods=["POST"])
@blueprint.arguments(RetryFailedIn())
@blueprint.response(200, RetriedOut())
@blueprint.alt_response(409, description="It is paused or switched off.")
@requires("webhooks.manage")
def retry_failed(data: dict[str, Any], webhook_id: UUID) -> dict[str, Any]:
    """Send again all that failed, or waits for another try.

    The oldest first, also what was given up; `since` leaves out what happened before.
    """
    since = current.utc(data["since"]) if data["since"] else None
    return {"retried": again.resend_failed(current.s, webhook_id, since)}


def _shown_once(made: subscriptions.Made, status: int) -> Response:
    body = _MADE.dump({**_json(made.webhook), "secret": made.secret, "notice": None})
    answer = Response(json.dumps(body), status=status, mimetype="application/json")
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _jsons(rows: Sequence[Webhook]) -> list[dict[str, Any]]:
    waiting = queries.undelivered(current.s, [row.id for row in rows])
    return [_of(row, waiting[row.id]) for row in rows]


def _json(row: Webhook) -> dict[str, Any]:
    return _jsons([row])[0]


def _of(row: Webhook, waiting: Undelivered) -> dict[str, Any]:
    until = row.old_until
    return {
        "id": row.id,
        "name": row.name,
        "url": row.url,
        "events": row.events,
        "status": row.status,
        "reason": row.reason,
        "status_at": row.status_at,
        "pending": waiting.pending,
        "failed": waiting.failed,
        "old_secret_until": until if until is not None and until > now() else None,
        "last_sent_at": row.last_sent_at,
        "last_failed_at": row.last_failed_at,
        "created_at": row.created_at,
    }


def _message(row: WebhookDelivery) -> dict[str, Any]:
    return {
        "id": row.id,
        "message_id": signing.message_id(row.event_id),
        "type": row.type,
        "status": row.status,
        "attempts": row.attempts,
        "created_at": row.created_at,
        "due_at": row.due_at if row.status == PENDING else None,
        "last_at": row.last_at,
        "answer_status": row.answer_status,
        "answer": row.answer,
        "took_ms": row.took_ms,
        "payload": json.loads(row.body),
    }


def _local() -> bool:
    return bool(current.house.config["webhooks_local"])
