"""Signing in: by password, by a one-time link, at a till by PIN, and out again."""

from typing import Any

from flask import Blueprint, flash, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from highstreet.host.access import public
from highstreet.i18n import gettext as _
from highstreet.i18n import ngettext
from highstreet.web import device, lock
from highstreet.web.account import account, landing
from highstreet.web.choose import local_path
from highstreet.web.current import current
from highstreet.web.factor import factor
from highstreet_tenants.errors import HighstreetError, Invalid, NotFound
from highstreet_tenants.people import directory, links, logins, roles, tills, tries
from highstreet_tenants.people.logins import Person, Started
from highstreet_tenants.people.passwords import Passwords, passwords
from highstreet_tenants.people.permissions import ROLES
from highstreet_tenants.scopes import Actor

signin = Blueprint("signin", __name__)
signin.register_blueprint(account)
signin.register_blueprint(factor)

#: Paths that never ask who is there: a till's API call carries a key, a stylesheet nothing.
_NOBODY = ("/api/", "/static/")


@signin.before_app_request
def know_the_person() -> None:
    """Put the signed-in person into `g.user`: one query, and none for strangers."""
    if not request.path.startswith(_NOBODY):
        g.user = device.who()


def hasher() -> Passwords:
    """The installation's way to hash passwords."""
    return passwords(current.house.config["password_hasher"])


@signin.get("/signin")
@public("whoever signs in is a stranger still")
def form() -> Response | str:
    """The sign-in page; whoever is signed in already goes on to their place."""
    user = current.user
    if user is not None and not (user.by_pin and request.args.get("next", "").startswith("/link/")):
        return redirect(_onward(user), 303)
    return _form()


@signin.post("/signin")
@public("whoever signs in is a stranger still")
def enter() -> Response:
    """Check e-mail and password, start a session, go to the person's place."""
    email, password = request.form.get("email", ""), request.form.get("password", "")
    try:
        started = logins.sign_in(
            current.house.tenancy,
            hasher(),
            email[:300],
            password,
            device.visit(keep="keep" in request.form),
        )
    except logins.WrongPassword as error:
        tail = (
            ngettext("%(num)d try left.", "%(num)d tries left.", error.left)
            if error.left
            else _("No try left; wait 15 minutes or ask for a one-time link.")
        )
        return _refused({"password": [f"{error.detail} {tail}"]}, 422)
    except tries.LockedOut as error:
        response = _refused({"password": [error.detail]}, error.status)
        response.headers["Retry-After"] = str(error.retry_after)
        return response
    return _let_in(started)


@signin.post("/till/unlock")
@public("the PIN is the key; it opens a till that a manager set up, and nothing else")
def unlock() -> Response:
    """Open the till to whoever has this PIN."""
    till = lock.here()
    try:
        if till is None:
            raise NotFound(_("This device is no till any more. Sign in, and set it up anew."))
        started = tills.unlock(
            current.house.tenancy,
            lock.pins(),
            till.node,
            request.form.get("pin", ""),
            device.visit(),
            current.catalogue,
        )
    except tills.WrongPin as error:
        tail = (
            ngettext("%(num)d try left.", "%(num)d tries left.", error.left)
            if error.left
            else _("No try left; wait 15 minutes or sign in with a password.")
        )
        return _refused({"pin": [f"{error.detail} {tail}"]}, error.status)
    except tries.LockedOut as error:
        response = _refused({"pin": [error.detail]}, error.status)
        response.headers["Retry-After"] = str(error.retry_after)
        return response
    except NotFound as error:
        flash(error.detail, "warn")
        return redirect(url_for("signin.form"), 303)
    return device.carry(redirect(till.onward(request.form.get("next")), 303), started)


@signin.get("/till/awake")
@public("it says only whether this device is still signed in")
def awake() -> Response:
    """A till's page says that somebody is at work there, though no page was asked for."""
    return make_response("", 204 if current.user is not None else 401)


@signin.get("/signin/forgotten")
@public("whoever forgot the password is a stranger still")
def forgotten() -> str:
    """Who can make a new link. No mail is sent from here, so it cannot be asked for here."""
    return render_template("signin_forgotten.html")


