"""Making, opening and revoking the link to a member's own page.

A member signs in nowhere: whoever has the link sees the card and may change what may be sent. So
it is long, kept only as a hash, ends after a year, and a new one can end all earlier ones.
"""

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.orm import Session

from highstreet.customers import queries as customers
from highstreet.i18n import gettext as _
from highstreet.members.models import MemberLink
from highstreet_tenants.clock import now
from highstreet_tenants.errors import NotFound
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.people.tokens import digest, new_token
from highstreet_tenants.scopes import Actor, Scope
from highstreet_tenants.sessions import ScopedSession, Tenancy

LIFETIME = timedelta(days=366)


class Opened(Struct, frozen=True):
    """What a link leads to: the brand, the store whose page it looks like, and the scope in which
    the member's own records are."""

    brand: Brand
    store: Store | None
    customer_id: UUID
    scope: Scope


def make_link(
    tenancy: Tenancy,
    s: ScopedSession,
    customer_id: UUID,
    *,
    by: UUID | None = None,
    lifetime: timedelta = LIFETIME,
) -> str:
    """A new link's token, which is kept nowhere: the page is `/m/<token>`.

    `s` shows that the customer is within the maker's reach; the link itself is written in a
    transaction of its own. Raises NotFound.
    """
    fact = customers.get(s, customer_id)
    token = new_token()
    with tenancy.control(write=True) as c:
        c.add(
            MemberLink(
                brand_id=s.brand_id,
                store_id=fact.store_id or s.store_id or fact.home_store_id,
                customer_id=fact.id,
                token_hash=digest(token),
                created_by=by,
                expires_at=now() + lifetime,
            )
        )
    return token


def open_link(tenancy: Tenancy, token: str) -> Opened:
    """What a link leads to. Raises NotFound, saying no more than that it does not work."""
    with tenancy.control() as c:
        row = c.scalar(
            sa.select(MemberLink).where(
                MemberLink.token_hash == digest(token),
                MemberLink.revoked_at.is_(None),
                MemberLink.expires_at > now(),
            )
        )
        brand = c.get(Brand, row.brand_id) if row is not None else None
    if row is None or brand is None:
        raise dead()
    actor = Actor("member", row.customer_id, "member")
    store = None
    if row.store_id is not None:
        with tenancy.session(Scope.brand(brand, actor)) as s:
            store = s.get(Store, (brand.id, row.store_id))
    if brand.customers == "brand":
        scope = Scope.brand(brand, actor)
    elif row.store_id is not None:
        scope = Scope.store(brand.id, row.store_id, actor)
    else:
        raise dead()
    return Opened(brand, store, row.customer_id, scope)


def revoke_all(c: Session, brand_id: UUID, customer_id: UUID) -> int:
    """End every link to a customer's page; `c` is a writing control session. Gives how many."""
    result = c.execute(
        sa.update(MemberLink)
        .where(
            MemberLink.brand_id == brand_id,
            MemberLink.customer_id == customer_id,
            MemberLink.revoked_at.is_(None),
        )
        .values(revoked_at=now())
    )
    return int(getattr(result, "rowcount", 0))


def dead() -> NotFound:
    """The error for a link that opens nothing."""
    return NotFound(_("This link does not work any more. Ask for a new one at the till."))
