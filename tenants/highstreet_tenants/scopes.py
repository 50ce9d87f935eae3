"""Scopes: for whom a session is opened, and so which rows it can reach."""

from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet_tenants.errors import WallBreach
from highstreet_tenants.models import Brand

Reach = Literal["store", "brand", "personal", "aggregate"]


class Origin(Struct, frozen=True):
    """Through what somebody acts: a signed-in device (its name: the address) or a till."""

    kind: Literal["session", "till"]
    id: UUID
    name: str


class Actor(Struct, frozen=True):
    """Who acts: a user, an API key, a job, a member with a signed link, or the system itself."""

    kind: Literal["user", "key", "job", "system", "member"]
    id: UUID | None
    name: str
    origin: Origin | None = None


SYSTEM = Actor("system", None, "Highstreet")


class Scope(Struct, frozen=True):
    """The rows within reach.

    store: one store's rows and the brand's own. brand: the brand's own rows and what stores keep
    about themselves, not about people. personal: the whole brand. aggregate: the whole brand, but
    only through registered grouped queries.
    """

    brand_id: UUID
    store_id: UUID | None
    reach: Reach
    actor: Actor

    @classmethod
    def store(cls, brand_id: UUID, store_id: UUID, actor: Actor = SYSTEM) -> "Scope":
        """One store at work."""
        return cls(brand_id, store_id, "store", actor)

    @classmethod
    def brand(cls, brand: Brand, actor: Actor = SYSTEM) -> "Scope":
        """Head office: it reaches people only where the brand's policy gives it the customers."""
        return cls(brand.id, None, "personal" if brand.customers == "brand" else "brand", actor)

    @classmethod
    def operator(cls, brand_id: UUID, actor: Actor = SYSTEM) -> "Scope":
        """Whoever runs the installation, from the command line only: imports, audits, repairs."""
        return cls(brand_id, None, "personal", actor)

    @classmethod
    def aggregate(cls, brand_id: UUID, actor: Actor = SYSTEM) -> "Scope":
        """Registered grouped queries over a whole brand."""
        return cls(brand_id, None, "aggregate", actor)

    def reaches_stores(self, *, personal: bool) -> bool:
        """Whether rows of every store are within reach, in a table about people or not."""
        return self.reach in ("personal", "aggregate") or (self.reach == "brand" and not personal)

    def owns(self, source: Any) -> tuple[sa.ColumnElement[bool], ...]:
        """The where-clauses that keep a table, alias or entity to this scope.

        Raises WallBreach for a table that no brand owns.
        """
        selectable = sa.inspect(source).selectable if hasattr(source, "__mapper__") else source
        if not hasattr(selectable, "c"):
            selectable = sa.inspect(source).selectable  # an aliased entity
        columns = selectable.c
        if "brand_id" not in columns:
            raise WallBreach(f"{source} has no brand_id: it is not a tenant's table")
        clauses: list[sa.ColumnElement[bool]] = [columns.brand_id == self.brand_id]
        if "store_id" in columns and not self.reaches_stores(personal=_personal(selectable)):
            clauses.append(sa.or_(columns.store_id.is_(None), columns.store_id == self.store_id))
        return tuple(clauses)


def _personal(selectable: Any) -> bool:
    table = selectable
    while not isinstance(table, sa.Table):
        table = table.element
    return bool(table.info.get("personal", True))
