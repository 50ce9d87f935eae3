"""Cursor pages: "what comes after this row", so that a page never shifts while rows are added.

A cursor is opaque to callers: base64url of a small JSON list. It holds places in an order, no
rights: the scope still decides which rows exist.
"""

import base64
import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any, TypeVar
from uuid import UUID

from marshmallow import Schema, fields, validate

from highstreet.i18n import gettext as _
from highstreet_tenants.errors import Invalid

T = TypeVar("T")

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


class PageQuery(Schema):
    """`?limit=` and `?cursor=`."""

    limit = fields.Integer(
        load_default=DEFAULT_LIMIT,
        validate=validate.Range(1, MAX_LIMIT),
        metadata={"description": "Rows per page."},
    )
    cursor = fields.String(
        load_default=None,
        validate=validate.Length(1, 200),
        metadata={"description": "`next_cursor` of the page before. Absent for the first page."},
    )


Place = tuple[date, datetime, UUID]


def encode(day: date, at: datetime, row_id: UUID) -> str:
    """The cursor of a row in an order by (day, moment, id)."""
    place = [day.isoformat(), at.isoformat(), row_id.hex]
    raw = json.dumps(place, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode(cursor: str | None) -> Place | None:
    """The place that `cursor` names, None for the first page. Raises Invalid for a foreign text."""
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        day, at, row_id = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError("naive")
        return date.fromisoformat(day), moment.astimezone(UTC), UUID(hex=row_id)
    except (
        ValueError,
        TypeError,
        AttributeError,
        RecursionError,
        OverflowError,
    ) as error:
        words = _("This cursor is not one of ours. Leave it out to begin with the first page.")
        raise Invalid(words, fields={"cursor": [words]}) from error


def page(
    rows: Sequence[T],
    limit: int,
    dump: Callable[[T], Any],
    place: Callable[[T], Place],
) -> dict[str, Any]:
    """One page from up to `limit` + 1 rows: {"items": […], "next_cursor": … or None}."""
    shown = rows[:limit]
    more = len(rows) > limit
    return {
        "items": [dump(row) for row in shown],
        "next_cursor": encode(*place(shown[-1])) if more else None,
    }
