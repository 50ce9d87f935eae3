"""What whoever runs the installation does from the command line: people, roles, links.

Nobody's permission is asked: the operator has the database anyway.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

import sqlalchemy as sa

from highstreet_tenants.errors import Invalid, NotFound
from highstreet_tenants.models import Brand
from highstreet_tenants.people import accounts, events, factors, links, roles
from highstreet_tenants.people.models import RoleGrant
from highstreet_tenants.people.passwords import passwords, refuse_weak
from highstreet_tenants.people.permissions import Catalogue
from highstreet_tenants.people.tree import Node
from highstreet_tenants.scopes import SYSTEM, Actor, Scope
from highstreet_tenants.sessions import Tenancy
from highstreet_tenants.words import gettext as _

#: Who acts: whoever runs the installation.
OPERATOR = Actor("system", None, "command line")


class House(Protocol):
    """What is needed of the installation: sessions, and the settings base_url, password_hasher."""

    @property
    def tenancy(self) -> Tenancy:
        """Opens sessions."""

    @property
    def config(self) -> Mapping[str, Any]:
        """The settings."""


def create_user(
    house: House, email: str, name: str, *, password: str | None = None, locale: str | None = None
) -> UUID:
    """A new person; without a password they need a link. Raises Invalid, Conflict."""
    made = None
    if password is not None:
        refuse_weak(password, accounts.normal_email(email))
        made = passwords(house.config["password_hasher"]).hash(password)
    with house.tenancy.control(write=True) as s:
        user = accounts.create_user(s, email, name, locale=locale)
        user.password_hash = made
        return user.id


def ensure_user(house: House, email: str, name: str) -> UUID:
    """The person with this address, created if there is none yet. Raises Invalid."""
    address = accounts.normal_email(email)
    with house.tenancy.control(write=True) as s:
        user = accounts.find_user(s, address) or accounts.create_user(s, address, name)
        return user.id


def grant(
    house: House, email: str, role: str, at: str, *, catalogue: Catalogue | None = None
) -> None:
    """Give a role. `at` is "brand", "brand/region/coast", "brand/owner/smith" or
    "brand/store/harbour-road" (slugs; for a store its code too).

    Raises NotFound for the person, Invalid for the place or a role that does not fit it.
    """
    node = node_at(house, at)
    with house.tenancy.session(Scope.operator(node.brand_id, OPERATOR), write=True) as s:
        user = accounts.known_user(s, email)
        roles.grant(s, user.id, role, node, by=None, catalogue=catalogue or Catalogue())


def revoke(
    house: House, email: str, role: str, at: str, *, catalogue: Catalogue | None = None
) -> None:
    """Take a role back; `at` as for `grant`.

    Raises NotFound if it is not held there, Conflict for a brand's last head-office manager.
    """
    node = node_at(house, at)
    with house.tenancy.session(Scope.operator(node.brand_id, OPERATOR), write=True) as s:
        user = accounts.known_user(s, email)
        row = s.scalar(
            sa.select(RoleGrant).where(
                RoleGrant.user_id == user.id,
                RoleGrant.role == role,
                RoleGrant.brand_id == node.brand_id,
                RoleGrant.node_kind == node.kind,
                RoleGrant.node_id == node.id,
            )
        )
        if row is None:
            raise NotFound(_("%(email)s does not hold this role there.", email=user.email))
        roles.revoke(s, row.id, node, by=None, catalogue=catalogue or Catalogue())


def make_link(
    house: House,
    email: str,
    purpose: links.Purpose = "sign_in",
    *,
    lifetime: timedelta | None = None,
) -> str:
    """The address of a new one-time link for the person: "sign_in", "reset" or "invite".

    Raises NotFound for an unknown or disabled person, Invalid for another purpose.
    """
    if purpose not in ("sign_in", "reset", "invite"):
        raise Invalid(_("A link is made for sign_in, reset or invite."))
    with house.tenancy.control(write=True) as s:
        user = accounts.known_user(s, email)
        if user.disabled_at is not None:
            raise NotFound(_("%(email)s is disabled. Enable the account first.", email=user.email))
        token = links.make_link(s, user.id, purpose, lifetime=lifetime)
        events.note(s, "link_made", user.id, OPERATOR.name)
    return link_url(house, token)


def link_url(house: House, token: str) -> str:
    """The address under which a one-time link is opened."""
    return f"{str(house.config['base_url']).rstrip('/')}/link/{token}"


def set_disabled(house: House, email: str, disabled: bool) -> None:
    """Disable or enable an account, the last head-office manager's too. Raises NotFound."""
    with house.tenancy.control(write=True) as s:
        user = accounts.known_user(s, email)
        (accounts.disable if disabled else accounts.enable)(s, user.id)
        events.note(s, "disabled" if disabled else "enabled", user.id, OPERATOR.name)


def reset_factor(house: House, email: str) -> bool:
    """Take a person's second factor away and sign them out; whether there was one.

    Raises NotFound.
    """
    with house.tenancy.control(write=True) as s:
        user = accounts.known_user(s, email)
        if not factors.remove(s, user.id):
            return False
        accounts.end_sessions(s, user.id)
        events.note(s, "factor_reset", user.id, OPERATOR.name)
        return True


def node_at(house: House, at: str) -> Node:
    """The node that "brand/kind/slug" names. Raises Invalid, NotFound for the brand."""
    brand_slug, _slash, rest = at.partition("/")
    kind, _slash, slug = rest.partition("/")
    with house.tenancy.control() as c:
        brand = c.scalar(sa.select(Brand).where(Brand.slug == brand_slug))
    if brand is None:
        raise NotFound(_("There is no brand “%(slug)s”.", slug=brand_slug[:60]))
    if not rest:
        return Node.of(brand)
    if kind not in ("region", "owner", "store") or not slug:
        raise Invalid(
            _("Write the place as brand, brand/region/…, brand/owner/… or brand/store/….")
        )
    return roles.find_node(house.tenancy, brand, kind, slug, SYSTEM)
