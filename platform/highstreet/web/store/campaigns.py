"""Head office's campaigns in a store: on offer, answered, its own terms, what came of it."""

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from highstreet.campaigns import answering, queries, terms
from highstreet.campaigns.queries import Heard
from highstreet.host.access import requires
from highstreet.i18n import gettext as _
from highstreet.web import campaign_form, campaign_words, formats
from highstreet.web.current import current
from highstreet.web.forms import Form
from highstreet.web.sheets import sheet
from highstreet_tenants import clock
from highstreet_tenants.errors import HighstreetError
from highstreet_tenants.sessions import ScopedSession

campaigns = Blueprint("campaigns", __name__, url_prefix="/store/<brand>/<store>/campaigns")


def here(endpoint: str, **values: Any) -> str:
    """The address of a page of this store."""
    return url_for(endpoint, **current.place.slugs, **values)


@campaigns.get("/")
@requires("today.view")
def listed(brand: str, store: str) -> str:
    """All that the store ever heard of."""
    with current.session() as s:
        rows = [shown(s, one) for one in queries.heard_of(s, clock.now())]
    return render_template("store/campaigns.html", rows=rows)


def offers(s: ScopedSession) -> list[dict[str, Any]]:
    """What is scheduled or runs, for the store's day."""
    return [shown(s, one) for one in queries.heard_now(s, clock.now())]


def shown(s: ScopedSession, heard: Heard) -> dict[str, Any]:
    """A campaign in a store's list: what it is, how the store stands, what it can say."""
    campaign, one, at = heard.campaign, heard.standing, clock.now()
    answers = one.answerable(at) and heard.state == "scheduled" and current.may("campaigns.answer")
    sign, words = _standing(heard)
    return {
        "id": campaign.id,
        "name": campaign.name,
        "days": campaign_words.days(campaign),
        "says": campaign_words.says(s, campaign, one),
        "description": campaign.description,
        "sign": sign,
        "words": words,
        "until": formats.day(one.begins_at.astimezone(clock.zone(one.place.zone)).date())
        if one.answerable(at)
        else "",
        "href": here("campaigns.page", campaign_id=campaign.id),
        "answer_href": here("campaigns.answer", campaign_id=campaign.id),
        "joins": answers and campaign.participation != "mandatory" and one.why in ("out", "silent"),
        "leaves": answers
        and campaign.participation != "mandatory"
        and one.why != "out"
        and (campaign.participation == "opt_out" or one.answer == "in" or one.why == "silent"),
    }


def _standing(heard: Heard) -> tuple[str, str]:
    one, campaign = heard.standing, heard.campaign
    if heard.state == "stopped":
        day = formats.day(campaign.stopped_at) if campaign.stopped_at else ""
        why = campaign.stop_reason
        said = _("Stopped by head office on %(day)s", day=day)
        return "forbidden", f"{said}: {why}" if why else said
    if heard.state == "finished":
        return "done", _("Finished")
    if one.why == "out":
        return "forbidden", _("You said no: %(why)s", why=one.reason)
    if one.why == "silent":
        return "waiting", _("Not joined")
    if one.why:
        return "off", one.reason
    if one.note:
        return "paused", one.note
    if heard.state == "running":
        return "on", _("Runs now")
    if campaign.participation == "mandatory":
        return "required", _("Required by head office")
    if one.answer == "in":
        return "done", _("You take part")
    return "on", _("You take part unless you say no")


@campaigns.get("/<uuid:campaign_id>")
@requires("today.view")
def page(brand: str, store: str, campaign_id: UUID) -> str:
    """One campaign: its terms here, what the store may say and change, what came of it."""
    return _page(campaign_id)


