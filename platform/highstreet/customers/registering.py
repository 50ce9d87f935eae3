"""Giving a customer a card, also one that was handed out blank and has been collecting since.

Whoever took a card without leaving a name is a record of their own. When they register it, and
turn out to have a record already, the two are one person: what the blank card collected is theirs.
"""

from uuid import UUID

import sqlalchemy as sa

from highstreet.customers import identities, places, queries
from highstreet.customers.facts import IdentityFact
from highstreet.customers.merging import merge
from highstreet.customers.models import Customer, Identity, Note
from highstreet.customers.places import Realm
from highstreet_tenants.errors import Conflict
from highstreet_tenants.sessions import ScopedSession


def issue_card(s: ScopedSession, customer_id: UUID, number: str) -> IdentityFact:
    """Give a customer a (further) card. Giving the same card again changes nothing.

    A blank card's record becomes part of this customer's (as a merge: it is on the timeline, and
    can be taken back). Raises NotFound, Invalid for what is no card number, Conflict if a customer
    who is known by more than cards holds it, or if it is lost or blocked.
    """
    try:
        return identities.issue_card(s, customer_id, number)
    except Conflict:
        fact = queries.get(s, customer_id)
        region = places.region(s, fact.home_store_id if s.store_id is None else None)
        value = identities.read("card", number, region).value
        blank = _blank(s, Realm(fact.store_id or s.brand_id, fact.store_id), value)
        if blank is None:
            raise
        merge(s, fact.id, blank)
        row = s.scalars(
            sa.select(Identity).where(
                Identity.customer_id == fact.id, Identity.kind == "card", Identity.value == value
            )
        ).one()
        return queries.identity_fact(row)


def _blank(s: ScopedSession, realm: Realm, card: str) -> UUID | None:
    """The record that a working card leads to, if nothing but cards is known of it."""
    holder = s.scalar(
        sa.select(Identity.customer_id).where(
            Identity.realm_id == realm.id,
            Identity.kind == "card",
            Identity.value == card,
            Identity.status == "active",
        )
    )
    row = s.scalar(sa.select(Customer).where(Customer.id == holder, Customer.status == "active"))
    if row is None or row.name or row.birthday or row.fields:
        return None
    for model, known in (
        (Identity, Identity.kind != "card"),
        (Note, sa.true()),
    ):
        held = sa.select(sa.func.count(model.id)).where(model.customer_id == row.id, known)
        if s.scalar(held):
            return None
    return row.id
