"""A store's tills: this device made one, renamed, locked sooner or later, signed out."""

from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from highstreet.host.access import requires
from highstreet.i18n import gettext as _
from highstreet.i18n import ngettext
from highstreet.web import device
from highstreet.web.current import current
from highstreet_tenants.errors import Forbidden, Invalid
from highstreet_tenants.people import directory, logins, pins, tree
from highstreet_tenants.people import tills as verbs
from highstreet_tenants.people.ending import USES_TILL

tills = Blueprint("tills", __name__, url_prefix="/store/<brand>/<store>/people/tills")


@tills.get("")
@requires("tills.manage")
def listed(brand: str, store: str) -> str:
    """The store's tills, and a form to make this device one."""
    return _page()


@tills.post("")
@requires("tills.manage")
def set_up(brand: str, store: str) -> Response:
    """Make this device a till. Whoever did so is signed out here: the till is the staff's now."""
    user = current.user
    if user is None:  # the guard has asked already
        raise Forbidden(_("Sign in, then try again."))
    try:
        with current.session(write=True) as s:
            made = verbs.set_up(
                s, current.place.node, request.form.get("name", ""), _seconds(), by=user
            )
            carried = device.token()
            if carried:
                logins.sign_out(s, carried)
    except Invalid as error:
        return make_response(_page(error.fields), error.status)
    response = device.forget(redirect(url_for("signin.form"), 303))
    return device.become_till(response, made.token)


@tills.post("/<uuid:till_id>")
@requires("tills.manage")
def change(brand: str, store: str, till_id: UUID) -> Response:
    """Give a till another name or time."""
    try:
        with current.session(write=True) as s:
            verbs.change(s, till_id, current.place.node, request.form.get("name", ""), _seconds())
    except Invalid as error:
        return make_response(_page(error.fields, till_id), error.status)
    flash(_("Saved. It counts from the next unlocking on."), "good")
    return redirect(url_for("tills.listed", brand=brand, store=store), 303)


@tills.post("/<uuid:till_id>/out")
@requires("tills.manage")
def sign_out(brand: str, store: str, till_id: UUID) -> Response:
    """Let the device be a till no more."""
    with current.session(write=True) as s:
        name = verbs.sign_out(s, till_id, current.place.node)
    flash(_("“%(name)s” is signed out: no PIN opens it any more.", name=name), "good")
    return redirect(url_for("tills.listed", brand=brand, store=store), 303)


def lock_words(seconds: int) -> str:
    """ "after 2 minutes"."""
    if seconds < 60:
        return ngettext("after %(num)d second", "after %(num)d seconds", seconds)
    return ngettext("after %(num)d minute", "after %(num)d minutes", seconds // 60)


def _page(errors: dict[str, list[str]] | None = None, wrong_id: UUID | None = None) -> str:
    place = current.place
    with current.house.tenancy.control() as s:
        found = verbs.tills_of(s, place.node)
        have = pins.pins_of(s, place.node)
        people = directory.people_of_store(s, place.node)
    by_person: dict[UUID, list[directory.Entry]] = {}
    for entry in people:
        if not entry.disabled:
            by_person.setdefault(entry.user_id, []).append(entry)
    staff = [
        {"id": user_id, "name": entries[0].name, "since": have.get(user_id)}
        for user_id, entries in by_person.items()
        if tree.may([e.grant for e in entries], USES_TILL, place.node, current.catalogue)
    ]
    seat = device.seat()
    return render_template(
        "tills.html",
        tills=found,
        staff=staff,
        locks=[(seconds, lock_words(seconds)) for seconds in verbs.LOCKS],
        usual=verbs.USUAL_LOCK,
        this_id=seat.till_id if seat else None,
        form=request.form,
        errors=errors or {},
        wrong_id=wrong_id,
    )


def _seconds() -> int:
    text = request.form.get("lock", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
