"""Who holds what where: the lists behind the people pages and the switch of places."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.orm import Session, aliased

from highstreet_tenants.models import Brand, Owner, Region, Store
from highstreet_tenants.people.accounts import same_email, same_text
from highstreet_tenants.people.models import OneTimeLink, RoleGrant, User
from highstreet_tenants.people.permissions import ROLES, NodeKind
from highstreet_tenants.people.tree import Grant, Node, as_node_kind
from highstreet_tenants.scopes import Actor, Scope
from highstreet_tenants.sessions import Tenancy

#: Rows of one page of people, and stores offered in the switch of places.
PAGE = 100
MOST_STORES = 200


class Entry(Struct, frozen=True):
    """One person in one role at one node. `pending`: no password was chosen yet."""

    user_id: UUID
    email: str
    name: str
    disabled: bool
    pending: bool
    grant_id: UUID
    grant: Grant
    granted_at: datetime

    @property
    def cursor(self) -> str:
        """Where the next page goes on."""
        return f"{self.email}|{self.grant_id.hex}"


class Offer(Struct, frozen=True):
    """A role that was offered and not accepted yet. by: who did, empty for the operator.

    expires_at: of its link, which may have run out.
    """

    link_id: UUID
    user_id: UUID
    email: str
    name: str
    grant: Grant
    by: str
    made_at: datetime
    expires_at: datetime


class Newcomer(Struct, frozen=True):
    """Somebody who holds a role, was given a link to choose a password, and has not used it.

    by: who gave the role, empty for the operator. expires_at: of the newest such link,
    which may have run out.
    """

    user_id: UUID
    email: str
    name: str
    grant_id: UUID
    grant: Grant
    by: str
    made_at: datetime
    expires_at: datetime


class Door(Struct, frozen=True):
    """A console that a person may enter: a store's, or a head office's (`store_slug` is None).

    meets_people: whether the person holds the personal permissions of their roles there; without
    them the store's day and till stay closed.
    """

    brand_slug: str
    brand_name: str
    store_slug: str | None
    name: str
    meets_people: bool = True

    @property
    def path(self) -> str:
        """Address of the console."""
        if self.store_slug is None:
            return f"/office/{self.brand_slug}/"
        return f"/store/{self.brand_slug}/{self.store_slug}/"


def people_of_store(s: Session, node: Node) -> list[Entry]:
    """Everybody with a role in the store, held there, at its owner, its region or the brand."""
    nodes = [("store", node.store_id), ("owner", node.owner_id), ("region", node.region_id)]
    nodes.append(("brand", node.brand_id))
    held_here = sa.or_(
        *(
            sa.and_(RoleGrant.node_kind == kind, RoleGrant.node_id == node_id)
            for kind, node_id in nodes
            if node_id is not None
        )
    )
    rows = s.execute(_entries(node.brand_id).where(held_here).limit(PAGE * 5)).all()
    order = {"store": 0, "owner": 1, "region": 2, "brand": 3}
    found = [_entry(row) for row in rows]
    return sorted(found, key=lambda entry: order[entry.grant.node_kind])


def people_of_brand(
    s: Session, brand_id: UUID, *, text: str = "", after: str | None = None, limit: int = PAGE
) -> list[Entry]:
    """People above the stores (brand, regions, owners), by e-mail; with `text`, anybody in the
    brand whose e-mail or name begins so. `after` is the cursor of the last entry seen.
    """
    query = _entries(brand_id)
    word = same_email(same_text(text))
    if word:
        starts = word.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"
        query = query.where(
            sa.or_(
                User.email.like(starts, escape="\\"),
                sa.func.lower(User.name).like(starts, escape="\\"),
            )
        )
    else:
        query = query.where(RoleGrant.node_kind != "store")
    if after is not None and "|" in after:
        email, _bar, grant_hex = after.rpartition("|")
        try:
            grant_id = UUID(hex=grant_hex)
        except ValueError:
            grant_id = UUID(int=0)
        query = query.where(
            sa.or_(User.email > email, sa.and_(User.email == email, RoleGrant.id > grant_id))
        )
    return [_entry(row) for row in s.execute(query.limit(limit)).all()]


def held_in_brand(s: Session, brand_id: UUID, user_id: UUID) -> list[Entry]:
    """All that one person holds in a brand, in its stores too."""
    return [_entry(row) for row in s.execute(_entries(brand_id).where(User.id == user_id))]


def offers_at(s: Session, node: Node) -> list[Offer]:
    """Roles offered in the place and not accepted yet: at a store, or anywhere in the brand but
    its stores. Those whose link ran out are kept for a month."""
    giver = aliased(User)
    query = (
        sa.select(OneTimeLink, User, giver.name.label("by"))
        .join(User, User.id == OneTimeLink.user_id)
        .outerjoin(giver, giver.id == OneTimeLink.created_by)
        .where(
            OneTimeLink.brand_id == node.brand_id,
            OneTimeLink.purpose == "join",
            OneTimeLink.used_at.is_(None),
        )
        .order_by(User.email, OneTimeLink.id)
        .limit(PAGE)
    )
    if node.kind == "store":
        query = query.where(OneTimeLink.node_kind == "store", OneTimeLink.node_id == node.store_id)
    else:
        query = query.where(OneTimeLink.node_kind != "store")
    return [
        Offer(
            link_id=row.OneTimeLink.id,
            user_id=row.User.id,
            email=row.User.email,
            name=row.User.name,
            grant=Grant(
                node.brand_id,
                as_node_kind(row.OneTimeLink.node_kind),
                row.OneTimeLink.node_id,
                row.OneTimeLink.role,
            ),
            by=row.by or "",
            made_at=row.OneTimeLink.created_at,
            expires_at=row.OneTimeLink.expires_at,
        )
        for row in s.execute(query)
    ]


def newcomers_at(s: Session, node: Node) -> list[Newcomer]:
    """Who was invited to the place (as of `offers_at`) and has not come yet; a month at most."""
    giver = aliased(User)
    until = (
        sa.select(sa.func.max(OneTimeLink.expires_at))
        .where(
            OneTimeLink.user_id == User.id,
            OneTimeLink.purpose == "invite",
            OneTimeLink.used_at.is_(None),
        )
        .scalar_subquery()
    )
    query = (
        sa.select(RoleGrant, User, giver.name.label("by"), until.label("until"))
        .join(User, User.id == RoleGrant.user_id)
        .outerjoin(giver, giver.id == RoleGrant.granted_by)
        .where(
            RoleGrant.brand_id == node.brand_id,
            User.password_hash.is_(None),
            User.disabled_at.is_(None),
            until.is_not(None),
        )
        .order_by(User.email, RoleGrant.id)
        .limit(PAGE)
    )
    if node.kind == "store":
        query = query.where(RoleGrant.node_kind == "store", RoleGrant.node_id == node.store_id)
    else:
        query = query.where(RoleGrant.node_kind != "store")
    return [
        Newcomer(
            user_id=row.User.id,
            email=row.User.email,
            name=row.User.name,
            grant_id=row.RoleGrant.id,
            grant=Grant(
                node.brand_id,
                as_node_kind(row.RoleGrant.node_kind),
                row.RoleGrant.node_id,
                row.RoleGrant.role,
            ),
            by=row.by or "",
            made_at=row.RoleGrant.granted_at,
            expires_at=row.until,
        )
        for row in s.execute(query)
    ]


def names_of_nodes(
    tenancy: Tenancy, brand: Brand, grants: list[Grant], actor: Actor
) -> dict[tuple[NodeKind, UUID], str]:
    """Names of the regions, owners and stores where grants are held; the brand's own name, too."""
    names: dict[tuple[NodeKind, UUID], str] = {("brand", brand.id): brand.name}
    models: tuple[tuple[NodeKind, type[Region] | type[Owner] | type[Store]], ...] = (
        ("region", Region),
        ("owner", Owner),
        ("store", Store),
    )
    with tenancy.session(Scope.brand(brand, actor)) as s:
        for kind, model in models:
            ids = {g.node_id for g in grants if g.node_kind == kind and g.brand_id == brand.id}
            if ids:
                for row in s.execute(sa.select(model.id, model.name).where(model.id.in_(ids))):
                    names[kind, row.id] = row.name
    return names


