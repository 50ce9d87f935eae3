"""Goods that come back: of which purchase, and how much is given back for them."""

from typing import Any
from uuid import UUID, uuid4

from flask import flash, redirect, render_template, request
from werkzeug.wrappers import Response

from highstreet.customers import queries as customers
from highstreet.customers.facts import CustomerFact
from highstreet.host.access import requires
from highstreet.i18n import gettext as _
from highstreet.purchases import queries as bought
from highstreet.purchases import service as purchases
from highstreet.purchases.facts import PurchaseFact, ReturnIn
from highstreet.web import formats
from highstreet.web.current import current
from highstreet.web.forms import Form
from highstreet.web.store import member
from highstreet.web.store.late import till
from highstreet.web.store.till import MADE_UP, here
from highstreet_tenants import clock
from highstreet_tenants.errors import HighstreetError, Invalid, NotFound
from highstreet_tenants.sessions import ScopedSession

__all__ = ["till"]

#: So many purchases of a member are shown; an older one is found by its receipt.
MOST_PURCHASES = 20
_MOST_TYPED = 200


@till.get("/returns")
@requires("till.use")
def returns(brand: str, store: str) -> str:
    """The purchase with the receipt `?q=`, else the newest of the member whom that finds, or of
    `?customer=`.
    """
    q = request.args.get("q", "").strip()[:_MOST_TYPED]
    with current.session() as s:
        who = None if q else _customer(s, request.args.get("customer", ""))
        found = _by_receipt(s, q) if q else []
        if q and not found:
            hits = customers.find(s, q, 2)
            who = hits[0].customer if len(hits) == 1 else None
        if who is not None:
            found = _of_member(s, who)
        return _page(s, found, who=who, q=q)


@till.post("/returns/<uuid:purchase_id>")
@requires("till.use")
def give_back(brand: str, store: str, purchase_id: UUID) -> Response | tuple[str, int]:
    """Note that money was given back; the points that it had earned go with it."""
    form = Form(request.form, ("amount", "ref"))
    form.renamed = {"amount_minor": "amount", "pos_ref": "amount", "occurred_at": "amount"}
    with current.session() as s:
        fact = bought.get(s, purchase_id)
        who = customers.get(s, fact.customer_id) if fact.customer_id else None
    at = max(clock.now(), fact.occurred_at)
    ref = f"back-{form['ref'] or uuid4().hex}"
    try:
        amount = form.money_of("amount", fact.currency)
        with current.session(write=True) as s:
            left = fact.total_minor - fact.returned_minor
            # All that is left: then each of its lines is back, too.
            part = None if amount == left else amount
            done = purchases.record_return(s, ReturnIn(fact.store_id, ref, fact.pos_ref, at, part))
            said = member.said(done.answers)
    except HighstreetError as error:
        form.refuse(error, "amount")
        with current.session() as s:
            return _page(s, [bought.get(s, purchase_id)], who=who, form=form), error.status
    given = formats.money(done.returned.amount_minor, fact.currency)
    text = _("%(amount)s given back.", amount=given)
    flash(" ".join([text, *said]), "good")
    if who is None:
        return redirect(here("till.returns"), 303)
    return redirect(here("till.customer", customer_id=who.id, done=1), 303)


def _customer(s: ScopedSession, text: str) -> CustomerFact | None:
    try:
        return customers.get(s, UUID(text))
    except (ValueError, NotFound):
        return None


def _of_member(s: ScopedSession, who: CustomerFact) -> list[PurchaseFact]:
    found = bought.of_customer(s, who.id, limit=MOST_PURCHASES)
    return [one for one in found if one.store_id == current.place.store_id]


def _by_receipt(s: ScopedSession, receipt: str) -> list[PurchaseFact]:
    store_id = current.place.store_id
    assert store_id is not None
    try:
        return [bought.by_ref(s, store_id, receipt)]
    except (NotFound, Invalid):
        return []


def _page(
    s: ScopedSession,
    found: list[PurchaseFact],
    *,
    who: CustomerFact | None,
    q: str = "",
    form: Form | None = None,
) -> str:
    form = form or Form({}, ("amount", "ref"))
    ids = {one.customer_id for one in found if one.customer_id}
    names = {fact.id: fact.name or _("No name") for fact in customers.by_ids(s, ids)}
    return render_template(
        "store/returns.html",
        q=q,
        who=who,
        found=[_shown(one, names, alone=who is None) for one in found],
        form=form,
        errors=form.errors,
        labels={"amount": ("amount", _("Amount to give back"))},
        ref=form["ref"] or uuid4().hex,
        currency_sign=formats.symbol(current.place.currency),
    )


def _shown(one: PurchaseFact, names: dict[UUID, str], *, alone: bool) -> dict[str, Any]:
    """A purchase as a line. alone: it stands there without its member's other ones."""
    rest = one.total_minor - one.returned_minor
    receipt = "" if one.pos_ref.startswith(MADE_UP) else one.pos_ref
    back = formats.money(one.returned_minor, one.currency)
    return {
        "id": one.id,
        "title": formats.joined(
            formats.money(one.total_minor, one.currency), formats.moment(one.occurred_at)
        ),
        "about": formats.joined(
            names.get(one.customer_id, "") if alone and one.customer_id else "",
            _("Receipt %(number)s", number=receipt) if receipt else "",
            _("%(amount)s given back already", amount=back) if one.returned_minor else "",
        ),
        "rest": formats.amount(rest, one.currency) if rest > 0 else "",
    }
