"""Head office's word on each tool: levels, dry run, approvals, settings of brand and regions."""

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request
from werkzeug.wrappers import Response

from highstreet.host import declared, slots, snapshot
from highstreet.host import policy as host_policy
from highstreet.host import settings as host_settings
from highstreet.host.access import requires
from highstreet.host.cascade import Level as SettingLevel
from highstreet.host.lattice import UNSAID, Level, narrows
from highstreet.host.reasons import on_day
from highstreet.host.snapshot import Snapshot
from highstreet.i18n import gettext as _
from highstreet.i18n import ngettext
from highstreet.web import settings_form, settings_read, settings_trial, toolfaces
from highstreet.web.current import current
from highstreet.web.forms import Form
from highstreet.web.office import toolmap
from highstreet.web.office.pages import here, office
from highstreet.web.store.tools import change_shown, labels_of, only
from highstreet_tenants.errors import HighstreetError, NotFound
from highstreet_tenants.models import Region, Store
from highstreet_tenants.sessions import ScopedSession

SIGNS = {
    Level.REQUIRED: "required",
    Level.DEFAULT_ON: "on",
    Level.OPTIONAL: "off",
    Level.RESTRICTED: "waiting",
    Level.FORBIDDEN: "forbidden",
}


def level_words(level: Level) -> tuple[str, str]:
    """(what a level is called, what it means for a store)."""
    return {
        Level.REQUIRED: (_("Required"), _("On in every store; nobody switches it off.")),
        Level.DEFAULT_ON: (_("On from the start"), _("On unless the store switches it off.")),
        Level.OPTIONAL: (_("Each store chooses"), _("Off until the store switches it on.")),
        Level.RESTRICTED: (_("Only when approved"), _("A store asks, head office answers.")),
        Level.FORBIDDEN: (_("Forbidden"), _("Off in every store. Give the reason below.")),
    }[level]


@office.get("/tools/")
@requires("policy.view")
def tools(brand: str) -> str:
    """Every tool with head office's word, the regions', and where it is on."""
    host, place = current.house.host, current.place
    with current.session() as s:
        rows = snapshot.load_all(s)
        the_map = toolmap.build(rows, host)
        waiting = len(host_policy.waiting(s))
    stores = sum(one.store_id is not None for one in rows.places.values())
    shown = []
    for name in host.plugins:
        face = toolfaces.face(host, name)
        word = rows.words.get((name, rows.brand_id))
        level = word.level if word else UNSAID
        counts = the_map.counts[name]
        shown.append(
            {
                "name": name,
                "title": face.title,
                "maker": face.maker,
                "about": face.about,
                "icon": face.icon,
                "sign": SIGNS[level],
                "level": level_words(level)[0],
                "reason": _said(word, place.zone, place.locale) if word else _("Nothing is said."),
                "regions": _regions_said(rows, name),
                "on": toolmap.on_count(counts),
                "all": stores,
                "waiting": counts["waiting"],
                "paused": counts["paused"],
                "held": counts["held"],
                "has_settings": host.plugins[name].plugin.settings is not None,
            }
        )
    return render_template(
        "office/tools.html",
        tools=shown,
        waiting=waiting,
        quarantined=list(host.quarantined.values()),
        map=the_map,
        legend=toolmap.legend(),
    )


@office.get("/tools/<tool>/agree", endpoint="agree")
@requires("policy.edit")
def agree_page(brand: str, tool: str) -> str:
    """What a new version declares beyond what was agreed to, and where it waits for that."""
    host = current.house.host
    if tool not in host.plugins:
        raise NotFound(_("No such tool is installed."))
    with current.session() as s:
        rows = snapshot.load_all(s)
        new = frozenset[str]().union(*(rows.more(host, tool, one) for one in rows.places.values()))
        changes = host_policy.agree(s, tool, dry_run=True)
    return render_template(
        "office/agree.html",
        tool=toolfaces.face(host, tool),
        new=declared.titled(host, tool, new),
        changes=[change_shown(one) for one in changes],
    )


@office.post("/tools/<tool>/agree")
@requires("policy.edit")
def do_agree(brand: str, tool: str) -> Response:
    """Agree to it for the whole brand."""
    with current.session(write=True) as s:
        changes = host_policy.agree(s, tool)
    stores = sum(one.place.store_id is not None and one.after.on for one in changes)
    flash(
        ngettext(
            "Agreed. It goes on in %(num)d store.", "Agreed. It goes on in %(num)d stores.", stores
        ),
        "good",
    )
    return redirect(here("office.tools"), 303)


