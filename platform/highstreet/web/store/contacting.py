"""Writing down that somebody must not be contacted, alone or by a list, and lifting it; what was
meant for them, and why. Hangs in the customers' part of whichever console asked.
"""

import base64
import csv
import hashlib
import io
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request
from werkzeug.wrappers import Response

from highstreet.consent import suppressions
from highstreet.customers import anchors, identities
from highstreet.customers import queries as customers
from highstreet.host.access import requires
from highstreet.i18n import gettext as _
from highstreet.i18n import ngettext
from highstreet.web.current import current
from highstreet.web.forms import Form
from highstreet.web.store import reached
from highstreet.web.store.customers import do, here, page
from highstreet_tenants import clock
from highstreet_tenants.errors import HighstreetError, Invalid

#: Bytes of a list that is sent along from its preview to its confirmation.
MOST = 1_000_000
#: Rows of each kind that a preview shows.
SHOWN = 200
Answer = Response | str | tuple[str, int]


@page.post("/<uuid:customer_id>/contact")
@requires("customers.write")
def suppress(brand: str, customer_id: UUID, store: str | None = None) -> Answer:
    """Write down why somebody must not be contacted; that they died is asked again."""
    form = Form(request.form, ("reason", "until"))
    if form["reason"] == "deceased" and "sure" not in request.form:
        with current.session() as s:
            fact = customers.get(s, customer_id)
        return render_template("store/deceased.html", customer=fact)
    return do(
        customer_id,
        lambda s: suppressions.suppress(
            s, customer_id, reason=form["reason"], source="console", until=_until(form)
        ),
        _("Written down. It holds from now on, for every mailing and message."),
    )


def _until(form: Form) -> datetime | None:
    """The end of the last day that was typed, by the place's clock. Raises Invalid."""
    day = form.date_of("until")
    if day is None:
        return None
    return clock.from_local(datetime.combine(day + timedelta(days=1), time()), current.place.zone)


@page.post("/<uuid:customer_id>/contact/lift")
@requires("customers.write")
def lift(brand: str, customer_id: UUID, store: str | None = None) -> Response:
    """It holds no longer, or was wrong."""
    try:
        stop_id = UUID(request.form.get("suppression", ""))
    except ValueError as error:
        raise customers.no_customer() from error
    return do(
        customer_id,
        lambda s: suppressions.lift(s, stop_id, customer_id=customer_id),
        _("Lifted. It holds no longer; their own yes and no hold as before."),
    )


@page.get("/<uuid:customer_id>/pieces")
@requires("customers.read")
def pieces(brand: str, customer_id: UUID, store: str | None = None) -> str:
    """What was meant for a customer, sent or not, each with the chain behind it."""
    with current.session() as s:
        fact = customers.get(s, customer_id)
        rows = reached.pieces(s, fact.id)
    return render_template("store/pieces.html", customer=fact, rows=rows)


@page.get("/suppress")
@requires("imports.run")
def suppress_form(brand: str, store: str | None = None) -> str:
    """Where a list of cards is chosen."""
    return _form(Form({}, ("reason",)))


@page.post("/suppress")
@requires("imports.run")
def suppress_preview(brand: str, store: str | None = None) -> Answer:
    """Whose cards a list holds; nothing is changed yet."""
    form = Form(request.form, ("reason",))
    try:
        data = _sent()
        with current.session() as s:
            suppressions.known_reason(form["reason"])
            cards = _cards(data)
            found = identities.holders(s, cards)
            names = anchors.names(s, found.values())
    except HighstreetError as error:
        form.refuse(error, "file")
        return _form(form), error.status
    return render_template(
        "store/suppress_preview.html",
        reason=form["reason"],
        words=reached.reason_words()[form["reason"]],
        people=len(set(found.values())),
        found=[(card, names.get(found[card], "")) for card in cards if card in found][:SHOWN],
        unknown=[card for card in cards if card not in found],
        most=SHOWN,
        data=base64.b64encode(data).decode("ascii"),
        digest=hashlib.sha256(data).hexdigest(),
    )


@page.post("/suppress/confirm")
@requires("imports.run")
def suppress_all(brand: str, store: str | None = None) -> Response:
    """Write down what the preview showed."""
    try:
        data = base64.b64decode(request.form.get("data", ""), validate=True)
    except ValueError:
        data = b""
    if hashlib.sha256(data).hexdigest() != request.form.get("digest", ""):
        raise Invalid(_("This file did not arrive whole. Choose it again."))
    with current.session(write=True) as s:
        found = identities.holders(s, _cards(data))
        new = suppressions.suppress_many(
            s, found.values(), reason=request.form.get("reason", ""), source="import"
        )
    flash(
        ngettext(
            "Newly written down for %(num)s person.",
            "Newly written down for %(num)s people.",
            new,
        ),
        "good",
    )
    return redirect(here(".search"), 303)


def _form(form: Form) -> str:
    return render_template(
        "store/suppress.html", form=form, errors=form.errors, reasons=reached.reasons()
    )


def _sent() -> bytes:
    """What the file holds. Raises Invalid (field "file")."""
    given = request.files.get("file")
    data = given.read(MOST + 1) if given else b""
    if not data:
        words = _("Choose a file that holds the list.")
    elif len(data) > MOST:
        words = _("This file is larger than 1 MB. Take it in on the command line.")
    else:
        return data
    raise Invalid(words, fields={"file": [words]})


def _cards(data: bytes) -> list[str]:
    """The first cell of each line, once each; a heading has no digit."""
    text = data.decode("utf-8-sig", "replace")
    delimiter = next((one for one in ";\t," if one in text.partition("\n")[0]), ",")
    cells: dict[str, Any] = {}
    for row in csv.reader(io.StringIO(text), delimiter=delimiter):
        cell = row[0].strip() if row else ""
        if any(one.isdigit() for one in cell):
            cells[cell[:40]] = None
    return list(cells)