@signin.post("/signout")
@public("ending a session must always work")
def out() -> Response:
    """End this device's session. At a till this is its lock: the page behind it opens again."""
    carried = device.token()
    if carried:
        with current.house.tenancy.control(write=True) as s:
            logins.sign_out(s, carried)
    wanted = local_path(request.form.get("next")) if device.seat() is not None else "/"
    target = url_for("signin.form", next=wanted if wanted != "/" else None)
    return device.forget(redirect(target, 303))


@signin.get("/link/<token>")
@public("the link itself is the key; looking does not use it")
def link(token: str) -> Response:
    """What the link is for, and a button. Mail scanners follow links; they do not press buttons."""
    try:
        with current.house.tenancy.control() as s:
            found = links.look(s, token)
    except NotFound as error:
        return _dead(error)
    return _link_page(found, token)


@signin.post("/link/<token>")
@public("the link itself is the key; the button uses it")
def use_link(token: str) -> Response:
    """Use the link: sign in, choose a password, or take up a role."""
    try:
        with current.house.tenancy.control() as s:
            found = links.look(s, token)
        if found.purpose == "join":
            return _join(token)
        return _let_in(_open_by_link(token))
    except Invalid as error:
        return _link_page(found, token, error.fields, error.status)
    except HighstreetError as error:
        return _dead(error)


def _open_by_link(token: str) -> Started:
    return logins.open_by_link(
        current.house.tenancy,
        hasher(),
        token,
        device.visit(),
        password=request.form.get("password", ""),
        name=request.form.get("name", ""),
    )


def _join(token: str) -> Response:
    person = current.user
    if person is None or person.by_pin:  # a PIN takes up no role
        return redirect(url_for("signin.form", next=url_for("signin.link", token=token)), 303)
    offer = roles.accept(current.house.tenancy, token, person, current.catalogue)
    flash(_("You are now %(role)s here.", role=ROLES[offer.role].label), "good")
    return redirect(url_for("signin.account.places"), 303)


def _let_in(started: Started) -> Response:
    if started.awaits_code:
        wanted = local_path(request.values.get("next"))
        target = url_for(
            "signin.factor.ask",
            next=wanted if wanted != "/" else None,
            keep="1" if "keep" in request.form else None,
        )
        return device.carry(redirect(target, 303), started)
    with current.house.tenancy.control() as s:
        person = logins.find_person(s, started.token)
    assert person is not None, "a session that was just started is live"
    return device.carry(redirect(_onward(person), 303), started, person.theme)


def _onward(person: Person) -> str:
    """Where the person wanted to go, else their place."""
    wanted = local_path(request.values.get("next"))
    till = lock.here() if person.by_pin else None
    if till is not None:
        return till.onward(wanted)
    return landing(person) if wanted == "/" else wanted


def _form(errors: dict[str, list[str]] | None = None) -> str:
    till = lock.here()
    accent = {"accent_href": till.accent_href} if till is not None else {}
    return render_template(
        "signin.html",
        till=till,
        email=request.form.get("email", "")[:300],
        keep="keep" in request.form,
        wanted=local_path(request.values.get("next")),
        errors=errors or {},
        open_line=device.is_open_line(),
        **accent,
    )


def _refused(errors: dict[str, list[str]], status: int) -> Response:
    return make_response(_form(errors), status)


def _link_page(
    found: links.Link, token: str, errors: dict[str, list[str]] | None = None, status: int = 200
) -> Response:
    facts: dict[str, Any] = {"link": found, "token": token, "errors": errors or {}}
    if found.offer is not None:
        actor = Actor("user", found.user_id, found.name)
        place = directory.name_of(current.house.tenancy, found.offer, actor)
        facts |= {"role": ROLES.get(found.offer.role), "place_name": place}
    # The address is a secret until the button is pressed. The house's Referrer-Policy, same-origin,
    # tells it to nobody else; "no-referrer" would make the CSRF check refuse the button over TLS.
    return make_response(render_template("signin_link.html", **facts), status)


def _dead(error: HighstreetError) -> Response:
    return make_response(render_template("signin_dead.html", why=error.detail), error.status)
