"""Granting and taking roles: nobody gives more than they hold, and a brand keeps a manager."""

from collections.abc import Iterable, Mapping
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.orm import Session

from highstreet_tenants.errors import Conflict, Forbidden, Invalid, NotFound
from highstreet_tenants.models import Brand, Owner, Region, Store
from highstreet_tenants.people import accounts, events, factors, links
from highstreet_tenants.people.ending import end_lost_pins
from highstreet_tenants.people.held import grants_of
from highstreet_tenants.people.logins import Person
from highstreet_tenants.people.models import RoleGrant, User
from highstreet_tenants.people.permissions import ROLES, Catalogue
from highstreet_tenants.people.tree import Grant, Node, may_grant
from highstreet_tenants.scopes import Actor, Scope
from highstreet_tenants.sessions import ScopedSession, Tenancy
from highstreet_tenants.trail import record
from highstreet_tenants.words import gettext as _

MANAGER = "head_office_manager"


class Invitation(Struct, frozen=True):
    """What inviting did. `token` is None where the person can sign in already and needs no link."""

    user_id: UUID
    purpose: links.Purpose | None
    token: str | None


def nodes_of(tenancy: Tenancy, grants: Iterable[Grant], actor: Actor) -> dict[Grant, Node]:
    """The node of each grant, with the region and owner that a store has today."""
    found: dict[Grant, Node] = {}
    wanted = set(grants)
    for brand_id in {grant.brand_id for grant in wanted}:
        with tenancy.control() as c:
            brand = c.get(Brand, brand_id)
        if brand is None:
            continue
        here = [grant for grant in wanted if grant.brand_id == brand_id]
        stores: dict[UUID, Store] = {}
        store_ids = [grant.node_id for grant in here if grant.node_kind == "store"]
        if store_ids:
            with tenancy.session(Scope.brand(brand, actor)) as s:
                stores = {
                    store.id: store
                    for store in s.scalars(sa.select(Store).where(Store.id.in_(store_ids)))
                }
        for grant in here:
            if grant.node_kind == "brand":
                found[grant] = Node.of(brand)
            elif grant.node_kind == "region":
                found[grant] = Node(brand.id, brand.customers, region_id=grant.node_id)
            elif grant.node_kind == "owner":
                found[grant] = Node(brand.id, brand.customers, owner_id=grant.node_id)
            elif grant.node_id in stores:
                found[grant] = Node.of(brand, stores[grant.node_id])
    return found


def find_node(tenancy: Tenancy, brand: Brand, kind: str, slug: str, actor: Actor) -> Node:
    """The node that a person typed: the slug (for a store its code, too). Raises Invalid."""
    if kind == "brand":
        return Node.of(brand)
    word = accounts.same_text(slug).strip()
    part: Region | Owner | Store | None
    with tenancy.session(Scope.brand(brand, actor)) as s:
        if kind == "region":
            part = s.scalar(sa.select(Region).where(Region.slug == word.lower()))
        elif kind == "owner":
            part = s.scalar(sa.select(Owner).where(Owner.slug == word.lower()))
        else:
            # A store's slug wins over another store's code of the same text.
            part = s.scalar(sa.select(Store).where(Store.slug == word.lower())) or s.scalar(
                sa.select(Store).where(Store.code == word)
            )
    if part is None:
        message = _("“%(word)s” is not found in this brand. Look at its list.", word=word[:60])
        raise Invalid(message, fields={"where": [message]})
    return Node.of(brand, part)


def grant(
    s: ScopedSession,
    user_id: UUID,
    role: str,
    node: Node,
    *,
    by: Person | None,
    catalogue: Catalogue,
) -> RoleGrant:
    """Give a role at a node; giving it again changes nothing. `by` None is the operator.

    Raises Invalid for a role that does not fit the node, Forbidden where the giver may not, or
    gives it to themselves.
    """
    _refuse_misfit(role, node)
    if by is not None:
        if not may_grant(by.grants, role, node, catalogue):
            raise Forbidden(_("You can give only what you hold yourself in this place."))
        if by.id == user_id:
            raise Forbidden(_("Nobody gives a role to themselves. Ask somebody else who may."))
    user = accounts.get_user(s, user_id)
    held = s.scalar(
        sa.select(RoleGrant).where(
            RoleGrant.user_id == user_id,
            RoleGrant.brand_id == node.brand_id,
            RoleGrant.node_kind == node.kind,
            RoleGrant.node_id == node.id,
            RoleGrant.role == role,
        )
    )
    if held is not None:
        return held
    row = RoleGrant(
        user_id=user_id,
        brand_id=node.brand_id,
        node_kind=node.kind,
        node_id=node.id,
        role=role,
        granted_by=by.id if by else None,
    )
    s.add(row)
    s.flush()
    _record(s, "person.role_given", user, role, node)
    return row


