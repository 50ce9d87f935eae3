"""Head office's pages: publications with their editions, and issues as they are planned."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask import flash, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from highstreet.sdk import (
    Ctx,
    HighstreetError,
    Invalid,
    clock,
    go_on,
    open_ctx,
    requires,
    screens,
)
from highstreet.sdk import gettext as _
from highstreet_magazine import counting, issues, publications, words
from highstreet_magazine.models import Issue
from highstreet_magazine.names import FORMS, MOST_PUBLICATIONS

office = screens("magazine", "office", import_name=__name__)


@office.get("/")
@requires("magazine.read")
def overview() -> str:
    """Publications, how many get them in which form, and the latest issues."""
    with open_ctx() as ctx:
        return render_template("magazine/office.html", **_overview(ctx))


@office.post("/publications")
@requires("magazine.manage")
def add_publication() -> Response | tuple[str, int]:
    """Begin a publication."""
    form = request.form
    try:
        with open_ctx(write=True) as ctx:
            made = publications.create(
                ctx, form.get("name", ""), form.get("purpose", ""), form.get("default_form", "")
            )
            made_id = made.id
    except HighstreetError as refusal:
        with open_ctx() as ctx:
            shown = _overview(ctx, form, refusal)
            return render_template("magazine/office.html", **shown), refusal.status
    return go_on(url_for(".publication", publication_id=made_id, **here()))


@office.get("/publications/<uuid:publication_id>")
@requires("magazine.read")
def publication(publication_id: UUID) -> str:
    """What it is called, and its editions."""
    with open_ctx() as ctx:
        return render_template("magazine/publication.html", **_publication(ctx, publication_id))


@office.post("/publications/<uuid:publication_id>")
@requires("magazine.manage")
def change_publication(publication_id: UUID) -> Response | tuple[str, int]:
    """Call it otherwise."""
    form = request.form
    try:
        with open_ctx(write=True) as ctx:
            publications.change(
                ctx,
                publication_id,
                form.get("name", ""),
                form.get("purpose", ""),
                form.get("default_form", ""),
            )
    except Invalid as refusal:
        with open_ctx() as ctx:
            shown = _publication(ctx, publication_id, form, refusal)
            return render_template("magazine/publication.html", **shown), refusal.status
    flash(_("Saved."), "good")
    return go_on(url_for(".publication", publication_id=publication_id, **here()))


@office.post("/publications/<uuid:publication_id>/editions")
@requires("magazine.manage")
def add_edition(publication_id: UUID) -> Response | tuple[str, int]:
    """Have one more edition."""
    form = request.form
    try:
        with open_ctx(write=True) as ctx:
            publications.add_edition(
                ctx,
                publication_id,
                form.get("edition", ""),
                stores=form.getlist("stores"),
                regions=[one for one in form.getlist("regions") if one],
                language=form.get("language", ""),
            )
    except (Invalid, HighstreetError) as refusal:
        with open_ctx() as ctx:
            shown = _publication(ctx, publication_id, None, refusal)
            return render_template("magazine/publication.html", **shown), refusal.status
    flash(_("Saved."), "good")
    return go_on(url_for(".publication", publication_id=publication_id, **here()))


@office.post("/editions/<uuid:edition_id>/drop")
@requires("magazine.manage")
def drop_edition(edition_id: UUID) -> Response:
    """Have an edition no more."""
    with open_ctx(write=True) as ctx:
        publication_id = publications.drop_edition(ctx, edition_id).publication_id
    return go_on(url_for(".publication", publication_id=publication_id, **here()))


@office.post("/publications/<uuid:publication_id>/issues")
@requires("magazine.manage")
def plan(publication_id: UUID) -> Response | tuple[str, int]:
    """Plan an issue."""
    try:
        with open_ctx(write=True) as ctx:
            row = issues.plan(ctx, publication_id, **dates(ctx, request.form))
            issue_id = row.id
    except HighstreetError as refusal:
        with open_ctx() as ctx:
            shown = _publication(ctx, publication_id, request.form, refusal)
            return render_template("magazine/publication.html", **shown), refusal.status
    return go_on(url_for("magazine-office.issue", issue_id=issue_id, **here()))


def here() -> dict[str, Any]:
    """What every address of the page's console begins with."""
    return {"brand": (request.view_args or {}).get("brand")}


def dates(ctx: Ctx, form: MultiDict[str, str]) -> dict[str, Any]:
    """Title, cut-off and day in the homes, as typed. Raises Invalid naming the fields."""
    wrong: dict[str, list[str]] = {}
    cutoff = in_home = None
    try:
        naive = datetime.fromisoformat(form.get("cutoff_at", "").strip())
        cutoff = clock.from_local(naive.replace(tzinfo=None), ctx.store().zone)
    except (ValueError, OverflowError):
        wrong["cutoff_at"] = [_("Say a day and a time.")]
    try:
        in_home = date.fromisoformat(form.get("in_home_on", "").strip())
    except ValueError:
        wrong["in_home_on"] = [_("Say a day.")]
    if cutoff is None or in_home is None:
        raise Invalid(_("Say when its cut-off is, and when it is in the homes."), fields=wrong)
    return {"title": form.get("title", ""), "cutoff_at": cutoff, "in_home_on": in_home}


def lines(ctx: Ctx, rows: Any) -> list[dict[str, Any]]:
    """Issues as lists show them."""
    names = {one.id: one for one in publications.listed(ctx)}
    return [
        {
            "id": row.id,
            "name": issues.named(ctx, row, names[row.publication_id]),
            "cutoff_at": row.cutoff_at,
            "in_home_on": row.in_home_on,
            "state": words.state(ctx, row),
        }
        for row in rows
    ]


def _overview(
    ctx: Ctx, typed: Any = None, refusal: HighstreetError | None = None
) -> dict[str, Any]:
    there = publications.listed(ctx)
    counts = dict(counting.forms_here(ctx))
    return {
        "publications": [(one, counts.get(one.name)) for one in there],
        "issues": lines(ctx, issues.listed(ctx, most=20)),
        "shared": ctx.brand.customers == "brand",
        "room": len(there) < MOST_PUBLICATIONS,
        "forms": FORMS,
        "typed": typed or {},
        "errors": refusal.fields if refusal else {},
        "detail": refusal.detail if refusal else "",
    }


def _publication(
    ctx: Ctx, publication_id: UUID, typed: Any = None, refusal: HighstreetError | None = None
) -> dict[str, Any]:
    row = publications.get(ctx, publication_id)
    shops = ctx.all_shops()
    regions = {str(one): name for one, name in ctx.regions().items()}
    names = {str(one.id): one.name for one in shops}
    found: list[Issue] = list(issues.listed(ctx, publication_id))
    return {
        "publication": row,
        "editions": [
            (one, publications.in_words(ctx, one, names, regions))
            for one in publications.editions(ctx, publication_id)
        ],
        "issues": lines(ctx, found),
        "next_number": publications.last_number(ctx, publication_id) + 1,
        "shops": shops,
        "regions": list(regions.items()),
        "forms": FORMS,
        "typed": typed or {},
        "errors": refusal.fields if refusal else {},
        "detail": refusal.detail if refusal else "",
    }
