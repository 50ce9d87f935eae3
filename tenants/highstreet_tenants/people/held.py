"""What a person holds: the rows of their roles, as facts."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from highstreet_tenants.people.models import RoleGrant
from highstreet_tenants.people.tree import Grant, as_node_kind


def grants_of(s: Session, user_id: UUID) -> tuple[Grant, ...]:
    """All that a person holds, in all brands."""
    rows = s.scalars(sa.select(RoleGrant).where(RoleGrant.user_id == user_id))
    return tuple(as_grant(row) for row in rows)


def as_grant(row: RoleGrant) -> Grant:
    """The row as a fact."""
    return Grant(row.brand_id, as_node_kind(row.node_kind), row.node_id, row.role)
