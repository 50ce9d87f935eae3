"""What a customer agrees to and refuses, as the till hears it."""

from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, validate

from highstreet.consent import queries, service
from highstreet.consent.facts import BRAND, CHANNELS, EVERY, ConsentState
from highstreet.host.access import requires
from highstreet.rest.blueprints import Blueprint
from highstreet.rest.current import current
from highstreet.rest.fields import Moment, Text

blueprint = Blueprint("api-consents", __name__, description="What may be sent to whom.")

_CHANNELS = [*sorted(CHANNELS), EVERY]
_STATUSES = ["withdrawn", "given"]


class ConsentIn(Schema):
    """Somebody agreed, or refused: one purpose on one channel, or "*" for a refusal of all."""

    purpose = Text(
        required=True,
        validate=validate.Length(1, 40),
        metadata={"description": "A word; * in a refusal of all.", "example": "marketing"},
    )
    channel = fields.String(required=True, validate=validate.OneOf(_CHANNELS))
    status = fields.String(required=True, validate=validate.OneOf(_STATUSES))
    wording = Text(
        load_default="",
        validate=validate.Length(max=4000),
        metadata={"description": "The very words they saw. Needed where they agreed."},
    )
    version = Text(
        load_default=None,
        allow_none=True,
        validate=validate.Length(1, 40),
        metadata={"description": "Of the wording. Default: made from the words."},
    )
    method = Text(
        load_default="till",
        validate=validate.Length(1, 40),
        metadata={"description": "How they said it: till, form, phone, web-shop."},
    )
    evidence = Text(
        load_default=None,
        allow_none=True,
        validate=validate.Length(1, 1000),
        metadata={"description": "What proves it: a form's number, say. Erased with them."},
    )
    at = Moment(
        load_default=None,
        allow_none=True,
        metadata={"description": "When they said it. Default: now."},
    )


class ConsentOut(Schema):
    """The last word on one purpose and channel."""

    purpose = fields.String(required=True)
    channel = fields.String(required=True, metadata={"enum": _CHANNELS})
    controller = fields.String(
        required=True,
        metadata={"description": "Who may use it: “brand”, or the id of a store's owner."},
    )
    status = fields.String(required=True, metadata={"enum": _STATUSES})
    method = fields.String(required=True)
    at = Moment(required=True)
    version = fields.String(required=True, allow_none=True)
    wording = fields.String(required=True, allow_none=True)


class ConsentList(Schema):
    """What holds now; what was never asked is not in it, and may not be done."""

    items = fields.List(fields.Nested(ConsentOut), required=True)


@blueprint.route("/customers/<uuid:customer_id>/consents")
@blueprint.response(200, ConsentList())
@requires("customers.read")
def listing(customer_id: UUID) -> dict[str, Any]:
    """What a customer agreed to and refused.

    The last word on each purpose and channel; a refusal of * covers all of them.
    """
    return {"items": [_json(one) for one in queries.state(current.s, customer_id)]}


@blueprint.route("/customers/<uuid:customer_id>/consents", methods=["POST"])
@blueprint.arguments(ConsentIn())
@blueprint.response(201, ConsentOut())
@requires("customers.write")
def record(data: dict[str, Any], customer_id: UUID) -> dict[str, Any]:
    """Write down that a customer agreed or refused.

    Nothing is ever overwritten: the latest word holds, and of two at one moment the refusal.
    """
    at = data.pop("at")
    said = service.record(current.s, customer_id, **data, at=current.utc(at) if at else None)
    return _json(said)


def _json(said: ConsentState) -> dict[str, Any]:
    return {
        "purpose": said.purpose,
        "channel": said.channel,
        "controller": str(said.owner_id) if said.owner_id else BRAND,
        "status": said.status,
        "method": said.method,
        "at": said.at,
        "version": said.version,
        "wording": said.wording,
    }
