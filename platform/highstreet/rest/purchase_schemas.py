"""How purchases, returns and baskets look on the wire. Money is whole minor units."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from highstreet.i18n import gettext as _
from highstreet.purchases.checks import MOST_LINES, MOST_MINOR, MOST_QUANTITY
from highstreet.rest.cursors import PageQuery
from highstreet.rest.fields import Int64, Moment, Text
from highstreet.rest.objects import Object

_CURRENCY = re.compile(r"[A-Z]{3}")
_REF_HELP = "The till's own number for it, unique in the store for ever."
_MINOR = {"description": "In the currency's smallest unit."}
_QUANTITY = {
    "type": "number",
    "minimum": 0,
    "maximum": MOST_QUANTITY,
    "multipleOf": 0.001,
    "default": 1,
}


class Quantity(fields.Field[Decimal | int]):
    """A JSON number of up to three decimals: 2, 0.532."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Decimal | int:
        if type(value) is int and 0 <= value <= MOST_QUANTITY:
            return value
        if type(value) is float and 0 <= value <= MOST_QUANTITY:
            number = Decimal(str(value))
            if number == round(number, 3):
                return round(number, 3)
        raise ValidationError(_("Not a quantity: send a number with up to three decimals."))


class LineIn(Object):
    """A line of the basket."""

    line_no = Int64(
        validate=validate.Range(1, 1_000_000), metadata={"description": "Default: its place."}
    )
    product = Text(required=True, validate=validate.Length(1, 100))
    department = Text(load_default="", validate=validate.Length(max=100))
    quantity = Quantity(load_default=1, metadata=_QUANTITY)
    amount_minor = Int64(
        required=True,
        validate=validate.Range(-MOST_MINOR, MOST_MINOR),
        metadata={"description": "What was paid for the line; negative for a deduction."},
    )


def _three_capitals(code: str) -> None:
    if not _CURRENCY.fullmatch(code):
        raise ValidationError(_("Send three capital letters, such as USD (ISO 4217)."))


class BasketIn(Object):
    """What is on the counter, bought by a customer or by nobody known."""

    customer_id = fields.UUID(load_default=None, allow_none=True)
    card = Text(
        load_default=None,
        allow_none=True,
        validate=validate.Length(4, 64),
        metadata={"description": "The club card, in place of customer_id."},
    )
    occurred_at = Moment(
        load_default=None, allow_none=True, metadata={"description": "Default: now."}
    )
    total_minor = Int64(
        required=True,
        validate=validate.Range(0, MOST_MINOR),
        metadata={"description": "What was paid, in the currency's smallest unit."},
    )
    currency = fields.String(
        load_default=None,
        allow_none=True,
        validate=_three_capitals,
        metadata={"description": "ISO 4217. Default: the store's.", "pattern": "^[A-Z]{3}$"},
    )
    lines = fields.List(
        fields.Nested(LineIn), load_default=list, validate=validate.Length(max=MOST_LINES)
    )

    def check(self, loaded: dict[str, Any]) -> None:
        """One customer at most."""
        if loaded.get("customer_id") is not None and loaded.get("card") is not None:
            raise ValidationError(_("Send customer_id or card, not both."), "card")


class PurchaseIn(BasketIn):
    """A purchase that was made."""

    pos_ref = Text(
        required=True, validate=validate.Length(1, 100), metadata={"description": _REF_HELP}
    )


class ClaimIn(Object):
    """Whose a purchase was that was recorded for nobody."""

    purchase_pos_ref = Text(
        required=True,
        validate=validate.Length(1, 100),
        metadata={"description": "The number of the purchase."},
    )
    customer_id = fields.UUID(load_default=None, allow_none=True)
    card = Text(
        load_default=None,
        allow_none=True,
        validate=validate.Length(4, 64),
        metadata={"description": "The club card, in place of customer_id."},
    )

    def check(self, loaded: dict[str, Any]) -> None:
        """One customer."""
        if (loaded.get("customer_id") is None) == (loaded.get("card") is None):
            raise ValidationError(_("Send customer_id or card, one of the two."), "card")


class LineOut(Schema):
    """A line of a purchase."""

    line_no = fields.Integer(required=True)
    product = fields.String(required=True)
    department = fields.String(required=True)
    quantity = fields.Float(required=True)
    amount_minor = fields.Integer(required=True, metadata=_MINOR)
    returned_quantity = fields.Float(required=True)
    returned_minor = fields.Integer(required=True, metadata=_MINOR)


