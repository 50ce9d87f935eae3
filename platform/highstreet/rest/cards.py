"""Club cards: give one, replace a lost one, block one."""

from typing import Any
from uuid import UUID

from highstreet.customers import identities, keys, queries, service
from highstreet.customers.facts import IdentityFact
from highstreet.host.access import requires
from highstreet.i18n import gettext as _
from highstreet.rest.blueprints import Blueprint
from highstreet.rest.current import current
from highstreet.rest.customer_schemas import CardIn, CardOut, CardPatch
from highstreet_tenants.errors import Conflict

blueprint = Blueprint("api-cards", __name__, description="Club cards.")
_OUT = CardOut()


@blueprint.route("/customers/<uuid:customer_id>/cards", methods=["POST"])
@blueprint.arguments(CardIn())
@blueprint.response(201, _OUT)
@requires("customers.write")
def issue(data: dict[str, Any], customer_id: UUID) -> dict[str, Any]:
    """Give a card, or replace one.

    With `replaces`, that card of the same customer is lost from now on. Points stay the customer's.
    A blank card that collected without a name becomes theirs with all that it collected.
    """
    s = current.s
    if data["replaces"] is not None:
        _report_lost(customer_id, data["replaces"], data["number"])
    return card_json(service.issue_card(s, customer_id, data["number"]))


@blueprint.route("/cards/<number>", methods=["PATCH"])
@blueprint.arguments(CardPatch())
@blueprint.response(200, _OUT)
@requires("customers.write")
def set_status(data: dict[str, Any], number: str) -> dict[str, Any]:
    """Report a card lost, block it, or let it work again.

    A lost or blocked card is refused at the till. Setting the same status again changes nothing.
    """
    return card_json(identities.set_card_status(current.s, number, data["status"]))


def _report_lost(customer_id: UUID, old: str, new: str) -> None:
    """Raise Conflict unless `old` is a card of this customer other than `new`; then it is lost."""
    s = current.s
    value = keys.card_key(old)
    cards = [i for i in queries.detail(s, customer_id).identities if i.kind == "card"]
    if value == keys.card_key(new):
        words = _("A card cannot replace itself. Scan the new card.")
        raise Conflict(words, fields={"replaces": [words]})
    if value not in [card.value for card in cards]:
        words = _("This customer has no card with that number. Look at the customer's cards.")
        raise Conflict(words, fields={"replaces": [words]})
    identities.set_card_status(s, old, "lost")


def card_json(card: IdentityFact) -> dict[str, Any]:
    """What CardOut dumps."""
    return {"number": card.shown, "status": card.status, "since": card.created_at}
