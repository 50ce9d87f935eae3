"""A piece in somebody's hand: why its reader got it, by the code that it bears."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request
from werkzeug.wrappers import Response

from highstreet.i18n import gettext as _
from highstreet.mailings import queries, returns, telling
from highstreet.mailings.facts import PieceFact
from highstreet.web.both import person_href
from highstreet.web.current import current
from highstreet.web.mailings import words
from highstreet.web.mailings.pages import PLAN, both, here, names
from highstreet_tenants.errors import Conflict, NotFound
from highstreet_tenants.sessions import ScopedSession


@both("/scan", "scan", "GET")
def scan(brand: str, store: str | None = None) -> str:
    """The chain behind a piece, from a code that is typed or scanned."""
    code = request.args.get("code", "").strip()[:100]
    refused, shown = "", {}
    with current.session() as s:
        if code:
            try:
                shown = _shown(s, queries.piece_by_code(s, code))
            except NotFound as error:
                refused = error.detail
    return render_template("mailings/scan.html", code=code, refused=refused, told=shown, **names())


@both("/scan", "returned", "POST", store=PLAN, office=PLAN)
def returned(brand: str, store: str | None = None) -> Response:
    """The post brought a piece back, or it was another one that it brought."""
    code, undone = request.form.get("code", "")[:100], "undo" in request.form
    try:
        with current.session(write=True) as s:
            (returns.undo if undone else returns.came_back)(s, code)
        done = (
            _("Taken back: it did not come back.")
            if undone
            else _("Written down: nothing more is sent to that address.")
        )
        flash(done, "good")
    except Conflict as error:
        flash(error.detail, "bad")
    return redirect(here("scan", code=code), 303)


def _shown(s: ScopedSession, piece: PieceFact) -> dict[str, Any]:
    chain = telling.why(s, piece)
    sees = current.may("customers.read")
    return {
        "chain": chain,
        "piece": piece,
        "state": words.piece(piece.state),
        "channel": words.channel(chain.channel),
        "mailing_href": here("one", mailing_id=piece.mailing_id),
        "person_href": person_href(piece.customer_id) if sees else "",
        "address": chain.reached_at if sees else [],
    }
