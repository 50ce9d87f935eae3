"""Head office's campaigns: the list, the form, one with its dry run, and each step it takes."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request
from werkzeug.wrappers import Response

from highstreet import host as hosts
from highstreet.campaigns import drafting, queries, terms
from highstreet.campaigns.models import Campaign
from highstreet.campaigns.queries import Count
from highstreet.campaigns.standing import Standing
from highstreet.host.access import requires
from highstreet.i18n import gettext as _
from highstreet.i18n import ngettext
from highstreet.web import campaign_form, campaign_words, formats
from highstreet.web.campaign_form import Page
from highstreet.web.current import current
from highstreet.web.forms import Form
from highstreet.web.office.pages import here, office, page_number
from highstreet.web.sheets import sheet
from highstreet_tenants import clock
from highstreet_tenants.errors import HighstreetError
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.trail import words as trail

PER_PAGE = 50
MOST_NAMED = 30
STEPS = 20


@office.get("/campaigns/")
@requires("campaigns.view")
def campaigns(brand: str) -> str:
    """All campaigns, the newest first."""
    with current.session() as s:
        rows = [
            campaign_words.in_list(s, one, here("office.campaign", campaign_id=one.id))
            for one in queries.listed(s)
        ]
        offered = bool(terms.every(hosts.of(s)))
    return render_template("office/campaigns.html", rows=rows, offered=offered)


@office.get("/campaigns/new")
@requires("campaigns.draft")
def new_campaign(brand: str) -> str:
    """Choose what it does, then the form."""
    with current.session() as s:
        action = request.args.get("does", "")
        if not action:
            offered = [
                {
                    "title": str(one.title),
                    "summary": str(one.summary),
                    "tool": hosts.of(s).title(tool, formats.locale().language),
                    "href": here("office.new_campaign", does=name),
                }
                for name, (tool, one) in terms.every(hosts.of(s)).items()
            ]
            return render_template("office/campaign_new.html", offered=offered)
        page = campaign_form.page(s, terms.find(s, action), None, current.place.brand.currency)
    return _form(page, None)


@office.post("/campaigns/new")
@requires("campaigns.draft")
def draft_campaign(brand: str) -> Response | tuple[str, int]:
    """Keep a new draft."""
    with current.session() as s:
        action = terms.find(s, request.form.get("does", ""))
        page = campaign_form.page(s, action, None, current.place.brand.currency)
    try:
        with current.session(write=True) as s:
            campaign_id = drafting.draft(s, campaign_form.read(s, page, request.form))
    except HighstreetError as error:
        return _refused(page, None, error)
    flash(_("Draft saved. Look at its dry run below."), "good")
    return redirect(here("office.campaign", campaign_id=campaign_id), 303)


@office.get("/campaigns/<uuid:campaign_id>/edit")
@requires("campaigns.draft")
def edit_campaign(brand: str, campaign_id: UUID) -> str:
    """The form of a draft."""
    with current.session() as s:
        campaign = queries.get(s, campaign_id)
        action = terms.find(s, campaign.action)
        page = campaign_form.page(s, action, campaign, campaign.currency)
    return _form(page, campaign)


@office.post("/campaigns/<uuid:campaign_id>/edit")
@requires("campaigns.draft")
def change_campaign(brand: str, campaign_id: UUID) -> Response | tuple[str, int]:
    """Keep what was changed; an approval is void."""
    with current.session() as s:
        campaign = queries.get(s, campaign_id)
        action = terms.find(s, campaign.action)
        page = campaign_form.page(s, action, campaign, campaign.currency)
        was = campaign.status
    try:
        with current.session(write=True) as s:
            drafting.change(s, campaign_id, campaign_form.read(s, page, request.form))
    except HighstreetError as error:
        return _refused(page, campaign, error)
    flash(
        _("Saved. It was approved as it was before; it needs approval again.")
        if was == "approved"
        else _("Saved."),
        "good",
    )
    return redirect(here("office.campaign", campaign_id=campaign_id), 303)


def _refused(page: Page, campaign: Campaign | None, error: HighstreetError) -> tuple[str, int]:
    if error.status == 404:
        raise error
    if error.fields or not page.form.errors:
        page.form.refuse(error, "name")
    return _form(page, campaign, detail=error.detail), error.status


def _form(page: Page, campaign: Campaign | None, detail: str = "") -> str:
    return render_template(
        "office/campaign_form.html",
        page=page,
        form=page.form,
        errors=page.form.errors,
        detail=detail,
        campaign=campaign,
        participations=campaign_words.participation_words(),
        action_href=here("office.change_campaign", campaign_id=campaign.id)
        if campaign
        else here("office.draft_campaign"),
        back_href=here("office.campaign", campaign_id=campaign.id)
        if campaign
        else here("office.campaigns"),
    )


@office.get("/campaigns/<uuid:campaign_id>")
@requires("campaigns.view")
def campaign(brand: str, campaign_id: UUID) -> str:
    """What it is, how each store stands, what came of it, who did what, and the next step."""
    return _page(campaign_id)


def _page(campaign_id: UUID, *, detail: str = "", errors: Any = None) -> str:
    at = clock.now()
    with current.session() as s:
        found = queries.get(s, campaign_id)
        state = queries.state_of(found, at)
        standings = queries.standings(s, found, at, clashes=state in _OPEN)
        counts = _counts(s, found) if found.launched_at else {}
        first = next((one for one in standings if one.terms), None)
        said = trail.known({})
        shops = {one.place.store_id: one.place.name for one in standings if one.place.store_id}
        shown = {
            "campaign": found,
            "state": state,
            "sign": campaign_words.SIGNS[state],
            "state_words": campaign_words.state_words(state),
            "days": campaign_words.days(found),
            "action": campaign_words.action_title(s, found.action),
            "says": campaign_words.says(s, found, first) if first else "",
            "terms": campaign_words.terms_shown(s, found),
            "reach": _reach(s, found),
            "steps": [
                _step(one, said, shops) for one in queries.steps(s, campaign_id, limit=STEPS)
            ],
        }
        start = page_number() * PER_PAGE
        rows = [_row(s, found, one, counts) for one in standings[start : start + PER_PAGE]]
    participation = campaign_words.participation_words()[found.participation]
    return render_template(
        "office/campaign.html",
        **shown,
        participation=participation,
        in_all=len(standings),
        taking=sum(one.takes_part for one in standings),
        clashing=sum(bool(one.clashes) for one in standings),
        in_the_way=campaign_words.in_the_way(standings),
        dropped=campaign_words.grouped(standings),
        why_signs=campaign_words.WHY_SIGNS,
        most_named=MOST_NAMED,
        rows=rows,
        counted=_sum(counts.values()) if counts else None,
        launched=found.launched_at is not None,
        detail=detail,
        errors=errors or {},
        at_href=lambda name, **values: here(name, campaign_id=campaign_id, **values),
        next_href=here("office.campaign", campaign_id=campaign_id, page=page_number() + 1)
        if len(standings) > start + PER_PAGE
        else None,
    )


_OPEN = ("draft", "approved", "scheduled", "running")


def _counts(s: ScopedSession, found: Campaign) -> dict[UUID, Count]:
    """What came of it, by store; nothing where the tool is off."""
    if not queries.tool_is_on(s, found):
        return {}
    if s.scope.reach == "personal":
        told = queries.counts(s, found.action, found.id)
    else:
        with current.aggregate() as totals:
            told = queries.counts(totals, found.action, found.id)
    return {one.store_id: one for one in told}


def _sum(counts: Any) -> dict[str, Any]:
    """The whole, as far as stores may be told; hidden: stores whose figures are not."""
    told = [one for one in counts if one.purchases is not None]
    return {
        "purchases": sum(one.purchases for one in told),
        "people": sum(one.people or 0 for one in told),
        "points": sum(one.points or 0 for one in told),
        "hidden": len(list(counts)) - len(told),
    }


def _row(
    s: ScopedSession, found: Campaign, one: Standing, counts: dict[UUID, Count]
) -> dict[str, Any]:
    assert one.place.store_id is not None
    return {
        "name": one.place.name,
        "href": here("office.store", slug=one.place.slug),
        "sign": campaign_words.WHY_SIGNS.get(one.why, "on"),
        "words": campaign_words.why_words(one.why) if one.why else _("Takes part"),
        "reason": one.reason or one.note,
        "begins": campaign_words.begins(one) if one.takes_part else "",
        "own": [
            f"{term.label}: {term.value}"
            for term in campaign_words.terms_shown(s, found, one.terms)
            if term.name in one.own
        ],
        "clashes": one.clashes,
        "count": counts.get(one.place.store_id),
    }


def _reach(s: ScopedSession, found: Campaign) -> str:
    if found.reach == "brand":
        return _("All stores")
    page = campaign_form.page(s, terms.find(s, found.action), found, found.currency)
    if found.reach == "regions":
        return ", ".join(name for _key, name, on in page.regions if on)
    codes = page.form["stores"].split()
    return ngettext("%(num)d chosen store", "%(num)d chosen stores", len(codes))


def _step(one: Any, said: Mapping[str, str], shops: Mapping[UUID, str]) -> dict[str, str]:
    store = shops.get(one.store_id, "") if one.store_id else ""
    return {
        "words": formats.joined(said.get(one.action, one.action), store),
        "by": one.actor_name,
        "at": formats.moment(one.at),
        "note": " ".join(trail.told(one.details)),
    }


def _do(campaign_id: UUID, verb: Callable[[ScopedSession], None], said: str) -> Any:
    """Take a step; say so, or why not."""
    try:
        with current.session(write=True) as s:
            verb(s)
    except HighstreetError as error:
        if error.status == 404:
            raise
        return _page(campaign_id, detail=error.detail, errors=error.fields), error.status
    flash(said, "good")
    return redirect(here("office.campaign", campaign_id=campaign_id), 303)


@office.post("/campaigns/<uuid:campaign_id>/approve")
@requires("campaigns.approve")
def approve_campaign(brand: str, campaign_id: UUID) -> Any:
    """Say that it may be launched as it is."""
    text = Form(request.form, ("seen",))["seen"]
    try:
        # What the approver has read is named by when it was written.
        seen = datetime.fromisoformat(text) if text else None
    except ValueError:
        seen = clock.now()
    return _do(
        campaign_id,
        lambda s: drafting.approve(s, campaign_id, seen=seen),
        _("Approved. It can be launched now."),
    )


@office.post("/campaigns/<uuid:campaign_id>/launch")
@requires("campaigns.launch")
def launch_campaign(brand: str, campaign_id: UUID) -> Any:
    """Start it: stores see it, and answer."""
    return _do(
        campaign_id,
        lambda s: drafting.launch(s, campaign_id),
        _("Launched. The stores hear of it in a moment."),
    )


@office.post("/campaigns/<uuid:campaign_id>/stop")
@requires("campaigns.launch")
def stop_campaign(brand: str, campaign_id: UUID) -> Any:
    """End it now."""
    reason = Form(request.form, ("reason",))["reason"]
    return _do(
        campaign_id,
        lambda s: drafting.stop(s, campaign_id, reason=reason),
        _("Stopped in every store. What it gave stays given."),
    )


@office.post("/campaigns/<uuid:campaign_id>/discard")
@requires("campaigns.draft")
def discard_campaign(brand: str, campaign_id: UUID) -> Any:
    """Throw a draft away."""
    with current.session(write=True) as s:
        drafting.discard(s, campaign_id)
    flash(_("The draft is gone."), "good")
    return redirect(here("office.campaigns"), 303)


@office.get("/campaigns/<uuid:campaign_id>/stores.csv")
@requires("campaigns.view")
def campaign_sheet(brand: str, campaign_id: UUID) -> Response:
    """How each store stands and what came of it there, as a file."""
    at = clock.now()
    with current.session() as s:
        found = queries.get(s, campaign_id)
        counts = _counts(s, found) if found.launched_at else {}
        lines = [_line(one, counts) for one in queries.standings(s, found, at, clashes=True)]
    return sheet(f"campaign-{found.number}.csv", COLUMNS, lines)


COLUMNS = (
    *("store", "code", "takes_part", "why", "reason", "answer", "answered_by", "begins_at"),
    *("ends_at", "changed", "conflicts", "purchases", "members", "points"),
)


def _line(one: Standing, counts: dict[UUID, Count]) -> Sequence[object]:
    count = counts.get(one.place.store_id) if one.place.store_id else None
    return (
        *(one.place.name, one.place.code, "yes" if one.takes_part else "no", one.why, one.reason),
        *(one.answer or "", one.said_by or "", one.begins_at.isoformat(), one.ends_at.isoformat()),
        "; ".join(f"{name}={value}" for name, value in one.own.items()),
        " ".join(one.clashes),
        *((count.purchases, count.people, count.points) if count else (None, None, None)),
    )