def _said(word: Any, zone: str, locale: str) -> str:
    day = on_day(word.at, zone, locale)
    if word.note:
        return _("By %(who)s on %(day)s: “%(note)s”", who=word.by, day=day, note=word.note)
    return _("By %(who)s on %(day)s.", who=word.by, day=day)


def _regions_said(rows: Snapshot, tool: str) -> list[str]:
    return [
        f"{rows.regions[node]}: {level_words(word.level)[0]}"
        for (name, node), word in rows.words.items()
        if name == tool and node in rows.regions
    ]


@office.get("/tools/<tool>/policy", endpoint="policy")
@requires("policy.edit")
def policy_page(brand: str, tool: str) -> str:
    """The form: a level and a reason, for the brand or one region."""
    return _policy(tool, Form(request.args, ("region",)), dry=False)[0]


@office.post("/tools/<tool>/policy")
@requires("policy.edit")
def set_policy(brand: str, tool: str) -> Response | tuple[str, int]:
    """Show what would change, or save it."""
    form = Form(request.form, ("region", "level", "note"))
    if "save" not in request.form:
        return _policy(tool, form, dry=True)
    try:
        with current.session(write=True) as s:
            region = _region(s, form["region"])
            changes = host_policy.set_policy(
                s,
                tool,
                form["level"] or None,
                region.id if region else None,
                note=form["note"] or None,
            )
    except HighstreetError as error:
        if error.status == 404:
            raise
        form.refuse(error, "level")
        return _policy(tool, form, dry=False, detail=error.detail, status=error.status)
    count = len({change.place.node for change in changes})
    flash(_("Saved. %(count)s stores changed.", count=count), "good")
    return redirect(here("office.tools"), 303)


def _policy(
    tool: str, form: Form, *, dry: bool, detail: str = "", status: int = 200
) -> tuple[str, int]:
    host = current.house.host
    if tool not in host.plugins:
        raise NotFound(_("No such tool is installed."))
    changes: list[host_policy.Change] = []
    with current.session() as s:
        region = _region(s, form["region"])
        regions = s.scalars(sa.select(Region).order_by(Region.name)).all()
        rows = snapshot.load_all(s)
        brand_word = rows.words.get((tool, rows.brand_id))
        own = rows.words.get((tool, region.id)) if region else brand_word
        if "level" not in request.form:
            form.values["level"] = own.level.value if own else "" if region else UNSAID.value
            form.values["note"] = (own.note if own else None) or ""
        elif dry:
            try:
                changes = host_policy.set_policy(
                    s,
                    tool,
                    form["level"] or None,
                    region.id if region else None,
                    dry_run=True,
                    note=form["note"] or None,
                )
            except HighstreetError as error:
                form.refuse(error, "level")
                dry, detail, status = False, error.detail, error.status
    above = brand_word.level if brand_word else UNSAID
    in_stores = [one for one in changes if one.place.store_id is not None]
    page = render_template(
        "office/policy.html",
        tool=toolfaces.face(host, tool),
        form=form,
        errors=form.errors,
        detail="" if form.errors else detail,
        region_slug=region.slug if region else "",
        region_name=region.name if region else "",
        regions=_region_links(tool, regions, region),
        levels=_levels(region is not None, above),
        dry=dry,
        changes=[change_shown(one) for one in in_stores],
        stores_count=sum(one.store_id is not None for one in rows.places.values()),
        goes_on=sum(one.after.on and not one.before.on for one in in_stores),
        goes_off=sum(one.before.on and not one.after.on for one in in_stores),
        button=level_words(Level(form["level"]))[0]
        if form["level"] in {one.value for one in Level}
        else _("As head office says"),
    )
    return page, status


def _levels(in_region: bool, above: Level) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if in_region:
        words = level_words(above)[0]
        found.append(
            {
                "value": "",
                "words": _("As head office says"),
                "hint": _("Now: %(level)s.", level=words),
                "disabled": False,
            }
        )
    for level in Level:
        words, hint = level_words(level)
        wider = in_region and not narrows(level, above)
        if wider:
            hint = _("A region can only narrow what head office allows.")
        found.append({"value": level.value, "words": words, "hint": hint, "disabled": wider})
    return found


