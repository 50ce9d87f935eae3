"""A store's API keys: made (and shown once), rotated, revoked."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from highstreet.host.access import requires
from highstreet.i18n import gettext as _
from highstreet.web.current import current
from highstreet_tenants import clock
from highstreet_tenants.errors import Forbidden, Invalid, NotFound
from highstreet_tenants.people import keys as verbs
from highstreet_tenants.people.logins import Person
from highstreet_tenants.people.models import ApiKey
from highstreet_tenants.people.permissions import KeyScope

keys = Blueprint("keys", __name__, url_prefix="/store/<brand>/<store>/people/keys")


@keys.get("")
@requires("keys.manage")
def all_keys(brand: str, store: str) -> str:
    """The store's keys, and a form for a new one."""
    return _page()


@keys.post("")
@requires("keys.manage")
def create(brand: str, store: str) -> Response:
    """Make a key; it is shown in the answer and never again."""
    try:
        expires = _end_of(request.form.get("expires", ""))
        with current.session(write=True) as s:
            made = verbs.create_key(
                s,
                current.place.node,
                request.form.get("name", ""),
                request.form.getlist("scopes"),
                by=_me(),
                catalogue=current.catalogue,
                expires_at=expires,
            )
    except Invalid as error:
        return make_response(_page(error.fields), error.status)
    return _show_once(made)


@keys.get("/<uuid:key_id>")
@requires("keys.manage")
def one(brand: str, store: str, key_id: UUID) -> str:
    """One key, and what rotating and revoking it would do."""
    return render_template(
        "people_key.html",
        key=_key(key_id),
        live=verbs.is_live,
        scope_label=_scope_label,
        overlap=verbs.OVERLAP.days,
        until=clock.now() + verbs.OVERLAP,
    )


@keys.post("/<uuid:key_id>/rotate")
@requires("keys.manage")
def rotate(brand: str, store: str, key_id: UUID) -> Response:
    """A new key in place of this one, which goes on for a week."""
    with current.session(write=True) as s:
        made = verbs.rotate_key(
            s, key_id, current.place.node, by=_me(), catalogue=current.catalogue
        )
    return _show_once(made)


@keys.post("/<uuid:key_id>/revoke")
@requires("keys.manage")
def revoke(brand: str, store: str, key_id: UUID) -> Response:
    """End the key at once."""
    with current.session(write=True) as s:
        row = verbs.revoke_key(s, key_id, current.place.node)
        name = row.name
    flash(_("“%(name)s” is revoked: whoever carries it is refused from now on.", name=name), "good")
    return redirect(url_for("people.keys.all_keys", brand=brand, store=store), 303)


def _page(errors: dict[str, list[str]] | None = None) -> str:
    with current.house.tenancy.control() as s:
        rows = verbs.keys_of(s, current.place.node)
    return render_template(
        "people_keys.html",
        keys=rows,
        live=verbs.is_live,
        scope_label=_scope_label,
        scopes=_offered(),
        form=request.form,
        picked=request.form.getlist("scopes"),
        errors=errors or {},
    )


def _show_once(made: verbs.NewKey) -> Response:
    return make_response(
        render_template("people_key_made.html", token=made.token, key=_key(made.id))
    )


def _key(key_id: UUID) -> ApiKey:
    with current.house.tenancy.control() as s:
        for row in verbs.keys_of(s, current.place.node):
            if row.id == key_id:
                return row
    raise NotFound(_("There is no such key in this store."))


def _offered() -> list[KeyScope]:
    """Scopes that the reader may give: those whose permission they hold in this store."""
    return [s for s in current.catalogue.scopes.values() if current.may(s.permission)]


def _scope_label(name: str) -> str:
    scope = current.catalogue.scopes.get(name)
    return scope.label if scope else name


def _end_of(text: str) -> datetime | None:
    """The end of the day that was chosen, in the store's zone. Raises Invalid."""
    if not text:
        return None
    try:
        following = date.fromisoformat(text) + timedelta(days=1)
        return clock.from_local(
            datetime(following.year, following.month, following.day), current.place.zone
        ).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        message = _("Write the day as 2027-12-31, or leave it empty.")
        raise Invalid(message, fields={"expires": [message]}) from error


def _me() -> Person:
    if current.user is None:  # the guard has asked already
        raise Forbidden(_("Sign in, then try again."))
    return current.user
