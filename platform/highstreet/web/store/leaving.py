"""Showing all that is held about somebody, and forgetting them: pages that first say what will
happen. They hang in the customers' part of whichever console asked.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Response as FlaskResponse
from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from highstreet.addresses import queries as addresses
from highstreet.addresses.facts import AddressFact
from highstreet.customers import listing, measures, published, service
from highstreet.customers import queries as customers
from highstreet.customers.facts import CustomerFact
from highstreet.host.access import requires
from highstreet.i18n import gettext as _
from highstreet.members import links
from highstreet.web import formats
from highstreet.web.current import current
from highstreet.web.forms import Form, field_labels
from highstreet.web.sheets import sheet
from highstreet.web.store.customers import here, page
from highstreet_tenants import clock
from highstreet_tenants.errors import Forbidden, HighstreetError, Invalid
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.trail import record

#: What a spreadsheet's reader, man or machine, finds in each column; never translated.
_COLUMNS = (
    *("name", "cards", "phones", "emails", "language", "joined", "home_store"),
    # As an import takes them.
    *("recipient", "street", "street_2", "street_3", "dependent_locality", "city", "area"),
    *("postal_code", "country"),
)
#: Of the core's fields those that are in no column above.
_BESIDE = frozenset(one.name for one in measures.FIELDS)


@page.post("/all.csv")
@requires("customers.export")
def sheet_of_all(brand: str, store: str | None = None) -> FlaskResponse:
    """All customers as a file for a spreadsheet, the latest to join first, with what they bought,
    the brand's own fields and those of tools that are on; of the brand's club head office alone
    takes them along.
    """
    place = current.place
    refuse_another()
    name = f"customers-{place.store.slug if place.store else place.brand.slug}.csv"
    with current.session(write=True) as s:
        record(s, "customers.exported", "customer")
        return sheet_of(s, name, _all(s))


def refuse_another() -> None:
    """Raise Forbidden in a store of a club: its members' contacts are the brand's to hand out."""
    if current.place.store is not None and current.place.brand.customers == "brand":
        raise Forbidden(_("The customers are the brand’s. Head office exports the list."))


def sheet_of(s: ScopedSession, name: str, parts: Iterable[Sequence[CustomerFact]]) -> FlaskResponse:
    """Customers, some hundred at a time, as a file for a spreadsheet."""
    known = published.known(s, may=current.may)
    more = [one for one in known if one not in published.CORE or one in _BESIDE]
    return sheet(name, (*_COLUMNS, *more), _lines(s, more, parts))


def _all(s: ScopedSession) -> Iterator[Sequence[CustomerFact]]:
    found = listing.newest(s, limit=200)
    yield found.customers
    while found.cursor is not None:
        found = listing.newest(s, before=found.cursor, limit=200)
        yield found.customers


def _lines(
    s: ScopedSession, more: Sequence[str], parts: Iterable[Sequence[CustomerFact]]
) -> Iterator[tuple[object, ...]]:
    for facts in parts:
        held = customers.contacts(s, [fact.id for fact in facts])
        homes = listing.store_names(s, (fact.home_store_id for fact in facts))
        known = published.read(s, more, [fact.id for fact in facts])
        lives = addresses.of_many(s, [fact.id for fact in facts])
        for fact in facts:
            good = [one for one in held.get(fact.id, ()) if one.status == "active"]
            shown = {
                kind: " ".join(one.shown for one in good if one.kind == kind)
                for kind in ("card", "phone", "email")
            }
            day = clock.business_date(fact.joined_at, current.place.zone)
            yield (
                *(fact.name, shown["card"], shown["phone"], shown["email"], fact.language or ""),
                *(day, homes.get(fact.home_store_id, "")),
                *_address(lives.get(fact.id)),
                *(_cell(known.get(fact.id, {}).get(one)) for one in more),
            )


def _address(held: AddressFact | None) -> tuple[str, ...]:
    """The cells of an address; a fourth line of a street stands with the third."""
    if held is None:
        return ("",) * 9
    one, two, *rest = (*held.street, "", "")[: max(2, len(held.street))]
    return (
        *(held.recipient, one, two, ", ".join(rest), held.dependent_locality, held.city),
        *(held.area, held.postal_code, held.country),
    )


def _cell(value: object) -> object:
    """A value as programs read it: moments in UTC, yes and no as 1 and 0."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds")
    if isinstance(value, bool):
        return int(value)
    return "" if value is None else value


