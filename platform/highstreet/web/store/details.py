"""The form for a customer's details. Hangs in the customers' part of whichever console asked."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request
from werkzeug.wrappers import Response

from highstreet.customers import queries as customers
from highstreet.customers import service
from highstreet.customers.facts import CustomerDetail, CustomerFact
from highstreet.customers.keys import Kind
from highstreet.host.access import requires
from highstreet.i18n import LANGUAGES
from highstreet.i18n import gettext as _
from highstreet.web.current import current
from highstreet.web.forms import Form, field_labels
from highstreet.web.store import member
from highstreet.web.store.customers import do, here, page
from highstreet_tenants.errors import HighstreetError
from highstreet_tenants.sessions import ScopedSession

NAMES = ("name", "phone", "email", "birthday", "language")


@page.get("/<uuid:customer_id>/details")
@requires("customers.write")
def edit_form(brand: str, customer_id: UUID, store: str | None = None) -> str:
    """The form for a customer's details."""
    with current.session() as s:
        detail = customers.detail(s, customer_id)
        form = Form({}, NAMES)
        form.values |= _values(detail)
        return _edit_page(s, detail.customer, form)


@page.post("/<uuid:customer_id>/details")
@requires("customers.write")
def edit(brand: str, customer_id: UUID, store: str | None = None) -> Response | tuple[str, int]:
    """Keep the details."""
    form = Form(request.form, NAMES)
    try:
        with current.session(write=True) as s:
            extras = member.extras(s)
            was = _values(customers.detail(s, customer_id))
            fact = service.update(
                s,
                customer_id,
                name=form["name"],
                # Somebody may have several: an untouched field takes none of them away.
                phone=service.KEEP if form["phone"] == was["phone"] else form["phone"] or None,
                email=service.KEEP if form["email"] == was["email"] else form["email"] or None,
                birthday=form.date_of("birthday"),
                language=form["language"] or None,
                **({"fields": member.typed(form, extras)} if extras else {}),
            )
    except HighstreetError as error:
        if error.status == 404:
            raise
        form.refuse(error, "name")
        with current.session() as s:
            return _edit_page(s, customers.get(s, customer_id), form), error.status
    flash(_("Saved."), "good")
    return redirect(here(".one", customer_id=fact.id), 303)


@page.post("/<uuid:customer_id>/contacts/remove")
@requires("customers.write")
def remove_contact(brand: str, customer_id: UUID, store: str | None = None) -> Response:
    """Take one of several phones or e-mails away."""
    kind: Kind = "phone" if "phone" in request.form else "email"
    return do(
        customer_id,
        lambda s: service.remove_identity(s, customer_id, kind, request.form.get(kind, "")),
        _("Removed."),
    )


def _values(detail: CustomerDetail) -> dict[str, str]:
    def first(kind: str) -> str:
        return next((i.shown for i in detail.identities if i.kind == kind), "")

    return {
        "name": detail.customer.name,
        "phone": first("phone"),
        "email": first("email"),
        "birthday": detail.birthday.isoformat() if detail.birthday else "",
        "language": detail.customer.language or "",
        **{f"field-{key}": _text(value) for key, value in detail.fields.items()},
    }


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value)


def _edit_page(s: ScopedSession, fact: CustomerFact, form: Form) -> str:
    extras = member.extras(s)
    labels = {**field_labels(), **{f"field-{one.key}": one.label for one in extras}}
    chosen = [(tag.replace("_", "-"), name) for tag, name in LANGUAGES.items()]
    if form["language"] and form["language"] not in dict(chosen):
        chosen.append((form["language"], form["language"]))
    return render_template(
        "store/customer_edit.html",
        customer=fact,
        form=form,
        errors=form.errors,
        extras=extras,
        language_options=[("", _("Not said")), *chosen],
        labels={name: (name, words) for name, words in labels.items()},
    )
