"""How customers, their cards and their timeline look on the wire."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from highstreet.i18n import gettext as _
from highstreet.rest.address_schemas import AddressOut
from highstreet.rest.fields import Moment, Text

CARD_STATUSES = ("active", "lost", "blocked")
_CARD_HELP = "The club card's number, as printed or scanned; gaps do not matter."
_PHONE_HELP = "With the country's code, or as dialled in the store's own country."


class CardOut(Schema):
    """A club card."""

    number = fields.String(required=True, metadata={"description": "As people read it."})
    status = fields.String(required=True, metadata={"enum": list(CARD_STATUSES)})
    since = Moment(required=True)


class CustomerOut(Schema):
    """A customer."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    status = fields.String(
        required=True,
        metadata={"enum": ["active", "merged", "erased"], "description": "Merged ids lead on."},
    )
    language = fields.String(required=True, allow_none=True, metadata={"description": "BCP 47."})
    birthday = fields.Date(required=True, allow_none=True)
    joined_at = Moment(required=True)
    home_store_id = fields.UUID(required=True, allow_none=True)
    cards = fields.List(fields.Nested(CardOut), required=True)
    phones = fields.List(fields.String(), required=True)
    emails = fields.List(fields.String(), required=True)
    address = fields.Nested(AddressOut, required=True, allow_none=True)
    fields_ = fields.Dict(
        required=True,
        data_key="fields",
        attribute="fields",
        metadata={"description": "The brand's own fields by key."},
    )


class EnrolIn(Schema):
    """A new customer. A name, a card, a phone number or an e-mail address suffices."""

    name = Text(load_default="", validate=validate.Length(max=200))
    phone = Text(
        load_default=None,
        allow_none=True,
        validate=validate.Length(1, 40),
        metadata={"description": _PHONE_HELP},
    )
    email = Text(load_default=None, allow_none=True, validate=validate.Length(3, 254))
    card = Text(
        load_default=None,
        allow_none=True,
        validate=validate.Length(4, 64),
        metadata={"description": _CARD_HELP},
    )
    language = Text(
        load_default=None,
        allow_none=True,
        validate=validate.Length(2, 35),
        metadata={"description": "BCP 47, e.g. zh-Hans."},
    )
    birthday = fields.Date(load_default=None, allow_none=True)
    fields_ = fields.Dict(
        keys=fields.String(validate=validate.Length(1, 40)),
        load_default=None,
        allow_none=True,
        data_key="fields",
        attribute="fields",
        metadata={"description": "The brand's own fields by key."},
    )
    joined_at = Moment(
        load_default=None,
        allow_none=True,
        metadata={"description": "When it happened, if the till sends it later. Default: now."},
    )


class CustomerPatch(Schema):
    """What to change; what is absent stays, null empties."""

    name = Text(validate=validate.Length(1, 200))
    phone = Text(
        allow_none=True,
        validate=validate.Length(1, 40),
        metadata={"description": _PHONE_HELP + " Takes the place of the numbers there were."},
    )
    email = Text(
        allow_none=True,
        validate=validate.Length(3, 254),
        metadata={"description": "Takes the place of the addresses there were."},
    )
    language = Text(allow_none=True, validate=validate.Length(2, 35))
    birthday = fields.Date(allow_none=True)
    fields_ = fields.Dict(
        keys=fields.String(validate=validate.Length(1, 40)),
        data_key="fields",
        attribute="fields",
        metadata={"description": "Only the named fields change; null empties one."},
    )

    @validates_schema
    def _something(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if not data:
            raise ValidationError(_("Nothing to change. Name at least one field."))


class FindQuery(Schema):
    """Exactly one of the four."""

    q = fields.String(
        validate=validate.Length(1, 320),
        metadata={"description": "Card, phone, e-mail or the beginning of a name."},
    )
    card = fields.String(validate=validate.Length(1, 64), metadata={"description": _CARD_HELP})
    phone = fields.String(validate=validate.Length(1, 40), metadata={"description": _PHONE_HELP})
    email = fields.String(validate=validate.Length(1, 254))
    limit = fields.Integer(load_default=20, validate=validate.Range(1, 50))

    @validates_schema
    def _one(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if len(data.keys() & {"q", "card", "phone", "email"}) != 1:
            raise ValidationError(_("Send exactly one of q, card, phone and email."))


class FoundOut(Schema):
    """One customer that was found, and by what."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    status = fields.String(required=True, metadata={"enum": ["active", "merged", "erased"]})
    by = fields.String(required=True, metadata={"enum": ["card", "phone", "email", "name"]})
    shown = fields.String(required=True, metadata={"description": "What it was found by."})
    card_status = fields.String(
        required=True,
        allow_none=True,
        metadata={"enum": [*CARD_STATUSES, None], "description": "Lost and blocked: do not use."},
    )


class FoundPage(Schema):
    """Who was found, the likeliest first."""

    items = fields.List(fields.Nested(FoundOut), required=True)


class TimelineOut(Schema):
    """Something that happened with a customer."""

    id = fields.UUID(required=True)
    kind = fields.String(required=True)
    title = fields.String(required=True, metadata={"description": "In the language asked for."})
    source = fields.String(required=True, metadata={"description": "“core” or the tool."})
    occurred_at = Moment(required=True)
    ref_id = fields.UUID(required=True, allow_none=True)
    data = fields.Dict(required=True)


class TimelinePage(Schema):
    """The latest first."""

    items = fields.List(fields.Nested(TimelineOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class CardIn(Schema):
    """A card for a customer."""

    number = Text(
        required=True, validate=validate.Length(4, 64), metadata={"description": _CARD_HELP}
    )
    replaces = Text(
        load_default=None,
        allow_none=True,
        validate=validate.Length(4, 64),
        metadata={"description": "The customer's card that is lost from now on."},
    )


class CardPatch(Schema):
    """A card's new status."""

    status = fields.String(required=True, validate=validate.OneOf(CARD_STATUSES))