def _region_links(tool: str, regions: Any, chosen: Region | None) -> list[dict[str, Any]]:
    if not regions:
        return []
    links = [
        {
            "words": _("Whole brand"),
            "href": here("office.policy", tool=tool),
            "here": chosen is None,
        }
    ]
    links += [
        {
            "words": one.name,
            "href": here("office.policy", tool=tool, region=one.slug),
            "here": chosen is not None and one.id == chosen.id,
        }
        for one in regions
    ]
    return links


def _region(s: ScopedSession, slug: str) -> Region | None:
    if not slug:
        return None
    found = s.scalar(sa.select(Region).where(Region.slug == slug))
    if found is None:
        raise NotFound(_("There is no such region."))
    return found


@office.get("/approvals/")
@requires("policy.view")
def approvals(brand: str) -> str:
    """Stores that wait for an answer."""
    host = current.house.host
    with current.session() as s:
        asks = host_policy.waiting(s)
    return render_template(
        "office/approvals.html",
        requests=[
            {
                "tool": ask.plugin,
                "title": toolfaces.face(host, ask.plugin).title,
                "store": ask.place.name,
                "slug": ask.place.slug,
                "by": ask.by,
                "at": ask.at,
            }
            for ask in asks
        ],
    )


@office.post("/approvals/<tool>/<slug>")
@requires("approvals.decide")
def decide(brand: str, tool: str, slug: str) -> Response:
    """Answer a store that asked."""
    approve = request.form.get("answer") == "approve"
    note = request.form.get("note") or None
    try:
        with current.session(write=True) as s:
            store_id = s.scalar(sa.select(Store.id).where(Store.slug == slug))
            if store_id is None:
                raise NotFound(_("There is no such store."))
            verb = host_policy.approve if approve else host_policy.refuse
            verb(s, tool, store_id, note)
    except HighstreetError as error:
        if error.status == 404:
            raise
        flash(error.detail, "bad")
    else:
        flash(_("Approved.") if approve else _("Refused."), "good")
    return redirect(here("office.approvals"), 303)


@office.route("/tools/<tool>/settings", methods=["GET", "POST"])
@requires("settings.edit")
def tool_settings(brand: str, tool: str) -> Response | tuple[str, int]:
    """A tool's settings for the brand or a region, with locks for those below."""
    loaded = current.house.host.plugins.get(tool)
    if loaded is None or loaded.plugin.settings is None:
        raise NotFound(_("This tool has nothing to set up."))
    slug = request.values.get("region", "")
    errors: dict[str, list[str]] = {}
    status, trial = 200, None
    with current.session() as s:
        region = _region(s, slug)
        regions = s.scalars(sa.select(Region).order_by(Region.name)).all()
        resolved = (
            host_settings.resolve_region(s, tool, region.id)
            if region
            else host_settings.resolve(s, tool)
        )
        pieces = only(slots.render(s, "tool.set_up"), tool)
    level: SettingLevel = "region" if region else "brand"
    items = settings_form.build(loaded.plugin.settings, resolved, level, current.place)
    if request.method == "POST":
        answer = settings_read.read(items, request.form)
        try:
            answer.check()
            if request.form.get("try"):
                trial = settings_trial.in_stores(tool, answer, region)
                settings_read.fill(items, request.form)
            else:
                with current.session(write=True) as s:
                    host_settings.put(
                        s,
                        tool,
                        answer.values,
                        region_id=region.id if region else None,
                        lock=answer.lock,
                        unlock=answer.unlock,
                        clear=answer.clear,
                    )
                flash(_("Saved."), "good")
                return redirect(here("office.tool_settings", tool=tool, region=slug or None), 303)
        except HighstreetError as error:
            errors = answer.in_form(error.fields) or {"": [error.detail]}
            status = error.status
            settings_read.fill(items, request.form)
    title = toolfaces.face(current.house.host, tool).title
    links = [
        {
            **link,
            "href": here(
                "office.tool_settings",
                tool=tool,
                region=next((r.slug for r in regions if r.name == link["words"]), None),
            ),
        }
        for link in _region_links(tool, regions, region)
    ]
    page = render_template(
        "shared/tool_settings.html",
        heading=_("Set up %(tool)s", tool=title),
        back_href=here("office.tools"),
        fields=items,
        errors=errors,
        labels=labels_of(items, errors),
        pieces=pieces,
        lockable=True,
        editable=any(not one.locked for one in items),
        levels=links,
        region_slug=slug,
        offer=settings_trial.offer(tool),
        trial=trial,
    )
    return page, status
