"""The `webhooks` of the OpenAPI document: each kind of event with its schema and a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from highstreet.host.event_types import EventType
from highstreet.webhooks import catalogue

if TYPE_CHECKING:
    from highstreet.host import Host
    from highstreet.rest.api import Api

_HEADERS = {
    "webhook-id": (
        "The message’s id, the same at every try.",
        "msg_019aaf6e0004700080000000000000",
    ),
    "webhook-timestamp": ("When it was sent, in seconds since 1970.", "1780193400"),
    "webhook-signature": (
        "One `v1,<base64>` for each secret that holds, with blanks between: HMAC-SHA256 over"
        " id.timestamp.body.",
        "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    ),
}


def webhooks(api: Api, host: Host) -> dict[str, Any]:
    """All kinds by name, the core's and the tools'."""
    return {name: {"post": _told(api, one)} for name, one in catalogue.all_of(host).items()}


def _told(api: Api, one: EventType) -> dict[str, Any]:
    data = api.ma_plugin.converter.schema2jsonschema(one.schema())
    data["properties"] |= {
        "store_id": {"type": ["string", "null"], "format": "uuid"},
        "store": {"type": ["string", "null"], "description": "The store's number."},
    }
    data["required"] = sorted({*data.get("required", ()), "store_id", "store"})
    body = {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"type": "string", "const": one.name},
            "timestamp": {"type": "string", "format": "date-time"},
            "data": data,
        },
    }
    return {
        "operationId": f"webhook.{one.name}",
        "summary": str(one.title),
        "description": str(one.summary),
        "tags": ["events"],
        "parameters": [
            {
                "in": "header",
                "name": name,
                "required": True,
                "description": about,
                "schema": {"type": "string"},
                "example": example,
            }
            for name, (about, example) in _HEADERS.items()
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": body, "example": catalogue.sample(one)}},
        },
        "responses": {
            "2XX": {"description": "Taken."},
            "410": {"description": "Never send anything again: the webhook is switched off."},
        },
    }
