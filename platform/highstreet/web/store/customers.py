"""Customers: search, one customer, cards, notes, details. Mounted in a store's console and, for a
brand-wide club, in head office's: addresses are relative to whichever asked.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from highstreet.consent import queries as consent
from highstreet.consent.facts import EVERY, ConsentState
from highstreet.customers import duplicates, listing, service, unmerging
from highstreet.customers import queries as customers
from highstreet.customers.facts import CustomerDetail, CustomerFact
from highstreet.host import dispatch
from highstreet.host.access import requires
from highstreet.i18n import LANGUAGES
from highstreet.i18n import gettext as _
from highstreet.timeline import queries as timeline
from highstreet.web import formats, slots
from highstreet.web.current import current
from highstreet.web.forms import Form, field_labels
from highstreet.web.store import member
from highstreet_tenants.errors import HighstreetError
from highstreet_tenants.sessions import ScopedSession

page = Blueprint("customers", __name__)
NAMES = ("name", "phone", "email", "birthday", "language")
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
        if q:
            hits = [(hit.customer, hit.shown) for hit in customers.find(s, q, PER_PAGE)]
        else:
            found = listing.newest(s, before=request.args.get("before"), limit=PER_PAGE)
            hits, cursor = [(one, "") for one in found.customers], found.cursor
        names = listing.store_names(s, (fact.home_store_id for fact, _shown in hits))
        rows = [_row(fact, names, shown) for fact, shown in hits]
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
            details=_details(s, detail),
            notes=detail.notes,
            consents=[consent_words(state) for state in consent.state(s, fact.id)],
            likely=_likely(s, fact),
            merges=unmerging.standing(s, fact.id) if current.may("customers.merge") else [],
            whole=fact.store_id is not None or s.store_id is None,
        )


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


@page.post("/<uuid:customer_id>/notes")
@requires("customers.write")
def add_note(brand: str, customer_id: UUID, store: str | None = None) -> Response:
    """Write something down."""
    return _do(
        customer_id,
        lambda s: service.add_note(s, customer_id, request.form.get("text", "")),
        _("Note added."),
    )


@page.post("/<uuid:customer_id>/cards")
@requires("customers.write")
def give_card(brand: str, customer_id: UUID, store: str | None = None) -> Response:
    """Give a further card."""
    return _do(
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
    return _do(
        customer_id,
        lambda s: service.set_card_status(s, number, status),  # type: ignore[arg-type]  # the verb checks it
        said,
    )


def _do(customer_id: UUID, verb: Any, done: str) -> Response:
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


def _row(fact: CustomerFact, names: dict[UUID | None, str], shown: str = "") -> dict[str, Any]:
    return {
        "id": fact.id,
        "name": fact.name,
        "joined_at": fact.joined_at,
        "home": names.get(fact.home_store_id, ""),
        "shown": shown,
    }


def entry(one: timeline.Entry, names: dict[UUID | None, str]) -> dict[str, Any]:
    """An entry of the timeline as pages show it."""
    return {
        "title": one.title,
        "at": one.occurred_at,
        "where": names.get(one.store_id, "") if one.store_id else "",
        "value": "",
    }


def consent_words(state: ConsentState) -> dict[str, Any]:
    """A consent in words: for what and how, yes or no, since when."""
    purposes = {"marketing": _("Offers"), "magazine": _("Magazine"), EVERY: _("Everything")}
    channels = {
        "email": _("by e-mail"),
        "sms": _("by text message"),
        "phone": _("by phone"),
        "post": _("by post"),
        "push": _("on the phone’s screen"),
        EVERY: _("on every way"),
    }
    purpose = purposes.get(state.purpose, state.purpose)
    return {
        "words": f"{purpose} {channels.get(state.channel, state.channel)}",
        "given": state.status == "given",
        "how": _("since %(day)s", day=formats.day(state.at, year=True)),
    }


def _details(s: ScopedSession, detail: CustomerDetail) -> list[tuple[str, str]]:
    kinds = {"phone": _("Phone"), "email": _("E-mail")}
    rows = [(kinds[i.kind], i.shown) for i in detail.identities if i.kind in kinds]
    if detail.birthday:
        rows.append((_("Birthday"), formats.day(detail.birthday, year=True)))
    if detail.customer.language:
        language = detail.customer.language
        rows.append((_("Language"), LANGUAGES.get(language.replace("-", "_"), language)))
    rows += [(row["label"], row["value"]) for row in member.facts(s, detail.fields, [], most=None)]
    return rows or [(_("Contact"), _("none"))]


def _likely(s: ScopedSession, fact: CustomerFact) -> list[dict[str, Any]]:
    found = []
    for pair in duplicates.likely_duplicates(s, fact.id, 1):
        other = pair.other if pair.one.id == fact.id else pair.one
        found.append({"other_id": other.id, "name": other.name, "reason": pair.reason})
    return found


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
