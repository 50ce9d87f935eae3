"""Inviting the managers of stores that were taken in: each once, by a link to hand on."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet_tenants.clock import now
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.people import accounts, links, roles
from highstreet_tenants.people.held import grants_of
from highstreet_tenants.people.models import OneTimeLink, User
from highstreet_tenants.people.permissions import Catalogue
from highstreet_tenants.people.tree import Node
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.trail import record

ROLE = "store_manager"


class Invited(Struct, frozen=True):
    """A manager's link: it works once, until then."""

    email: str
    store: str
    token: str
    expires_at: datetime


class Managers:
    """Invites managers, in the session's transaction. by: the person who does it, or None.

    again: new links for those who were invited earlier and have not come; theirs die.
    """

    def __init__(
        self, s: ScopedSession, brand: Brand, catalogue: Catalogue, by: UUID | None, again: bool
    ) -> None:
        self._s, self._brand, self._by, self._again = s, brand, by, again
        self.catalogue = catalogue

    def invite(self, store: Store, email: str, name: str) -> Invited | None:
        """Invite somebody to manage a store; None where nothing is to be done.

        Somebody new gets the role and a link to choose a password; whoever has an account is
        offered the role, and takes it up after signing in.
        """
        s, node = self._s, Node.of(self._brand, store)
        user = accounts.find_user(s, email)
        if user is None:
            user = accounts.create_user(s, email, name or email.partition("@")[0])
            roles.grant(s, user.id, ROLE, node, by=None, catalogue=self.catalogue)
        elif any(g.node_id == store.id and g.role == ROLE for g in grants_of(s, user.id)):
            if user.password_hash is not None or user.disabled_at is not None or not self._again:
                return None
        elif user.password_hash is None and not user.disabled_at and self._fresh(user.id):
            roles.grant(s, user.id, ROLE, node, by=None, catalogue=self.catalogue)
        else:
            return self._offer(store, node, user)
        token = links.make_link(s, user.id, "invite", by=self._by)
        return self._told(store, user, token, "invite")

    def _fresh(self, user_id: UUID) -> bool:
        """Whether an account without a password holds roles of this brand alone, all at stores."""
        held = grants_of(self._s, user_id)
        return all(g.brand_id == self._brand.id and g.node_kind == "store" for g in held)

    def _offer(self, store: Store, node: Node, user: User) -> Invited | None:
        open_one = self._s.scalar(
            sa.select(OneTimeLink.id).where(
                OneTimeLink.user_id == user.id,
                OneTimeLink.purpose == "join",
                OneTimeLink.node_id == store.id,
                OneTimeLink.role == ROLE,
                OneTimeLink.used_at.is_(None),
                OneTimeLink.expires_at > now(),
            )
        )
        if open_one is not None and not self._again:
            return None
        token = links.make_link(self._s, user.id, "join", by=self._by, offer=node.grant(ROLE))
        return self._told(store, user, token, "join")

    def _told(self, store: Store, user: User, token: str, purpose: links.Purpose) -> Invited:
        details = {"role": ROLE, "at": "store"}
        record(
            self._s, "person.invited", "person", user.id, user.name, store_id=store.id,
            details=details,
        )  # fmt: skip
        return Invited(user.email, store.name, token, now() + links.LIFETIMES[purpose])
