"""People of a store or a head office: who holds what, invitations, roles, accounts."""

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from msgspec import Struct
from werkzeug.wrappers import Response

from highstreet.host.access import requires
from highstreet.i18n import gettext as _
from highstreet.web.current import current
from highstreet.web.keys import keys
from highstreet_tenants import clock
from highstreet_tenants.errors import Conflict, Forbidden, HighstreetError, Invalid, NotFound
from highstreet_tenants.people import accounts, directory, factors, links, offers, pins, roles
from highstreet_tenants.people.directory import Entry, Newcomer, Offer
from highstreet_tenants.people.ending import USES_TILL
from highstreet_tenants.people.held import grants_of
from highstreet_tenants.people.logins import Person
from highstreet_tenants.people.operate import link_url
from highstreet_tenants.people.permissions import ROLES, Role, included_in
from highstreet_tenants.people.tree import Grant, Node, may, may_grant

people = Blueprint("people", __name__)
people.register_blueprint(keys)

STORE, OFFICE = "/store/<brand>/<store>/people", "/office/<brand>/people"
View = Callable[..., Any]


def _page(rule: str, name: str, permission: str, *methods: str) -> Callable[[View], View]:
    """The view under both consoles, as `people.store<name>` and `people.office<name>`."""

    def add(view: View) -> View:
        def run(brand: str, store: str | None = None, **ids: UUID) -> Any:
            return view(**ids)  # the guard has entered the place that the address names

        for prefix, face in ((STORE, "store"), (OFFICE, "office")):
            people.add_url_rule(
                prefix + rule,
                f"{face}{name}",
                requires(permission)(run),
                methods=list(methods or ("GET",)),
            )
        return view

    return add


def _to(name: str, **ids: object) -> str:
    place = current.place
    face = "store" if place.store else "office"
    values: dict[str, Any] = {**place.slugs, **ids}
    return url_for(f"people.{face}{name}", **values)


class Choice(Struct, frozen=True):
    """A role that the reader may give: `value` is "role@kind of node"."""

    value: str
    role: Role
    kind: str

    @property
    def label(self) -> str:
        """The role, and where it is given if there is a choice."""
        if len(self.role.nodes) == 1 or current.place.store is not None:
            return self.role.label
        if self.kind == "owner":
            return _("%(role)s, all stores of an owner", role=self.role.label)
        return _("%(role)s, one store", role=self.role.label)


@_page("", "", "people.view")
def everybody() -> str:
    """The list, the form to invite, and what is offered."""
    return _list_page()


@_page("/invite", "_invite", "people.manage", "POST")
def invite() -> Response | str:
    """Invite somebody; the link is shown once, to be handed on."""
    me, place = _me(), current.place
    form = request.form
    try:
        role, kind = _chosen(form.get("role", ""))
        node = place.node
        if kind != "store" or place.store is None:
            node = roles.find_node(
                current.house.tenancy, place.brand, kind, form.get("where", ""), current.actor
            )
        with current.house.tenancy.control() as s:
            known = accounts.find_user(s, form.get("email", ""))
            held = grants_of(s, known.id) if known else ()
        nodes = roles.nodes_of(current.house.tenancy, held, current.actor)
        with current.session(write=True) as s:
            made = roles.invite(
                s,
                email=form.get("email", ""),
                name=form.get("name", ""),
                role=role.name,
                node=node,
                by=me,
                nodes=nodes,
                catalogue=current.catalogue,
            )
    except (Invalid, Forbidden) as error:
        return make_response(_list_page(error), error.status)
    if made.token is None:
        flash(_("%(role)s now. They sign in as before.", role=role.label), "good")
        return redirect(_to(""), 303)
    return _hand_over(made.token, made.purpose or "", form.get("email", "").strip())


@_page("/offers/<uuid:link_id>/withdraw", "_withdraw_asked", "people.manage")
def ask_to_withdraw(link_id: UUID) -> str:
    """What taking an offer back means, before it is done."""
    offer, _node = _offer(link_id)
    return _confirm(offer.email, offer.grant, _to("_withdraw", link_id=link_id))


@_page("/offers/<uuid:link_id>/withdraw", "_withdraw", "people.manage", "POST")
def withdraw(link_id: UUID) -> Response:
    """Take back an offer that was not accepted yet."""
    _found, node = _offer(link_id)
    with current.session(write=True) as s:
        offers.withdraw(s, link_id, node, by=_me(), catalogue=current.catalogue)
    flash(_("The offer is taken back; its link no longer works."), "good")
    return redirect(_to(""), 303)


@_page("/offers/<uuid:link_id>/renew", "_renew", "people.manage", "POST")
def renew(link_id: UUID) -> Response:
    """A new link for an offer that was not accepted yet; shown once."""
    offer, node = _offer(link_id)
    with current.session(write=True) as s:
        made = offers.renew(s, link_id, node, by=_me(), catalogue=current.catalogue)
    return _hand_over(made.token or "", "join", offer.email)


