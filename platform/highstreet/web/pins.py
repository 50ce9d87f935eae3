"""Staff PINs: one's own, and those that a manager sets on the People page. Never shown."""

from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from highstreet.host.access import requires
from highstreet.i18n import gettext as _
from highstreet.web import lock, people
from highstreet.web.current import current
from highstreet_tenants.errors import Forbidden, HighstreetError, Invalid
from highstreet_tenants.people import pins as verbs
from highstreet_tenants.people.logins import Person

pins = Blueprint("pins", __name__, url_prefix="/store/<brand>/<store>")


@pins.get("/pin")
@requires("today.view")
def own(brand: str, store: str) -> str:
    """One's own PIN at this store: whether there is one, and a form for a new one."""
    return _own_page()


@pins.post("/pin")
@requires("today.view")
def set_own(brand: str, store: str) -> Response:
    """Choose one's own PIN."""
    me = _me()
    try:
        _set(me.id)
    except HighstreetError as error:
        return make_response(_own_page(error), error.status)
    flash(_("Your PIN opens the tills of this store from now on."), "good")
    return redirect(url_for("pins.own", brand=brand, store=store), 303)


@pins.post("/people/<uuid:user_id>/pin")
@requires("people.manage")
def set_theirs(brand: str, store: str, user_id: UUID) -> Response:
    """Give somebody of the store a PIN."""
    entry = people.entries_of(user_id)[0]
    try:
        _set(user_id)
    except HighstreetError as error:
        return make_response(people.person_page(user_id, error), error.status)
    flash(_("%(name)s has a new PIN.", name=entry.name), "good")
    return redirect(url_for("people.store_one", user_id=user_id, brand=brand, store=store), 303)


@pins.post("/people/<uuid:user_id>/pin/clear")
@requires("people.manage")
def clear_theirs(brand: str, store: str, user_id: UUID) -> Response:
    """Take somebody's PIN away."""
    entry = people.entries_of(user_id)[0]
    with current.session(write=True) as s:
        verbs.clear_pin(s, current.place.node, user_id, by=_me(), catalogue=current.catalogue)
    flash(_("%(name)s’s PIN opens nothing any more.", name=entry.name), "good")
    return redirect(url_for("people.store_one", user_id=user_id, brand=brand, store=store), 303)


def _set(user_id: UUID) -> None:
    pin, again = request.form.get("pin", "").strip(), request.form.get("again", "").strip()
    verbs.refuse_weak(pin)
    if pin != again:
        message = _("The two differ. Type the PIN twice.")
        raise Invalid(message, fields={"again": [message]})
    verbs.set_pin(
        current.house.tenancy,
        lock.pins(),
        current.place.node,
        user_id,
        pin,
        by=_me(),
        catalogue=current.catalogue,
        actor=current.actor,
    )


def _own_page(error: HighstreetError | None = None) -> str:
    with current.house.tenancy.control() as s:
        since = verbs.pins_of(s, current.place.node).get(_me().id)
    return render_template(
        "pin_own.html",
        since=since,
        errors=error.fields if error else {},
        detail=error.detail if error and not error.fields else "",
    )


def _me() -> Person:
    if current.user is None:  # the guard has asked already
        raise Forbidden(_("Sign in, then try again."))
    return current.user
