"""Roles that were offered to people with an account of their own, and not accepted yet."""

from uuid import UUID

import sqlalchemy as sa

from highstreet_tenants.clock import now
from highstreet_tenants.errors import Forbidden, NotFound
from highstreet_tenants.people import accounts, links
from highstreet_tenants.people.logins import Person
from highstreet_tenants.people.models import OneTimeLink, User
from highstreet_tenants.people.permissions import Catalogue
from highstreet_tenants.people.roles import Invitation
from highstreet_tenants.people.tree import Node, may_grant
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.trail import record
from highstreet_tenants.words import gettext as _


def withdraw(
    s: ScopedSession, link_id: UUID, node: Node, *, by: Person, catalogue: Catalogue
) -> None:
    """Take an offer back before it is accepted. Raises NotFound, Forbidden."""
    row = _offered(s, link_id, node)
    if not may_grant(by.grants, row.role or "", node, catalogue):
        raise Forbidden(_("You can take back only what you hold yourself in this place."))
    row.used_at = now()
    s.flush()
    user = accounts.get_user(s, row.user_id)
    _record(s, "person.invitation_withdrawn", user, row.role or "", node)


def renew(
    s: ScopedSession, link_id: UUID, node: Node, *, by: Person, catalogue: Catalogue
) -> Invitation:
    """A new link for an offer that was not accepted yet, also one whose link ran out; the old one
    dies. Raises NotFound, Forbidden."""
    row = _offered(s, link_id, node)
    if not may_grant(by.grants, row.role or "", node, catalogue):
        raise Forbidden(_("You can give only what you hold yourself in this place."))
    user = accounts.get_user(s, row.user_id)
    token = links.make_link(s, user.id, "join", by=by.id, offer=node.grant(row.role or ""))
    _record(s, "person.invited", user, row.role or "", node)
    return Invitation(user.id, "join", token)


def _offered(s: ScopedSession, link_id: UUID, node: Node) -> OneTimeLink:
    row = s.scalar(
        sa.select(OneTimeLink).where(
            OneTimeLink.id == link_id,
            OneTimeLink.purpose == "join",
            OneTimeLink.used_at.is_(None),
            OneTimeLink.brand_id == node.brand_id,
            OneTimeLink.node_kind == node.kind,
            OneTimeLink.node_id == node.id,
        )
    )
    if row is None:
        raise NotFound(_("This offer is gone already."))
    return row


def _record(s: ScopedSession, action: str, user: User, role: str, node: Node) -> None:
    details = {"role": role, "at": node.kind}
    record(s, action, "person", user.id, user.name, store_id=node.store_id, details=details)
