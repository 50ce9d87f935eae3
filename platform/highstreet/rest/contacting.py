"""Whether a customer may be contacted now, and what stands against it."""

from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, validate

from highstreet.consent import gate, suppressions
from highstreet.consent.facts import CHANNELS, EVERY, SUPPRESSIONS
from highstreet.consent.gate import Asking
from highstreet.customers import queries as customers
from highstreet.host.access import requires
from highstreet.rest.blueprints import Blueprint
from highstreet.rest.current import current
from highstreet.rest.fields import Moment, Text

blueprint = Blueprint("api-contacting", __name__, description="Who may be contacted, and why not.")
_PATH = "/customers/<uuid:customer_id>/suppressions"


class ContactQuery(Schema):
    """What somebody would be contacted for, and how."""

    purpose = Text(
        required=True,
        validate=validate.Length(1, 40),
        metadata={"description": "A word.", "example": "marketing"},
    )
    channel = fields.String(required=True, validate=validate.OneOf(sorted(CHANNELS)))


class ContactAnswer(Schema):
    """Whether they may be contacted at this moment."""

    allowed = fields.Boolean(required=True)
    reason = fields.String(
        required=True, metadata={"description": "Why (not), in the language that was asked for."}
    )


class SuppressionIn(Schema):
    """Why somebody must not be contacted, whatever they agreed to."""

    reason = fields.String(required=True, validate=validate.OneOf(list(SUPPRESSIONS)))
    until = Moment(
        load_default=None,
        allow_none=True,
        metadata={"description": "When it ends by itself. Default: never."},
    )


class SuppressionOut(Schema):
    """One reason that stands."""

    id = fields.UUID(required=True)
    reason = fields.String(required=True, metadata={"enum": list(SUPPRESSIONS)})
    channel = fields.String(
        required=True, metadata={"enum": [*sorted(CHANNELS), EVERY], "description": "*: any."}
    )
    source = fields.String(
        required=True, metadata={"description": "What says so: console, api, import, bounce, …"}
    )
    at = Moment(required=True)
    until = Moment(required=True, allow_none=True)


class SuppressionList(Schema):
    """What stands now, the newest first."""

    items = fields.List(fields.Nested(SuppressionOut), required=True)


@blueprint.route("/customers/<uuid:customer_id>/contact")
@blueprint.arguments(ContactQuery(), location="query")
@blueprint.response(200, ContactAnswer())
@requires("customers.read")
def ask(asked: dict[str, Any], customer_id: UUID) -> dict[str, Any]:
    """Ask whether a customer may be contacted now, and why (not).

    Consent, suppressions, addresses, caps and quiet hours are asked, as for a mailing of this
    place; whoever sends asks again at that moment.
    """
    customers.get(current.s, customer_id)
    answer = gate.may_contact(current.s, customer_id, Asking(**asked))
    return {"allowed": answer.allowed, "reason": answer.reason}


@blueprint.route(_PATH)
@blueprint.response(200, SuppressionList())
@requires("customers.read")
def listing(customer_id: UUID) -> dict[str, Any]:
    """What stands against contacting a customer.

    Beside their own refusals, which are among the consents.
    """
    return {"items": suppressions.of_customer(current.s, customer_id)}


@blueprint.route(_PATH, methods=["POST"])
@blueprint.arguments(SuppressionIn())
@blueprint.response(201, SuppressionOut())
@requires("customers.write")
def add(data: dict[str, Any], customer_id: UUID) -> Any:
    """Write down why a customer must not be contacted.

    It holds at once. What is written down already is answered as it stands. That somebody died
    concerns them alone, not their household.
    """
    until = data["until"]
    return suppressions.suppress(
        current.s,
        customer_id,
        reason=data["reason"],
        source="api",
        until=current.utc(until) if until else None,
    )


@blueprint.route(f"{_PATH}/<uuid:suppression_id>", methods=["DELETE"])
@blueprint.response(204)
@requires("customers.write")
def lift(customer_id: UUID, suppression_id: UUID) -> None:
    """Lift what stands against a customer.

    Their own yes and no hold as before.
    """
    suppressions.lift(current.s, suppression_id, customer_id=customer_id)
