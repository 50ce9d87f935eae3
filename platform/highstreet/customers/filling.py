"""Texts with merge fields, filled for many customers at once."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from highstreet import templating
from highstreet.customers import published
from highstreet_tenants.sessions import ScopedSession


def filled(
    s: ScopedSession, text: str, customer_ids: Iterable[UUID], store_id: UUID | None = None
) -> dict[UUID, str]:
    """The text for each customer; whoever lacks a value that it needs is missing. Raises Invalid
    for a text that can't be read."""
    there = published.known(s, store_id)
    names = sorted(name for name in templating.fields_of(text) if name in there)
    ids = list(dict.fromkeys(customer_ids))
    values = published.read(s, names, ids, store_id) if names else {}
    found = {}
    for one in ids:
        try:
            told = templating.render(text, values.get(one, {}), strict=True).strip()
        except templating.MissingField:
            continue
        if told:
            found[one] = told
    return found