class DoerOut(Schema):
    """Who rang it up: a person at a console, an API key, or the installation itself (an import)."""

    kind = fields.String(required=True, metadata={"enum": ["user", "key", "job", "system"]})
    id = fields.UUID(required=True, allow_none=True)


class PurchaseRow(Schema):
    """A recorded purchase without its lines."""

    id = fields.UUID(required=True)
    pos_ref = fields.String(required=True)
    customer_id = fields.UUID(required=True, allow_none=True)
    occurred_at = Moment(required=True)
    recorded_at = Moment(required=True)
    business_date = fields.Date(required=True, metadata={"description": "The store's day."})
    total_minor = fields.Integer(required=True, metadata=_MINOR)
    returned_minor = fields.Integer(required=True, metadata=_MINOR)
    currency = fields.String(required=True)
    recorded_by = fields.Nested(DoerOut, required=True)


class PurchaseOut(PurchaseRow):
    """A recorded purchase."""

    lines = fields.List(fields.Nested(LineOut), required=True)


_TOOLS = {
    "description": (
        "What each tool that is on has to say, by its name. The points club gives the points"
        " earned, the rewards issued and the new balance."
    )
}


class RecordedOut(Schema):
    """The purchase, and what the tools made of it. `created` is false if it was there already."""

    created = fields.Boolean(required=True)
    purchase = fields.Nested(PurchaseOut, required=True)
    tools = fields.Dict(keys=fields.String(), values=fields.Dict(), required=True, metadata=_TOOLS)


class PreviewOut(Schema):
    """What the tools would make of the basket. Nothing is recorded."""

    tools = fields.Dict(keys=fields.String(), values=fields.Dict(), required=True, metadata=_TOOLS)


class PurchaseQuery(PageQuery):
    """Which purchases of the store to list, the latest first."""

    customer_id = fields.UUID()
    since = Moment(metadata={"description": "Made at or after this moment."})
    until = Moment(metadata={"description": "Made before this moment."})


class PurchasePage(Schema):
    """The latest first. Lines are left out; get one purchase to see them."""

    items = fields.List(fields.Nested(PurchaseRow), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ReturnLineIn(Object):
    """What was brought back, by the purchase's own `line_no` or by the product."""

    line_no = Int64(load_default=None, allow_none=True, validate=validate.Range(1, 1_000_000))
    product = Text(load_default=None, allow_none=True, validate=validate.Length(1, 100))
    quantity = Quantity(load_default=1, metadata=_QUANTITY)
    amount_minor = Int64(
        load_default=None,
        allow_none=True,
        validate=validate.Range(-MOST_MINOR, MOST_MINOR),
        metadata={
            "description": "What was given back for it. Default: its price for that quantity."
        },
    )

    def check(self, loaded: dict[str, Any]) -> None:
        """One way to name the line."""
        if (loaded.get("line_no") is None) == (loaded.get("product") is None):
            raise ValidationError(_("Send line_no or product, one of the two."), "line_no")


class ReturnIn(Object):
    """Money given back for (part of) a purchase. Repeat it for each part, with its own number."""

    pos_ref = Text(
        required=True, validate=validate.Length(1, 100), metadata={"description": _REF_HELP}
    )
    purchase_pos_ref = Text(
        required=True,
        validate=validate.Length(1, 100),
        metadata={"description": "The number of the purchase."},
    )
    occurred_at = Moment(
        load_default=None, allow_none=True, metadata={"description": "Default: now."}
    )
    amount_minor = Int64(
        load_default=None,
        allow_none=True,
        validate=validate.Range(0, MOST_MINOR),
        metadata={
            "description": "What was given back. Default: for the lines; without lines, the rest."
        },
    )
    lines = fields.List(
        fields.Nested(ReturnLineIn), load_default=list, validate=validate.Length(max=MOST_LINES)
    )


class ReturnOut(Schema):
    """A recorded return."""

    id = fields.UUID(required=True)
    pos_ref = fields.String(required=True)
    occurred_at = Moment(required=True)
    amount_minor = fields.Integer(required=True, metadata=_MINOR)
    currency = fields.String(required=True)
    recorded_by = fields.Nested(DoerOut, required=True)


class ReturnedOut(Schema):
    """The return, the purchase as it is now, and what the tools made of it."""

    created = fields.Boolean(required=True)
    returned = fields.Nested(ReturnOut, required=True)
    purchase = fields.Nested(PurchaseRow, required=True)
    tools = fields.Dict(keys=fields.String(), values=fields.Dict(), required=True, metadata=_TOOLS)
