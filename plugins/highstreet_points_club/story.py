"""What the points club writes into its members' timelines.

Earning is not among it: the purchase stands there already, and the till and the member's page show
its points beside it.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from highstreet.sdk import Ctx, EntryIn
from highstreet_points_club.accounts import Locked

if TYPE_CHECKING:
    from highstreet.sdk import LazyText


class Event(NamedTuple):
    """One entry. account: whose; store_id: where; title: a lazy translation filled from `data`."""

    account: Locked
    store_id: UUID | None
    kind: str
    title: "LazyText"
    occurred_at: datetime
    ref_id: UUID | None
    data: Mapping[str, Any]


def tell_many(ctx: Ctx, events: Iterable[Event]) -> None:
    """Write these events. Accounts of members who have left are passed over."""
    entries = [
        EntryIn(
            event.account.customer_id,
            event.kind,
            event.title,
            event.occurred_at,
            # Where each store keeps its own customers, their story is that store's.
            event.account.owner_id or event.store_id,
            event.data,
            ref_id=event.ref_id,
        )
        for event in events
        if event.account.customer_id is not None
    ]
    if entries:
        ctx.timeline.write_many(entries)