def _record(s: ScopedSession, action: str, user: User, role: str, node: Node) -> None:
    details = {"role": role, "at": node.kind}
    record(s, action, "person", user.id, user.name, store_id=node.store_id, details=details)


def revoke(
    s: ScopedSession, grant_id: UUID, node: Node, *, by: Person | None, catalogue: Catalogue
) -> RoleGrant:
    """Take a role back; `node` is the grant's. The person's next request no longer has it, and
    their PIN ends at stores whose tills they may no longer use: the role, given again, does not
    bring it back.

    Raises NotFound if the grant is not at that node, Forbidden, Conflict for the brand's last
    head-office manager.
    """
    row = s.scalar(
        sa.select(RoleGrant).where(
            RoleGrant.id == grant_id,
            RoleGrant.brand_id == node.brand_id,
            RoleGrant.node_kind == node.kind,
            RoleGrant.node_id == node.id,
        )
    )
    if row is None:
        raise NotFound(_("This role was taken back already."))
    if by is not None and not may_grant(by.grants, row.role, node, catalogue):
        raise Forbidden(_("You can take back only what you hold yourself in this place."))
    if row.role == MANAGER:
        _refuse_last_manager(s, node.brand_id, row.user_id)
    s.delete(row)
    s.flush()
    end_lost_pins(s, node, row.user_id, catalogue)
    user = accounts.get_user(s, row.user_id)
    _record(s, "person.role_taken", user, row.role, node)
    if user.password_hash is None and not grants_of(s, user.id):
        accounts.void_links(s, user.id)  # an invitation that was withdrawn opens nothing
    return row


def controls(
    s: Session,
    by: Person,
    user_id: UUID,
    nodes: Mapping[Grant, Node],
    catalogue: Catalogue,
) -> bool:
    """Whether `by` may give and take every role that the person holds anywhere.

    Only then may they act on the *account* (reset its password, disable it), for the account
    opens every door that it has. `nodes` comes from `nodes_of`, read before.
    """
    held = grants_of(s, user_id)
    return bool(held) and all(
        one in nodes and may_grant(by.grants, one.role, nodes[one], catalogue) for one in held
    )


def invite(
    s: ScopedSession,
    *,
    email: str,
    name: str,
    role: str,
    node: Node,
    by: Person,
    nodes: Mapping[Grant, Node],
    catalogue: Catalogue,
) -> Invitation:
    """Bring a person in with a role at a node, and give the link to hand to them.

    Somebody new gets an account and a link that lets them choose a password. Somebody with an
    account beyond the inviter's reach gets an *offer*: nothing is granted until they sign in
    themselves and accept, and the link opens nothing for whoever else holds it. So inviting never
    gives power over an account that others made. `nodes` are those of the grants that the
    address's account holds, by `nodes_of`.

    Raises Invalid for the input, Forbidden for a role that the inviter may not give.
    """
    _refuse_misfit(role, node)
    if not may_grant(by.grants, role, node, catalogue):
        raise Forbidden(_("You can give only what you hold yourself in this place."))
    user = accounts.find_user(s, accounts.normal_email(email))
    if user is not None and user.id == by.id:
        raise Forbidden(_("Nobody gives a role to themselves. Ask somebody else who may."))
    if user is None:
        user = accounts.create_user(s, email, name)
    elif user.disabled_at is not None or not (
        controls(s, by, user.id, nodes, catalogue) or _nobodys(s, user)
    ):
        token = links.make_link(s, user.id, "join", by=by.id, offer=node.grant(role))
        _record(s, "person.invited", user, role, node)
        return Invitation(user.id, "join", token)
    grant(s, user.id, role, node, by=by, catalogue=catalogue)
    if user.password_hash is not None:
        return Invitation(user.id, None, None)
    _record(s, "person.invited", user, role, node)
    return Invitation(user.id, "invite", links.make_link(s, user.id, "invite", by=by.id))


def accept(tenancy: Tenancy, token: str, person: Person, catalogue: Catalogue) -> Grant:
    """Take up an offered role; uses the link up.

    Raises NotFound for a link that is not this person's, and Conflict if whoever offered it could
    no longer give it.
    """
    actor = Actor("user", person.id, person.name)
    with tenancy.control() as c:
        found = links.look(c, token)
    if found.offer is None or found.user_id != person.id:
        raise NotFound(
            _("This link is for somebody else. Sign in with the address it was made for.")
        )
    nodes = nodes_of(tenancy, [found.offer], actor)
    with tenancy.session(Scope.operator(found.offer.brand_id, actor), write=True) as s:
        link = links.consume(s, token)  # taken back with the transaction if what follows raises
        assert link.offer is not None
        node = nodes.get(link.offer)
        if node is None or not _still_gives(s, link, node, catalogue):
            raise Conflict(_("This offer no longer stands. Ask for a new one."))
        row = grant(s, person.id, link.offer.role, node, by=None, catalogue=catalogue)
        row.granted_by = link.created_by
        user = accounts.get_user(s, person.id)
        _record(s, "person.offer_accepted", user, link.offer.role, node)
        return link.offer


