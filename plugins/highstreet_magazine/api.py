"""REST operations of the magazine: what members get, and the issues in numbers."""

from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, validate

from highstreet.sdk import Ctx, api, open_ctx, requires
from highstreet_magazine import forms, issues, publications
from highstreet_magazine.forms import Standing, Wish
from highstreet_magazine.names import FORMS, MOST_COPIES, MOST_PUBLICATIONS

blueprint = api("magazine", "Magazine: who gets it in which form.", import_name=__name__)

_FORM = validate.OneOf(list(FORMS))
_NUMBER = {"description": "The publication's number."}


class PublicationOut(Schema):
    """A publication."""

    number = fields.Integer(required=True)
    name = fields.String(required=True)
    purpose = fields.String(required=True, metadata={"description": "Of consent."})
    default_form = fields.String(required=True, validate=_FORM)


class PublicationsOut(Schema):
    """All of the brand."""

    items = fields.List(fields.Nested(PublicationOut), required=True)


class SubscriptionOut(Schema):
    """What a member gets of a publication."""

    publication = fields.Integer(required=True, metadata=_NUMBER)
    form = fields.String(required=True, validate=_FORM)
    copies = fields.Integer(required=True, metadata={"description": "Printed ones."})
    since = fields.Date(
        required=True,
        allow_none=True,
        metadata={"description": "None: they chose nothing and get what is usual."},
    )
    kept_on = fields.Date(required=True, allow_none=True)


class SubscriptionsOut(Schema):
    """What a member gets of each publication."""

    items = fields.List(fields.Nested(SubscriptionOut), required=True)


class ChooseIn(Schema):
    """In what form a member gets a publication from now on."""

    publication = fields.Integer(
        load_default=1,
        strict=True,
        validate=validate.Range(1, MOST_PUBLICATIONS),
        metadata=_NUMBER,
    )
    form = fields.String(required=True, validate=_FORM)
    copies = fields.Integer(load_default=1, strict=True, validate=validate.Range(1, MOST_COPIES))


class OneIn(Schema):
    """A member's choice."""

    customer_id = fields.UUID(required=True)
    form = fields.String(required=True, validate=_FORM)
    copies = fields.Integer(load_default=1, strict=True, validate=validate.Range(1, MOST_COPIES))


class ManyIn(Schema):
    """The choices of many members; of one who is named twice the last holds."""

    publication = fields.Integer(
        load_default=1,
        strict=True,
        validate=validate.Range(1, MOST_PUBLICATIONS),
        metadata=_NUMBER,
    )
    items = fields.List(
        fields.Nested(OneIn), required=True, validate=validate.Length(min=1, max=1000)
    )


class ChangedOut(Schema):
    """For how many it is another form, or number of copies, than before."""

    changed = fields.Integer(required=True)


class IssueOut(Schema):
    """An issue of a publication."""

    id = fields.UUID(required=True)
    publication = fields.Integer(required=True, metadata=_NUMBER)
    number = fields.Integer(required=True)
    title = fields.String(required=True)
    cutoff_at = fields.DateTime(required=True, format="iso")
    in_home_on = fields.Date(required=True)


class IssuesOut(Schema):
    """The latest issues, those of the future first."""

    items = fields.List(fields.Nested(IssueOut), required=True)


@blueprint.route("/publications")
@blueprint.response(200, PublicationsOut())
@requires("magazine.subscribe")
def publications_of_brand() -> dict[str, Any]:
    """The brand's publications."""
    with open_ctx() as ctx:
        return {
            "items": [
                {name: getattr(one, name) for name in PublicationOut._declared_fields}
                for one in publications.listed(ctx)
            ]
        }


@blueprint.route("/customers/<uuid:customer_id>/subscriptions")
@blueprint.response(200, SubscriptionsOut())
@requires("magazine.subscribe")
def subscriptions(customer_id: UUID) -> dict[str, Any]:
    """What a member gets of each publication."""
    with open_ctx() as ctx:
        return _told(ctx, customer_id)


@blueprint.route("/customers/<uuid:customer_id>/subscriptions", methods=["POST"])
@blueprint.arguments(ChooseIn())
@blueprint.response(200, SubscriptionsOut())
@requires("magazine.subscribe")
def choose(data: dict[str, Any], customer_id: UUID) -> dict[str, Any]:
    """Let a member have a publication in a form from now on. Said again it says that they want to
    keep it."""
    with open_ctx(write=True) as ctx:
        publication = publications.numbered(ctx, data["publication"])
        forms.choose(ctx, customer_id, publication.id, data["form"], data["copies"])
        return _told(ctx, customer_id)


@blueprint.route("/subscriptions", methods=["POST"])
@blueprint.arguments(ManyIn())
@blueprint.response(200, ChangedOut())
@requires("magazine.subscribe")
def choose_many(data: dict[str, Any]) -> dict[str, Any]:
    """The choices of up to 1,000 members. Who is not within reach is left out."""
    with open_ctx(write=True) as ctx:
        publication = publications.numbered(ctx, data["publication"])
        wishes = [Wish(one["customer_id"], one["form"], one["copies"]) for one in data["items"]]
        return {"changed": forms.choose_many(ctx, publication.id, wishes)}


@blueprint.route("/issues")
@blueprint.response(200, IssuesOut())
@requires("magazine.read")
def listed() -> dict[str, Any]:
    """The latest issues."""
    with open_ctx() as ctx:
        numbers = {one.id: one.number for one in publications.listed(ctx)}
        return {
            "items": [
                {
                    "id": one.id,
                    "publication": numbers[one.publication_id],
                    "number": one.number,
                    "title": one.title,
                    "cutoff_at": one.cutoff_at,
                    "in_home_on": one.in_home_on,
                }
                for one in issues.listed(ctx)
            ]
        }


def _told(ctx: Ctx, customer_id: UUID) -> dict[str, Any]:
    return {"items": [_standing(one) for one in forms.of_customer(ctx, customer_id)]}


def _standing(one: Standing) -> dict[str, Any]:
    return {
        "publication": one.publication.number,
        "form": one.form,
        "copies": one.copies,
        "since": one.since,
        "kept_on": one.kept_on,
    }
