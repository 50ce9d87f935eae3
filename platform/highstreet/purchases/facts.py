"""What a till hands in and what tools hear: purchases, returns, and what came of recording them."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import Struct

from highstreet.customers.facts import Refused

ZERO = Decimal(0)


class LineIn(Struct, frozen=True):
    """A line of a receipt. line_no counts from 1; amount_minor is for the whole line (a discount
    is negative); quantity has at most three decimals."""

    line_no: int
    product: str
    department: str
    quantity: Decimal | int
    amount_minor: int


class PurchaseIn(Struct, frozen=True):
    """A receipt as the till knows it: its own number, aware time, total in minor units."""

    store_id: UUID
    pos_ref: str
    occurred_at: datetime
    total_minor: int
    currency: str
    customer_id: UUID | None = None
    lines: tuple[LineIn, ...] = ()


class LineFact(Struct, frozen=True):
    """A recorded line, with what was brought back of it so far."""

    line_no: int
    product: str
    department: str
    quantity: Decimal
    amount_minor: int
    returned_quantity: Decimal = ZERO
    returned_minor: int = 0


class PurchaseFact(Struct, frozen=True):
    """A recorded purchase. business_date: the store's calendar day. Times are UTC or aware.

    returned_minor: how much of total_minor was given back; what is left counts for points.
    actor_kind, actor_id: who rang it up: "user", a till's "key", "job" or "system" (an import).
    """

    id: UUID
    store_id: UUID
    pos_ref: str
    occurred_at: datetime
    total_minor: int
    currency: str
    customer_id: UUID | None
    lines: tuple[LineFact, ...]
    business_date: date
    recorded_at: datetime
    returned_minor: int = 0
    actor_kind: str = "system"
    actor_id: UUID | None = None


class Recorded(Struct, frozen=True):
    """What came of a purchase. created: False for a repeated one; answers: what tools did."""

    purchase: PurchaseFact
    created: bool
    answers: tuple[Any, ...] = ()


class ReturnLineIn(Struct, frozen=True):
    """What is brought back, by the purchase's line_no or by product. Without amount_minor the
    line's price counts, in proportion to the quantity."""

    line_no: int | None = None
    product: str | None = None
    quantity: Decimal | int = 1
    amount_minor: int | None = None


class ReturnIn(Struct, frozen=True):
    """Money given back. `pos_ref` is the return's own receipt at `store_id`.

    amount_minor: None takes the sum of the lines, or, without lines, all that is left.
    purchase_store_id: where it was bought, if elsewhere (see returns.record_return).
    """

    store_id: UUID
    pos_ref: str
    purchase_pos_ref: str
    occurred_at: datetime
    amount_minor: int | None = None
    lines: tuple[ReturnLineIn, ...] = ()
    purchase_store_id: UUID | None = None


class ReturnedLine(Struct, frozen=True):
    """Of which line how much came back, for how much."""

    line_no: int
    quantity: Decimal
    amount_minor: int


class ReturnFact(Struct, frozen=True):
    """A recorded return. purchase: as it is after it. store_id: where the money was given back.
    actor_kind, actor_id: who gave it back.
    """

    id: UUID
    purchase: PurchaseFact
    store_id: UUID
    pos_ref: str
    occurred_at: datetime
    amount_minor: int
    currency: str
    business_date: date
    recorded_at: datetime
    lines: tuple[ReturnedLine, ...] = ()
    actor_kind: str = "system"
    actor_id: UUID | None = None


class Returned(Struct, frozen=True):
    """What came of a return. created: False for a repeated one; answers: what tools did."""

    returned: ReturnFact
    created: bool
    answers: tuple[Any, ...] = ()


class BatchOutcome(Struct, frozen=True):
    """What a batch did. duplicates: rows known before with the same content; refused: rows with
    their index and why; answers: what tools did, in all stores."""

    created: int
    duplicates: int
    refused: tuple[Refused, ...] = ()
    answers: tuple[Any, ...] = ()
