"""A customer's postal address: read it, put it, take it away."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet.addresses import facts, queries, service
from highstreet.customers import queries as customers
from highstreet.customers.models import Customer
from highstreet.host.access import requires
from highstreet.rest.address_schemas import AddressHeld, AddressIn, LeavingQuery
from highstreet.rest.blueprints import Blueprint
from highstreet.rest.current import current

blueprint = Blueprint("api-addresses", __name__, description="Where people get post.")
_OUT = AddressHeld()
_PATH = "/customers/<uuid:customer_id>/address"


@blueprint.route(_PATH)
@blueprint.etag
@blueprint.response(200, _OUT)
@requires("customers.read")
def one(customer_id: UUID) -> dict[str, Any]:
    """A customer's address.

    null where none is known. The ETag is for a later change.
    """
    return _held(customer_id)


@blueprint.route(_PATH, methods=["PUT"])
@blueprint.etag
@blueprint.arguments(AddressIn())
@blueprint.response(200, _OUT)
@requires("customers.write")
def put(data: dict[str, Any], customer_id: UUID) -> dict[str, Any]:
    """Write down a customer's address.

    It is put into its country's form; what breaks the country's rules is refused (422), field by
    field. The address before it becomes one of the past. Send the ETag you read as `If-Match`.
    """
    kept = _checked(customer_id)
    given = facts.AddressIn(**{**data, "street": tuple(data["street"])})
    service.put(current.s, kept, given, source="api")
    return _held(kept)


@blueprint.route(_PATH, methods=["DELETE"])
@blueprint.etag
@blueprint.arguments(LeavingQuery(), location="query")
@blueprint.response(204)
@requires("customers.write")
def leave(asked: dict[str, Any], customer_id: UUID) -> None:
    """Take a customer's address away.

    Whoever else is in the household stays there. Send the ETag you read as `If-Match`.
    """
    kept = _checked(customer_id)
    if asked["because"] == "wrong":
        service.remove(current.s, kept)
    else:
        service.moved(current.s, kept)


def _checked(customer_id: UUID) -> UUID:
    """The customer's id by now, locked, if `If-Match` is that of the address there is."""
    s = current.s
    kept = customers.get(s, customer_id).id
    # Locked before it is compared, or two changes with the same ETag would both pass.
    s.execute(sa.select(Customer.id).where(Customer.id == kept).with_for_update())
    blueprint.check_etag(_held(kept), _OUT)
    return kept


def _held(customer_id: UUID) -> dict[str, Any]:
    return {"address": queries.current(current.s, customer_id)}
