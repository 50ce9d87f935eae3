"""Who agreed, of many at once: what `queries.may_contact` says of one, as one statement."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from highstreet.consent.facts import EVERY
from highstreet.consent.models import ConsentEvent
from highstreet.customers import places, standing
from highstreet_tenants.base import table_alias
from highstreet_tenants.models import Store
from highstreet_tenants.sessions import ScopedSession


def _controller(s: ScopedSession, event: Any) -> sa.ColumnElement[bool]:
    """That an event is a word to whoever speaks here: the brand where it owns the customers, else
    the owner of the customer's store."""
    if s.customers == "brand":
        return event.c.owner_id.is_(None)  # type: ignore[no-any-return]
    if s.store_id is not None:
        return event.c.owner_id == places.place(s, s.store_id).owner_id  # type: ignore[no-any-return]
    store = table_alias(Store)
    owner = sa.select(store.c.owner_id).where(store.c.id == event.c.store_id, *s.scope.owns(store))
    return event.c.owner_id == owner.scalar_subquery()  # type: ignore[no-any-return]


def words(s: ScopedSession, purpose: str, channel: str) -> Any:
    """For each customer (merges followed) who ever said a word on it: customer_id, and the moments
    of their last yes and of their last no that covers it (given, refused).

    A yes is for one purpose and channel; a no may be for all of them.
    """
    event = table_alias(ConsentEvent)
    scope = s.scope
    source, customer = standing.joined(scope, event)

    def last(status: str) -> sa.ColumnElement[Any]:
        return sa.func.max(
            sa.case((event.c.status == status, event.c.at)), type_=ConsentEvent.at.type
        )

    return (
        sa.select(
            customer.label("customer_id"),
            last("given").label("given"),
            last("withdrawn").label("refused"),
        )
        .select_from(source)
        .where(
            *scope.owns(event),
            event.c.purpose.in_((purpose, EVERY)),
            event.c.channel.in_((channel, EVERY)),
            _controller(s, event),
        )
        .group_by(customer)
    )


def agreed(s: ScopedSession, purpose: str, channel: str) -> Any:
    """A select of the ids of those who may be contacted as far as their own word goes: of a yes and
    a no at the same moment the no holds."""
    said = words(s, purpose, channel).subquery()
    return sa.select(said.c.customer_id).where(
        said.c.given.is_not(None),
        sa.or_(said.c.refused.is_(None), said.c.given > said.c.refused),
    )
