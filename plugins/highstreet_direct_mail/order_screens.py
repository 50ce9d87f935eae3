"""Pages of standing orders: the list with switches, the form, and who would be due today."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from highstreet.sdk import Ctx, HighstreetError, NotFound, current, format_day, open_ctx
from highstreet.sdk import gettext as _
from highstreet_direct_mail import triggers, words
from highstreet_direct_mail.faces import can, chosen, designs, here, page, show, whole
from highstreet_direct_mail.models import Trigger
from highstreet_direct_mail.triggers import Order

Answer = str | Response | tuple[str, int]
_FIELDS = ("name", "due", "days", "design", "offer", "per_day", "per_month")


@page("/orders", "read")
def orders() -> str:
    """The standing orders of the place."""
    with open_ctx() as ctx:
        place = ctx.store()
        lines = [
            {
                "row": one,
                "who": words.kind(one.kind, one.days),
                "ran": format_day(one.ran_on, place) if one.ran_on else "",
                "outcome": words.outcome(one.outcome),
            }
            for one in triggers.listed(ctx)
        ]
        sends = ctx.store_id is not None or ctx.brand.customers == "brand"
    return show("orders.html", lines=lines, sends=sends)


@page("/orders/new", "plan")
def new_order() -> str:
    """The form of a new one."""
    with open_ctx() as ctx:
        return _form(ctx, {"due": "not_seen", "days": "60"})


@page("/orders", "plan", "POST")
def create_order() -> Answer:
    """Write one down; it is off."""
    return _saved(None)


@page("/orders/<uuid:trigger_id>", "plan")
def order(trigger_id: UUID) -> str:
    """Its form."""
    with open_ctx() as ctx:
        return _form(ctx, _kept(triggers.get(ctx, trigger_id)), trigger_id)


@page("/orders/<uuid:trigger_id>", "plan", "POST")
def save_order(trigger_id: UUID) -> Answer:
    """Change it. One that is on goes out without being looked at, so changing it needs the
    permission that switching it on does."""
    with open_ctx() as ctx:
        on = triggers.get(ctx, trigger_id).active
    if on and not can("approve"):
        flash(_("It is on. Whoever may approve mail switches it off first, or changes it."), "bad")
        return redirect(url_for(".order", trigger_id=trigger_id, **here()), 303)
    return _saved(trigger_id)


@page("/orders/<uuid:trigger_id>/switch", "approve", "POST")
def switch_order(trigger_id: UUID) -> Response:
    """On, or off."""
    with open_ctx(write=True) as ctx:
        on = triggers.switch(ctx, trigger_id, request.form.get("on") == "1").active
    flash(_("On: it looks every morning who is due.") if on else _("Off."), "good")
    return redirect(url_for(".orders", **here()), 303)


@page("/orders/<uuid:trigger_id>/due", "plan", "POST")
def due_today(trigger_id: UUID) -> Answer:
    """Who would get a piece today; nothing is kept of it."""
    try:
        with open_ctx(write=True) as ctx:
            found = triggers.due(ctx, trigger_id)
            names: list[str] = []
            if current.may("customers.read"):
                known = ctx.customers.names(found.people)
                names = [known[one] or _("no name") for one in found.people if one in known]
            return _form(
                ctx, _kept(triggers.get(ctx, trigger_id)), trigger_id, due=found, names=names
            )
    except NotFound:
        raise
    except HighstreetError as refusal:
        flash(refusal.detail, "bad")
        return redirect(url_for(".order", trigger_id=trigger_id, **here()), 303)


def _saved(trigger_id: UUID | None) -> Answer:
    form = {name: request.form.get(name, "")[:400] for name in _FIELDS}
    try:
        with open_ctx(write=True) as ctx:
            triggers.save(ctx, _order(ctx, form), trigger_id)
    except HighstreetError as refusal:
        if isinstance(refusal, NotFound):
            raise
        with open_ctx() as ctx:
            fields = dict(refusal.fields) or {"name": [refusal.detail]}
            if "kind" in fields:
                fields["due"] = fields.pop("kind")
            return _form(ctx, form, trigger_id, errors=fields), refusal.status
    flash(_("Saved."), "good")
    return redirect(url_for(".orders", **here()), 303)


def _order(ctx: Ctx, form: Mapping[str, str]) -> Order:
    design_id = chosen(ctx, form["design"])
    return Order(
        form["name"],
        form["due"],
        whole("days", form["days"], 0, 3650),
        design_id,
        form["offer"],
        whole("per_day", form["per_day"], 0, 1_000_000) or None,
        whole("per_month", form["per_month"], 0, 1_000_000) or None,
    )


def _kept(row: Trigger) -> dict[str, str]:
    return {
        "name": row.name,
        "due": row.kind,
        "days": str(row.days),
        "design": str(row.design_id or ""),
        "offer": row.offer,
        "per_day": str(row.per_day or ""),
        "per_month": str(row.per_month or ""),
    }


def _form(
    ctx: Ctx,
    form: Mapping[str, str],
    trigger_id: UUID | None = None,
    *,
    due: Any = None,
    names: list[str] | None = None,
    errors: Mapping[str, Any] | None = None,
) -> str:
    return show(
        "order.html",
        form=form,
        trigger_id=trigger_id,
        due=due,
        names=names or [],
        errors=errors or {},
        kinds=list(words.KINDS.items()),
        caps=ctx.settings(),
        designs=designs(ctx),
    )
