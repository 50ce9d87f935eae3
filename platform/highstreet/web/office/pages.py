"""Head office: overview, stores, results. Figures come through aggregates only; where stores own
their customers, no page here can show one.
"""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, render_template, request, url_for

from highstreet.campaigns import queries as campaigns
from highstreet.host import policy, snapshot, state
from highstreet.host.access import requires
from highstreet.i18n import gettext as _
from highstreet.i18n import ngettext
from highstreet.jobs import counts as job_counts
from highstreet.web import campaign_words, formats, slots, toolfaces, weekly
from highstreet.web.current import current
from highstreet.web.office import figures, toolmap
from highstreet.web.store.settings import store_facts
from highstreet.web.store.today import Task
from highstreet.web.webhooks import switched_off
from highstreet_tenants import clock
from highstreet_tenants.errors import NotFound
from highstreet_tenants.models import Owner, Region, Store
from highstreet_tenants.people import tree
from highstreet_tenants.sessions import ScopedSession

office = Blueprint("office", __name__, url_prefix="/office/<brand>")
PER_PAGE = 100


def here(endpoint: str, **values: Any) -> str:
    """The address of a page of this head office."""
    return url_for(endpoint, **current.place.slugs, **values)


@office.get("/")
@requires("office.view")
def overview(brand: str) -> str:
    """What needs head office, the brand in figures, the tools by store."""
    place, host = current.place, current.house.host
    with current.aggregate() as s:
        weeks = figures.period(s, place)
        shown = figures.overview(s, place, weeks)
        lines = figures.weekly(s, weeks.last)
    with current.session() as s:
        count = s.scalar(sa.select(sa.func.count(Store.id))) or 0
        the_map = toolmap.build(snapshot.load_all(s), host)
        rows = [
            campaign_words.in_list(s, one, here("office.campaign", campaign_id=one.id))
            for one in (
                campaigns.unfinished(s, clock.now()) if current.may("campaigns.view") else ()
            )
        ]
        needs = [*_needs(s, the_map), *_silent(rows)]
        news = slots.fill(s, "office.news")
        off = switched_off(s)
    return render_template(
        "office/overview.html",
        figures_=shown,
        stores_count=count,
        period=weekly.words_of(weeks),
        needs=needs,
        webhooks_off=off,
        news=news,
        map=the_map,
        rows=rows,
        legend=toolmap.legend(),
        **weekly.shown(lines, here("office.visits_chart", to=weeks.last.isoformat())),
    )


@office.get("/charts/visits.svg")
@requires("office.view")
def visits_chart(brand: str) -> Response:
    """Visits by week, as a picture."""
    with current.aggregate() as s:
        return weekly.picture(figures.weekly(s, figures.period(s, current.place).last))


def _silent(rows: Iterable[dict[str, Any]]) -> list[Task]:
    """Campaigns that wait for stores to join."""
    return [
        Task(
            ngettext(
                "%(name)s: %(num)d store is silent",
                "%(name)s: %(num)d stores are silent",
                row["silent"],
                name=row["name"],
            ),
            _("See which"),
            row["href"],
            _("They are out unless they join before it begins"),
        )
        for row in rows
        if row["silent"]
    ]


def _needs(s: ScopedSession, the_map: toolmap.ToolMap) -> list[Task]:
    host = current.house.host
    found: list[Task] = []
    asks = policy.waiting(s)
    if asks:
        tools = {toolfaces.face(host, ask.plugin).title for ask in asks}
        found.append(
            Task(
                ngettext(
                    "%(num)s store asks for a tool", "%(num)s stores ask for a tool", len(asks)
                ),
                _("Decide"),
                here("office.approvals"),
                _(
                    "%(tools)s · oldest asked on %(day)s",
                    tools=", ".join(sorted(tools)),
                    day=formats.day(asks[0].at),
                ),
            )
        )
    for name, count in the_map.paused.items():
        found.append(
            Task(
                ngettext(
                    "%(tool)s paused in %(num)s store",
                    "%(tool)s paused in %(num)s stores",
                    count,
                    tool=toolfaces.face(host, name).title,
                ),
                _("See where"),
                here("office.stores", tool=name),
                _("What it owes is kept"),
                "paused",
                _("Paused"),
            )
        )
    failed = job_counts(s).get("failed", 0)
    if failed and current.may("jobs.view"):
        found.append(
            Task(
                ngettext("%(num)s job gave up", "%(num)s jobs gave up", failed),
                _("See the jobs"),
                here("jobs.office", state="failed"),
                _("What they should have done was not done"),
                "wrong",
                _("Needs a look"),
            )
        )
    return found


