"""REST operations for tills: codes that customers bring."""

from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, validate

from highstreet.sdk import api, open_ctx, requires
from highstreet_direct_mail import answers
from highstreet_direct_mail.answers import Answered

blueprint = api("direct_mail", "Direct mail: codes that customers bring.", import_name=__name__)


class AnswerIn(Schema):
    """A code, and the receipt that it stands beside."""

    code = fields.String(
        required=True,
        validate=validate.Length(1, 40),
        metadata={"description": "As typed or scanned.", "example": "K7PX-2QM9-41"},
    )
    pos_ref = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(1, 60),
        metadata={"description": "The till's number of a receipt of this store."},
    )


class AnswerOut(Schema):
    """A code that was taken."""

    id = fields.UUID(required=True)
    code = fields.String(required=True)
    mailing = fields.String(required=True, metadata={"description": "The job's name."})
    offer = fields.String(
        required=True, metadata={"description": "What the customer gets for it, in words."}
    )
    customer_id = fields.UUID(
        required=True,
        allow_none=True,
        metadata={"description": "Whom the piece was meant for; null if they were erased."},
    )
    purchase_id = fields.UUID(required=True, allow_none=True)
    at = fields.DateTime(required=True, format="iso")
    undone = fields.Boolean(required=True)


class NothingIn(Schema):
    """An empty object."""


@blueprint.route("/responses", methods=["POST"])
@blueprint.arguments(AnswerIn())
@blueprint.response(201, AnswerOut())
@blueprint.alt_response(409, description="It was used before, was never sent, or has ended.")
@requires("till.write")
def respond(given: dict[str, Any]) -> dict[str, Any]:
    """Take a code that a customer brings; it counts once.

    404 for a code or a receipt that is not here. The detail of a refusal is for the cashier.
    """
    with open_ctx(write=True) as ctx:
        return _out(answers.redeem(ctx, given["code"], given["pos_ref"]))


@blueprint.route("/responses/<uuid:response_id>/undo", methods=["POST"])
@blueprint.arguments(NothingIn())
@blueprint.response(200, AnswerOut())
@requires("till.write")
def undo(_data: dict[str, Any], response_id: UUID) -> dict[str, Any]:
    """Undo a code that was taken by mistake: it may be taken again. Done twice it stays undone."""
    with open_ctx(write=True) as ctx:
        return _out(answers.undo(ctx, response_id))


def _out(done: Answered) -> dict[str, Any]:
    return {
        "id": done.scan.id,
        "code": done.scan.code,
        "mailing": done.job.name,
        "offer": done.job.offer,
        "customer_id": done.customer_id,
        "purchase_id": done.scan.purchase_id,
        "at": done.scan.at,
        "undone": done.scan.undone_at is not None,
    }
