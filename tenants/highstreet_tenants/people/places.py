"""Where somebody is, what is granted to them, and whether that suffices: pure, deny by default."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from highstreet_tenants.people.permissions import ROLES, Catalogue, NodeKind


@dataclass(frozen=True, slots=True)
class Grant:
    """A role held at a node of one brand's tree."""

    brand_id: UUID
    node_kind: NodeKind
    node_id: UUID
    role: str


@dataclass(frozen=True, slots=True)
class BrandFacts:
    """What a page needs to know of a brand. `customers` is "brand" or "store": who owns them."""

    id: UUID
    slug: str
    name: str
    customers: str
    currency: str = ""
    locale: str = ""
    zone: str = ""
    accent: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A node of the tree: a brand, or one region, owner or store of it.

    A store's place carries its region and owner, so that grants at those cover it. Currency,
    locale and zone are the store's own where it is a store.
    """

    brand: BrandFacts
    region_id: UUID | None = None
    owner_id: UUID | None = None
    store_id: UUID | None = None
    slug: str = ""
    name: str = ""
    currency: str = ""
    locale: str = ""
    zone: str = ""

    @property
    def brand_id(self) -> UUID:
        """The brand that the place belongs to."""
        return self.brand.id

    @property
    def node(self) -> tuple[NodeKind, UUID]:
        """Kind and id of the node itself."""
        if self.store_id is not None:
            return "store", self.store_id
        if self.owner_id is not None:
            return "owner", self.owner_id
        if self.region_id is not None:
            return "region", self.region_id
        return "brand", self.brand.id

    @property
    def path(self) -> str:
        """Path of the place's console. Regions and owners have none of their own: the brand's."""
        if self.store_id is not None:
            return f"/store/{self.brand.slug}/{self.slug}/"
        return f"/office/{self.brand.slug}/"


def covers(grant: Grant, place: Place) -> bool:
    """Whether a grant reaches a place: it was made there, or at a node above."""
    if grant.brand_id != place.brand_id:
        return False
    at = {
        "brand": place.brand_id,
        "region": place.region_id,
        "owner": place.owner_id,
        "store": place.store_id,
    }.get(grant.node_kind)
    return at is not None and at == grant.node_id


def has_role(grants: Iterable[Grant], place: Place) -> bool:
    """Whether any role at all reaches the place; without one it is as if it did not exist."""
    return any(covers(grant, place) and grant.role in ROLES for grant in grants)


def may(grants: Iterable[Grant], permission: str, place: Place, catalogue: Catalogue) -> bool:
    """Whether the holder of `grants` may do what `permission` names in `place`.

    Personal permissions need a grant at the store or its owner where stores own their customers.
    An unknown permission is held by nobody.
    """
    known = catalogue.permissions.get(permission)
    if known is None:
        return False
    return any(
        covers(grant, place)
        and permission in catalogue.held_by(grant.role)
        and (
            not known.personal
            or place.brand.customers == "brand"
            or grant.node_kind in ("owner", "store")
        )
        for grant in grants
    )


def permissions_in(grants: Iterable[Grant], place: Place, catalogue: Catalogue) -> frozenset[str]:
    """Every permission held in the place: what navigation shows."""
    held = list(grants)
    return frozenset(n for n in catalogue.permissions if may(held, n, place, catalogue))


def may_grant(grants: Iterable[Grant], role: str, place: Place, catalogue: Catalogue) -> bool:
    """Whether the holder of `grants` may give or take `role` at `place`.

    It needs people.manage there, a role that fits that kind of node, and every permission of the
    role. Here the permissions count as the roles name them, personal ones too: head office
    appoints a store's owner without seeing the owner's customers.
    """
    if role not in ROLES or place.node[0] not in ROLES[role].nodes:
        return False
    held = list(grants)
    if not may(held, "people.manage", place, catalogue):
        return False
    nominal: set[str] = set()
    for grant in held:
        if covers(grant, place):
            nominal |= catalogue.held_by(grant.role)
    return catalogue.held_by(role) <= nominal


def as_node_kind(text: str) -> NodeKind:
    """The stored word as a NodeKind. Raises ValueError for another word."""
    if text not in ("brand", "region", "owner", "store"):
        raise ValueError(f"{text!r} is not a kind of node")
    return cast(NodeKind, text)
