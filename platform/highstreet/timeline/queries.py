"""Reading the timeline, newest first, page by page."""

import base64
import heapq
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from msgspec import Struct, field

from highstreet.customers import queries as customers
from highstreet.i18n import gettext as _
from highstreet.timeline.words import say
from highstreet_tenants.errors import Invalid
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement, own

_COLUMNS = (
    "t.id, t.store_id, t.customer_id, t.kind, t.title, t.data, t.source, t.ref_id, t.occurred_at"
)
_TYPES: dict[str, type] = {
    "id": UUID,
    "store_id": UUID,
    "customer_id": UUID,
    "data": dict,
    "ref_id": UUID,
    "occurred_at": datetime,
}
_NEWEST = Statement(
    f"SELECT {_COLUMNS} FROM core_timeline_entry AS t WHERE t.customer_id = :customer_id"
    f" AND {own('t')} ORDER BY t.occurred_at DESC, t.id DESC LIMIT :most",
    types=_TYPES,
)
_BEFORE = Statement(
    f"SELECT {_COLUMNS} FROM core_timeline_entry AS t WHERE t.customer_id = :customer_id"
    f" AND (t.occurred_at, t.id) < (:occurred_at, :id) AND {own('t')}"
    " ORDER BY t.occurred_at DESC, t.id DESC LIMIT :most",
    types=_TYPES,
)


class Entry(Struct, frozen=True):
    """One entry. message and data are what was written; `title` says it to the reader."""

    id: UUID
    store_id: UUID | None
    customer_id: UUID
    kind: str
    message: str
    data: dict[str, Any]
    source: str
    ref_id: UUID | None
    occurred_at: datetime

    @property
    def title(self) -> str:
        """The entry in the reader's language."""
        return say(self.message, self.data)


class Page(Struct, frozen=True):
    """Entries, newest first. cursor: hand it to `read` for older ones; None at the end."""

    entries: tuple[Entry, ...] = field(default_factory=tuple)
    cursor: str | None = None


def read(s: ScopedSession, customer_id: UUID, before: str | None = None, limit: int = 50) -> Page:
    """A page of a customer's story, at most `limit` (1–200) entries.

    Entries of records that were merged into this one are part of it. Raises NotFound, Invalid for
    a cursor that is not one of ours.
    """
    limit = max(1, min(limit, 200))
    customer = customers.get(s, customer_id)
    place = _read_cursor(before) if before else None
    # One index stretch per record, then one merge: a list of ids would be sorted in full.
    stories = []
    for one in customers.lineage(s, customer.id):
        rows = (
            _NEWEST(s, customer_id=one, most=limit + 1)
            if place is None
            else _BEFORE(s, customer_id=one, most=limit + 1, occurred_at=place[0], id=place[1])
        )
        stories.append([Entry(*row) for row in rows])
    merged = heapq.merge(*stories, key=lambda e: (e.occurred_at, e.id), reverse=True)
    entries = [entry for entry, _n in zip(merged, range(limit + 1), strict=False)]
    more = len(entries) > limit
    entries = entries[:limit]
    return Page(tuple(entries), _write_cursor(entries[-1]) if more else None)


def _write_cursor(entry: Entry) -> str:
    text = json.dumps([entry.occurred_at.isoformat(), entry.id.hex], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[datetime, UUID]:
    try:
        at, one = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError(at)
        return moment.astimezone(UTC), UUID(one)
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        words = _("This page does not exist. Go back to the first one.")
        raise Invalid(words, fields={"cursor": [words]}) from error
