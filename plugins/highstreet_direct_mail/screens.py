"""The jobs of a place: the list, one job, its form, and what is done with it."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from flask import flash, make_response, redirect, request, url_for
from werkzeug.wrappers import Response

from highstreet.sdk import (
    Ctx,
    HighstreetError,
    Invalid,
    NotFound,
    aggregates,
    as_csv,
    format_locale,
    open_ctx,
    open_totals,
    parse_amount,
)
from highstreet.sdk import gettext as _
from highstreet_direct_mail import filters as asked
from highstreet_direct_mail import posting, results, words
from highstreet_direct_mail.faces import chosen, designs, here, page, show, whole
from highstreet_direct_mail.posting import Plan

Answer = str | Response | tuple[str, int]


@page("/", "read")
def overview() -> str:
    """The jobs, the newest first; head office sees its stores' answers in sums."""
    with open_ctx() as ctx:
        lines = [
            {
                "id": one.job.id,
                "name": one.mailing.name,
                "status": words.STATUS[one.mailing.status],
                "at": one.mailing.released_at or one.mailing.selected_at,
                "people": one.mailing.selected,
                "standing": one.job.trigger_id is not None,
            }
            for one in posting.listed(ctx)
        ]
        office = ctx.store_id is None
        sends = not office or ctx.brand.customers == "brand"
        stores = _stores(ctx) if office else []
    return show("overview.html", lines=lines, sends=sends, office=office, stores=stores,
        least=aggregates.SMALLEST_CELL,
    )  # fmt: skip


def _stores(ctx: Ctx) -> list[tuple[str, Any]]:
    with open_totals() as s:
        cells = aggregates.run(s, "direct_mail.by_store")
    shops = ctx.shops(one["store_id"] for one in cells)
    return sorted((shops[one["store_id"]].name, one["answers"]) for one in cells)


@page("/jobs/new", "plan")
def new_job() -> str:
    """The form of a new job."""
    with open_ctx() as ctx:
        return _form(ctx, {"response_days": str(ctx.settings()["response_days"])})


@page("/jobs", "plan", "POST")
def create_job() -> Answer:
    """Plan a job, or count whom it would go to."""
    return _saved(None)


