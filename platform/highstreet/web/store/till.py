"""The till: find, enrol, earn, redeem, undo. A queue is waiting, so each page is one short read."""

from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from highstreet.customers import queries as customers
from highstreet.customers.facts import CustomerFact
from highstreet.host import dispatch
from highstreet.host.access import requires
from highstreet.i18n import gettext as _
from highstreet.purchases import service as purchases
from highstreet.purchases.facts import PurchaseIn
from highstreet.till import last
from highstreet.web import campaign_words, choose, formats, slots
from highstreet.web.current import current
from highstreet.web.forms import Form, field_labels
from highstreet.web.store import member
from highstreet_tenants import clock
from highstreet_tenants.errors import HighstreetError, Invalid
from highstreet_tenants.sessions import ScopedSession

till = Blueprint("till", __name__, url_prefix="/store/<brand>/<store>/till")
#: How numbers of purchases begin for which nobody typed a receipt's.
MADE_UP = ("till-", "late-")
#: So many members fit on a till's screen; of more, the cashier types another letter.
MOST_HITS = 12


@till.get("/")
@requires("till.use")
def find(brand: str, store: str) -> Response | str:
    """Find a member by card, phone, e-mail or name; one hit is taken in hand at once."""
    q = request.args.get("q", "").strip()
    with current.session() as s:
        hits = customers.find(s, q, MOST_HITS + 1) if q else []
        more, hits = len(hits) > MOST_HITS, hits[:MOST_HITS]
        spoilt = [hit for hit in hits if hit.card_status in ("lost", "blocked")]
        if len(hits) == 1 and not spoilt:
            return redirect(here("till.customer", customer_id=hits[0].customer.id), 303)
        if spoilt:
            flash(_spoilt(spoilt[0].card_status or ""), "warn")
        shown = [
            {
                "id": hit.customer.id,
                "name": hit.customer.name or _("No name"),
                "shown": formats.joined(apart, since(hit.customer)),
            }
            for hit, apart in zip(hits, member.told_apart(s, hits), strict=True)
        ]
        return page(s, q=q, hits=shown, more=more, focus="" if shown else "find")


@till.get("/<uuid:customer_id>")
@requires("till.use")
def customer(brand: str, store: str, customer_id: UUID) -> str:
    """A member in hand."""
    done = "done" in request.args
    with current.session() as s:
        return page(s, customers.get(s, customer_id), focus="find" if done else "amount")


@till.get("/<uuid:customer_id>/preview")
@requires("till.use")
def preview(brand: str, store: str, customer_id: UUID) -> Response:
    """What an amount would earn, for the button's words."""
    place = current.place
    with current.session() as s:
        try:
            amount = formats.parse_money(request.args.get("amount", ""), place.currency)
            answers = purchases.preview(s, basket(amount, customer_id, ""))
        except Invalid:
            return jsonify({})
        return jsonify(_promise(answers))


@till.post("/<uuid:customer_id>/purchase")
@requires("till.use")
def purchase(brand: str, store: str, customer_id: UUID) -> Response | tuple[str, int]:
    """Record what was paid; the tools give what it earns."""
    form = Form(request.form, ("amount", "receipt", "ref"))
    form.renamed = {"total_minor": "amount", "pos_ref": "receipt"}
    try:
        with current.session(write=True) as s:
            amount = form.money_of("amount", current.place.currency)
            ref = form["receipt"] or f"till-{form['ref'] or uuid4().hex}"
            given = purchases.record(s, basket(amount, customer_id, ref))
            who = customers.get(s, customer_id)
            said = member.said(given.answers)
    except HighstreetError as error:
        form.refuse(error, "amount")
        with current.session() as s:
            fact = customers.get(s, customer_id)
            return page(s, fact, form=form, focus=""), error.status
    paid = formats.money(amount, current.place.currency)
    name = who.name or _("this member")
    if not given.created:
        flash(_("This receipt was entered before; nothing was counted twice."), "warn")
    else:
        text = _("%(amount)s entered for %(name)s.", amount=paid, name=name)
        flash(" ".join([*said, text] if said else [text]), "good")
    return redirect(here("till.customer", customer_id=who.id, done=1), 303)


@till.post("/undo/<uuid:purchase_id>")
@requires("till.use")
def undo(brand: str, store: str, purchase_id: UUID) -> Response:
    """Take a purchase back; what it earned goes with it."""
    with current.session(write=True) as s:
        back = last.undo_purchase(s, purchase_id)
        fact = back.returned.purchase
        owner = customers.get(s, fact.customer_id) if fact.customer_id else None
        amount = formats.money(back.returned.amount_minor, fact.currency)
        said = member.said(back.answers)
    name = owner.name if owner and owner.name else _("this member")
    flash(
        " ".join([_("Undone: %(amount)s for %(name)s.", amount=amount, name=name), *said]), "good"
    )
    target = request.form.get("next")
    return redirect(choose.local_path(target) if target else here("till.find"), 303)