def _still_gives(s: Session, link: links.Link, node: Node, catalogue: Catalogue) -> bool:
    """Whether whoever made the offer could make it still (the operator always can)."""
    if link.created_by is None:
        return True
    giver = accounts.get_user(s, link.created_by)
    assert link.offer is not None
    return giver.disabled_at is None and may_grant(
        grants_of(s, giver.id), link.offer.role, node, catalogue
    )


def reset_link(
    s: ScopedSession,
    user_id: UUID,
    *,
    by: Person,
    nodes: Mapping[Grant, Node],
    catalogue: Catalogue,
) -> str:
    """A link's token with which the person chooses a new password. Raises Forbidden."""
    _refuse_beyond_reach(s, by, user_id, nodes, catalogue)
    user = accounts.get_user(s, user_id)
    if user.disabled_at is not None:
        raise Conflict(_("This account is disabled. Enable it first."))
    purpose: links.Purpose = "reset" if user.password_hash else "invite"
    record(s, "person.link_made", "person", user.id, user.name, details={"for": purpose})
    return links.make_link(s, user_id, purpose, by=by.id)


def reset_factor(
    s: ScopedSession,
    user_id: UUID,
    *,
    by: Person,
    nodes: Mapping[Grant, Node],
    catalogue: Catalogue,
) -> None:
    """Take somebody's second factor away, for a phone that was lost; they are signed out
    everywhere and set up a new one where it is required. Raises Forbidden, Conflict for none.
    """
    if by.id == user_id:
        raise Forbidden(_("You cannot do this to yourself. Ask somebody else who may."))
    _refuse_beyond_reach(s, by, user_id, nodes, catalogue)
    user = accounts.get_user(s, user_id)
    if not factors.remove(s, user_id):
        raise Conflict(_("There is no second factor to reset."))
    accounts.end_sessions(s, user_id)
    events.note(s, "factor_reset", user_id)
    record(s, "person.factor_reset", "person", user.id, user.name)
    s.flush()


def set_disabled(
    s: ScopedSession,
    user_id: UUID,
    disabled: bool,
    *,
    by: Person,
    nodes: Mapping[Grant, Node],
    catalogue: Catalogue,
) -> None:
    """Disable or enable an account. Raises Forbidden, Conflict for a last head-office manager."""
    if by.id == user_id:
        raise Forbidden(_("You cannot do this to yourself. Ask somebody else who may."))
    _refuse_beyond_reach(s, by, user_id, nodes, catalogue)
    user = accounts.get_user(s, user_id)
    if not disabled:
        accounts.enable(s, user_id)
        record(s, "person.enabled", "person", user.id, user.name)
        return
    for held in grants_of(s, user_id):
        if held.role == MANAGER:
            _refuse_last_manager(s, held.brand_id, user_id)
    accounts.disable(s, user_id)
    record(s, "person.disabled", "person", user.id, user.name)


def _refuse_beyond_reach(
    s: Session, by: Person, user_id: UUID, nodes: Mapping[Grant, Node], catalogue: Catalogue
) -> None:
    if not controls(s, by, user_id, nodes, catalogue):
        raise Forbidden(
            _(
                "This person also holds roles beyond your reach, so the account is not yours to"
                " change. You can take back the roles they hold here."
            )
        )


def _refuse_misfit(role: str, node: Node) -> None:
    if role not in ROLES:
        message = _("There is no such role. Choose one of the list.")
        raise Invalid(message, fields={"role": [message]})
    if node.kind not in ROLES[role].nodes:
        message = _("“%(role)s” cannot be given here.", role=ROLES[role].label)
        raise Invalid(message, fields={"role": [message]})


def _nobodys(s: Session, user: User) -> bool:
    """An account that holds nothing and never had a password. Its old links die, so it is new."""
    if user.password_hash is not None or grants_of(s, user.id):
        return False
    accounts.void_links(s, user.id)
    return True


def _refuse_last_manager(s: Session, brand_id: UUID, user_id: UUID) -> None:
    # Two managers who remove each other at once must queue, or the brand is left with none.
    s.execute(sa.select(Brand.id).where(Brand.id == brand_id).with_for_update())
    others = s.scalar(
        sa.select(sa.func.count())
        .select_from(RoleGrant)
        .join(User, User.id == RoleGrant.user_id)
        .where(
            RoleGrant.brand_id == brand_id,
            RoleGrant.role == MANAGER,
            RoleGrant.user_id != user_id,
            User.disabled_at.is_(None),
        )
    )
    if not others:
        raise Conflict(
            _("The brand would be left without a head-office manager. Name another first.")
        )
