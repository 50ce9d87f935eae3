"""Customers: search, one customer, cards, notes, details. Mounted in a store's console and, for a
brand-wide club, in head office's: addresses are relative to whichever asked.
"""

from collections import Counter
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from highstreet.consent import queries as consent
from highstreet.customers import duplicates, listing, service, unmerging
from highstreet.customers import queries as customers
from highstreet.customers.facts import CustomerDetail, CustomerFact, Found
from highstreet.host import dispatch
from highstreet.host.access import requires
from highstreet.i18n import LANGUAGES
from highstreet.i18n import gettext as _
from highstreet.timeline import queries as timeline
from highstreet.web import address_form, formats, slots
from highstreet.web.current import current
from highstreet.web.store import member, reached
from highstreet.web.store.story import consent_words, entry
from highstreet_tenants.errors import HighstreetError
from highstreet_tenants.sessions import ScopedSession

page = Blueprint("customers", __name__)
PER_PAGE = 50


def here(endpoint: str, **values: Any) -> str:
    """The address of a page of this part, in the console at hand."""
    return url_for(endpoint, **current.place.slugs, **values)


@page.get("/")
@requires("customers.read")
def search(brand: str, store: str | None = None) -> str:
    """Who was found, or the latest to join."""
    q = request.args.get("q", "").strip()
    with current.session() as s:
        cursor = None
        apart: dict[UUID, str] = {}
        if q:
            hits: list[tuple[CustomerFact, Found | None]]
            there = customers.find(s, q, PER_PAGE)
            hits = [(hit.customer, hit) for hit in there]
            ids = [hit.customer.id for hit in there]
            apart = dict(zip(ids, member.told_apart(s, there), strict=True))
        else:
            found = listing.newest(s, before=request.args.get("before"), limit=PER_PAGE)
            hits, cursor = [(one, None) for one in found.customers], found.cursor
        names = listing.store_names(s, (fact.home_store_id for fact, _hit in hits))
        rows = [_row(fact, names, hit, apart.get(fact.id, "")) for fact, hit in hits]
        total = listing.count(s) if s.store_id else None
    return render_template(
        "store/customers.html",
        q=q,
        rows=rows,
        total=total,
        next_href=here(".search", before=cursor) if cursor else None,
    )


@page.get("/<uuid:customer_id>")
@requires("customers.read")
def one(brand: str, customer_id: UUID, store: str | None = None) -> Response | str:
    """Everything about one customer."""
    with current.session() as s:
        detail = customers.detail(s, customer_id)
        if detail.customer.id != customer_id:
            # Merged: the old address leads on. Not for good, for a merge may be taken back.
            return redirect(here(".one", customer_id=detail.customer.id), 302)
        story = timeline.read(s, customer_id, request.args.get("before"), 25)
        fact = detail.customer
        names = listing.store_names(s, [fact.home_store_id, *(e.store_id for e in story.entries)])
        answers = dispatch.collect(s, "customer_summary", customer=fact)
        summary = [row for answer in answers for row in answer.value]
        return render_template(
            "store/customer.html",
            customer=fact,
            home=names.get(fact.home_store_id, ""),
            summary=sorted(summary, key=lambda row: row.sort)[:6],
            story=[entry(e, names) for e in story.entries],
            story_next=here(".one", customer_id=fact.id, before=story.cursor)
            if story.cursor
            else None,
            panels=slots.fill(s, "customer.panel", customer=fact),
            cards=[i for i in detail.identities if i.kind == "card"],
            address=address_form.told(s, fact.id),
            details=_details(s, detail),
            notes=detail.notes,
            consents=[consent_words(state) for state in consent.state(s, fact.id)],
            contact=reached.told(s, fact.id),
            likely=_likely(s, fact),
            merges=unmerging.standing(s, fact.id) if current.may("customers.merge") else [],
            whole=fact.store_id is not None or s.store_id is None,
        )


@page.post("/<uuid:customer_id>/notes")
@requires("customers.write")
def add_note(brand: str, customer_id: UUID, store: str | None = None) -> Response:
    """Write something down."""
    return do(
        customer_id,
        lambda s: service.add_note(s, customer_id, request.form.get("text", "")),
        _("Note added."),
    )


