"""What ends when a store closes, or when somebody may no longer use the tills of a store.

Ended is ended: a store that opens again, or a person who gets the role back, starts with a new key,
till or PIN. Nobody remembers an old one at that moment, and whoever still carries it should not get
in by it.
"""

from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.orm import Session

from highstreet_tenants.clock import now
from highstreet_tenants.people.held import grants_of
from highstreet_tenants.people.models import ApiKey, StaffPin, TillDevice, UserSession
from highstreet_tenants.people.permissions import Catalogue
from highstreet_tenants.people.tree import Node, may

#: What somebody needs at a store to have a PIN there.
USES_TILL = "till.use"


class Ended(Struct, frozen=True):
    """How many API keys, tills and PINs of a store ended."""

    keys: int
    tills: int
    pins: int


def end_store(s: Session, node: Node) -> Ended:
    """The store of `node` closes: its API keys, its tills with their open sessions, its PINs end.

    Again it changes nothing.
    """
    at = now()
    keys = s.execute(
        sa.update(ApiKey).where(*_keys(node)).values(revoked_at=at).returning(ApiKey.id)
    ).all()
    tills = s.execute(
        sa.update(TillDevice).where(*_tills(node)).values(revoked_at=at).returning(TillDevice.id)
    ).all()
    _end_sessions(s, node)
    pins = s.execute(sa.delete(StaffPin).where(*_pins(node)).returning(StaffPin.id)).all()
    return Ended(len(keys), len(tills), len(pins))


def count_store(s: Session, node: Node) -> Ended:
    """What `end_store` would end."""
    counts = [
        s.scalar(sa.select(sa.func.count(column)).where(*which)) or 0
        for column, which in (
            (ApiKey.id, _keys(node)),
            (TillDevice.id, _tills(node)),
            (StaffPin.id, _pins(node)),
        )
    ]
    return Ended(*counts)


def _keys(node: Node) -> tuple[sa.ColumnElement[bool], ...]:
    lasting = sa.or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now())
    here = (ApiKey.brand_id == node.brand_id, ApiKey.store_id == node.store_id)
    return (*here, ApiKey.revoked_at.is_(None), lasting)


def _tills(node: Node) -> tuple[sa.ColumnElement[bool], ...]:
    here = (TillDevice.brand_id == node.brand_id, TillDevice.store_id == node.store_id)
    return (*here, TillDevice.revoked_at.is_(None))


def _pins(node: Node) -> tuple[sa.ColumnElement[bool], ...]:
    return (StaffPin.brand_id == node.brand_id, StaffPin.store_id == node.store_id)


def end_pin(s: Session, node: Node, user_id: UUID) -> None:
    """Take a person's PIN at the store of `node` away; the sessions that it opened there end."""
    s.execute(
        sa.delete(StaffPin).where(
            StaffPin.brand_id == node.brand_id,
            StaffPin.store_id == node.store_id,
            StaffPin.user_id == user_id,
        )
    )
    by_pin = UserSession.by_pin.is_(True)
    _end_sessions(s, node, UserSession.user_id == user_id, by_pin)


def end_lost_pins(s: Session, node: Node, user_id: UUID, catalogue: Catalogue) -> None:
    """A person lost a role at `node`: their PINs at stores where they may no longer use the till
    end.

    Of a role above the stores it is not known here which stores it reached: a PIN stays only where
    a role at that very store, or at the brand, still opens the till. The others are set anew.
    """
    held = grants_of(s, user_id)
    stores = s.scalars(
        sa.select(StaffPin.store_id).where(
            StaffPin.brand_id == node.brand_id, StaffPin.user_id == user_id
        )
    ).all()
    for store_id in stores:
        if node.store_id not in (None, store_id):
            continue
        here = node if node.store_id else Node(node.brand_id, node.customers, store_id=store_id)
        if not may(held, USES_TILL, here, catalogue):
            end_pin(s, here, user_id)


def end_strangers_pins(s: Session, node: Node, catalogue: Catalogue) -> int:
    """A store went to another owner or region: the PINs of those who may no longer use its tills
    end. Gives how many."""
    ended = 0
    users = sa.select(StaffPin.user_id).where(
        StaffPin.brand_id == node.brand_id, StaffPin.store_id == node.store_id
    )
    for user_id in s.scalars(users).all():
        if node.store_id and not may(grants_of(s, user_id), USES_TILL, node, catalogue):
            end_pin(s, node, user_id)
            ended += 1
    return ended


def _end_sessions(s: Session, node: Node, *which: sa.ColumnElement[bool]) -> None:
    tills = sa.select(TillDevice.id).where(
        TillDevice.brand_id == node.brand_id, TillDevice.store_id == node.store_id
    )
    s.execute(
        sa.update(UserSession)
        .where(UserSession.till_id.in_(tills), UserSession.revoked_at.is_(None), *which)
        .values(revoked_at=now())
    )
