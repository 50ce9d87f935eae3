"""Purchases, returns and previews: the till's main work, kept to few statements."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from flask import Response, url_for
from msgspec.structs import replace

from highstreet.customers import queries
from highstreet.customers.text import reference
from highstreet.host.access import requires
from highstreet.i18n import gettext as _
from highstreet.purchases import listing as stored
from highstreet.purchases import queries as kept
from highstreet.purchases import service
from highstreet.purchases.checks import REF_LENGTH
from highstreet.purchases.facts import (
    LineIn,
    PurchaseFact,
    PurchaseIn,
    Recorded,
    ReturnFact,
    ReturnIn,
    ReturnLineIn,
)
from highstreet.rest import cursors
from highstreet.rest import purchase_schemas as wire
from highstreet.rest.answers import by_tool, say
from highstreet.rest.blueprints import Blueprint
from highstreet.rest.current import current
from highstreet.rest.fields import zulu
from highstreet.rest.pipeline import reads_only
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Conflict, Invalid, NotFound
from highstreet_tenants.sessions import ScopedSession

G = TypeVar("G", PurchaseIn, ReturnIn)
R = TypeVar("R")

blueprint = Blueprint("api-purchases", __name__, description="Purchases, returns, previews.")


@blueprint.route("/purchases", methods=["POST"])
@blueprint.arguments(wire.PurchaseIn())
@blueprint.response(201, wire.RecordedOut(), headers={"Location": {"schema": {"type": "string"}}})
@blueprint.alt_response(200, schema=wire.RecordedOut(), description="It was recorded before.")
@requires("till.write")
def record(data: dict[str, Any]) -> Response:
    """Record a purchase.

    Answers with what each tool made of it: points earned, rewards issued, the new balance. A
    purchase whose `pos_ref` is recorded already is not recorded again: the same content gets 200
    and `created: false`, other content 409.
    """
    given = _basket(data, _ref(data["pos_ref"]))
    try:
        done = _untimed(service.record, given, _bought_at, untimed=data["occurred_at"] is None)
    except NotFound as error:
        raise _unknown(error, "customer_id") from error
    response = _recorded(done)
    response.headers["Location"] = url_for("api-purchases.one", pos_ref=done.purchase.pos_ref)
    return response


@blueprint.route("/baskets/preview", methods=["POST"])
@blueprint.arguments(wire.BasketIn())
@blueprint.response(200, wire.PreviewOut())
@blueprint.alt_response(409, description="The card was reported lost, or blocked.")
@reads_only
@requires("till.read")
def preview(data: dict[str, Any]) -> Response:
    """What would this basket earn?

    Asks the tools; records nothing, and so needs no Idempotency-Key.
    """
    try:
        answers = service.preview(current.s, _basket(data, "preview"))
    except NotFound as error:
        raise _unknown(error, "customer_id") from error
    return say({"tools": by_tool(answers)})


@blueprint.route("/purchases")
@blueprint.arguments(wire.PurchaseQuery(), location="query")
@blueprint.response(200, wire.PurchasePage())
@requires("till.read")
def listing(asked: dict[str, Any]) -> Response:
    """The store's purchases.

    The latest first, page by page; of one customer, or of a stretch of time.
    """
    try:
        rows = stored.of_store(
            current.s,
            current.store_id,
            customer_id=asked.get("customer_id"),
            since=current.utc(asked["since"]) if "since" in asked else None,
            until=current.utc(asked["until"]) if "until" in asked else None,
            after=cursors.decode(asked["cursor"]),
            limit=asked["limit"] + 1,
        )
    except NotFound as error:
        raise _unknown(error, "customer_id") from error
    page = cursors.page(
        rows, asked["limit"], lambda row: purchase_json(row, lines=False), stored.place_of
    )
    return say(page)


@blueprint.route("/purchases/<receipt:pos_ref>", merge_slashes=False)
@blueprint.response(200, wire.PurchaseOut())
@requires("till.read")
def one(pos_ref: str) -> Response:
    """One purchase, by the till's own number for it."""
    return say(purchase_json(kept.by_ref(current.s, current.store_id, _ref(pos_ref))))


@blueprint.route("/claims", methods=["POST"])
@blueprint.arguments(wire.ClaimIn())
@blueprint.response(201, wire.RecordedOut())
@blueprint.alt_response(200, schema=wire.RecordedOut(), description="It was theirs before.")
@requires("till.write")
def claim(data: dict[str, Any]) -> Response:
    """Give a purchase of nobody to a customer.

    For whoever shows the card after the sale: the tools earn on it as of when it was made, on what
    was not returned since. Within 30 days; one that is another customer's is refused (409).
    """
    who = data["customer_id"] if data["card"] is None else _holder(data["card"])
    try:
        bought = kept.by_ref(current.s, current.store_id, _ref(data["purchase_pos_ref"]))
    except NotFound as error:
        raise _unknown(error, "purchase_pos_ref") from error
    try:
        done = service.claim(current.s, bought.store_id, bought.pos_ref, who)
    except NotFound as error:
        raise _unknown(error, "customer_id") from error
    return _recorded(done)


