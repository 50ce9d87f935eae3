"""What happens to accounts: sign-ins and failed ones, passwords, second factors.

An account belongs to no brand, so these stand in the control plane. Head office and stores read
those of people who hold a role with them.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.orm import Session

from highstreet_tenants.people.models import AccountEvent, RoleGrant, User
from highstreet_tenants.people.permissions import N_
from highstreet_tenants.people.tree import Node
from highstreet_tenants.words import gettext as _

#: What happens to an account, in words.
EVENTS: Mapping[str, str] = {
    "signed_in": N_("Signed in"),
    "signed_in_by_link": N_("Signed in by a one-time link"),
    "wrong_password": N_("Wrong password"),
    "wrong_code": N_("Wrong code of the second factor"),
    "recovery_code_used": N_("Recovery code used"),
    "locked_out": N_("Locked out after too many tries"),
    "password_set": N_("Password set by a link"),
    "password_changed": N_("Password changed"),
    "factor_on": N_("Second factor switched on"),
    "factor_off": N_("Second factor switched off"),
    "factor_codes": N_("New recovery codes made"),
    "factor_reset": N_("Second factor reset"),
    "link_made": N_("One-time link made"),
    "disabled": N_("Account disabled"),
    "enabled": N_("Account enabled again"),
}
PAGE = 50


class Happened(Struct, frozen=True):
    """One event. name, email: whose account; empty for an address that nobody has."""

    id: UUID
    at: datetime
    what: str
    user_id: UUID | None
    name: str
    email: str
    address: str

    @property
    def words(self) -> str:
        """What happened, in the reader's language."""
        return _(EVENTS[self.what]) if self.what in EVENTS else self.what

    @property
    def cursor(self) -> str:
        """Where the next page goes on."""
        return f"{self.at.isoformat()}|{self.id.hex}"


def note(s: Session, what: str, user_id: UUID | None, address: str = "") -> None:
    """Write down what happened to an account; `user_id` None: nobody has the address given."""
    if what not in EVENTS:
        raise ValueError(f"{what!r} is not an event of an account")
    s.add(AccountEvent(user_id=user_id, what=what, address=address[:64]))


def of_person(s: Session, user_id: UUID, limit: int = 20) -> list[Happened]:
    """The latest events of one account."""
    query = _events().where(AccountEvent.user_id == user_id)
    return [_fact(row) for row in s.execute(query.limit(limit))]


def of_place(
    s: Session, node: Node, since: datetime, *, after: str | None = None, limit: int = PAGE
) -> list[Happened]:
    """Events since then of all who hold a role in the brand, or one that reaches the store.

    From where is told only of people who hold roles nowhere else.
    """
    here = [RoleGrant.brand_id == node.brand_id]
    if node.kind == "store":
        nodes = [node.brand_id, node.store_id, node.owner_id, node.region_id]
        here.append(RoleGrant.node_id.in_([one for one in nodes if one is not None]))
    query = _events().where(
        AccountEvent.at >= since,
        AccountEvent.user_id.in_(sa.select(RoleGrant.user_id).where(*here)),
    )
    found = [_fact(row) for row in s.execute(_beyond(query, after).limit(limit))]
    ids = {one.user_id for one in found if one.user_id}
    elsewhere = set(
        s.scalars(
            sa.select(RoleGrant.user_id).where(
                RoleGrant.user_id.in_(ids), RoleGrant.brand_id != node.brand_id
            )
        )
    )
    return [
        Happened(
            one.id, one.at, one.what, one.user_id, one.name, one.email,
            "" if one.user_id in elsewhere else one.address,
        )
        for one in found
    ]  # fmt: skip


def of_everybody(s: Session, *, after: str | None = None, limit: int = PAGE) -> list[Happened]:
    """All events, newest first; for whoever runs the installation."""
    return [_fact(row) for row in s.execute(_beyond(_events(), after).limit(limit))]


def _events() -> sa.Select[AccountEvent, str | None, str | None]:
    return (
        sa.select(AccountEvent, User.name, User.email)
        .outerjoin(User, User.id == AccountEvent.user_id)
        .order_by(AccountEvent.at.desc(), AccountEvent.id.desc())
    )


def _beyond(
    query: sa.Select[AccountEvent, str | None, str | None], after: str | None
) -> sa.Select[AccountEvent, str | None, str | None]:
    at, _bar, event_id = (after or "").partition("|")
    try:
        moment, found = datetime.fromisoformat(at), UUID(hex=event_id)
    except ValueError:
        return query
    if moment.tzinfo is None:
        return query
    return query.where(
        sa.tuple_(AccountEvent.at, AccountEvent.id)
        < sa.tuple_(
            sa.bindparam(None, moment, type_=AccountEvent.at.type),
            sa.bindparam(None, found, type_=AccountEvent.id.type),
        )
    )


def _fact(row: sa.Row[AccountEvent, str | None, str | None]) -> Happened:
    event, name, email = row
    return Happened(
        event.id, event.at, event.what, event.user_id, name or "", email or "", event.address
    )
