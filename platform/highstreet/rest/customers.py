"""Customers at the till: enrol, find, look at, change, and read their timeline."""

from typing import Any, get_args
from uuid import UUID

import sqlalchemy as sa
from flask import url_for

from highstreet.addresses import queries as addresses
from highstreet.customers import enrolment, queries
from highstreet.customers.facts import Found
from highstreet.customers.keys import Kind
from highstreet.customers.models import Customer
from highstreet.host.access import requires
from highstreet.rest import cursors
from highstreet.rest.blueprints import Blueprint
from highstreet.rest.current import current
from highstreet.rest.customer_schemas import (
    CustomerOut,
    CustomerPatch,
    EnrolIn,
    FindQuery,
    FoundPage,
    TimelinePage,
)
from highstreet.timeline import queries as timeline
from highstreet_tenants.errors import Invalid
from highstreet_tenants.sessions import ScopedSession

blueprint = Blueprint("api-customers", __name__, description="Who buys: enrol, find, change.")
_OUT = CustomerOut()


@blueprint.route("/customers", methods=["POST"])
@blueprint.etag
@blueprint.arguments(EnrolIn())
@blueprint.response(201, _OUT, headers={"Location": {"schema": {"type": "string"}}})
@requires("customers.write")
def enrol(data: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Enrol a customer.

    A name, a card, a phone number or an e-mail address suffices; the rest can follow. A card that
    is somebody else's is refused (409); phones and e-mail addresses may be shared.
    """
    joined = data.pop("joined_at")
    fact = enrolment.enrol(current.s, **data, at=current.utc(joined) if joined else None)
    where = url_for("api-customers.one", customer_id=fact.id)
    return customer_json(current.s, fact.id), 201, {"Location": where}


@blueprint.route("/customers")
@blueprint.arguments(FindQuery(), location="query")
@blueprint.response(200, FoundPage())
@requires("customers.read")
def find(asked: dict[str, Any]) -> dict[str, Any]:
    """Find customers.

    By `q` (card, else phone, else e-mail, else the beginning of a name), or by exactly one of
    `card`, `phone` and `email`.
    """
    s, limit = current.s, asked.pop("limit")
    found: list[Found] = []
    if "q" in asked:
        try:
            found = queries.find(s, asked["q"], limit)
        except Invalid as error:  # the room's name for it is another
            raise Invalid(error.detail, fields={"q": [error.detail]}) from error
    for kind in get_args(Kind):
        if kind in asked:
            found = queries.by_key(s, kind, asked[kind], limit)
    return {"items": [_found_json(one) for one in found]}


@blueprint.route("/customers/<uuid:customer_id>")
@blueprint.etag
@blueprint.response(200, _OUT)
@requires("customers.read")
def one(customer_id: UUID) -> dict[str, Any]:
    """One customer.

    Of a customer who was merged, the one who took their place. The ETag is for a later change.
    """
    return customer_json(current.s, customer_id)


@blueprint.route("/customers/<uuid:customer_id>", methods=["PATCH"])
@blueprint.etag
@blueprint.arguments(CustomerPatch())
@blueprint.response(200, _OUT)
@requires("customers.write")
def change(data: dict[str, Any], customer_id: UUID) -> dict[str, Any]:
    """Change a customer.

    Only what you name changes; null empties it. Send the ETag you read as `If-Match`.
    """
    s = current.s
    kept = queries.get(s, customer_id).id
    # Locked before it is compared, or two changes with the same ETag would both pass.
    s.execute(sa.select(Customer.id).where(Customer.id == kept).with_for_update())
    blueprint.check_etag(customer_json(s, kept), _OUT)
    enrolment.update(s, kept, **data)
    return customer_json(s, kept)


@blueprint.route("/customers/<uuid:customer_id>/timeline")
@blueprint.arguments(cursors.PageQuery(), location="query")
@blueprint.response(200, TimelinePage())
@requires("customers.read")
def story(asked: dict[str, Any], customer_id: UUID) -> dict[str, Any]:
    """A customer's timeline.

    What every tool has written about the customer, the latest first.
    """
    page = timeline.read(current.s, customer_id, before=asked["cursor"], limit=asked["limit"])
    return {"items": page.entries, "next_cursor": page.cursor}


def customer_json(s: ScopedSession, customer_id: UUID) -> dict[str, Any]:
    """What CustomerOut dumps."""
    detail = queries.detail(s, customer_id)
    fact = detail.customer
    by_kind: dict[str, list[Any]] = {"card": [], "phone": [], "email": []}
    for identity in detail.identities:
        by_kind[identity.kind].append(identity)
    return {
        "id": fact.id,
        "name": fact.name,
        "status": fact.status,
        "language": fact.language,
        "birthday": detail.birthday,
        "joined_at": fact.joined_at,
        "home_store_id": fact.home_store_id,
        "cards": [
            {"number": c.shown, "status": c.status, "since": c.created_at} for c in by_kind["card"]
        ],
        "phones": [p.shown for p in by_kind["phone"]],
        "emails": [e.shown for e in by_kind["email"]],
        "address": addresses.current(s, fact.id),
        "fields": detail.fields,
    }


def _found_json(found: Found) -> dict[str, Any]:
    customer = found.customer
    return {
        "id": customer.id,
        "name": customer.name,
        "status": customer.status,
        "by": found.by,
        "shown": found.shown,
        "card_status": found.card_status,
    }
