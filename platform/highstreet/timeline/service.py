"""Writing the timeline."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from msgspec import Struct, field

from highstreet.customers import queries
from highstreet.i18n import LazyText
from highstreet.i18n import gettext as _
from highstreet.timeline.models import TimelineEntry
from highstreet.timeline.words import message_of
from highstreet_tenants import bulk
from highstreet_tenants.cards import refuse_payment_cards
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Invalid
from highstreet_tenants.ids import new_id
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement

_KIND = re.compile(r"[a-z][a-z0-9_.-]{0,59}")


_TABLE = TimelineEntry.metadata.tables[TimelineEntry.__tablename__]


class Here:
    """The type of HERE."""


#: As `store_id`: where the scope stands, else nowhere in particular (a club's own entry).
HERE: Final = Here()

_WRITE = Statement(
    "INSERT INTO core_timeline_entry (brand_id, id, store_id, customer_id, kind, title, data,"
    " source, ref_id, occurred_at, recorded_at) VALUES (:brand_id, :id, :owner_store_id,"
    " :customer_id, :kind, :title, :data, :source, :ref_id, :occurred_at, :recorded_at)",
    returns="none",
)


class EntryIn(Struct, frozen=True):
    """One entry to write; see `write`. store_id: the store whose entry it is, None the club's."""

    customer_id: UUID
    kind: str
    title: str | LazyText
    occurred_at: datetime
    store_id: UUID | None
    data: Mapping[str, Any] = field(default_factory=dict)
    source: str = "core"
    ref_id: UUID | None = None


def write(
    s: ScopedSession,
    customer_id: UUID,
    kind: str,
    title: str | LazyText,
    *,
    occurred_at: datetime,
    data: Mapping[str, Any] | None = None,
    source: str = "core",
    ref_id: UUID | None = None,
    store_id: UUID | Here | None = HERE,
) -> UUID:
    """Add one entry to a customer's story; gives its id.

    title: an English message (a lazy translation) whose places `data` fills when it is shown.
    store_id: the store whose entry it is; in a brand-wide club None makes an entry that every
    store sees (a card given, a tier reached), a store's own is seen there and by head office.
    occurred_at: aware. Raises NotFound for a customer out of reach, Invalid.
    """
    customer = queries.record(s, customer_id)
    owner: UUID | None = s.store_id if isinstance(store_id, Here) else store_id
    entry = EntryIn(
        customer.id,
        kind,
        title,
        occurred_at,
        # Where each store keeps its own customers, their story is that store's.
        owner if customer.store_id is None else customer.store_id,
        data or {},
        source,
        ref_id,
    )
    return append(s, entry)


def append(s: ScopedSession, entry: EntryIn) -> UUID:
    """Like `write` for a caller that has just read the customer and knows the owner."""
    row = _row(entry, now())
    row["owner_store_id"] = row.pop("store_id")
    _WRITE(s, **row)
    written: UUID = row["id"]
    return written


def write_many(s: ScopedSession, entries: Sequence[EntryIn]) -> int:
    """Add many entries in one go; gives how many.

    The caller vouches that the customers are within reach and that each `store_id` is the
    customer's owner where stores own their customers. Raises Invalid.
    """
    at = now()
    return bulk.insert(s, _TABLE, [_row(entry, at) for entry in entries])


def _row(entry: EntryIn, recorded_at: datetime) -> dict[str, Any]:
    message, values = message_of(entry.title)
    data = {**values, **entry.data} if values else dict(entry.data)
    if not _KIND.fullmatch(entry.kind) or not message or len(message) > 300:
        raise Invalid(_("An entry needs a kind such as “purchase” and a title of 1–300 letters."))
    if entry.occurred_at.tzinfo is None:
        raise Invalid(_("Say in which zone the time of an entry is."))
    if entry.source != "core":
        refuse_payment_cards([message, data], "timeline")
    return {
        "id": new_id(),
        "store_id": entry.store_id,
        "customer_id": entry.customer_id,
        "kind": entry.kind,
        "title": message,
        "data": data,
        "source": entry.source,
        "ref_id": entry.ref_id,
        "occurred_at": entry.occurred_at,
        "recorded_at": recorded_at,
    }
