"""Late entries at the till: what was written on the pad while the line was down."""

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
from highstreet.web import formats
from highstreet.web.current import current
from highstreet.web.forms import Form, field_labels
from highstreet.web.store import member
from highstreet.web.store.till import basket, here, till
from highstreet_tenants import clock
from highstreet_tenants.errors import HighstreetError, Invalid, NotFound
from highstreet_tenants.sessions import ScopedSession

__all__ = ["till"]


@till.get("/late")
@requires("till.use")
def late_form(brand: str, store: str) -> str:
    """The form for purchases that were written on the pad."""
    now = clock.now().astimezone(clock.zone(current.place.zone))
    form = Form({}, ("card", "amount", "receipt", "day", "time", "ref"))
    form.values["day"] = request.args.get("day") or now.date().isoformat()
    return _late_page(form, request.args.get("entered", ""))


@till.post("/late")
@requires("till.use")
def late(brand: str, store: str) -> Response | tuple[str, int]:
    """Record a purchase at the time it was made."""
    form = Form(request.form, ("card", "amount", "receipt", "day", "time", "ref"))
    form.renamed = {"total_minor": "amount", "pos_ref": "receipt", "occurred_at": "time"}
    place = current.place
    # All that is wrong is told at once: whoever enters a whole pad reads each line once.
    amount, at = 0, clock.now()
    with form.noting("amount"):
        amount = form.money_of("amount", place.currency)
    with form.noting("time"):
        at = form.moment_of("day", "time", place.zone)
    try:
        with current.session(write=not form.errors) as s:
            fact = _one(s, form["card"])
            if form.errors:
                return _late_page(form), 422
            ref = form["receipt"] or f"late-{form['ref'] or uuid4().hex}"
            given = purchases.record(s, basket(amount, fact.id, ref, at))
            said = member.said(given.answers)
    except HighstreetError as error:
        form.refuse(error, "card" if isinstance(error, NotFound) else "amount")
        return _late_page(form), error.status
    if given.created:
        name = fact.name or _("this member")
        text = _("Entered for %(name)s at %(when)s.", name=name, when=formats.moment(at))
        flash(" ".join([text, *said]), "good")
    else:
        flash(_("This receipt was entered before; nothing was counted twice."), "warn")
    entered = given.purchase.id if given.created else None
    return redirect(here("till.late_form", day=form["day"], entered=entered), 303)


def _one(s: ScopedSession, text: str) -> CustomerFact:
    """The one customer that the pad means. Raises NotFound, Invalid."""
    found = customers.find(s, text, 2) if text else []
    if not found:
        raise NotFound(_("Nobody here has this card, phone or e-mail. Check what is on the pad."))
    if len(found) > 1:
        message = _("Several customers fit. Use the card number.")
        raise Invalid(message, fields={"card": [message]})
    return found[0].customer


def _late_page(form: Form, entered: str = "") -> str:
    now = clock.now().astimezone(clock.zone(current.place.zone))
    labels = {**field_labels(), "card": _("Card, phone or e-mail")}
    return render_template(
        "store/late.html",
        form=form,
        errors=form.errors,
        labels={name: (name, words) for name, words in labels.items()},
        ref=form["ref"] or uuid4().hex,
        today=now.date().isoformat(),
        currency_sign=formats.symbol(current.place.currency),
        entered=_entered(entered),
    )


def _entered(text: str) -> dict[str, Any] | None:
    """The late entry that was just made, to be taken back where it was a slip of the pen."""
    try:
        purchase_id = UUID(text)
        with current.session() as s:
            fact = bought.get(s, purchase_id)
            owner = customers.get(s, fact.customer_id) if fact.customer_id else None
    except (ValueError, NotFound):
        return None
    if fact.returned_minor or owner is None:
        return None
    amount = formats.money(fact.total_minor, fact.currency)
    return {
        "id": fact.id,
        "who": owner.name or _("No name"),
        "what": formats.joined(formats.moment(fact.occurred_at), amount),
        "undo": _("Undo %(what)s for %(name)s", what=amount, name=owner.name or _("No name")),
    }
