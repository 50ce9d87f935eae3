"""Head office's print designs in a store: its own words in them, and what it prints for itself."""

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from highstreet.host.access import requires
from highstreet.i18n import gettext as _
from highstreet.printing import proofing, queries, service
from highstreet.printing.designs import Design
from highstreet.printing.kinds import KINDS
from highstreet.printing.models import PrintVersion
from highstreet.printing.pieces import Piece
from highstreet.web import printed
from highstreet.web.current import current
from highstreet.web.forms import Form
from highstreet_tenants.errors import Conflict, HighstreetError
from highstreet_tenants.sessions import ScopedSession

prints = Blueprint("prints", __name__, url_prefix="/store/<brand>/<store>/prints")


def here(endpoint: str, **values: Any) -> str:
    """The address of a page of this store."""
    return url_for(endpoint, **current.place.slugs, **values)


@prints.get("/")
@requires("print.own")
def listed(brand: str, store: str) -> str:
    """The designs that head office has approved."""
    with current.session() as s:
        rows = []
        for one in queries.listed(s):
            row = printed.in_list(one, here("prints.page", design_id=one.id))
            content = queries.current(s, one.id).content
            row["name"] = content["title"]
            row["may"] = ", ".join(
                str(KINDS[one.kind].areas[name].label) for name in content["store_areas"]
            )
            rows.append(row)
    return render_template("store/prints.html", rows=rows)


@prints.get("/<uuid:design_id>")
@requires("print.own")
def page(brand: str, store: str, design_id: UUID) -> str:
    """What it looks like here, the store's own words, and the file to print."""
    with current.session() as s:
        return _page(s, design_id)


def _page(s: ScopedSession, design_id: UUID, form: Form | None = None, detail: str = "") -> str:
    version, design = _design(s, design_id)
    content = version.content
    kind = content["kind"]
    values = {**content["areas"], **queries.own(s, design_id)}
    if form is not None:
        values |= printed.areas_of(form, kind, content["store_areas"])
    whole = [
        one
        for one in printed.areas(kind, values, content["store_areas"], content["areas"])
        if one.open
    ]
    per_person = KINDS[kind].per_person
    return render_template(
        "store/print.html",
        content=content,
        version=version,
        areas=whole,
        per_person=per_person,
        wrong=printed.findings(s, design, printed=not per_person),
        errors=form.errors if form else {},
        labels=printed.labels(kind),
        detail=detail,
        sides=[
            here("prints.side", design_id=design_id, side=number, v=design.digest[:12])
            for number in range(design.pages_each())
        ],
        change_href=here("prints.change", design_id=design_id),
        file_href=here("prints.file", design_id=design_id),
        back_href=here("prints.listed"),
        uploads="picture" in content["store_areas"],
        **printed.choices(s, kind),
    )


def _design(s: ScopedSession, design_id: UUID) -> tuple[PrintVersion, Design]:
    version = queries.current(s, design_id)
    own = queries.own(s, design_id)
    return version, queries.design(s, printed.files(), version.content, own)


def _piece(s: ScopedSession, design: Design) -> Piece:
    """For nobody in particular; what is about people shows its name."""
    return printed.sample(s, design)


@prints.post("/<uuid:design_id>")
@requires("print.own")
def change(brand: str, store: str, design_id: UUID) -> Response | tuple[str, int]:
    """Keep the store's own words."""
    with current.session() as s:
        content = queries.current(s, design_id).content
    form = printed.read(content["kind"], request.form)
    try:
        with current.session(write=True) as s:
            may = content["store_areas"]
            picture = printed.upload(s) if "picture" in may else ""
            if picture:
                form.values["area-picture"] = picture
            own = {} if "reset" in request.form else printed.areas_of(form, content["kind"], may)
            service.set_own(s, design_id, own)
    except HighstreetError as error:
        if error.status == 404:
            raise
        form.refuse(error, "name")
        with current.session() as s:
            return _page(s, design_id, form, error.detail), error.status
    flash(_("Saved. This is how your store prints it."), "good")
    return redirect(here("prints.page", design_id=design_id), 303)


@prints.get("/<uuid:design_id>/side-<int:side>.png")
@requires("print.own")
def side(brand: str, store: str, design_id: UUID, side: int) -> Response:
    """A side of it, as this store prints it."""
    with current.session() as s:
        _version, design = _design(s, design_id)
        return printed.picture_of(design, _piece(s, design), side)


@prints.get("/<uuid:design_id>/print.pdf")
@requires("print.own")
def file(brand: str, store: str, design_id: UUID) -> Response:
    """The file to print; of what goes to people a proof with made-up values."""
    with current.session() as s:
        version, design = _design(s, design_id)
        if not KINDS[design.kind].per_person and printed.findings(s, design, printed=True):
            raise Conflict(_("Something of it can’t be printed so. Look at its page."))
        data = proofing.proof(design, [_piece(s, design)], fonts=printed.fonts(), every=True)
    name = design.kind.replace("_", "-")
    return printed.as_pdf(data, f"{name}-{current.place.slugs['store']}-v{version.number}")