@_page("/<uuid:user_id>/roles/<uuid:grant_id>/withdraw", "_withdraw_newcomer", "people.manage")
def ask_to_withdraw_newcomer(user_id: UUID, grant_id: UUID) -> str:
    """What taking back an invitation means whose link was not used yet, before it is done."""
    entry = next((e for e in entries_of(user_id) if e.grant_id == grant_id), None)
    if entry is None or not entry.pending:
        raise NotFound(_("This role was taken back already."))
    return _confirm(entry.email, entry.grant, _to("_take", user_id=user_id, grant_id=grant_id))


def _confirm(email: str, grant: Grant, deed: str) -> str:
    return render_template(
        "people_withdraw.html",
        email=email,
        role=_title(grant.role),
        where=_names([grant]).get((grant.node_kind, grant.node_id), "–"),
        deed=deed,
        back=_to(""),
    )


@_page("/<uuid:user_id>", "_one", "people.view")
def one(user_id: UUID) -> str:
    """One person: what they hold here, and what the reader may do about it."""
    return person_page(user_id)


@_page("/<uuid:user_id>/roles/<uuid:grant_id>/take", "_take", "people.manage", "POST")
def take(user_id: UUID, grant_id: UUID) -> Response:
    """Take a role back."""
    entries = entries_of(user_id)
    entry = next((e for e in entries if e.grant_id == grant_id), None)
    node = _nodes(entries).get(entry.grant) if entry else None
    if entry is None or node is None:
        raise NotFound(_("This role was taken back already."))
    with current.session(write=True) as s:
        roles.revoke(s, grant_id, node, by=_me(), catalogue=current.catalogue)
    flash(
        _("%(name)s is no longer %(role)s.", name=entry.name, role=_title(entry.grant.role)), "good"
    )
    return redirect(_to("_one", user_id=user_id) if len(entries) > 1 else _to(""), 303)


@_page("/<uuid:user_id>/link", "_link", "people.manage", "POST")
def new_link(user_id: UUID) -> Response | str:
    """A one-time link with which the person chooses a new password; shown once."""
    entry = entries_of(user_id)[0]
    nodes = _all_nodes(user_id)
    with current.session(write=True) as s:
        token = roles.reset_link(s, user_id, by=_me(), nodes=nodes, catalogue=current.catalogue)
    return _hand_over(token, "invite" if entry.pending else "reset", entry.email)


@_page("/<uuid:user_id>/factor/reset", "_factor_reset", "people.manage", "POST")
def reset_factor(user_id: UUID) -> Response:
    """Take a lost second factor away; the person is signed out and can set up another."""
    entry = entries_of(user_id)[0]
    nodes = _all_nodes(user_id)
    with current.session(write=True) as s:
        roles.reset_factor(s, user_id, by=_me(), nodes=nodes, catalogue=current.catalogue)
    flash(_("%(name)s’s second factor is reset; their password stays.", name=entry.name), "good")
    return redirect(_to("_one", user_id=user_id), 303)


@_page("/<uuid:user_id>/disable", "_disable", "people.manage", "POST")
def disable(user_id: UUID) -> Response:
    """Switch the account off."""
    return _set_disabled(user_id, True)


@_page("/<uuid:user_id>/enable", "_enable", "people.manage", "POST")
def enable(user_id: UUID) -> Response:
    """Switch the account on again."""
    return _set_disabled(user_id, False)


def _set_disabled(user_id: UUID, disabled: bool) -> Response:
    entry = entries_of(user_id)[0]
    nodes = _all_nodes(user_id)
    with current.session(write=True) as s:
        roles.set_disabled(s, user_id, disabled, by=_me(), nodes=nodes, catalogue=current.catalogue)
    words = (
        _("%(name)s can no longer sign in.", name=entry.name)
        if disabled
        else _("%(name)s can sign in again.", name=entry.name)
    )
    flash(words, "good")
    return redirect(_to("_one", user_id=user_id), 303)


def _list_page(error: HighstreetError | None = None) -> str:
    place, text = current.place, request.args.get("q", "")[:200]
    node = place.node
    with current.house.tenancy.control() as s:
        if place.store is not None:
            entries = directory.people_of_store(s, node)
        else:
            entries = directory.people_of_brand(
                s, place.brand.id, text=text, after=request.args.get("after")
            )
        waiting: list[Offer | Newcomer] = [
            *directory.offers_at(s, node),
            *directory.newcomers_at(s, node),
        ]
    full = place.store is None and len(entries) == directory.PAGE
    return render_template(
        "people.html",
        entries=entries,
        waiting=waiting,
        now=clock.now(),
        names=_names([e.grant for e in entries] + [one.grant for one in waiting]),
        title=_title,
        choices=choices(),
        next_href=_to("", q=text, after=entries[-1].cursor) if full else None,
        q=text,
        to=_to,
        form=request.form,
        errors=error.fields if error else {},
        detail=error.detail if error and not error.fields else "",
    )


