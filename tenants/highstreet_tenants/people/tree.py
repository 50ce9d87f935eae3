"""Where somebody stands, what is granted to them, whether it suffices: pure, deny by default."""

from collections.abc import Iterable
from typing import cast
from uuid import UUID

from msgspec import Struct

from highstreet_tenants.models import Brand, Owner, Region, Store
from highstreet_tenants.people.permissions import ROLES, Catalogue, NodeKind, included_in


class Grant(Struct, frozen=True):
    """A role held at a node of one brand's tree."""

    brand_id: UUID
    node_kind: NodeKind
    node_id: UUID
    role: str


class Node(Struct, frozen=True):
    """A node of the tree: a brand, or one region, owner or store of it.

    A store's node carries its region and owner, so that grants at those cover it. `customers` is
    the brand's policy: "brand" or "store", who owns customer records. closed: the store has closed.
    """

    brand_id: UUID
    customers: str
    region_id: UUID | None = None
    owner_id: UUID | None = None
    store_id: UUID | None = None
    closed: bool = False

    @classmethod
    def of(cls, brand: Brand, part: Region | Owner | Store | None = None) -> "Node":
        """The node of a brand, or of a region, owner or store of it."""
        if isinstance(part, Store):
            closed = part.status != "open"
            return cls(brand.id, brand.customers, part.region_id, part.owner_id, part.id, closed)
        if isinstance(part, Owner):
            return cls(brand.id, brand.customers, owner_id=part.id)
        if isinstance(part, Region):
            return cls(brand.id, brand.customers, region_id=part.id)
        return cls(brand.id, brand.customers)

    @property
    def kind(self) -> NodeKind:
        """What the node is."""
        if self.store_id is not None:
            return "store"
        if self.owner_id is not None:
            return "owner"
        return "brand" if self.region_id is None else "region"

    @property
    def id(self) -> UUID:
        """The node's own id."""
        return self.store_id or self.owner_id or self.region_id or self.brand_id

    def grant(self, role: str) -> Grant:
        """What somebody holds who has `role` here."""
        return Grant(self.brand_id, self.kind, self.id, role)


def covers(grant: Grant, node: Node) -> bool:
    """Whether a grant reaches a node: it was made there, or at a node above."""
    if grant.brand_id != node.brand_id:
        return False
    at = {
        "brand": node.brand_id,
        "region": node.region_id,
        "owner": node.owner_id,
        "store": node.store_id,
    }.get(grant.node_kind)
    return at is not None and at == grant.node_id


def has_role(grants: Iterable[Grant], node: Node) -> bool:
    """Whether any role at all reaches the node; without one it is as if it did not exist."""
    return any(covers(grant, node) and grant.role in ROLES for grant in grants)


def may(grants: Iterable[Grant], permission: str, node: Node, catalogue: Catalogue) -> bool:
    """Whether the holder of `grants` may do at `node` what `permission` names.

    Personal permissions need a grant at the store or its owner where stores own their customers.
    An unknown permission is held by nobody, and what is done at a till by nobody in a store that
    has closed; to look and to tidy up stays open.
    """
    known = catalogue.permissions.get(permission)
    if known is None or (node.closed and known.at_till):
        return False
    return any(
        covers(grant, node)
        and permission in catalogue.held_by(grant.role)
        and (
            not known.personal or node.customers == "brand" or grant.node_kind in ("owner", "store")
        )
        for grant in grants
    )


def permissions_at(grants: Iterable[Grant], node: Node, catalogue: Catalogue) -> frozenset[str]:
    """Every permission held at the node."""
    held = list(grants)
    return frozenset(name for name in catalogue.permissions if may(held, name, node, catalogue))


def may_grant(grants: Iterable[Grant], role: str, node: Node, catalogue: Catalogue) -> bool:
    """Whether the holder of `grants` may give or take `role` at `node`.

    It needs people.manage there, a role that fits that kind of node, and that role or one that
    includes it, so that nobody gives more than they hold, and a manager does not unseat the owner.
    Ownership of customers plays no part: head office appoints a store's owner without seeing the
    owner's customers.
    """
    if role not in ROLES or node.kind not in ROLES[role].nodes:
        return False
    held = list(grants)
    return may(held, "people.manage", node, catalogue) and any(
        covers(grant, node) and role in included_in(grant.role) for grant in held
    )


def as_node_kind(text: str) -> NodeKind:
    """The stored word as a NodeKind. Raises ValueError for another word."""
    if text not in ("brand", "region", "owner", "store"):
        raise ValueError(f"{text!r} is not a kind of node")
    return cast(NodeKind, text)
