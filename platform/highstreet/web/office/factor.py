"""For which roles the brand requires a second factor, and who has none yet."""

from flask import flash, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from highstreet.host.access import requires
from highstreet.i18n import gettext as _
from highstreet.web.current import current
from highstreet.web.office.pages import here, office
from highstreet_tenants.errors import Forbidden, Invalid
from highstreet_tenants.people import factors
from highstreet_tenants.people.permissions import ROLES


@office.get("/second-factor")
@requires("security.edit")
def second_factor(brand: str) -> str:
    """Which roles need one, and who of them has none."""
    return _page()


@office.post("/second-factor")
@requires("security.edit")
def require_factor(brand: str) -> Response:
    """Say for which roles it is required from now on."""
    user, roles = current.user, request.form.getlist("roles")
    try:
        with current.session(write=True) as s:
            if user is not None and not user.has_factor and _is_mine(roles):
                raise Forbidden(
                    _("Set up your own second factor first, or this page would shut behind you.")
                )
            factors.require(s, roles)
    except (Invalid, Forbidden) as error:
        return make_response(_page(error.detail), error.status)
    flash(
        _("Saved. Whoever has none sets it up before their next page of the brand opens."), "good"
    )
    return redirect(here("office.second_factor"), 303)


def _is_mine(roles: list[str]) -> bool:
    user = current.user
    place = current.place.brand.id
    return user is not None and any(g.brand_id == place and g.role in roles for g in user.grants)


def _page(detail: str = "") -> str:
    brand = current.place.brand
    asked = request.form.getlist("roles") if detail else brand.second_factor_roles
    with current.house.tenancy.control() as s:
        lacking = factors.lacking(s, brand.id, brand.second_factor_roles)
    return render_template(
        "office/second_factor.html",
        roles=list(ROLES.values()),
        asked=asked,
        required=brand.second_factor_roles,
        lacking=lacking,
        detail=detail,
    )