def _page(
    campaign_id: UUID, *, form: Form | None = None, detail: str = "", sent: Any = None
) -> str:
    at = clock.now()
    with current.session() as s:
        heard = queries.heard(s, campaign_id, at)
        campaign, one = heard.campaign, heard.standing
        row = shown(s, heard)
        items = []
        editable = one.answerable(at) and heard.state == "scheduled"
        if editable and campaign.store_fields and current.may("campaigns.answer") and one.terms:
            items = _items(s, heard)
            if sent is not None:
                campaign_form.terms_sent(items, sent, Form({}, ()))
        counts = []
        if heard.state in ("running", "finished", "stopped") and queries.tool_is_on(s, campaign):
            counts = queries.counts(s, campaign.action, campaign.id)
        values = {
            "row": row,
            "campaign": campaign,
            "begins": campaign_words.begins(one),
            "participation": campaign_words.participation_words()[campaign.participation],
            "terms": campaign_words.terms_shown(s, campaign, one.terms),
            "own": one.own,
            "said_by": one.said_by,
            "said_at": one.said_at,
        }
    mine = [count for count in counts if count.store_id == current.place.store_id]
    return render_template(
        "store/campaign.html",
        **values,
        items=items,
        errors=form.errors if form else {},
        labels={f"terms.{item.path}": (item.id, item.label) for item in items},
        detail=detail,
        counted=mine[0] if mine else None,
        ran=heard.state in ("running", "finished", "stopped"),
        change_href=here("campaigns.change", campaign_id=campaign_id),
        sheet_href=here("campaigns.results_sheet", campaign_id=campaign_id),
    )


def _items(s: ScopedSession, heard: Heard) -> list[Any]:
    """Inputs for what the store may change."""
    campaign, one = heard.campaign, heard.standing
    action = terms.find(s, campaign.action)
    place = current.place
    found = [
        item
        for item in campaign_form.items_of(action, one.terms, place.currency)
        if item.path in campaign.store_fields
    ]
    for item in found:
        bounds = campaign_words.bounds_of(campaign, item)
        item.hint = f"{item.hint} {bounds}".strip()
    return found


@campaigns.post("/<uuid:campaign_id>/answer")
@requires("campaigns.answer")
def answer(brand: str, store: str, campaign_id: UUID) -> Response | tuple[str, int]:
    """Take part, or not."""
    joins = request.form.get("joins") == "1"
    try:
        with current.session(write=True) as s:
            answering.answer(s, campaign_id, joins)
    except HighstreetError as error:
        if error.status == 404:
            raise
        return _page(campaign_id, detail=error.detail), error.status
    flash(
        _("You take part. You can change your mind until it begins.")
        if joins
        else _("You don’t take part. You can change your mind until it begins."),
        "good",
    )
    return redirect(here("campaigns.page", campaign_id=campaign_id), 303)


@campaigns.post("/<uuid:campaign_id>/terms")
@requires("campaigns.answer")
def change(brand: str, store: str, campaign_id: UUID) -> Response | tuple[str, int]:
    """Change what head office lets stores change."""
    form = Form({}, ())
    try:
        with current.session(write=True) as s:
            heard = queries.heard(s, campaign_id, clock.now())
            own = {}
            if "reset" not in request.form:
                own = campaign_form.terms_sent(_items(s, heard), request.form, form)
            if not form.errors:
                answering.change_terms(s, campaign_id, own)
    except HighstreetError as error:
        if error.status == 404:
            raise
        form.refuse(error, "terms")
        return _page(campaign_id, form=form, detail=error.detail, sent=request.form), error.status
    if form.errors:
        detail = _("Some of it can’t be read. Nothing was changed.")
        return _page(campaign_id, form=form, detail=detail, sent=request.form), 422
    flash(_("Saved. These terms hold in your store."), "good")
    return redirect(here("campaigns.page", campaign_id=campaign_id), 303)


@campaigns.get("/<uuid:campaign_id>/results.csv")
@requires("store.results")
def results_sheet(brand: str, store: str, campaign_id: UUID) -> Response:
    """What came of it in this store, as a file."""
    with current.session() as s:
        heard = queries.heard(s, campaign_id, clock.now())
        found = []
        if queries.tool_is_on(s, heard.campaign):
            found = queries.counts(s, heard.campaign.action, campaign_id)
    mine = [one for one in found if one.store_id == current.place.store_id]
    lines = [(heard.campaign.name, one.purchases, one.people, one.points) for one in mine]
    columns = ("campaign", "purchases", "members", "points")
    return sheet(f"campaign-{heard.campaign.number}.csv", columns, lines)