def name_of(tenancy: Tenancy, grant: Grant, actor: Actor) -> str:
    """The place where a role is held, in words: "Harbour 1, Larkfield Bakery"."""
    with tenancy.control() as c:
        brand = c.get(Brand, grant.brand_id)
    if brand is None:
        return ""
    name = names_of_nodes(tenancy, brand, [grant], actor).get((grant.node_kind, grant.node_id), "")
    return name if grant.node_kind == "brand" else f"{name}, {brand.name}"


def doors(tenancy: Tenancy, grants: tuple[Grant, ...], actor: Actor) -> list[Door]:
    """The consoles that the grants open, head offices first; at most MOST_STORES stores a brand.

    A role in head office opens its console; the stores are reached from there.
    """
    offices: list[Door] = []
    stores: list[Door] = []
    for brand_id in sorted({grant.brand_id for grant in grants}):
        with tenancy.control() as c:
            brand = c.get(Brand, brand_id)
        if brand is None:
            continue
        here = [g for g in grants if g.brand_id == brand_id and g.role in ROLES]
        if any(grant.node_kind == "brand" for grant in here):
            offices.append(Door(brand.slug, brand.name, None, brand.name))
        stores += _store_doors(tenancy, brand, here, actor)
    return offices + stores


def _store_doors(tenancy: Tenancy, brand: Brand, grants: list[Grant], actor: Actor) -> list[Door]:
    columns = {"region": Store.region_id, "owner": Store.owner_id, "store": Store.id}
    reached = [columns[g.node_kind] == g.node_id for g in grants if g.node_kind in columns]
    if not reached:
        return []
    own = {g.node_id for g in grants if g.node_kind in ("owner", "store")}
    with tenancy.session(Scope.brand(brand, actor)) as s:
        rows = s.execute(
            sa.select(Store.id, Store.owner_id, Store.slug, Store.name)
            .where(sa.or_(*reached), Store.status == "open")
            .order_by(Store.name, Store.slug)
            .limit(MOST_STORES)
        ).all()
    return [
        Door(
            brand.slug,
            brand.name,
            row.slug,
            row.name,
            meets_people=brand.customers == "brand" or bool({row.id, row.owner_id} & own),
        )
        for row in rows
    ]


def _entries(
    brand_id: UUID,
) -> sa.Select[RoleGrant, UUID, str, str, datetime | None, bool]:
    return (
        sa.select(
            RoleGrant,
            User.id.label("user_id"),
            User.email,
            User.name,
            User.disabled_at,
            User.password_hash.is_(None).label("pending"),
        )
        .join_from(RoleGrant, User, User.id == RoleGrant.user_id)
        .where(RoleGrant.brand_id == brand_id)
        .order_by(User.email, RoleGrant.id)
    )


def _entry(row: sa.Row[RoleGrant, UUID, str, str, datetime | None, bool]) -> Entry:
    grant: RoleGrant = row.RoleGrant
    return Entry(
        user_id=row.user_id,
        email=row.email,
        name=row.name,
        disabled=row.disabled_at is not None,
        pending=bool(row.pending),
        grant_id=grant.id,
        grant=Grant(grant.brand_id, as_node_kind(grant.node_kind), grant.node_id, grant.role),
        granted_at=grant.granted_at,
    )