@page.post("/<uuid:customer_id>/copy.json")
@requires("customers.export")
def export(brand: str, customer_id: UUID, store: str | None = None) -> FlaskResponse:
    """All that is held about a customer, as a file."""
    with current.session(write=True) as s:
        held = service.export(s, customer_id)
    return copy_of(held, customer_id)


def copy_of(held: dict[str, Any], customer_id: UUID) -> FlaskResponse:
    """What is held about somebody, to be kept as a file."""
    response = make_response(json.dumps(held, ensure_ascii=False, indent=2))
    response.mimetype = "application/json"
    name = f"customer-{customer_id.hex[-8:]}.json"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@page.get("/<uuid:customer_id>/erase")
@requires("customers.erase")
def erase_form(brand: str, customer_id: UUID, store: str | None = None) -> str:
    """What would go and what would stay; the name has to be typed."""
    return _erase_page(customer_id, Form({}, ("name", "reason")))


@page.post("/<uuid:customer_id>/erase")
@requires("customers.erase")
def erase(brand: str, customer_id: UUID, store: str | None = None) -> Response | tuple[str, int]:
    """Forget a customer."""
    form = Form(request.form, ("name", "reason"))
    try:
        with current.session(write=True) as s:
            wanted = _wanted(customers.get(s, customer_id))
            if form["name"].casefold() != wanted.casefold():
                words = _("This is not the name. Type “%(name)s”.", name=wanted)
                raise Invalid(words, fields={"name": [words]})
            service.erase(s, customer_id, form["reason"])
    except HighstreetError as error:
        if error.status == 404:
            raise
        form.refuse(error, "name")
        return _erase_page(customer_id, form), error.status
    flash(_("Erased. Nobody finds this customer any more."), "good")
    return redirect(here(".search"), 303)


def _erase_page(customer_id: UUID, form: Form) -> str:
    with current.session() as s:
        detail = customers.detail(s, service.whole(s, customer_id).id)
    kinds = [identity.kind for identity in detail.identities]
    return render_template(
        "store/erase.html",
        customer=detail.customer,
        wanted=_wanted(detail.customer),
        form=form,
        errors=form.errors,
        labels={name: (name, words) for name, words in field_labels().items()},
        reasons=[
            ("asked by the customer", _("The customer asked for it")),
            ("entered by mistake", _("It was entered by mistake")),
            ("not seen for long", _("Not seen for a long time")),
        ],
        goes=[
            (_("Name and details"), formats.num(1)),
            (_("Cards"), formats.num(kinds.count("card"))),
            (_("Phones and e-mails"), formats.num(len(kinds) - kinds.count("card"))),
            (_("Notes"), formats.num(len(detail.notes))),
        ],
    )


def _wanted(fact: CustomerFact) -> str:
    """What has to be typed: the name, or a word where there is none."""
    return fact.name or _("erase")


@page.post("/<uuid:customer_id>/link")
@requires("customers.write")
def member_link(brand: str, customer_id: UUID, store: str | None = None) -> str:
    """A new link to the member's own page, shown once."""
    user = current.user
    with current.session() as s:
        fact = customers.get(s, customer_id)
        token = links.make_link(current.house.tenancy, s, fact.id, by=user.id if user else None)
    return render_template(
        "store/member_link.html",
        customer=fact,
        address=url_for("member.card", token=token, _external=True),
    )
