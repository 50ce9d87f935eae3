"""A person's own pages: which place to go to, name, language, password, devices."""

from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from highstreet.host.access import requires
from highstreet.i18n import LANGUAGE_COOKIE, LANGUAGES, language, ngettext
from highstreet.i18n import gettext as _
from highstreet.web import choose, device, lock
from highstreet.web.choose import THEME_COOKIE
from highstreet.web.current import current
from highstreet_tenants.errors import HighstreetError, Invalid, Unauthenticated
from highstreet_tenants.people import accounts, directory, logins
from highstreet_tenants.people.logins import Person
from highstreet_tenants.people.passwords import passwords

account = Blueprint("account", __name__)

#: A page of one's own: whoever is signed in may open it, and sees nobody else there.
OWN = "self"


def landing(person: Person) -> str:
    """Where a person goes after signing in: their till, their only place, or a page to choose."""
    locked = lock.here() if person.by_pin else None
    if locked is not None:
        return locked.address
    doors = directory.doors(current.house.tenancy, person.grants, current.actor)
    return way_in(doors[0]) if len(doors) == 1 else url_for("signin.account.places")


def way_in(door: directory.Door) -> str:
    """The page on which a person enters a place: its day, or its tools where the day is closed."""
    if door.store_slug is None or door.meets_people:
        return door.path
    return url_for("tools.list_all", brand=door.brand_slug, store=door.store_slug)


@account.get("/places")
@requires(OWN)
def places() -> str:
    """All places of the person, to choose one."""
    doors = directory.doors(current.house.tenancy, _me().grants, current.actor)
    return render_template("signin_places.html", doors=doors, way_in=way_in)


@account.get("/me")
@requires(OWN)
def me() -> str:
    """Name, language, theme, password and devices."""
    return _page()


@account.post("/me")
@requires(OWN)
def save() -> Response:
    """Keep name, language and theme."""
    person = _me()
    tag, theme = request.form.get("locale", ""), request.form.get("theme", "")
    try:
        if tag not in LANGUAGES:
            raise Invalid(
                _("Choose one of the languages."), fields={"locale": [_("Choose a language.")]}
            )
        with current.house.tenancy.control(write=True) as s:
            accounts.set_preferences(
                s, person.id, name=request.form.get("name", ""), locale=tag, theme=theme
            )
    except Invalid as error:
        return make_response(_page(error), error.status)
    flash(_("Saved."), "good")
    response = redirect(url_for("signin.account.me"), 303)
    device.remember(response, LANGUAGE_COOKIE, tag)
    device.remember(response, THEME_COOKIE, theme)
    return response


@account.post("/me/password")
@requires(OWN)
def change_password() -> Response:
    """Change the password; all other devices are signed out."""
    try:
        logins.change_password(
            current.house.tenancy,
            passwords(current.house.config["password_hasher"]),
            _me(),
            request.form.get("current", ""),
            request.form.get("password", ""),
            address=request.remote_addr or "",
        )
    except HighstreetError as error:
        if not error.fields:
            error.fields = {"current": [error.detail]}
        response = make_response(_page(error), error.status)
        wait = getattr(error, "retry_after", None)
        if wait:
            response.headers["Retry-After"] = str(wait)
        return response
    flash(_("Password changed. All other devices are signed out."), "good")
    return redirect(url_for("signin.account.me"), 303)


@account.post("/me/devices/<uuid:session_id>/out")
@requires(OWN)
def sign_out_device(session_id: UUID) -> Response:
    """Sign one of the person's own devices out."""
    person = _me()
    with current.house.tenancy.control(write=True) as s:
        logins.revoke_device(s, person.id, session_id)
    if session_id == person.session_id:
        return device.forget(redirect(url_for("signin.form"), 303))
    flash(_("The device is signed out."), "good")
    return redirect(url_for("signin.account.me"), 303)


@account.post("/me/devices/others/out")
@requires(OWN)
def sign_out_others() -> Response:
    """Sign the person out everywhere but here."""
    with current.house.tenancy.control(write=True) as s:
        count = logins.revoke_others(s, _me())
    flash(
        ngettext("%(num)d device is signed out.", "%(num)d devices are signed out.", count), "good"
    )
    return redirect(url_for("signin.account.me"), 303)


def _page(error: HighstreetError | None = None) -> str:
    person = _me()
    with current.house.tenancy.control() as s:
        found = logins.devices(s, person.id)
        has_password = accounts.get_user(s, person.id).password_hash is not None
    return render_template(
        "signin_me.html",
        person=person,
        name=request.form.get("name", person.name),
        chosen=request.form.get("locale") or person.locale or language(),
        look=request.form.get("theme") or choose.theme(),
        devices=found,
        describe=device.describe,
        has_password=has_password,
        errors=error.fields if error else {},
    )


def _me() -> Person:
    if current.user is None:  # the guard has asked already
        raise Unauthenticated(_("Sign in, then try again. Nothing was changed."))
    return current.user
