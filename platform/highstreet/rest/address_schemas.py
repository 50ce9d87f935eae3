"""How postal addresses look on the wire."""

from marshmallow import Schema, fields, validate

from highstreet.addresses.normalising import MOST_STREET
from highstreet.rest.fields import Moment, Text

_COUNTRY = "ISO 3166-1, two letters."
_RECIPIENT = "Who stands on the envelope in place of the customer's own name."


class AddressOut(Schema):
    """Where a customer gets post."""

    country = fields.String(required=True, metadata={"description": _COUNTRY})
    recipient = fields.String(required=True, metadata={"description": _RECIPIENT})
    street = fields.List(fields.String(), required=True)
    dependent_locality = fields.String(required=True)
    city = fields.String(required=True)
    area = fields.String(
        required=True, metadata={"description": "State, province, county: as the country has it."}
    )
    postal_code = fields.String(required=True)
    sorting_code = fields.String(required=True)
    lines = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "As printed there, without the name and the country."},
    )
    state = fields.String(
        required=True,
        metadata={
            "enum": ["good", "unverified", "bad"],
            "description": "Of its form: “bad” when post came back.",
        },
    )
    household_id = fields.UUID(
        required=True,
        allow_none=True,
        metadata={"description": "People of one surname at one door have the same."},
    )
    since = Moment(required=True, attribute="valid_from")


class AddressHeld(Schema):
    """A customer's address, or null."""

    address = fields.Nested(AddressOut, required=True, allow_none=True)


class AddressIn(Schema):
    """An address as somebody types it; what its country needs must be there."""

    country = Text(
        required=True, validate=validate.Length(2, 2), metadata={"description": _COUNTRY}
    )
    street = fields.List(
        Text(validate=validate.Length(1, 100)),
        required=True,
        validate=validate.Length(1, MOST_STREET),
        metadata={"description": "Street and number, or a post box; a line each."},
    )
    city = Text(load_default="", validate=validate.Length(max=80))
    postal_code = Text(load_default="", validate=validate.Length(max=20))
    area = Text(load_default="", validate=validate.Length(max=80))
    dependent_locality = Text(load_default="", validate=validate.Length(max=80))
    sorting_code = Text(load_default="", validate=validate.Length(max=20))
    recipient = Text(
        load_default="",
        validate=validate.Length(max=120),
        metadata={"description": _RECIPIENT},
    )


class LeavingQuery(Schema):
    """Why an address does not hold any more."""

    because = fields.String(
        load_default="moved",
        validate=validate.OneOf(["moved", "wrong"]),
        metadata={
            "description": "“moved” keeps it as one of the past, “wrong” as if never written."
        },
    )
