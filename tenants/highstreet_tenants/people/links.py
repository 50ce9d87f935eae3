"""One-time links: to sign in, to choose a password, to accept a role.

Looking at a link does not use it up (mail scanners look at every link); a button does.
"""

from datetime import datetime, timedelta
from typing import Literal, cast
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.orm import Session

from highstreet_tenants.clock import now
from highstreet_tenants.errors import NotFound
from highstreet_tenants.people.models import OneTimeLink, User
from highstreet_tenants.people.tokens import digest, new_token
from highstreet_tenants.people.tree import Grant, as_node_kind
from highstreet_tenants.words import gettext as _

Purpose = Literal["sign_in", "reset", "invite", "join"]

LIFETIMES: dict[str, timedelta] = {
    "sign_in": timedelta(hours=24),
    "reset": timedelta(hours=24),
    "invite": timedelta(days=7),
    "join": timedelta(days=7),
}
#: How long a dead link can still say why it is dead.
_KEPT = timedelta(days=30)


class Link(Struct, frozen=True):
    """What an open link is for. `offer` is the role that a "join" link offers."""

    id: UUID
    user_id: UUID
    email: str
    name: str
    purpose: Purpose
    expires_at: datetime
    created_by: UUID | None
    offer: Grant | None


def make_link(
    s: Session,
    user_id: UUID,
    purpose: Purpose,
    *,
    by: UUID | None = None,
    lifetime: timedelta | None = None,
    offer: Grant | None = None,
) -> str:
    """A new link's token, which is kept nowhere. An earlier open link of the kind dies."""
    same = [
        OneTimeLink.user_id == user_id,
        OneTimeLink.purpose == purpose,
        OneTimeLink.used_at.is_(None),
    ]
    if offer is not None:
        same += [
            OneTimeLink.node_kind == offer.node_kind,
            OneTimeLink.node_id == offer.node_id,
            OneTimeLink.role == offer.role,
        ]
    s.execute(sa.update(OneTimeLink).where(*same).values(used_at=now()))
    s.execute(sa.delete(OneTimeLink).where(OneTimeLink.expires_at < now() - _KEPT))
    token = new_token()
    s.add(
        OneTimeLink(
            user_id=user_id,
            purpose=purpose,
            token_hash=digest(token),
            created_by=by,
            expires_at=now() + (lifetime or LIFETIMES[purpose]),
            brand_id=offer.brand_id if offer else None,
            node_kind=offer.node_kind if offer else None,
            node_id=offer.node_id if offer else None,
            role=offer.role if offer else None,
        )
    )
    s.flush()
    return token


def look(s: Session, token: str) -> Link:
    """What the link is for; it stays usable. Raises NotFound, saying why it no longer works."""
    row = s.execute(
        sa.select(OneTimeLink, User)
        .join(User, User.id == OneTimeLink.user_id)
        .where(OneTimeLink.token_hash == digest(token))
    ).one_or_none()
    if row is None or row.User.disabled_at is not None:
        raise NotFound(_("This link does not work. Ask for a new one."))
    if row.OneTimeLink.used_at is not None:
        raise NotFound(
            _("This link has been used, or a newer one took its place. Ask for a new one.")
        )
    if row.OneTimeLink.expires_at <= now():
        raise NotFound(_("This link is too old. Ask for a new one."))
    return _facts(row.OneTimeLink, row.User)


def consume(s: Session, token: str) -> Link:
    """Use the link up; of any number of callers at once exactly one succeeds.

    Raises NotFound for all others and as `look` does.
    """
    won = s.execute(
        sa.update(OneTimeLink)
        .where(
            OneTimeLink.token_hash == digest(token),
            OneTimeLink.used_at.is_(None),
            OneTimeLink.expires_at > now(),
        )
        .values(used_at=now())
        .returning(OneTimeLink.id)
    ).scalar_one_or_none()
    if won is None:
        look(s, token)  # says why
        raise NotFound(
            _("This link has been used, or a newer one took its place. Ask for a new one.")
        )
    link, user = s.execute(
        sa.select(OneTimeLink, User)
        .join(User, User.id == OneTimeLink.user_id)
        .where(OneTimeLink.id == won)
    ).one()
    if user.disabled_at is not None:
        raise NotFound(_("This link does not work. Ask for a new one."))
    return _facts(link, user)


def _facts(link: OneTimeLink, user: User) -> Link:
    offer = None
    if link.purpose == "join":
        # The table's check constraint says that a "join" link has all four.
        offer = Grant(
            cast(UUID, link.brand_id),
            as_node_kind(cast(str, link.node_kind)),
            cast(UUID, link.node_id),
            cast(str, link.role),
        )
    return Link(
        id=link.id,
        user_id=user.id,
        email=user.email,
        name=user.name,
        purpose=cast(Purpose, link.purpose),
        expires_at=link.expires_at,
        created_by=link.created_by,
        offer=offer,
    )
