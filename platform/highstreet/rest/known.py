"""What is known of customers by name: the core's fields, the brand's own, and those of tools."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, validate

from highstreet.customers import published, queries
from highstreet.host.access import requires
from highstreet.host.customer_fields import KINDS
from highstreet.rest.blueprints import Blueprint
from highstreet.rest.current import current
from highstreet.rest.fields import Text, zulu

blueprint = Blueprint("api-fields", __name__, description="What is known of customers, by name.")

_KIND = {
    "enum": list(KINDS),
    "description": "points and number: a number; money: minor units of the store's currency;"
    " moment: RFC 3339, UTC; yes_no: true or false.",
}


class FieldOut(Schema):
    """A field that can be asked for in the key's store."""

    name = fields.String(required=True, metadata={"example": "points_club.balance"})
    label = fields.String(required=True)
    kind = fields.String(required=True, metadata=_KIND)
    choices = fields.List(fields.String(), required=True)


class FieldList(Schema):
    """All fields: the core's, the brand's own, those of tools that are on."""

    items = fields.List(fields.Nested(FieldOut), required=True)


class ValueQuery(Schema):
    """Which fields."""

    names = Text(
        load_default="",
        validate=validate.Length(max=2000),
        metadata={"description": "Names with commas between. Default: all that there are."},
    )


class ValueOut(Schema):
    """One value."""

    name = fields.String(required=True)
    kind = fields.String(required=True, metadata=_KIND)
    value = fields.Raw(required=True)


class ValueList(Schema):
    """Values; a field that has none, or whose tool is off, is missing."""

    items = fields.List(fields.Nested(ValueOut), required=True)


@blueprint.route("/customer-fields")
@blueprint.response(200, FieldList())
@requires("customers.read")
def listing() -> dict[str, Any]:
    """List what can be asked about customers in the key's store."""
    return {
        "items": [
            {
                "name": one.name,
                "label": str(one.label),
                "kind": one.kind,
                "choices": list(one.choices),
            }
            for one in published.known(current.s, may=current.may).values()
        ]
    }


@blueprint.route("/customers/<uuid:customer_id>/fields")
@blueprint.arguments(ValueQuery(), location="query")
@blueprint.response(200, ValueList())
@requires("customers.read")
def values(asked: dict[str, Any], customer_id: UUID) -> dict[str, Any]:
    """Say what is known of a customer, by name.

    Of a customer who was merged, of the one who took their place. What the key holds no scope for
    is missing.
    """
    s = current.s
    queries.get(s, customer_id)
    known = published.known(s, may=current.may)
    names = [one.strip() for one in asked["names"].split(",") if one.strip()] or list(known)
    found = published.read(s, names, [customer_id]).get(customer_id, {})
    return {
        "items": [
            {
                "name": name,
                "kind": known[name].kind,
                "value": _json(value),
            }
            for name, value in found.items()
            if name in known  # not what the key may not see
        ]
    }


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return zulu(value)
    return value.isoformat() if isinstance(value, date) else value
