"""A mailing's buttons: each takes it one step on; what can't be undone is asked first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request
from msgspec import Struct
from werkzeug.wrappers import Response

from highstreet.i18n import LazyText
from highstreet.i18n import gettext as _
from highstreet.i18n import lazy_gettext as _l
from highstreet.mailings import drafting, queries, releasing
from highstreet.web.current import current
from highstreet.web.forms import Form
from highstreet.web.mailings.pages import APPROVE, ONE, PLAN, both, here, names, page, told
from highstreet_tenants.errors import HighstreetError
from highstreet_tenants.sessions import ScopedSession

Answer = Response | tuple[str, int]


class Deed(Struct, frozen=True):
    """One button. asks: the page before it says what happens."""

    verb: Callable[[ScopedSession, UUID], object]
    permission: str
    done: LazyText
    asks: bool = False
    to: str = "one"


def _select(s: ScopedSession, mailing_id: UUID) -> object:
    return drafting.select(s, mailing_id, may=current.may)


def _approve(s: ScopedSession, mailing_id: UUID) -> object:
    return drafting.approve(s, mailing_id, Form(request.form, ("manifest",))["manifest"])


DEEDS = {
    "select": Deed(_select, PLAN, _l("People are selected. Look at whom it would reach.")),
    "approve": Deed(_approve, APPROVE, _l("Approved. It can be released."), asks=True),
    "release": Deed(releasing.release, APPROVE, _l("It goes out now."), asks=True),
    "pause": Deed(releasing.pause, PLAN, _l("Paused. Nothing more goes out.")),
    "resume": Deed(releasing.resume, APPROVE, _l("It goes on.")),
    "stop": Deed(releasing.stop, APPROVE, _l("Stopped. What was sent stays sent."), asks=True),
    "discard": Deed(drafting.discard, PLAN, _l("Thrown away."), asks=True, to="all"),
}


def _hang(name: str, deed: Deed) -> None:
    def ask(brand: str, mailing_id: UUID, store: str | None = None) -> str:
        """What it means, before it is done."""
        return _asked(name, mailing_id)

    def do(brand: str, mailing_id: UUID, store: str | None = None) -> Answer:
        """Take it this step on."""
        return _do(name, deed, mailing_id)

    if deed.asks:
        both(f"{ONE}/{name}", name, "GET", store=deed.permission, office=deed.permission)(ask)
    both(f"{ONE}/{name}", f"do_{name}", "POST", store=deed.permission, office=deed.permission)(do)


for _name, _deed in DEEDS.items():
    _hang(_name, _deed)


def _asked(name: str, mailing_id: UUID, detail: str = "") -> str:
    with current.session() as s:
        shown = told(s, queries.get(s, mailing_id))
    return render_template("mailings/ask.html", deed=name, detail=detail, **shown, **names())


def _do(name: str, deed: Deed, mailing_id: UUID) -> Answer:
    try:
        with current.session(write=True) as s:
            deed.verb(s, mailing_id)
    except HighstreetError as error:
        if error.status in (404, 500):
            raise
        if deed.asks:
            return _asked(name, mailing_id, error.detail), error.status
        return page(mailing_id, error.detail), error.status
    flash(str(deed.done), "good")
    return redirect(here(deed.to, **({"mailing_id": mailing_id} if deed.to == "one" else {})), 303)


@both(f"{ONE}/cost", "cost", "POST", store=PLAN, office=PLAN)
def cost(brand: str, mailing_id: UUID, store: str | None = None) -> Any:
    """Write down what it cost."""
    form = Form(request.form, ("cost",))
    try:
        with current.session(write=True) as s:
            currency = queries.get(s, mailing_id).currency
            minor = form.money_of("cost", currency) if form.cost else None
            drafting.put_cost(s, mailing_id, minor)
    except HighstreetError as error:
        if error.status == 404:
            raise
        return page(mailing_id, error.detail, typed=form.cost), error.status
    flash(_("Written down."), "good")
    return redirect(here("one", mailing_id=mailing_id), 303)
