"""Pages to scan at: codes that customers bring, and post that came back."""

from uuid import UUID

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from highstreet.sdk import Ctx, HighstreetError, current, go_on, open_ctx, requires
from highstreet.sdk import gettext as _
from highstreet_direct_mail import answers, returns, scanning
from highstreet_direct_mail.faces import here, page, show, store
from highstreet_direct_mail.models import ANSWERED, RETURNED


@store.get("/codes")
@requires("direct_mail.redeem")
def codes() -> str:
    """Take a code, and the last ones."""
    with open_ctx() as ctx:
        return _page(ctx, ANSWERED)


@store.post("/codes")
@requires("direct_mail.redeem")
def take_code() -> Response:
    """Take `code`, beside the receipt `receipt` if one is named."""
    code = request.form.get("code", "").strip()[:40]
    receipt = request.form.get("receipt", "").strip()[:60]
    try:
        with open_ctx(write=True) as ctx:
            done = answers.redeem(ctx, code, receipt or None)
            names = ctx.customers.names([done.customer_id] if done.customer_id else [])
            name = next(iter(names.values()), "")
            offer = done.job.offer or done.job.name
        flash(
            _("Taken: %(offer)s for %(name)s.", offer=offer, name=name)
            if name
            else _("Taken: %(offer)s.", offer=offer),
            "good",
        )
    except HighstreetError as refusal:
        flash(refusal.detail, "bad")
    return go_on(url_for(".codes", **here()))


@store.post("/codes/<uuid:scan_id>/undo")
@requires("direct_mail.redeem")
def undo_code(scan_id: UUID) -> Response:
    """Take it back: it was a mistake."""
    try:
        with open_ctx(write=True) as ctx:
            done = answers.undo(ctx, scan_id)
            code = done.scan.code
        flash(_("Undone: code %(code)s may be taken again.", code=code), "good")
    except HighstreetError as refusal:
        flash(refusal.detail, "bad")
    return go_on(url_for(".codes", **here()))


@page("/returns", "returns")
def came_back() -> str:
    """Scan a piece that came back, and the last ones."""
    with open_ctx() as ctx:
        return _page(ctx, RETURNED)


@page("/returns", "returns", "POST")
def take_back() -> Response:
    """The post returned the piece that bears `code`."""
    code = request.form.get("code", "").strip()[:40]
    try:
        with open_ctx(write=True) as ctx:
            done = returns.came_back(ctx, code)
            said = (done.code, done.scan is None)
        flash(
            _("%(code)s was scanned before.", code=said[0])
            if said[1]
            else _("%(code)s: nothing more goes to that address.", code=said[0]),
            "good",
        )
    except HighstreetError as refusal:
        flash(refusal.detail, "bad")
    return redirect(url_for(".came_back", **here()), 303)


@page("/returns/<uuid:scan_id>/undo", "returns", "POST")
def undo_back(scan_id: UUID) -> Response:
    """It was another one that came back."""
    try:
        with open_ctx(write=True) as ctx:
            code = returns.undo(ctx, scan_id).code
        flash(_("Undone: %(code)s counts as delivered.", code=code), "good")
    except HighstreetError as refusal:
        flash(refusal.detail, "bad")
    return redirect(url_for(".came_back", **here()), 303)


def _page(ctx: Ctx, kind: str) -> str:
    found = scanning.lately(ctx, kind)
    shown = ctx.store_id is not None or current.may("customers.read")
    people = {one.customer_id for one in found if one.customer_id and shown}
    names = ctx.customers.names(people)
    lines = [
        {
            "id": one.id,
            "code": one.code,
            "at": one.at,
            "undone": one.undone_at is not None,
            "name": names.get(one.customer_id, "") if one.customer_id else "",
            "job": scanning.job(ctx, one.posting_id).name,
        }
        for one in found
    ]
    return show("scans.html", back=kind == RETURNED, lines=lines)
