"""Head office's print designs: the list, the form, what one looks like, and its approval."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request
from werkzeug.wrappers import Response

from highstreet.host.access import requires
from highstreet.i18n import gettext as _
from highstreet.printing import proofing, queries, service
from highstreet.printing.designs import Design
from highstreet.printing.kinds import KINDS
from highstreet.printing.models import PrintTemplate
from highstreet.printing.service import TemplateIn
from highstreet.web import formats, printed
from highstreet.web.current import current
from highstreet.web.forms import Form
from highstreet.web.office.pages import here, office
from highstreet_tenants import clock
from highstreet_tenants.errors import HighstreetError, NotFound
from highstreet_tenants.sessions import ScopedSession


@office.get("/prints/")
@requires("print.view")
def prints(brand: str) -> str:
    """All designs that are in use."""
    with current.session() as s:
        rows = [
            printed.in_list(one, here("office.print_one", design_id=one.id))
            for one in queries.listed(s)
        ]
    return render_template("office/prints.html", rows=rows, kinds=_kinds())


def _kinds() -> list[tuple[str, str]]:
    return [(here("office.new_print", kind=name), str(one.title)) for name, one in KINDS.items()]


def _kind(name: str) -> str:
    if name not in KINDS:
        raise NotFound(_("There is no such kind of printed matter."))
    return name


@office.get("/prints/new")
@requires("print.draft")
def new_print(brand: str) -> str:
    """The form of a new design, with words to begin with."""
    kind = _kind(request.args.get("kind", "postcard"))
    form = printed.read(kind, {})
    form.values |= {f"area-{name}": text for name, text in _shipped(kind).items()}
    form.values |= {"size": next(iter(KINDS[kind].formats)), "language": current.place.locale}
    with current.session() as s:
        return _form(s, kind, form, {"headline", "text"}, None)


@office.post("/prints/new")
@requires("print.draft")
def draft_print(brand: str) -> Response | tuple[str, int]:
    """Keep a new draft."""
    kind = _kind(request.form.get("kind", ""))
    return _save(kind, None)


@office.get("/prints/<uuid:design_id>/edit")
@requires("print.draft")
def edit_print(brand: str, design_id: UUID) -> str:
    """The form of a design."""
    with current.session() as s:
        row = queries.get(s, design_id)
        form = printed.read(row.kind, {})
        form.values |= {f"area-{name}": text for name, text in row.areas.items()}
        form.values |= {
            "name": row.name,
            "size": row.size,
            "window": row.window,
            "marks": "1" if row.marks else "",
            "language": row.language,
        }
        return _form(s, row.kind, form, set(row.store_areas), row)


@office.post("/prints/<uuid:design_id>/edit")
@requires("print.draft")
def change_print(brand: str, design_id: UUID) -> Response | tuple[str, int]:
    """Keep what was changed; stores print what was approved until this is."""
    with current.session() as s:
        kind = queries.get(s, design_id).kind
    return _save(kind, design_id)


def _save(kind: str, design_id: UUID | None) -> Response | tuple[str, int]:
    form = printed.read(kind, request.form)
    may = set(request.form.getlist("store_areas"))
    try:
        with current.session(write=True) as s:
            picture = printed.upload(s)
            if picture and "picture" in KINDS[kind].areas:
                form.values["area-picture"] = picture
            given = TemplateIn(
                name=form["name"],
                kind=kind,
                size=form["size"],
                areas=printed.areas_of(form, kind),
                store_areas=[name for name in KINDS[kind].areas if name in may],
                window=form["window"],
                marks=bool(form["marks"]),
                language=form["language"],
            )
            if design_id is None:
                design_id = service.draft(s, given)
            else:
                service.change(s, design_id, given)
    except HighstreetError as error:
        if error.status == 404:
            raise
        form.refuse(error, "name")
        with current.session() as s:
            row = queries.get(s, design_id) if design_id else None
            return _form(s, kind, form, may, row, error.detail), error.status
    flash(_("Saved. Look at it, then have it approved."), "good")
    return redirect(here("office.print_one", design_id=design_id), 303)


def _form(
    s: ScopedSession,
    kind: str,
    form: Form,
    may: set[str],
    row: PrintTemplate | None,
    detail: str = "",
) -> str:
    return render_template(
        "office/print_form.html",
        kind=kind,
        title=row.name if row else _("New: %(kind)s", kind=str(KINDS[kind].title)),
        form=form,
        errors=form.errors,
        detail=detail,
        areas=printed.areas(kind, printed.areas_of(form, kind), may),
        labels=printed.labels(kind),
        spoken=[("en-GB", "English"), ("zh-CN", "中文")],
        chosen_language="zh-CN" if form["language"].startswith("zh") else "en-GB",
        action_href=here("office.change_print", design_id=row.id)
        if row
        else here("office.draft_print"),
        back_href=here("office.print_one", design_id=row.id) if row else here("office.prints"),
        **printed.choices(s, kind),
    )


def _shipped(kind: str) -> dict[str, str]:
    """Words that a new design of a kind begins with."""
    per_person = KINDS[kind].per_person
    texts = {
        "headline": _("Double points this week"),
        "text": _(
            "Dear {{ customer.name | default: 'member' }},\n\nthis week every purchase counts"
            " twice.\n\n{{ store.name }}"
        )
        if per_person
        else _("This week every purchase counts twice for members."),
        "small": _("Not with other offers. {{ brand.name }}"),
        "sender": "{{ store.name }} · {{ store.address }}",
        "price": "",
        "code": current.house.config["base_url"],
        "code_text": _("Scan me"),
    }
    if kind == "club_card":
        texts |= {"headline": "{{ brand.name }}", "text": _("Members’ club"), "small": ""}
    return {name: text for name, text in texts.items() if name in KINDS[kind].areas}


@office.get("/prints/<uuid:design_id>")
@requires("print.view")
def print_one(brand: str, design_id: UUID) -> str:
    """What a design looks like, what is wrong with it, and the next step."""
    return _page(design_id)


def _page(design_id: UUID, detail: str = "") -> str:
    with current.session() as s:
        row = queries.get(s, design_id)
        design = _draft(s, row)
        wrong = printed.findings(s, design, printed=False)
        version = queries.version(s, row.version_id) if row.version_id else None
        return render_template(
            "office/print.html",
            row=row,
            shown=printed.in_list(row, ""),
            sides=[
                here("office.print_side", design_id=design_id, side=number, v=design.digest[:12])
                for number in range(design.pages_each())
            ],
            wrong=wrong,
            detail=detail,
            version=version,
            approved_at=formats.moment(version.approved_at) if version else "",
            open_areas=[str(KINDS[row.kind].areas[name].label) for name in row.store_areas],
            at_href=lambda name: here(name, design_id=design_id),
        )


def _draft(s: ScopedSession, row: PrintTemplate) -> Design:
    return queries.design(s, printed.files(), queries.content_of(s, row))


@office.get("/prints/<uuid:design_id>/side-<int:side>.png")
@requires("print.view")
def print_side(brand: str, design_id: UUID, side: int) -> Response:
    """A side of it, with made-up values."""
    with current.session() as s:
        design = _draft(s, queries.get(s, design_id))
        return printed.picture_of(design, printed.sample(s, design), side)


@office.get("/prints/<uuid:design_id>/proof.pdf")
@requires("print.view")
def print_proof(brand: str, design_id: UUID) -> Response:
    """A proof, with made-up values: as a printer gets it, bleed and all."""
    with current.session() as s:
        row = queries.get(s, design_id)
        design = _draft(s, row)
        data = proofing.proof(
            design, [printed.sample(s, design)], fonts=printed.fonts(), every=True
        )
        return printed.as_pdf(data, f"proof-{row.number}")


@office.post("/prints/<uuid:design_id>/approve")
@requires("print.approve")
def approve_print(brand: str, design_id: UUID) -> Any:
    """Make the draft what is printed."""
    text = Form(request.form, ("seen",))["seen"]
    try:
        seen = datetime.fromisoformat(text) if text else None
    except ValueError:
        seen = clock.now()
    try:
        with current.session(write=True) as s:
            service.approve(s, design_id, seen=seen)
    except HighstreetError as error:
        if error.status == 404:
            raise
        return _page(design_id, error.detail), error.status
    flash(_("Approved. Stores print it from now on."), "good")
    return redirect(here("office.print_one", design_id=design_id), 303)


@office.post("/prints/<uuid:design_id>/retire")
@requires("print.approve")
def retire_print(brand: str, design_id: UUID) -> Response:
    """Take it out of use."""
    with current.session(write=True) as s:
        service.retire(s, design_id)
    flash(_("Out of use. No store prints it any more."), "good")
    return redirect(here("office.prints"), 303)
