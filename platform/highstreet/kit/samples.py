"""What each hook is told, as a sample: for the reference, and to try a hook by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from highstreet.customers.facts import CustomerFact
from highstreet.host.spec import Hook
from highstreet.purchases.facts import (
    LineFact,
    LineIn,
    PurchaseFact,
    PurchaseIn,
    ReturnedLine,
    ReturnFact,
)

_STORE = UUID("0192f3a1-0000-7000-8000-000000000101")
_ANN = UUID("0192f3a1-0000-7000-8000-000000000201")
_BEA = UUID("0192f3a1-0000-7000-8000-000000000202")
_BOUGHT = UUID("0192f3a1-0000-7000-8000-000000000301")
_NOON = datetime(2026, 5, 4, 11, 30, tzinfo=UTC)
_DAY = date(2026, 5, 4)

ann = CustomerFact(_ANN, "Ann Quill", None, _STORE, "en", _NOON, "active")
bea = CustomerFact(_BEA, "Ann Quil", None, _STORE, None, _NOON, "merged")
bought = PurchaseFact(
    id=_BOUGHT,
    store_id=_STORE,
    pos_ref="R-1041",
    occurred_at=_NOON,
    total_minor=1_250,
    currency="GBP",
    customer_id=_ANN,
    lines=(LineFact(1, "Sandwich", "Lunch", Decimal(2), 1_250),),
    business_date=_DAY,
    recorded_at=_NOON,
)
returned = ReturnFact(
    id=UUID("0192f3a1-0000-7000-8000-000000000401"),
    purchase=bought,
    store_id=_STORE,
    pos_ref="R-1055",
    occurred_at=_NOON,
    amount_minor=625,
    currency="GBP",
    business_date=_DAY,
    recorded_at=_NOON,
    lines=(ReturnedLine(1, Decimal(1), 625),),
)
basket = PurchaseIn(
    _STORE, "R-1042", _NOON, 1_250, "GBP", _ANN, (LineIn(1, "Sandwich", "Lunch", 2, 1_250),)
)

#: By the names of arguments; they mean the same in every hook.
ARGUMENTS: dict[str, Any] = {
    "basket": basket,
    "buyers": [_ANN, _BEA],
    "customer": ann,
    "customers": [ann],
    "first": date(2026, 4, 28),
    "gone": bea,
    "kept": ann,
    "last": _DAY,
    "limit": 5,
    "on": _DAY,
    "purchase": bought,
    "purchases": [bought],
    "returned": returned,
}
#: (hook, argument) → where a name means something else.
EXACT: dict[tuple[str, str], Any] = {("till_deeds", "purchases"): [_BOUGHT]}


def sample(hook: Hook) -> dict[str, Any]:
    """What a hook is told besides `ctx`. Raises KeyError for an argument that has no sample."""
    return {name: EXACT.get((hook.name, name), ARGUMENTS[name]) for name in hook.arguments}