@till.get("/enrol")
@requires("till.use")
def enrol_form(brand: str, store: str) -> str:
    """The form for a new member; `given` is what was searched for in vain."""
    given = request.args.get("given", "").strip()[:200]
    form = Form({}, ("name", "phone", "email", "card", "birthday"))
    form.values[_kind_of(given)] = given
    return _enrol_page(form)


@till.post("/enrol")
@requires("till.use")
def enrol(brand: str, store: str) -> Response | tuple[str, int]:
    """Take somebody on and have them in hand."""
    form = Form(request.form, ("name", "phone", "email", "card", "birthday"))
    try:
        with current.session(write=True) as s:
            extras = member.extras(s)
            fact = member.enrol(s, form, extras)
    except HighstreetError as error:
        form.refuse(error, "name")
        return _enrol_page(form), error.status
    flash(_("%(name)s is a member now.", name=fact.name or _("A new customer")), "good")
    return redirect(here("till.customer", customer_id=fact.id), 303)


def page(
    s: ScopedSession,
    fact: CustomerFact | None = None,
    *,
    q: str = "",
    hits: list[dict[str, Any]] | None = None,
    more: bool = False,
    form: Form | None = None,
    focus: str = "find",
) -> str:
    """The till's screen, with or without a member in hand."""
    place = current.place
    assert place.store is not None
    today = clock.business_date(clock.now(), place.zone)
    actions = last.last_actions(s, place.store.id, today)
    club = member.club(s, fact) if fact else None
    form = form or Form({}, ("amount", "receipt", "ref"))
    return render_template(
        "store/till.html",
        q=q,
        hits=hits or [],
        more=more,
        member=member.in_hand(s, fact, place.store.id, today) if fact else None,
        club=club,
        paused=member.paused(s) if fact and club is None else [],
        also=slots.fill(s, "till.member", customer=fact) if fact else [],
        form=form,
        errors=form.errors,
        preview=_unasked(club),
        ref=form["ref"] or uuid4().hex,
        focus=focus,
        running=campaign_words.running_here(s),
        currency_sign=formats.symbol(place.currency),
        **member.actions_shown(actions, current.actor.id),
    )


def here(endpoint: str, **values: Any) -> str:
    """The address of a page of this store."""
    return url_for(endpoint, **current.place.slugs, **values)


def basket(amount: int, customer_id: UUID, ref: str, at: Any = None) -> PurchaseIn:
    """A purchase at this store, now or `at` (UTC), of minor units in its currency."""
    place = current.place
    assert place.store is not None
    return PurchaseIn(
        place.store.id, ref, at or clock.now(), amount, place.currency, customer_id=customer_id
    )


def _unasked(club: Any) -> dict[str, str]:
    """Words for the button before an amount is there."""
    return {"button": _("Give points") if club else _("Enter the purchase"), "hint": ""}


def _promise(answers: tuple[object, ...]) -> dict[str, str]:
    """What the tools say a basket would earn, as button and hint."""
    for answer in answers:
        value = answer.value if isinstance(answer, dispatch.Answer) else answer
        points = getattr(value, "points", None)
        if points is None:
            continue
        words = str(getattr(value, "words", "") or "")
        after = getattr(value, "balance_after", None)
        if after is not None:
            new = _("New balance: %(points)s.", points=formats.num(after))
            words = f"{words} {new}".strip()
        return {"button": _("Give %(points)s points", points=formats.num(points)), "hint": words}
    return {}


def since(fact: CustomerFact) -> str:
    """Since when somebody is a member, in words."""
    return _("member since %(when)s", when=formats.month(fact.joined_at))


def _spoilt(status: str) -> str:
    if status == "lost":
        return _("This card was reported lost. Make sure who it is, and give a new card.")
    return _("This card is blocked. Ask the store’s manager.")


def _kind_of(given: str) -> str:
    """Which field a text searched in vain belongs into."""
    if "@" in given:
        return "email"
    digits = sum(c.isdigit() for c in given)
    if digits < 5:
        return "name"
    return "phone" if given.startswith(("+", "0")) else "card"


def _enrol_page(form: Form) -> str:
    with current.session() as s:
        extras = member.extras(s)
    labels = {**field_labels(), **{f"field-{one.key}": one.label for one in extras}}
    return render_template(
        "store/enrol.html",
        form=form,
        errors=form.errors,
        extras=extras,
        labels={name: (name, words) for name, words in labels.items()},
    )
