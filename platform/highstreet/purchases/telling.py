"""Telling others' programmes what was bought and given back."""

from collections.abc import Iterable
from typing import Any

from highstreet.purchases.facts import PurchaseFact, ReturnFact
from highstreet.webhooks import outbox
from highstreet_tenants.sessions import ScopedSession


def recorded(s: ScopedSession, facts: Iterable[PurchaseFact]) -> None:
    """Purchases were recorded. Costs next to nothing where nobody listens."""
    if outbox.wanted(s, "purchase.recorded"):
        outbox.publish_many(
            s,
            "purchase.recorded",
            (outbox.Happened(one.store_id, one.occurred_at, _data(one)) for one in facts),
        )


def claimed(s: ScopedSession, fact: PurchaseFact) -> None:
    """A purchase of nobody became a customer's."""
    if outbox.wanted(s, "purchase.claimed"):
        outbox.publish(s, "purchase.claimed", _data(fact), store_id=fact.store_id)


def returned(s: ScopedSession, fact: ReturnFact) -> None:
    """Money was given back, in the name of the store that had sold."""
    if outbox.wanted(s, "purchase.returned"):
        data = {
            "purchase_id": fact.purchase.id,
            "return_id": fact.id,
            "customer_id": fact.purchase.customer_id,
            "amount_minor": fact.amount_minor,
            "currency": fact.currency,
        }
        store_id = fact.purchase.store_id
        outbox.publish(s, "purchase.returned", data, store_id=store_id, at=fact.occurred_at)


def _data(fact: PurchaseFact) -> dict[str, Any]:
    return {
        "purchase_id": fact.id,
        "customer_id": fact.customer_id,
        "total_minor": fact.total_minor,
        "currency": fact.currency,
    }
