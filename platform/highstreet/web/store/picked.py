"""Which segments a customer is in: asked for by a link, for each costs a statement."""

from uuid import UUID

from flask import render_template

from highstreet.customers import queries as customers
from highstreet.host.access import requires
from highstreet.i18n import gettext as _
from highstreet.web.current import current
from highstreet.web.segments.pages import of_customer
from highstreet.web.store.customers import here, page
from highstreet_tenants.errors import NotFound


@page.get("/<uuid:customer_id>/segments")
@requires("segments.read")
def in_segments(brand: str, customer_id: UUID, store: str | None = None) -> str:
    """The place's segments, each with whether this customer is in it."""
    if not current.may("customers.read"):
        raise NotFound(_("Your role does not open this page. Ask whoever gave you your role."))
    with current.session() as s:
        fact = customers.get(s, customer_id)
        rows = of_customer(s, fact.id)
    return render_template(
        "store/in_segments.html",
        customer=fact,
        rows=rows,
        back_href=here(".one", customer_id=fact.id),
    )
