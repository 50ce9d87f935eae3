"""Merging two records, showing all that is held, and forgetting somebody: pages that first say
what will happen. They hang in the customers' part of whichever console asked.
"""

import json
from typing import Any
from uuid import UUID

from flask import Response as FlaskResponse
from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from highstreet.customers import duplicates, service
from highstreet.customers import queries as customers
from highstreet.customers.facts import CustomerDetail, CustomerFact
from highstreet.host.access import requires
from highstreet.i18n import gettext as _
from highstreet.members import links
from highstreet.web import formats
from highstreet.web.current import current
from highstreet.web.forms import Form, field_labels
from highstreet.web.store.customers import here, page
from highstreet_tenants.errors import HighstreetError, Invalid

MOST_PAIRS = 30


@page.get("/likely")
@requires("customers.merge")
def likely(brand: str, store: str | None = None) -> str:
    """Pairs of records that may be one person."""
    with current.session() as s:
        pairs = duplicates.likely_duplicates(s, limit=MOST_PAIRS)
    return render_template(
        "store/duplicates.html",
        customer=None,
        heading=_("Records that may be one person"),
        back=_("All customers"),
        back_href=here(".search"),
        pairs=[_pair(one.one, one.other, one.reason) for one in pairs],
    )


@page.get("/<uuid:customer_id>/merge")
@requires("customers.merge")
def merge_choose(brand: str, customer_id: UUID, store: str | None = None) -> str:
    """Find the record to merge this one with."""
    q = request.args.get("q", "").strip()
    with current.session() as s:
        fact = customers.get(s, customer_id)
        if q:
            found = [hit.customer for hit in customers.find(s, q, 20)]
            pairs = [
                _pair(fact, one, _("Found by “%(q)s”", q=q)) for one in found if one.id != fact.id
            ]
        else:
            near = duplicates.likely_duplicates(s, fact.id, MOST_PAIRS)
            pairs = [
                _pair(fact, one.other if one.one.id == fact.id else one.one, one.reason)
                for one in near
            ]
    return render_template(
        "store/duplicates.html",
        customer=fact,
        q=q,
        heading=_("Merge %(name)s with another record", name=fact.name or _("No name")),
        back=_("Back to the customer"),
        back_href=here(".one", customer_id=fact.id),
        pairs=pairs,
    )


@page.get("/<uuid:customer_id>/merge/<uuid:other_id>")
@requires("customers.merge")
def merge_preview(brand: str, customer_id: UUID, other_id: UUID, store: str | None = None) -> str:
    """Both records beside the one that would stay. Nothing is changed."""
    with current.session() as s:
        keep, gone = customers.detail(s, customer_id), customers.detail(s, other_id)
    if keep.customer.id == gone.customer.id:
        raise Invalid(_("These two are one record already."))
    return render_template(
        "store/merge.html", keep=keep.customer, gone=gone.customer, rows=_compared(keep, gone)
    )


@page.post("/<uuid:customer_id>/merge/<uuid:other_id>")
@requires("customers.merge")
def merge(brand: str, customer_id: UUID, other_id: UUID, store: str | None = None) -> Response:
    """Merge the second record into the first."""
    with current.session(write=True) as s:
        merged = service.merge(s, customer_id, other_id)
    flash(_("Merged into %(name)s.", name=merged.kept.name or _("No name")), "good")
    return redirect(here(".one", customer_id=merged.kept.id), 303)


@page.get("/<uuid:customer_id>/copy.json")
@requires("customers.export")
def export(brand: str, customer_id: UUID, store: str | None = None) -> FlaskResponse:
    """All that is held about a customer, as a file."""
    with current.session() as s:
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
        detail = customers.detail(s, customer_id)
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


def _pair(one: CustomerFact, other: CustomerFact, reason: str) -> dict[str, Any]:
    return {
        "one": one.name,
        "other": other.name,
        "reason": reason,
        "href": here(".merge_preview", customer_id=one.id, other_id=other.id),
    }


def _compared(keep: CustomerDetail, gone: CustomerDetail) -> list[dict[str, str]]:
    """Row by row: this record, that one, and what will be there afterwards."""

    def held(detail: CustomerDetail, kind: str) -> list[str]:
        shown = formats.card if kind == "card" else str
        return [shown(one.shown) for one in detail.identities if one.kind == kind]

    rows = [
        {
            "label": _("Name"),
            "keep": keep.customer.name,
            "gone": gone.customer.name,
            "after": keep.customer.name or gone.customer.name,
        },
        {
            "label": _("Joined"),
            "keep": formats.day(keep.customer.joined_at, year=True),
            "gone": formats.day(gone.customer.joined_at, year=True),
            "after": formats.day(min(keep.customer.joined_at, gone.customer.joined_at), year=True),
        },
    ]
    for kind, label in (("card", _("Cards")), ("phone", _("Phones")), ("email", _("E-mails"))):
        one, other = held(keep, kind), held(gone, kind)
        rows.append(
            {
                "label": label,
                "keep": ", ".join(one),
                "gone": ", ".join(other),
                "after": ", ".join(dict.fromkeys([*one, *other])),
            }
        )
    if keep.birthday or gone.birthday:
        rows.append(
            {
                "label": _("Birthday"),
                "keep": formats.day(keep.birthday, year=True) if keep.birthday else "",
                "gone": formats.day(gone.birthday, year=True) if gone.birthday else "",
                "after": formats.day(keep.birthday or gone.birthday, year=True),  # type: ignore[arg-type]  # one of them is there
            }
        )
    rows.append(
        {
            "label": _("Notes"),
            "keep": formats.num(len(keep.notes)),
            "gone": formats.num(len(gone.notes)),
            "after": formats.num(len(keep.notes) + len(gone.notes)),
        }
    )
    return rows


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