@page("/jobs/<uuid:posting_id>/edit", "plan")
def edit_job(posting_id: UUID) -> str:
    """The form of a plan."""
    with open_ctx() as ctx:
        job, mailing = posting.get(ctx, posting_id)
        kept = job.filters
        form = {
            "name": mailing.name,
            "segment": kept.get("segment", ""),
            "not_seen": str(kept.get("not_seen", "")),
            "postcodes": ", ".join(kept.get("postcodes", ())),
            "departments": ", ".join(kept.get("departments", ())),
            "bought_days": str(kept.get("bought_days", "")),
            "design": mailing.content.get("design", ""),
            "holdout": str(mailing.holdout // 100 or ""),
            "offer": job.offer,
            "response_days": str(job.response_days),
        }
        return _form(ctx, form, posting_id)


@page("/jobs/<uuid:posting_id>/edit", "plan", "POST")
def save_job(posting_id: UUID) -> Answer:
    """Change a plan, or count whom it would go to then."""
    return _saved(posting_id)


def _saved(posting_id: UUID | None) -> Answer:
    form = {name: request.form.get(name, "")[:2000] for name in _FIELDS}
    try:
        if request.form.get("do") == "count":
            with open_ctx() as ctx:
                counted = ctx.segments.counted(asked.rule(asked.read(form)))
                return _form(ctx, form, posting_id, counted=counted)
        with open_ctx(write=True) as ctx:
            given = _plan(ctx, form)
            if posting_id is None:
                posting_id = posting.plan(ctx, given)
            else:
                posting.change(ctx, posting_id, given)
    except HighstreetError as refusal:
        if isinstance(refusal, NotFound):
            raise
        fields = dict(refusal.fields) or {"name": [refusal.detail]}
        if "segment_id" in fields:
            fields["segment"] = fields.pop("segment_id")
        with open_ctx() as ctx:
            return _form(ctx, form, posting_id, errors=fields), refusal.status
    flash(_("Saved. Now select people."), "good")
    return redirect(url_for(".job", posting_id=posting_id, **here()), 303)


_FIELDS = (
    *("name", "segment", "not_seen", "postcodes", "departments", "bought_days"),
    *("design", "holdout", "offer", "response_days"),
)


def _plan(ctx: Ctx, form: Mapping[str, str]) -> Plan:
    design_id = chosen(ctx, form["design"])
    return Plan(
        form["name"],
        asked.read(form),
        design_id,
        whole("holdout", form["holdout"], 0, 50),
        form["offer"],
        whole("response_days", form["response_days"], ctx.settings()["response_days"], 366),
    )


def _form(
    ctx: Ctx,
    form: Mapping[str, str],
    posting_id: UUID | None = None,
    *,
    counted: Any = None,
    errors: Mapping[str, Any] | None = None,
) -> str:
    prices = ctx.settings()
    return show(
        "form.html",
        form=form,
        posting_id=posting_id,
        counted=counted,
        errors=errors or {},
        segments=[
            ("", _("Everybody")),
            *((str(one.id), one.name) for one in ctx.segments.listed()),
        ],
        designs=designs(ctx),
        departments=ctx.segments.departments(),
        prices=prices,
        currency=ctx.store().currency,
    )


@page("/jobs/<uuid:posting_id>", "read")
def job(posting_id: UUID) -> str:
    """One job: whom it goes to, what it costs, what came of it."""
    with open_ctx() as ctx:
        return job_page(ctx, posting_id)


def job_page(ctx: Ctx, posting_id: UUID, findings: Any = None) -> str:
    """The page of a job. findings: what was found when it was looked through."""
    found = posting.get(ctx, posting_id)
    printed = ctx.printing.designs()
    mailing = found.mailing
    released = mailing.released_at is not None
    designed = bool(mailing.content.get("design"))
    told = ctx.mailings.waterfall(mailing.id)
    return show(
        "job.html",
        job=found.job,
        mailing=mailing,
        planned=found.planned,
        status=words.STATUS[mailing.status],
        audience=ctx.mailings.audience(mailing.id),
        design=words.design(str(mailing.content.get("design", "")), printed),
        told=told,
        quote=posting.quote(found.job, told.ready + told.sent),
        results=results.of(ctx, found) if released else None,
        share=words.share,
        lift=words.lift,
        sheets=[(name, name) for name in ctx.printing.sheets()],
        findings=findings,
        print_files=ctx.mailings.print_files(mailing.id) if designed and released else [],
        designed=designed,
    )


@page("/jobs/<uuid:posting_id>/select", "plan", "POST")
def select(posting_id: UUID) -> Response:
    """Select people."""
    return _done(posting_id, lambda ctx: posting.select(ctx, posting_id), _("People are selected."))


@page("/jobs/<uuid:posting_id>/approve", "approve", "POST")
def approve(posting_id: UUID) -> Response:
    """Approve what was looked at: `manifest` names it."""
    manifest = request.form.get("manifest", "")
    return _done(posting_id, lambda ctx: posting.approve(ctx, posting_id, manifest), _("Approved."))


@page("/jobs/<uuid:posting_id>/release", "approve", "POST")
def release(posting_id: UUID) -> Response:
    """Let it go out."""
    return _done(posting_id, lambda ctx: posting.release(ctx, posting_id), _("It goes out."))


@page("/jobs/<uuid:posting_id>/steer", "approve", "POST")
def steer(posting_id: UUID) -> Response:
    """Pause, resume or stop it."""
    deed = request.form.get("deed", "")
    said = {"pause": _("Paused."), "resume": _("It goes on."), "stop": _("Stopped.")}
    if deed not in said:
        raise Invalid(_("Choose one of the list."))
    return _done(posting_id, lambda ctx: posting.steer(ctx, posting_id, deed), said[deed])


@page("/jobs/<uuid:posting_id>/discard", "plan", "POST")
def discard(posting_id: UUID) -> Response:
    """Throw a plan away."""
    way = url_for(".overview", **here())
    return _done(posting_id, lambda ctx: posting.discard(ctx, posting_id), _("Thrown away."), way)


@page("/jobs/<uuid:posting_id>/cost", "plan", "POST")
def cost(posting_id: UUID) -> Response:
    """Write down what it really cost."""

    def put(ctx: Ctx) -> None:
        place = ctx.store()
        typed = request.form.get("cost", "")[:20]
        posting.put_cost(
            ctx, posting_id, parse_amount(typed, place.currency, format_locale(place.locale))
        )

    return _done(posting_id, put, _("Saved."))


@page("/jobs/<uuid:posting_id>/addresses.csv", "files", "POST")
def addresses(posting_id: UUID) -> Response:
    """What the mail house gets."""
    return _file(
        posting_id, "text/csv", "csv", lambda ctx: as_csv(posting.addresses(ctx, posting_id)[1])
    )


@page("/jobs/<uuid:posting_id>/labels.pdf", "files", "POST")
def labels(posting_id: UUID) -> Response:
    """The same on labels."""
    chosen = request.form.get("sheet", "")[:20]

    def made(ctx: Ctx) -> bytes:
        start = whole("start", request.form.get("start", ""), 1, 100)
        return posting.labels(ctx, posting_id, chosen, start)

    return _file(posting_id, "application/pdf", "pdf", made)


def _done(
    posting_id: UUID, deed: Callable[[Ctx], object], said: str, way: str | None = None
) -> Response:
    """Do something with a job and go on; a refusal is said on its page."""
    try:
        with open_ctx(write=True) as ctx:
            deed(ctx)
    except NotFound:
        raise
    except HighstreetError as refusal:
        flash(refusal.detail, "bad")
        return redirect(url_for(".job", posting_id=posting_id, **here()), 303)
    flash(said, "good")
    return redirect(way or url_for(".job", posting_id=posting_id, **here()), 303)


def _file(posting_id: UUID, kind: str, ends: str, made: Callable[[Ctx], str | bytes]) -> Response:
    try:
        with open_ctx(write=True) as ctx:
            body = made(ctx)
            number = posting.get(ctx, posting_id).mailing.number
    except NotFound:
        raise
    except HighstreetError as refusal:
        flash(refusal.detail, "bad")
        return redirect(url_for(".job", posting_id=posting_id, **here()), 303)
    response = make_response(body)
    response.mimetype = kind
    response.headers["Content-Disposition"] = f'attachment; filename="mail-{number}.{ends}"'
    return response
