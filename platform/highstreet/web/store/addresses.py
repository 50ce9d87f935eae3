"""A customer's address. Hangs in the customers' part of whichever console asked."""

from uuid import UUID

from flask import flash, redirect, render_template, request
from werkzeug.wrappers import Response

from highstreet.addresses import queries, service
from highstreet.customers import queries as customers
from highstreet.host.access import requires
from highstreet.i18n import gettext as _
from highstreet.web import address_form as asking
from highstreet.web.current import current
from highstreet.web.forms import Form
from highstreet.web.store.customers import do, here, page
from highstreet_tenants.errors import HighstreetError


@page.get("/<uuid:customer_id>/address")
@requires("customers.write")
def address_form(brand: str, customer_id: UUID, store: str | None = None) -> str:
    """The form for an address, as its country has it."""
    with current.session() as s:
        fact = customers.get(s, customer_id)
        form = asking.blank(s, queries.current(s, fact.id), request.args.get("country"))
    return render_template("store/address.html", customer=fact, **asking.shown(form))


@page.post("/<uuid:customer_id>/address")
@requires("customers.write")
def put_address(
    brand: str, customer_id: UUID, store: str | None = None
) -> Response | tuple[str, int]:
    """Keep the address."""
    form = Form(request.form, asking.NAMES)
    try:
        with current.session(write=True) as s:
            fact = service.put(s, customer_id, asking.typed(form), source="staff")
    except HighstreetError as error:
        if error.status == 404:
            raise
        with current.session() as s:
            customer = customers.get(s, customer_id)
            form.values["country"] = asking.blank(s, None, form["country"])["country"]
        form.refuse(error, "street")
        return render_template(
            "store/address.html", customer=customer, **asking.shown(form)
        ), error.status
    flash(_("Saved."), "good")
    return redirect(here(".one", customer_id=fact.customer_id), 303)


@page.post("/<uuid:customer_id>/address/moved")
@requires("customers.write")
def moved(brand: str, customer_id: UUID, store: str | None = None) -> Response:
    """They moved away, nobody knows where to."""
    return do(
        customer_id,
        lambda s: service.moved(s, customer_id),
        _("Nothing more is sent to the old address."),
    )


@page.post("/<uuid:customer_id>/address/returned")
@requires("customers.write")
def post_returned(brand: str, customer_id: UUID, store: str | None = None) -> Response:
    """Post came back."""
    return do(
        customer_id,
        lambda s: service.returned(s, customer_id),
        _("The address is marked: nothing is sent there until it is written down anew."),
    )


@page.post("/<uuid:customer_id>/address/remove")
@requires("customers.write")
def remove_address(brand: str, customer_id: UUID, store: str | None = None) -> Response:
    """It was never right."""
    return do(customer_id, lambda s: service.remove(s, customer_id), _("Removed."))
