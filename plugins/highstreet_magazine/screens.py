"""A store's page of the magazine, and where members and staff choose its form."""

from typing import Any
from uuid import UUID

from flask import flash, render_template, request, url_for
from werkzeug.wrappers import Response

from highstreet.sdk import (
    Ctx,
    HighstreetError,
    NotFound,
    current,
    go_on,
    open_ctx,
    public,
    requires,
    screens,
)
from highstreet.sdk import gettext as _
from highstreet_magazine import counting, forms, issues, publications
from highstreet_magazine.names import FORMS
from highstreet_magazine.sheets import sheet

store = screens("magazine", "store", import_name=__name__)
member = screens("magazine", "member", import_name=__name__)


@store.get("/")
@requires("magazine.read")
def overview() -> str:
    """How many of the store's members get it in which form, and what it has of each issue."""
    with open_ctx() as ctx:
        rows = _issues(ctx)
        return render_template(
            "magazine/store.html",
            counts=counting.forms_here(ctx),
            forms=FORMS,
            lines=rows,
        )


@store.get("/costs.csv")
@requires("magazine.read")
def costs_file() -> Response:
    """What the store bears of each issue as a file."""
    with open_ctx() as ctx:
        rows = [
            (line["name"], line["day"].isoformat(), line["copies"], line["minor"], line["currency"])
            for line in _issues(ctx)
        ]
    header = (_("Issue"), _("In the homes"), _("Copies"), _("Cost, minor units"), _("Currency"))
    return sheet("magazine-costs.csv", [header, *rows])


@store.post("/members/<uuid:customer_id>/choose")
@requires("magazine.subscribe")
def choose(customer_id: UUID) -> Response:
    """Let a member have a publication in a form; “keep” says that they want it on."""
    with open_ctx(write=True) as ctx:
        customer = ctx.customers.get(customer_id)
        try:
            _choose(ctx, customer.id)
            flash(_("Saved for %(name)s.", name=customer.name or _("this member")), "good")
        except HighstreetError as refusal:
            flash(refusal.detail, "bad")
    place = {name: one for name, one in (request.view_args or {}).items() if name != "customer_id"}
    return go_on(url_for(".overview", **place))


@member.post("/choose")
@public("the link is the key: it was given to this member only")
def choose_own() -> Response:
    """A member chooses on their own page."""
    token = (request.view_args or {})["token"]
    with open_ctx(write=True) as ctx:
        if current.member_id is None:
            raise NotFound(_("There is no such page."))
        try:
            _choose(ctx, ctx.customers.get(current.member_id).id)
            flash(_("Saved."), "good")
        except HighstreetError as refusal:
            flash(refusal.detail, "bad")
    return go_on(url_for("member.card", token=token))


def _choose(ctx: Ctx, customer_id: UUID) -> None:
    typed = request.form.get("publication", "")
    number = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 3 else 0
    publication = publications.numbered(ctx, number)
    if request.form.get("keep"):
        forms.keep(ctx, customer_id, publication.id)
        return
    copies = request.form.get("copies", "1").strip() or "1"
    forms.choose(
        ctx,
        customer_id,
        publication.id,
        request.form.get("form", ""),
        int(copies) if copies.isascii() and copies.isdigit() and len(copies) < 4 else 0,
    )


def _issues(ctx: Ctx) -> list[dict[str, Any]]:
    """Issues that went out, and what this store has of them."""
    shares = counting.of_store(ctx)
    names = {one.id: one for one in publications.listed(ctx)}
    found: list[dict[str, Any]] = []
    for row in issues.listed(ctx):
        share = shares.get(row.id)
        found.append(
            {
                "name": issues.named(ctx, row, names[row.publication_id]),
                "day": row.in_home_on,
                "copies": share.copies if share else None,
                "minor": share.minor if share else None,
                "currency": row.currency,
            }
        )
    return found
