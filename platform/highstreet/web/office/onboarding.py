"""Stores taken in from a file, and a store closed or opened again: each shown before it is done."""

import base64
import hashlib
import tempfile
from pathlib import Path

from flask import flash, make_response, redirect, render_template, request
from werkzeug.utils import secure_filename
from werkzeug.wrappers import Response

from highstreet.host.access import requires
from highstreet.i18n import gettext as _
from highstreet.i18n import language
from highstreet.stores import closing, onboarding, owing
from highstreet.stores.closing import Closing
from highstreet.stores.onboarding import Outcome
from highstreet.stores.owing import Debts
from highstreet.stores.reading import COLUMNS
from highstreet.web.current import current
from highstreet.web.office.pages import here, office
from highstreet.web.sheets import sheet
from highstreet_tenants.errors import HighstreetError, Invalid
from highstreet_tenants.models import Store
from highstreet_tenants.people.operate import link_url

#: Bytes of a list that is sent along from its preview to its confirmation.
MOST = 1_000_000
#: Rows of each kind that a preview shows.
SHOWN = 200


@office.get("/add-stores")
@requires("stores.edit")
def add_stores(brand: str) -> str:
    """What a file of stores is to look like, and where to choose it."""
    return _form()


@office.post("/add-stores")
@requires("stores.edit")
def preview_stores(brand: str) -> Response:
    """What a file would do, row by row; nothing is changed yet."""
    try:
        name, data = _sent()
        outcome = _take(name, data, dry_run=True)
    except HighstreetError as error:
        return make_response(_form(error), error.status)
    counts = {what: outcome.count(what) for what in ("add", "change", "same")}
    return make_response(
        render_template(
            "office/stores_preview.html",
            outcome=outcome,
            counts=counts,
            shown=[one for one in outcome.told if one.action != "same"][:SHOWN],
            refused=outcome.refused[:SHOWN],
            name=name,
            data=base64.b64encode(data).decode("ascii"),
            digest=hashlib.sha256(data).hexdigest(),
            make="make" in request.form,
            managers=sum(counts[what] for what in ("add", "change")),
        )
    )


@office.post("/add-stores/confirm")
@requires("stores.edit")
def take_stores(brand: str) -> Response:
    """Do what the preview showed. The managers' links are in the answer and nowhere else."""
    try:
        data = base64.b64decode(request.form.get("data", ""), validate=True)
    except ValueError as error:
        raise Invalid(_("This file did not arrive whole. Choose it again.")) from error
    if hashlib.sha256(data).hexdigest() != request.form.get("digest", ""):
        raise Invalid(_("This file did not arrive whole. Choose it again."))
    outcome = _take(_name(request.form.get("name", "")), data, dry_run=False)
    links = [
        {
            "email": one.email,
            "store": one.store,
            "link": link_url(current.house, one.token),
            "until": one.expires_at,
        }
        for one in outcome.links
    ]
    return make_response(
        render_template(
            "office/stores_taken.html",
            outcome=outcome,
            counts={what: outcome.count(what) for what in ("add", "change", "same")},
            links=links,
        )
    )


@office.post("/add-stores/links.csv")
@requires("stores.edit")
def links_sheet(brand: str) -> Response:
    """The links that the page shows, as a file: it sends them, for they are kept nowhere."""
    start = link_url(current.house, "")
    fields = ("email", "store", "link", "until")
    rows = zip(*(request.form.getlist(name) for name in fields), strict=False)
    return sheet("links.csv", fields, [row for row in rows if row[2].startswith(start)])


@office.get("/stores/<slug>/close")
@requires("stores.edit")
def closing_store(brand: str, slug: str) -> str:
    """What closing the store would end, what it owes, and what stays."""
    return _closing(*_looked_at(slug))


@office.post("/stores/<slug>/close")
@requires("stores.edit")
def close_store(brand: str, slug: str) -> Response:
    """Close the store, once its number was typed."""
    store, ended, owes = _looked_at(slug)
    if request.form.get("number", "").strip() != store.code:
        message = _("Type the store’s number, %(number)s, to confirm.", number=store.code)
        return make_response(_closing(store, ended, owes, message), 422)
    with current.session(write=True) as s:
        closing.close(s, slug, owes=owes)
    flash(
        _("“%(name)s” has closed. Its keys, tills and PINs open nothing.", name=store.name),
        "good",
    )
    return redirect(here("office.store", slug=slug), 303)


@office.post("/stores/<slug>/open")
@requires("stores.edit")
def open_store(brand: str, slug: str) -> Response:
    """Open a closed store again."""
    with current.session(write=True) as s:
        closing.reopen(s, slug)
    flash(_("The store is open again. Make its API keys, tills and PINs anew."), "good")
    return redirect(here("office.store", slug=slug), 303)


def _looked_at(slug: str) -> tuple[Store, Closing, Debts]:
    with current.session() as s:
        store, ended = closing.look(s, slug)
    return store, ended, owing.ask(current.house.tenancy, current.place.brand, store.id)


def _closing(store: Store, ended: Closing, owes: Debts, wrong: str = "") -> str:
    title = current.house.host.title
    return render_template(
        "office/store_close.html",
        store=store,
        ended=ended,
        debts=[
            {
                "what": debt.owed.what,
                "tool": title(debt.tool, language()),
                "many": owing.counted(debt.owed, owes.locale),
                "worth": owing.worth(debt.owed.worth_minor, owes.currency, owes.locale),
                "note": debt.owed.note,
            }
            for debt in owes.all
        ],
        silent=[title(name, language()) for name in owes.failed],
        errors={"number": [wrong]} if wrong else {},
    )


def _form(error: HighstreetError | None = None) -> str:
    return render_template(
        "office/stores_add.html",
        columns=list(COLUMNS),
        errors=error.fields if error else {},
        detail=error.detail if error and not error.fields else "",
        make="make" in request.form,
    )


def _sent() -> tuple[str, bytes]:
    """Name and content of the file. Raises Invalid (field "file")."""
    given = request.files.get("file")
    data = given.read(MOST + 1) if given else b""
    if not data:
        message = _("Choose a file that holds the list.")
    elif len(data) > MOST:
        message = _("This file is larger than 1 MB. Take it in on the command line.")
    else:
        return _name(given.filename if given else ""), data
    raise Invalid(message, fields={"file": [message]})


def _name(text: str | None) -> str:
    """A name for a file of ours that ends as theirs does."""
    return secure_filename(text or "")[-80:] or "stores.csv"


def _take(name: str, data: bytes, *, dry_run: bool) -> Outcome:
    user = current.user
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        return onboarding.take_in(
            current.house.tenancy,
            current.place.brand,
            path,
            make="make" in request.form,
            dry_run=dry_run,
            actor=current.actor,
            by=user.id if user else None,
            catalogue=current.catalogue,
        )