@page.post("/<uuid:customer_id>/notes/remove")
@requires("customers.write")
def remove_note(brand: str, customer_id: UUID, store: str | None = None) -> Response:
    """Take a note away."""
    try:
        note_id = UUID(request.form.get("note", ""))
    except ValueError as error:
        raise customers.no_customer() from error
    return do(
        customer_id, lambda s: service.remove_note(s, customer_id, note_id), _("Note removed.")
    )


@page.post("/<uuid:customer_id>/cards")
@requires("customers.write")
def give_card(brand: str, customer_id: UUID, store: str | None = None) -> Response:
    """Give a further card."""
    return do(
        customer_id,
        lambda s: service.issue_card(s, customer_id, request.form.get("number", "")),
        _("Card given."),
    )


@page.post("/<uuid:customer_id>/cards/status")
@requires("customers.write")
def card_status(brand: str, customer_id: UUID, store: str | None = None) -> Response:
    """Report a card lost, block it, or make it good again."""
    number, status = request.form.get("number", ""), request.form.get("status", "")
    with current.session() as s:  # the card must be this customer's
        held = {i.value for i in customers.detail(s, customer_id).identities if i.kind == "card"}
    said = {
        "lost": _("Card reported lost. Its points stay with the customer: give a new card."),
        "blocked": _("Card blocked."),
        "active": _("The card works again."),
    }.get(status, "")
    if number not in held:
        flash(_("This card is not this customer’s."), "bad")
        return redirect(here(".one", customer_id=customer_id), 303)
    return do(
        customer_id,
        lambda s: service.set_card_status(s, number, status),  # type: ignore[arg-type]  # the verb checks it
        said,
    )


def do(customer_id: UUID, verb: Any, done: str) -> Response:
    """Run one verb and say what came of it."""
    try:
        with current.session(write=True) as s:
            verb(s)
    except HighstreetError as error:
        if error.status in (404, 500):
            raise
        flash(error.detail, "bad")
    else:
        flash(done, "good")
    return redirect(here(".one", customer_id=customer_id), 303)


def _row(
    fact: CustomerFact, names: dict[UUID | None, str], hit: Found | None, shown: str
) -> dict[str, Any]:
    """A line of the list. shown: what tells those that were found apart."""
    return {
        "id": fact.id,
        "name": fact.name,
        "joined_at": fact.joined_at,
        "home": names.get(fact.home_store_id, ""),
        "shown": shown,
        "card_status": hit.card_status if hit is not None else None,
    }


def _details(s: ScopedSession, detail: CustomerDetail) -> list[dict[str, Any]]:
    """Labels and values. remove: what takes away one of several phones or e-mails."""
    kinds = {"phone": _("Phone"), "email": _("E-mail")}
    held = [one for one in detail.identities if one.kind in kinds]
    counts = Counter(one.kind for one in held)
    rows = [
        {
            "label": kinds[one.kind],
            "value": one.shown,
            "remove": {one.kind: one.value} if counts[one.kind] > 1 else None,
        }
        for one in held
    ]
    plain: list[tuple[str, str]] = []
    if detail.birthday:
        plain.append((_("Birthday"), formats.day(detail.birthday, year=True)))
    if detail.customer.language:
        language = detail.customer.language
        plain.append((_("Language"), LANGUAGES.get(language.replace("-", "_"), language)))
    answers = member.facts(s, detail.fields, [], most=None)
    plain += [(row["label"], row["value"]) for row in answers]
    if not rows and not plain:
        plain.append((_("Contact"), _("none")))
    return rows + [{"label": label, "value": value, "remove": None} for label, value in plain]


def _likely(s: ScopedSession, fact: CustomerFact) -> list[dict[str, Any]]:
    found = []
    for pair in duplicates.likely_duplicates(s, fact.id, 1):
        other = pair.other if pair.one.id == fact.id else pair.one
        found.append({"other_id": other.id, "name": other.name, "reason": pair.reason})
    return found
