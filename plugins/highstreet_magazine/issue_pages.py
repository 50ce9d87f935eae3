"""Head office's pages of one issue: its run, the waterfall, files, cost, copies that came back."""

from collections.abc import Callable
from itertools import chain
from typing import Any
from uuid import UUID

from flask import flash, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from highstreet.sdk import (
    Conflict,
    Ctx,
    HighstreetError,
    Invalid,
    NotFound,
    format_locale,
    format_minor,
    go_on,
    open_ctx,
    parse_amount,
    requires,
)
from highstreet.sdk import gettext as _
from highstreet_magazine import (
    costs,
    counting,
    issues,
    listing,
    publications,
    running,
    words,
)
from highstreet_magazine.names import PRINT
from highstreet_magazine.office import dates, here, office
from highstreet_magazine.sheets import sheet

_STEPS: dict[str, Callable[[Ctx, UUID], object]] = {
    "release": running.release,
    "pause": running.pause,
    "resume": running.resume,
    "stop": running.stop,
}


@office.get("/issues/<uuid:issue_id>")
@requires("magazine.read")
def issue(issue_id: UUID) -> str:
    """All about one issue."""
    with open_ctx() as ctx:
        return render_template("magazine/issue.html", **_issue(ctx, issue_id))


@office.get("/issues/<uuid:issue_id>/plan")
@requires("magazine.manage")
def plan_of(issue_id: UUID) -> str:
    """Its dates, its wrapper, and what each edition is."""
    with open_ctx() as ctx:
        return render_template("magazine/plan.html", **_plan(ctx, issue_id))


@office.post("/issues/<uuid:issue_id>/plan")
@requires("magazine.manage")
def replan(issue_id: UUID) -> Response | tuple[str, int]:
    """Plan it otherwise."""
    try:
        with open_ctx(write=True) as ctx:
            issues.change(
                ctx, issue_id, wrapper=request.form.get("wrapper", ""), **dates(ctx, request.form)
            )
    except HighstreetError as refusal:
        return _again(issue_id, refusal)
    flash(_("Saved."), "good")
    return go_on(url_for(".issue", issue_id=issue_id, **here()))


@office.post("/issues/<uuid:issue_id>/editions/<uuid:edition_id>")
@requires("magazine.manage")
def write(issue_id: UUID, edition_id: UUID) -> Response | tuple[str, int]:
    """Say what an edition of it is."""
    said = {name: request.form.get(name, "") for name in ("design", "subject", "text")}
    try:
        with open_ctx(write=True) as ctx:
            issues.write(ctx, issue_id, edition_id, said)
    except HighstreetError as refusal:
        return _again(issue_id, refusal)
    flash(_("Saved."), "good")
    return go_on(url_for(".plan_of", issue_id=issue_id, **here()))


@office.post("/issues/<uuid:issue_id>/select")
@requires("magazine.manage")
def select(issue_id: UUID) -> Response:
    """Have it worked out who gets it."""
    return _done(issue_id, running.order, _("Who gets it is being worked out."))


@office.post("/issues/<uuid:issue_id>/discard")
@requires("magazine.manage")
def discard(issue_id: UUID) -> Response:
    """Throw the plan away."""
    try:
        with open_ctx(write=True) as ctx:
            issues.discard(ctx, issue_id)
    except HighstreetError as refusal:
        flash(refusal.detail, "bad")
        return go_on(url_for(".issue", issue_id=issue_id, **here()))
    flash(_("Thrown away."), "good")
    return go_on(url_for(".overview", **here()))


@office.post("/issues/<uuid:issue_id>/approve")
@requires("magazine.release")
def approve(issue_id: UUID) -> Response:
    """Let it go out as it was looked at."""
    seen = request.form.get("seen", "")[:64]
    return _done(issue_id, lambda ctx, one: running.approve(ctx, one, seen), _("Approved."))


@office.post("/issues/<uuid:issue_id>/step")
@requires("magazine.release")
def step(issue_id: UUID) -> Response:
    """Release, pause, resume or stop it: `step`."""
    deed = _STEPS.get(request.form.get("step", ""))
    if deed is None:
        raise NotFound(_("There is no such page."))
    return _done(issue_id, deed, _("Done."))


@office.post("/issues/<uuid:issue_id>/cost")
@requires("magazine.manage")
def put_cost(issue_id: UUID) -> Response:
    """Write down what it cost; each store's part follows."""

    def put(ctx: Ctx, one: UUID) -> None:
        row = issues.get(ctx, one)
        typed = request.form.get("cost", "")
        minor = parse_amount(typed, row.currency, format_locale())
        costs.put(ctx, one, minor)

    return _done(issue_id, put, _("Saved."))


@office.post("/issues/<uuid:issue_id>/list.csv")
@requires("magazine.files")
def list_file(issue_id: UUID) -> Response:
    """The mailing list for the mail house; the trail says who took it."""
    try:
        with open_ctx(write=True) as ctx:
            listing.taken(ctx, issue_id)
    except Conflict as refusal:
        flash(refusal.detail, "bad")
        return go_on(url_for(".issue", issue_id=issue_id, **here()))
    with open_ctx() as ctx:
        rows = map(listing.cells, listing.lines(ctx, issue_id))
        return sheet("magazine-list.csv", chain([listing.headings()], rows))


@office.post("/issues/<uuid:issue_id>/labels.pdf")
@requires("magazine.files")
def labels_file(issue_id: UUID) -> Response:
    """Labels, ten thousand in a file; the trail says who took them."""
    part, start = (max(1, request.form.get(name, 1, type=int)) for name in ("part", "start"))
    try:
        with open_ctx() as ctx:
            made = listing.labels(
                ctx, issue_id, request.form.get("sheet", ""), part=part, start=start
            )
        with open_ctx(write=True) as ctx:
            listing.taken(ctx, issue_id)
    except HighstreetError as refusal:
        flash(refusal.detail, "bad")
        return go_on(url_for(".issue", issue_id=issue_id, **here()))
    response = make_response(made)
    response.mimetype = "application/pdf"
    response.headers["Content-Disposition"] = f'attachment; filename="magazine-labels-{part}.pdf"'
    return response


