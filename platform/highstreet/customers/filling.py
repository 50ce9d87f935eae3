"""Texts with merge fields: what they say of each customer, read for many at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from highstreet import templating
from highstreet.customers import places, published
from highstreet.host import facts as hosts
from highstreet.host.customer_fields import Kind
from highstreet_tenants.money import major
from highstreet_tenants.sessions import ScopedSession


def values(
    s: ScopedSession,
    names: Collection[str],
    customer_ids: Iterable[UUID],
    store_id: UUID | None = None,
) -> dict[UUID, dict[str, Any]]:
    """Published fields by customer, as a text of a place prints them and JSON keeps them: days
    "2026-11-27", moments as the day by the clock of the place, amounts "12.50". Whoever has no
    value is missing; names that are not published there (any more) are left out."""
    there = published.known(s, store_id)
    asked = [name for name in names if name in there]
    if not asked:
        return {}
    place = places.place(s, store_id) if store_id else hosts.brand(s)
    zone = ZoneInfo(place.zone)
    kinds = {name: there[name].kind for name in asked}
    found = published.read(s, asked, customer_ids, store_id)
    return {
        who: {name: _said(kinds[name], value, zone, place.currency) for name, value in told.items()}
        for who, told in found.items()
    }


def filled(
    s: ScopedSession, text: str, customer_ids: Iterable[UUID], store_id: UUID | None = None
) -> dict[UUID, str]:
    """The text for each customer; whoever lacks a value that it needs is missing. Raises Invalid
    for a text that can't be read."""
    ids = list(dict.fromkeys(customer_ids))
    told_of = values(s, sorted(templating.fields_of(text)), ids, store_id)
    found = {}
    for one in ids:
        try:
            told = templating.render(text, told_of.get(one, {}), strict=True).strip()
        except templating.MissingField:
            continue
        if told:
            found[one] = told
    return found


def _said(kind: Kind, value: Any, zone: ZoneInfo, currency: str) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(zone).date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if kind == "money" and isinstance(value, int):
        return str(major(value, currency))
    return value