@blueprint.route("/returns", methods=["POST"])
@blueprint.arguments(wire.ReturnIn())
@blueprint.response(201, wire.ReturnedOut())
@blueprint.alt_response(200, schema=wire.ReturnedOut(), description="It was recorded before.")
@requires("till.write")
def give_back(data: dict[str, Any]) -> Response:
    """Record a return.

    Points that the returned part had earned are taken back: three returns of $5 take back exactly
    what one of $15 would. A return whose `pos_ref` is recorded already is not recorded again.
    """
    given = _return(data)
    try:
        done = _untimed(
            service.record_return, given, _returned_at, untimed=data["occurred_at"] is None
        )
    except NotFound as error:
        words = _(
            "This store has no purchase of this number. Check it; or, if the till was offline, send"
            " the purchase first and then this again."
        )
        raise Invalid(words, fields={"purchase_pos_ref": [words]}) from error
    return say(
        {
            "created": done.created,
            "returned": return_json(done.returned),
            "purchase": purchase_json(done.returned.purchase, lines=False),
            "tools": by_tool(done.answers),
        },
        201 if done.created else 200,
    )


def _recorded(done: Recorded) -> Response:
    return say(
        {
            "created": done.created,
            "purchase": purchase_json(done.purchase),
            "tools": by_tool(done.answers),
        },
        201 if done.created else 200,
    )


def _ref(typed: str) -> str:
    """A receipt's number as it is kept: tills write the same letters in several ways."""
    return reference(typed, "pos_ref", REF_LENGTH, grouped=True)


def _basket(data: Mapping[str, Any], pos_ref: str) -> PurchaseIn:
    """What was sent, completed: who, when, which currency. Raises Invalid, CardBlocked."""
    at = data["occurred_at"]
    return PurchaseIn(
        store_id=current.store_id,
        pos_ref=pos_ref,
        occurred_at=now() if at is None else current.utc(at),
        total_minor=data["total_minor"],
        currency=data["currency"] or current.place.currency,
        customer_id=data["customer_id"] if data["card"] is None else _holder(data["card"]),
        lines=tuple(
            LineIn(
                line.get("line_no", number),
                line["product"],
                line["department"],
                line["quantity"],
                line["amount_minor"],
            )
            for number, line in enumerate(data["lines"], start=1)
        ),
    )


def _untimed(
    verb: Callable[[ScopedSession, G], R],
    given: G,
    moment_of: Callable[[G], datetime | None],
    *,
    untimed: bool,
) -> R:
    """Record what was given. Sent again without a time, it means the time it got at first."""
    try:
        return verb(current.s, given)
    except Conflict:
        at = moment_of(given) if untimed else None
        if at is None:
            raise
        return verb(current.s, replace(given, occurred_at=at))


def _bought_at(given: PurchaseIn) -> datetime | None:
    return kept.by_ref(current.s, given.store_id, given.pos_ref).occurred_at


def _returned_at(given: ReturnIn) -> datetime | None:
    row = kept.find_return(current.s, given.store_id, given.pos_ref)
    return None if row is None else row[4]


def _holder(card: str) -> UUID:
    """Whose card it is. Raises Invalid for an unknown one, CardBlocked."""
    try:
        return queries.by_card(current.s, card).id
    except NotFound as error:
        raise _unknown(error, "card") from error


def _unknown(error: NotFound, field: str) -> Invalid:
    """What the body names is not there. 404 would blame the address."""
    return Invalid(error.detail, fields={field: [error.detail]})


def _return(data: Mapping[str, Any]) -> ReturnIn:
    at = data["occurred_at"]
    return ReturnIn(
        store_id=current.store_id,
        pos_ref=_ref(data["pos_ref"]),
        purchase_pos_ref=data["purchase_pos_ref"],
        occurred_at=now() if at is None else current.utc(at),
        amount_minor=data["amount_minor"],
        lines=tuple(
            ReturnLineIn(line["line_no"], line["product"], line["quantity"], line["amount_minor"])
            for line in data["lines"]
        ),
    )


def purchase_json(fact: PurchaseFact, *, lines: bool = True) -> dict[str, Any]:
    """What PurchaseOut publishes; written out, for it is the till's every answer."""
    made: dict[str, Any] = {
        "id": str(fact.id),
        "pos_ref": fact.pos_ref,
        "customer_id": str(fact.customer_id) if fact.customer_id else None,
        "occurred_at": zulu(fact.occurred_at),
        "recorded_at": zulu(fact.recorded_at),
        "business_date": fact.business_date.isoformat(),
        "total_minor": fact.total_minor,
        "returned_minor": fact.returned_minor,
        "currency": fact.currency,
        "recorded_by": _doer_json(fact),
    }
    if lines:
        made["lines"] = [
            {
                "line_no": line.line_no,
                "product": line.product,
                "department": line.department,
                "quantity": float(line.quantity),
                "amount_minor": line.amount_minor,
                "returned_quantity": float(line.returned_quantity),
                "returned_minor": line.returned_minor,
            }
            for line in fact.lines
        ]
    return made


def return_json(fact: ReturnFact) -> dict[str, Any]:
    """What ReturnOut publishes."""
    return {
        "id": str(fact.id),
        "pos_ref": fact.pos_ref,
        "occurred_at": zulu(fact.occurred_at),
        "amount_minor": fact.amount_minor,
        "currency": fact.currency,
        "recorded_by": _doer_json(fact),
    }


def _doer_json(fact: PurchaseFact | ReturnFact) -> dict[str, Any]:
    return {"kind": fact.actor_kind, "id": str(fact.actor_id) if fact.actor_id else None}