@office.get("/issues/<uuid:issue_id>/postcodes.csv")
@requires("magazine.read")
def postcodes_file(issue_id: UUID) -> Response:
    """Pieces by postal code, for the post office."""
    with open_ctx() as ctx:
        found = counting.postcodes(ctx, issue_id)
    return sheet("magazine-postcodes.csv", [(_("Country"), _("Postal code"), _("Pieces")), *found])


@office.get("/issues/<uuid:issue_id>/stores.csv")
@requires("magazine.read")
def stores_file(issue_id: UUID) -> Response:
    """Copies and cost by store; amounts in minor units."""
    with open_ctx() as ctx:
        currency = issues.get(ctx, issue_id).currency
        rows = [
            (one.code, one.name or _("Head office"), one.copies, one.minor, currency)
            for one in counting.by_store(ctx, issue_id)
        ]
    header = (_("Number"), _("Store"), _("Copies"), _("Cost, minor units"), _("Currency"))
    return sheet("magazine-stores.csv", [header, *rows])


@office.get("/issues/<uuid:issue_id>/returned")
@requires("magazine.files")
def returned(issue_id: UUID) -> str:
    """Copies that came back, and where the next is scanned."""
    with open_ctx() as ctx:
        row = issues.get(ctx, issue_id)
        return render_template(
            "magazine/returned.html",
            issue_id=issue_id,
            name=issues.named(ctx, row),
            many=counting.returned(ctx, issue_id),
            came=listing.returned(ctx, issue_id),
        )


@office.post("/issues/<uuid:issue_id>/returned")
@requires("magazine.files")
def came_back(issue_id: UUID) -> Response:
    """A copy came back; or, with `undo`, it was another."""
    code = request.form.get("code", "")[:40]
    try:
        with open_ctx(write=True) as ctx:
            issues.get(ctx, issue_id)
            if request.form.get("undo"):
                listing.undo(ctx, code)
                flash(_("Taken back."), "good")
            else:
                came = listing.came_back(ctx, code)
                flash(
                    _("%(code)s came back: %(name)s.", code=came.code, name=came.name or "–"),
                    "good",
                )
    except HighstreetError as refusal:
        flash(refusal.detail, "bad")
    return go_on(url_for(".returned", issue_id=issue_id, **here()))


def _done(issue_id: UUID, deed: Callable[[Ctx, UUID], object], said: str) -> Response:
    try:
        with open_ctx(write=True) as ctx:
            deed(ctx, issue_id)
        flash(said, "good")
    except HighstreetError as refusal:
        flash(refusal.detail, "bad")
    return go_on(url_for(".issue", issue_id=issue_id, **here()))


def _again(issue_id: UUID, refusal: HighstreetError) -> tuple[str, int]:
    """The form once more, with what is wrong. Raises what is no fault of the form."""
    if not isinstance(refusal, Invalid) and not refusal.fields:
        raise refusal
    with open_ctx() as ctx:
        shown = _plan(ctx, issue_id, request.form, refusal)
        return render_template("magazine/plan.html", **shown), refusal.status


def _issue(ctx: Ctx, issue_id: UUID) -> dict[str, Any]:
    row = issues.get(ctx, issue_id)
    standing = issues.standing(ctx, row)
    parts = counting.parts(ctx, issue_id)
    printed = [one for one in parts if one.run.form == PRINT]
    pieces = sum(one.pieces for one in printed)
    stores = counting.by_store(ctx, issue_id)
    return {
        "row": row,
        "name": issues.named(ctx, row),
        "standing": standing,
        "sign": words.state(ctx, row),
        "due": row.cutoff_at <= ctx.now(),
        "totals": counting.totals(ctx, issue_id) if parts else None,
        "parts": parts,
        "pieces": pieces,
        "copies": sum(one.copies for one in printed),
        "by_email": sum(one.pieces for one in parts) - pieces,
        "manifest": running.manifest(ctx, issue_id) if standing == "selected" else "",
        "stores": stores,
        "cost": _amount(row.cost_minor, row.currency),
        "amounts": {one.store_id: _amount(one.minor, row.currency) for one in stores},
        "returned": counting.returned(ctx, issue_id),
        "sheets": [(one, one) for one in ctx.printing.sheets()],
        "label_parts": [(n, n) for n in range(1, -(-pieces // listing.LABELS) + 1)],
    }


def _plan(
    ctx: Ctx, issue_id: UUID, typed: Any = None, refusal: HighstreetError | None = None
) -> dict[str, Any]:
    row = issues.get(ctx, issue_id)
    designs = [(str(one[0]), one[1]) for one in ctx.printing.designs()]
    return {
        "row": row,
        "name": issues.named(ctx, row),
        "values": typed
        or {
            "title": row.title,
            "cutoff_at": words.local(row.cutoff_at, ctx),
            "in_home_on": row.in_home_on.isoformat(),
            "wrapper": row.wrapper,
        },
        "editions": [
            (one, row.contents.get(str(one.id)) or {})
            for one in publications.editions(ctx, row.publication_id)
        ],
        "designs": [("", _("The printer has it")), *designs],
        "errors": refusal.fields if refusal else {},
        "detail": refusal.detail if refusal else "",
    }


def _amount(minor: int | None, currency: str) -> str:
    return "" if minor is None else format_minor(minor, currency, str(format_locale()))