def person_page(user_id: UUID, error: HighstreetError | None = None) -> str:
    """A person's page; `error` is what was wrong with a PIN."""
    me, entries = _me(), entries_of(user_id)
    nodes = _all_nodes(user_id)
    catalogue = current.catalogue
    node = current.place.node
    with current.house.tenancy.control() as s:
        controlled = roles.controls(s, me, user_id, nodes, catalogue)
        pin_since = pins.pins_of(s, node).get(user_id)
        factor_since = factors.standing(s, user_id).since
    manages = current.may("people.manage")
    held = tuple(nodes)
    at_till = node.store_id is not None and may(held, USES_TILL, node, catalogue)
    return render_template(
        "people_one.html",
        person=entries[0],
        entries=entries,
        names=_names([e.grant for e in entries]),
        title=_title,
        takes={
            e.grant_id
            for e in entries
            if manages
            and e.grant in nodes
            and may_grant(me.grants, e.grant.role, nodes[e.grant], catalogue)
        },
        controlled=controlled and manages,
        is_me=user_id == me.id,
        at_till=at_till and not entries[0].disabled,
        pin_since=pin_since,
        factor_since=factor_since,
        pin_mine=manages and at_till and pins.may_set(me, user_id, held, node, catalogue),
        errors=error.fields if error else {},
        detail=error.detail if error and not error.fields else "",
        to=_to,
    )


def _hand_over(token: str, purpose: str, email: str) -> Response:
    """The page that shows a link once. It is the answer itself: the link is kept nowhere."""
    return make_response(
        render_template(
            "people_handed.html",
            url=link_url(current.house, token),
            purpose=purpose,
            until=clock.now() + links.LIFETIMES[purpose],
            email=email,
            back=_to(""),
        )
    )


def choices() -> list[Choice]:
    """The roles that the reader may give in this place, from the least to the most."""
    me, place = _me(), current.place
    if not current.may("people.manage"):
        return []
    if place.store is not None:
        return [
            Choice(f"{role.name}@store", role, "store")
            for role in ROLES.values()
            if may_grant(me.grants, role.name, place.node, current.catalogue)
        ]
    held: set[str] = set()
    for grant in me.grants:
        if grant.brand_id == place.brand.id and grant.node_kind == "brand":
            held |= included_in(grant.role)
    return [
        Choice(f"{role.name}@{kind}", role, kind)
        for role in ROLES.values()
        if role.name in held
        for kind in role.nodes
    ]


def _chosen(value: str) -> tuple[Role, str]:
    for choice in choices():
        if choice.value == value:
            return choice.role, choice.kind
    message = _("Choose a role.")
    raise Invalid(message, fields={"role": [message]})


def entries_of(user_id: UUID) -> list[Entry]:
    """What the person holds that concerns this place. Raises NotFound for anybody else."""
    place = current.place
    with current.house.tenancy.control() as s:
        if place.store is not None:
            found = [e for e in directory.people_of_store(s, place.node) if e.user_id == user_id]
        else:
            found = directory.held_in_brand(s, place.brand.id, user_id)
    if not found:
        raise NotFound(_("This person holds no role here."))
    return found


def _all_nodes(user_id: UUID) -> dict[Grant, Node]:
    """Nodes of all that the person holds, in other brands too: only to judge who controls it."""
    with current.house.tenancy.control() as s:
        held = grants_of(s, user_id)
    return roles.nodes_of(current.house.tenancy, held, current.actor)


def _nodes(entries: list[Entry]) -> dict[Grant, Node]:
    return roles.nodes_of(current.house.tenancy, [e.grant for e in entries], current.actor)


def _offer(link_id: UUID) -> tuple[Offer, Node]:
    """An offer of this place, and where it is. Raises NotFound, Conflict."""
    with current.house.tenancy.control() as s:
        found = directory.offers_at(s, current.place.node)
    offer = next((o for o in found if o.link_id == link_id), None)
    if offer is None:
        raise NotFound(_("This offer is gone already."))
    node = roles.nodes_of(current.house.tenancy, [offer.grant], current.actor).get(offer.grant)
    if node is None:
        raise Conflict(_("The place of this offer no longer exists."))
    return offer, node


def _names(grants: list[Grant]) -> dict[tuple[Any, UUID], str]:
    place = current.place
    return cast(
        "dict[tuple[Any, UUID], str]",
        directory.names_of_nodes(current.house.tenancy, place.brand, grants, current.actor),
    )


def _title(role: str) -> str:
    return ROLES[role].label if role in ROLES else role


def _me() -> Person:
    if current.user is None:  # the guard has asked already
        raise Forbidden(_("Sign in, then try again."))
    return current.user
