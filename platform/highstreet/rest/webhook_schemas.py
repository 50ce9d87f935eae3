"""What the operations on webhooks take and give."""

from marshmallow import Schema, fields, validate

from highstreet.rest import cursors
from highstreet.rest.fields import Int64, Moment, Text, YesNo
from highstreet.webhooks import subscriptions

_EVENTS = {
    "description": "Kinds of events; `GET /webhook-events` lists those of this store.",
    "example": ["customer.enrolled", "purchase.recorded"],
}
_NAME = {"description": "Who listens there.", "example": "Newsletter service"}
_URL = {
    "description": "https, on port 443 or from 1024 on, and public; no user, password or “#”.",
    "example": "https://example.com/hooks",
}
_STATUS = {"enum": ["active", "paused", "disabled"]}
_DELIVERED = ["pending", "sent", "failed"]


class WebhookIn(Schema):
    """A new webhook of the key's store."""

    name = Text(required=True, validate=validate.Length(1, 80), metadata=_NAME)
    url = Text(required=True, validate=validate.Length(1, 500), metadata=_URL)
    events = fields.List(
        Text(validate=validate.Length(1, 80)),
        required=True,
        validate=validate.Length(1, 100),
        metadata=_EVENTS,
    )


class WebhookPatch(Schema):
    """What is to change; what is not named stays."""

    name = Text(validate=validate.Length(1, 80), metadata=_NAME)
    url = Text(validate=validate.Length(1, 500), metadata=_URL)
    events = fields.List(
        Text(validate=validate.Length(1, 80)),
        validate=validate.Length(1, 100),
        metadata=_EVENTS,
    )
    enabled = YesNo(
        metadata={
            "description": "false pauses: what happens is kept and sent later. true switches on,"
            " also one that was switched off; what waits is sent at once.",
            "example": True,
        },
    )


class RotateIn(Schema):
    """How long what holds now goes on to sign."""

    old_secret_hours = Int64(
        load_default=24,
        validate=validate.Range(0, subscriptions.LONGEST_OVERLAP_HOURS),
        metadata={
            "description": "So long messages are signed with the old secret as well. 0: it leaked;"
            " it and those before it sign nothing more.",
            "example": 24,
        },
    )


class NothingIn(Schema):
    """An empty object."""


class RetryFailedIn(Schema):
    """From when on."""

    since = Moment(
        load_default=None,
        allow_none=True,
        metadata={"description": "Only messages from then on.", "example": "2026-11-23T00:00:00Z"},
    )


class WebhookOut(Schema):
    """A webhook. The secret was shown once, when it was made."""

    id = fields.UUID(required=True)
    name = fields.String(required=True, metadata=_NAME)
    url = fields.String(required=True, metadata=_URL)
    events = fields.List(fields.String(), required=True, metadata=_EVENTS)
    status = fields.String(
        required=True,
        metadata=_STATUS | {"description": "disabled: see `reason`; nothing is written down."},
    )
    reason = fields.String(
        required=True,
        allow_none=True,
        metadata={
            "enum": ["gone", "failing", "secret", "closed", "address", None],
            "description": "gone: the receiver answered 410. failing: it took nothing for three"
            " days. secret: it can't be read, make a new one. closed: the store has closed."
            " address: nothing may be sent there any more, change it.",
        },
    )
    status_at = Moment(required=True)
    pending = fields.Integer(
        required=True, metadata={"description": "Messages that wait to be tried, or tried again."}
    )
    failed = fields.Integer(
        required=True, metadata={"description": "Messages that were given up; retry them."}
    )
    old_secret_until = Moment(
        required=True,
        allow_none=True,
        metadata={"description": "Until then an older secret signs as well."},
    )
    last_sent_at = Moment(required=True, allow_none=True)
    last_failed_at = Moment(required=True, allow_none=True)
    created_at = Moment(required=True)


class WebhookMade(WebhookOut):
    """A webhook with the secret that its receiver needs."""

    secret = fields.String(
        required=True,
        allow_none=True,
        metadata={
            "description": "Shown this once. null where the answer is a repeated one.",
            "example": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=",
        },
    )
    notice = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Why `secret` is null, and what to do."},
    )


class WebhookList(Schema):
    """All of the store's; it may have twenty."""

    items = fields.List(fields.Nested(WebhookOut), required=True)


class KindOut(Schema):
    """A kind of event with a whole message as it is sent."""

    name = fields.String(required=True)
    title = fields.String(required=True)
    summary = fields.String(required=True)
    sample = fields.Dict(keys=fields.String(), required=True)


class KindList(Schema):
    """Those that the store may ask for: the core's, and those of the tools that are on."""

    items = fields.List(fields.Nested(KindOut), required=True)


class DeliveryOut(Schema):
    """A message and what became of it."""

    id = fields.UUID(required=True)
    message_id = fields.String(
        required=True, metadata={"description": "The `webhook-id` that the receiver gets."}
    )
    type = fields.String(required=True)
    status = fields.String(required=True, metadata={"enum": _DELIVERED})
    attempts = fields.Integer(required=True)
    created_at = Moment(required=True)
    due_at = Moment(
        required=True,
        allow_none=True,
        metadata={"description": "When it is tried next; null unless it waits."},
    )
    last_at = Moment(required=True, allow_none=True)
    answer_status = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "The receiver's status; null where nobody answered."},
    )
    answer = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The first of what it said, or why nobody did."},
    )
    took_ms = fields.Integer(required=True, allow_none=True)
    payload = fields.Dict(
        keys=fields.String(), required=True, metadata={"description": "The message itself."}
    )


class DeliveryPage(Schema):
    """A page of messages, the latest first."""

    items = fields.List(fields.Nested(DeliveryOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class DeliveryQuery(cursors.PageQuery):
    """Which messages."""

    status = fields.String(
        load_default=None,
        validate=validate.OneOf(_DELIVERED),
        metadata={"description": "Only those in this state."},
    )


class RetriedOut(Schema):
    """How many are sent again."""

    retried = fields.Integer(required=True)
