"""What a mailing by post is printed from: a proof, files for a printer, sheets of labels. All of it
holds names and addresses, so whoever may approve mailings gets it, and the trail says who did."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, request, send_file
from werkzeug.wrappers import Response

from highstreet.i18n import gettext as _
from highstreet.i18n import ngettext
from highstreet.mailings import pressing, queries
from highstreet.web import printed
from highstreet.web.current import current
from highstreet.web.mailings.pages import APPROVE, ONE, both, here, page
from highstreet_tenants.errors import HighstreetError, NotFound
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.trail import record

Answer = Response | tuple[str, int]
_MAY = {"store": APPROVE, "office": APPROVE}


@both(f"{ONE}/proof.pdf", "proof", "POST", **_MAY)
def proof(brand: str, mailing_id: UUID, store: str | None = None) -> Answer:
    """The pieces that are likeliest to go wrong."""

    def made(s: ScopedSession) -> bytes:
        return pressing.proof(s, mailing_id)

    return _pdf(mailing_id, "proof", made)


@both(f"{ONE}/labels.pdf", "labels", "POST", **_MAY)
def labels(brand: str, mailing_id: UUID, store: str | None = None) -> Answer:
    """Address labels, on sheets from a shop."""
    text = request.form.get("start", "1")
    start = int(text) if text.isdecimal() and len(text) < 4 else 1

    def made(s: ScopedSession) -> bytes:
        return pressing.labels(s, mailing_id, request.form.get("sheet", ""), start=start)

    return _pdf(mailing_id, "labels", made)


def _pdf(mailing_id: UUID, name: str, made: Any) -> Answer:
    try:
        with current.session(write=True) as s:
            data = made(s)
            number = _taken(s, mailing_id)
    except HighstreetError as error:
        if error.status == 404:
            raise
        return page(mailing_id, error.detail), error.status
    return printed.as_pdf(data, f"{name}-{number}")


@both(f"{ONE}/print", "print", "POST", **_MAY)
def order(brand: str, mailing_id: UUID, store: str | None = None) -> Answer:
    """Have the files for a printer written."""
    try:
        with current.session(write=True) as s:
            pressing.order(s, mailing_id)
    except HighstreetError as error:
        if error.status == 404:
            raise
        return page(mailing_id, error.detail), error.status
    flash(_("The files are being written. Look here again in a while."), "good")
    return redirect(here("one", mailing_id=mailing_id), 303)


@both(f"{ONE}/print/<int:file>.pdf", "file", "POST", **_MAY)
def file(brand: str, mailing_id: UUID, file: int, store: str | None = None) -> Response:
    """One of the files."""
    with current.session(write=True) as s:
        there = pressing.files(s, mailing_id)
        if not 0 < file <= len(there):
            raise NotFound(_("This file is not there any more."))
        path, one = there[file - 1]
        _taken(s, mailing_id)
    return send_file(
        path.resolve(),  # Flask takes what is relative from where its code lies
        mimetype="application/pdf",
        as_attachment=True,
        download_name=one.name,
        max_age=0,
    )


@both(f"{ONE}/print/delete", "take_away", "POST", **_MAY)
def take_away(brand: str, mailing_id: UUID, store: str | None = None) -> Response:
    """Delete the files once they are printed."""
    with current.session() as s:
        gone = pressing.take_away(s, mailing_id)
    flash(ngettext("%(num)d file deleted.", "%(num)d files deleted.", gone), "good")
    return redirect(here("one", mailing_id=mailing_id), 303)


def _taken(s: ScopedSession, mailing_id: UUID) -> int:
    """Write down that somebody takes names and addresses along; gives the mailing's number."""
    fact = queries.get(s, mailing_id)
    record(s, "mailing.exported", "mailing", fact.id, fact.name)
    return fact.number