@office.get("/stores/")
@requires("stores.view")
def stores(brand: str) -> str:
    """All stores, by name; with `tool`, those where it is paused."""
    host = current.house.host
    q, tool = request.args.get("q", "").strip()[:100], request.args.get("tool", "")
    with current.session() as s:
        query = sa.select(Store).order_by(Store.name, Store.id)
        if q:
            name = sa.func.lower(Store.name)
            query = query.where(sa.or_(name.contains(q.lower(), autoescape=True), Store.code == q))
        total = s.scalar(query.with_only_columns(sa.func.count(Store.id)).order_by(None)) or 0
        if tool in host.plugins:
            rows = snapshot.load_all(s)
            ids = [
                place.store_id
                for place in rows.places.values()
                if place.store_id and rows.rulings(host, place.store_id)[tool].state == "paused"
            ]
            query = query.where(Store.id.in_(ids))
            total = len(ids)
        page = page_number()
        found = s.scalars(query.offset(page * PER_PAGE).limit(PER_PAGE + 1)).all()
        rows = snapshot.load_some(s, [store.id for store in found])
        owners = {row.id: row.name for row in s.execute(sa.select(Owner.id, Owner.name))}
        shown = [
            {
                "name": store.name,
                "href": here("office.store", slug=store.slug),
                "code": store.code,
                "region": rows.regions.get(store.region_id, "") if store.region_id else "",
                "owner": owners.get(store.owner_id, "") if store.owner_id else "",
                "open": store.status == "open",
                "on": sum(one.on for one in rows.rulings(host, store.id).values()),
            }
            for store in found[:PER_PAGE]
        ]
    return render_template(
        "office/stores.html",
        rows=shown,
        total=total,
        q=q,
        sheet_href=here("office.stores_sheet"),
        next_href=here("office.stores", q=q or None, tool=tool or None, page=page + 1)
        if len(found) > PER_PAGE
        else None,
    )


def page_number() -> int:
    """Which page of a long list is asked for, counted from 0."""
    text = request.args.get("page", "0")
    return int(text) if text.isdecimal() and len(text) < 6 else 0


@office.get("/stores/<slug>")
@requires("stores.view")
def store(brand: str, slug: str) -> str:
    """One store as head office may see it."""
    place, host = current.place, current.house.host
    with current.session() as s:
        row = s.scalar(sa.select(Store).where(Store.slug == slug))
        if row is None:
            raise NotFound(_("There is no such store."))
        faces = [
            toolfaces.face(host, name, effective)
            for name, effective in state.overview(s, row.id).items()
        ]
        facts = store_facts(s, row)
    with current.aggregate() as s:
        weeks = figures.period(s, place)
        cell = figures.by_store(s, weeks).get(row.id)
    user = current.user
    enters = user is not None and tree.may(
        user.grants, "today.view", tree.Node.of(place.brand, row), current.catalogue
    )
    return render_template(
        "office/store.html",
        store=row,
        tools=faces,
        summary=toolfaces.summary(faces),
        facts=facts,
        figures_=figures.store_figures(cell),
        console_href=url_for("today.day", brand=place.brand.slug, store=row.slug)
        if enters
        else None,
    )


@office.get("/settings/")
@requires("office.view")
def settings(brand: str) -> str:
    """Facts of the brand, and the reader's own choices."""
    place = current.place
    with current.session() as s:
        stores = s.scalar(sa.select(sa.func.count(Store.id))) or 0
        regions = list(s.scalars(sa.select(Region.name).order_by(Region.name)))
    owner = (
        _("the brand: one club, usable in every store")
        if place.brand.customers == "brand"
        else _("the stores: each keeps its own")
    )
    return render_template(
        "office/settings.html",
        facts=[
            (_("Brand"), place.brand.name),
            (_("Stores"), formats.num(stores)),
            (_("Regions"), ", ".join(regions) or _("none")),
            (_("Currency"), place.brand.currency),
            (_("Time zone"), place.brand.zone),
            (_("Customers belong to"), owner),
            (_("Colour"), place.brand.accent or _("Highstreet’s own")),
        ],
    )
