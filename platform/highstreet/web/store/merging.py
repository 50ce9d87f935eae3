"""Two records of one person, or not: likely pairs, merging, and taking a merge back. Each deed is
shown before it is done. The pages hang in the customers' part of whichever console asked.
"""

from uuid import UUID

from flask import flash, redirect, render_template, request
from werkzeug.wrappers import Response

from highstreet.customers import dismissing, duplicates, service
from highstreet.customers import queries as customers
from highstreet.customers.forgetting import WITHIN
from highstreet.host.access import requires
from highstreet.i18n import gettext as _
from highstreet.web import formats
from highstreet.web.current import current
from highstreet.web.store import beside
from highstreet.web.store.customers import here, page
from highstreet_tenants.errors import Conflict, Invalid

MOST_PAIRS = 30
MOST_DISMISSED = 20


@page.get("/likely")
@requires("customers.merge")
def likely(brand: str, store: str | None = None) -> str:
    """Pairs of records that may be one person, and those that somebody said are two."""
    with current.session() as s:
        pairs = beside.pairs(s, duplicates.likely_duplicates(s, limit=MOST_PAIRS))
        dismissed = dismissing.dismissals(s, MOST_DISMISSED)
    return render_template(
        "store/duplicates.html",
        customer=None,
        heading=_("Records that may be one person"),
        back=_("All customers"),
        back_href=here(".search"),
        pairs=pairs,
        dismissed=dismissed,
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
            why = _("Found by “%(q)s”", q=q)
            pairs = beside.chosen(s, fact, [one for one in found if one.id != fact.id], why)
        else:
            near = duplicates.likely_duplicates(s, fact.id, MOST_PAIRS)
            pairs = beside.pairs(s, near, first=fact.id)
    return render_template(
        "store/duplicates.html",
        customer=fact,
        q=q,
        heading=_("Merge %(name)s with another record", name=fact.name or _("No name")),
        back=_("Back to the customer"),
        back_href=here(".one", customer_id=fact.id),
        pairs=pairs,
        dismissed=[],
    )


@page.get("/<uuid:customer_id>/merge/<uuid:other_id>")
@requires("customers.merge")
def merge_preview(brand: str, customer_id: UUID, other_id: UUID, store: str | None = None) -> str:
    """Both records beside the one that would stay. Nothing is changed."""
    with current.session() as s:
        keep, gone = customers.detail(s, customer_id), customers.detail(s, other_id)
        if keep.customer.id == gone.customer.id:
            raise Invalid(_("These two are one record already."))
        rows = beside.compared(s, keep, gone)
    return render_template(
        "store/merge.html",
        keep=keep.customer,
        gone=gone.customer,
        rows=rows,
        days=WITHIN.days,
    )


@page.post("/<uuid:customer_id>/merge/<uuid:other_id>")
@requires("customers.merge")
def merge(brand: str, customer_id: UUID, other_id: UUID, store: str | None = None) -> Response:
    """Merge the second record into the first."""
    with current.session(write=True) as s:
        merged = service.merge(s, customer_id, other_id)
    flash(
        _(
            "Merged into %(name)s. That can be taken back until %(day)s.",
            name=merged.kept.name or _("No name"),
            day=formats.day(merged.at + WITHIN),
        ),
        "good",
    )
    return redirect(here(".one", customer_id=merged.kept.id), 303)


@page.post("/<uuid:customer_id>/not-same/<uuid:other_id>")
@requires("customers.merge")
def dismiss(brand: str, customer_id: UUID, other_id: UUID, store: str | None = None) -> Response:
    """Two people: not offered as a pair any more. `to`: "customer" goes back to that page."""
    with current.session(write=True) as s:
        said = service.dismiss_pair(s, customer_id, other_id)
    flash(
        _(
            "%(one)s and %(other)s are two people. They are not offered again.",
            one=said.one.name or _("No name"),
            other=said.other.name or _("No name"),
        ),
        "good",
    )
    if request.form.get("to") == "customer":
        return redirect(here(".one", customer_id=customer_id), 303)
    return redirect(here(".likely"), 303)


@page.post("/<uuid:customer_id>/not-same/<uuid:other_id>/undo")
@requires("customers.merge")
def restore(brand: str, customer_id: UUID, other_id: UUID, store: str | None = None) -> Response:
    """They may be one person after all."""
    with current.session(write=True) as s:
        service.restore_pair(s, customer_id, other_id)
    flash(_("They are offered again if they still look like one person."), "good")
    return redirect(here(".likely"), 303)


@page.post("/<uuid:customer_id>/unmerge/<uuid:other_id>/look")
@requires("customers.merge")
def unmerge_preview(
    brand: str, customer_id: UUID, other_id: UUID, store: str | None = None
) -> str | tuple[str, int]:
    """What taking a merge back would do, told by doing it and letting it go: hence no GET."""
    with current.session(write=True) as s:
        kept = customers.get(s, customer_id)
        try:
            told = service.unmerge(s, other_id, dry_run=True)
        except Conflict as refusal:
            page = render_template("store/unmerge.html", kept=kept, refusal=refusal.detail)
            return page, refusal.status
        if told.kept.id != kept.id:
            raise customers.no_customer()
        rows = beside.parted(s, told)
    return render_template("store/unmerge.html", kept=kept, told=told, rows=rows, refusal="")


@page.post("/<uuid:customer_id>/unmerge/<uuid:other_id>")
@requires("customers.merge")
def unmerge(brand: str, customer_id: UUID, other_id: UUID, store: str | None = None) -> Response:
    """Make two records of one again."""
    with current.session(write=True) as s:
        done = service.unmerge(s, other_id)
        if done.kept.id != customers.get(s, customer_id).id:
            raise customers.no_customer()
    flash(_("%(name)s is a record of its own again.", name=done.back.name or _("No name")), "good")
    return redirect(here(".one", customer_id=done.back.id), 303)
