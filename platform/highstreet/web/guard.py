"""Who may open which page: signed in, standing in the place of the address, holding what the view
requires. Deny by default; another's place is "nothing here", as if it did not exist.
"""

from collections.abc import Callable
from typing import Any

from flask import Flask, current_app, flash, g, redirect, request, url_for
from werkzeug.wrappers import Response

from highstreet.host import access
from highstreet.i18n import gettext as _
from highstreet.web import device
from highstreet.web.current import Place, current
from highstreet_tenants.errors import Forbidden, NotFound, Unauthenticated
from highstreet_tenants.people import tree
from highstreet_tenants.people.logins import Person, needs_factor

#: Addresses that the API's own pipeline guards.
API = "/api/"
SIGN_IN = "signin.form"
#: Parts whose pages strangers open, and are counted at; members' pages count for themselves.
STRANGERS = frozenset({"signin", "start"})


def init_app(app: Flask) -> None:
    """Put the guard in front of every page of `app`."""
    app.before_request(admit)


def admit() -> Response | None:
    """Let the request in, send it to the sign-in, or raise NotFound or Forbidden."""
    if request.path.startswith(API):
        return None
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None:
        return None
    user = current.user
    if user is not None and user.locale and "hs-language" not in request.cookies:
        g.language = user.locale
    if access.why_public(view) is not None:
        if user is None and (request.blueprint or "").split(".")[0] in STRANGERS:
            current.house.rates.stranger(request.remote_addr)
        return None
    permission = access.permission_of(view)
    if user is None:
        return _to_sign_in()
    arguments = request.view_args or {}
    if "brand" not in arguments:
        # Pages of one's own account stand in no place; they say so by requiring "self".
        if permission == "self" and not user.by_pin:
            return None
        raise Forbidden(by_password() if user.by_pin else _("Nobody may open this page."))
    place = current.enter(arguments["brand"], arguments.get("store"))
    if not tree.has_role(user.grants, place.node) or _elsewhere(user, place):
        g.pop("place")
        raise NotFound(_("There is no such place. Look at the address."))
    if needs_factor(user, place.brand, place.node):
        return _to_factor(place)
    if permission is None or not (permission == "place" or current.may(permission)):
        raise Forbidden(
            by_password()
            if user.by_pin
            else _("This store has closed: its till takes nothing any more.")
            if place.node.closed and permission in current.catalogue.at_till
            else _("Your role does not open this page. Ask whoever gave you your role.")
        )
    return None


def _to_factor(place: Place) -> Response:
    """Whoever needs a second factor and has none sets it up, and comes back."""
    if request.method != "GET":
        raise Forbidden(
            _(
                "%(brand)s requires a second factor for your role. Nothing was changed. Set it up"
                " under Your account.",
                brand=place.brand.name,
            )
        )
    target = request.full_path.rstrip("?")
    g.pop("place")
    return redirect(url_for("signin.factor.page", next=target), 303)


def by_password() -> str:
    """What somebody reads who gave a PIN where a password is needed."""
    return _("A PIN opens the till only. Lock it and sign in with your password for this page.")


def _elsewhere(user: Person, place: Place) -> bool:
    """Whether somebody who gave a PIN stands in another place than their till's store."""
    seat = user.seat
    return seat is not None and seat.by_pin and seat.store_id != place.store_id


def _to_sign_in() -> Response:
    if SIGN_IN not in current_app.view_functions:
        raise Unauthenticated(_("Sign in, then try again. Nothing was changed."))
    if request.method != "GET":
        if device.seat() is None:
            raise Unauthenticated(_("Sign in, then try again. Nothing was changed."))
        flash(
            _("The till had locked itself. Nothing was entered: unlock it and do it again."), "warn"
        )
        return redirect(url_for(SIGN_IN), 303)
    target = request.full_path.rstrip("?")
    return redirect(url_for(SIGN_IN, next=target), 303)


def stated(view: Callable[..., Any]) -> bool:
    """Whether a view says what it needs; a test asks this of every route."""
    return access.why_public(view) is not None or access.permission_of(view) is not None


__all__ = ["admit", "init_app", "stated"]
