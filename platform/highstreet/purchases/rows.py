"""What a purchase becomes in the tables: its lines, and its place in the customer's story."""

from typing import Any
from uuid import UUID

from highstreet.i18n import lazy_gettext as _l
from highstreet.purchases.checks import milli
from highstreet.purchases.facts import PurchaseFact, ReturnFact
from highstreet.timeline.service import EntryIn
from highstreet_tenants.ids import new_id

_TITLE = _l("Bought for %(amount)s")
_CLAIMED = _l("Bought for %(amount)s, the card shown later")
_BACK = _l("Gave back, got %(amount)s")


def lines(fact: PurchaseFact, store: str = "store_id") -> list[dict[str, Any]]:
    """The rows of a purchase's lines; `store` names the key of the store."""
    return [
        {
            "id": new_id(),
            store: fact.store_id,
            "purchase_id": fact.id,
            "line_no": line.line_no,
            "product": line.product,
            "department": line.department,
            "quantity_milli": milli(line.quantity),
            "amount_minor": line.amount_minor,
        }
        for line in fact.lines
    ]


def entry(fact: PurchaseFact, claimed_by: str = "") -> EntryIn:
    """The timeline's entry about a purchase that has a customer.

    claimed_by: who gave it to the customer afterwards.
    """
    assert fact.customer_id is not None
    data: dict[str, Any] = {"amount": {"minor": fact.total_minor, "currency": fact.currency}}
    if claimed_by:
        data["claimed_by"] = claimed_by
    return EntryIn(
        fact.customer_id,
        "purchase",
        _CLAIMED if claimed_by else _TITLE,
        fact.occurred_at,
        fact.store_id,
        data,
        "core",
        fact.id,
    )


def return_entry(fact: ReturnFact, customer_id: UUID) -> EntryIn:
    """The timeline's entry about a return of a customer's."""
    return EntryIn(
        customer_id,
        "return",
        _BACK,
        fact.occurred_at,
        fact.purchase.store_id,
        {"amount": {"minor": fact.amount_minor, "currency": fact.currency}},
        "core",
        fact.id,
    )
