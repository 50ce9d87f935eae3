"""The owner's day: yesterday's figures, what is to do, what the tools have to say."""

from collections.abc import Iterable
from datetime import date, timedelta

from flask import Blueprint, render_template, url_for
from msgspec import Struct
from msgspec.structs import replace

from highstreet.customers import duplicates
from highstreet.host import dispatch, state
from highstreet.host.access import requires
from highstreet.i18n import gettext as _
from highstreet.i18n import ngettext
from highstreet.jobs import queries as job_queries
from highstreet.results import queries as results
from highstreet.results.hooks import Figure
from highstreet.results.queries import Day, Usual
from highstreet.web import formats, slots, toolfaces
from highstreet.web.current import Place, current
from highstreet.web.store import campaigns
from highstreet.web.webhooks import switched_off
from highstreet_tenants import clock
from highstreet_tenants.sessions import ScopedSession

today = Blueprint("today", __name__, url_prefix="/store/<brand>/<store>")
#: More likely duplicates than this are said as "many": nobody merges them before the first bun.
MOST_PAIRS = 20


class Task(Struct, frozen=True):
    """Something to do: what, since when or by when (a state), about what, and the one way on."""

    title: str
    action: str
    href: str
    about: str = ""
    state: str = ""
    word: str = ""
    hidden: str = ""


@today.get("/")
@requires("today.view")
def day(brand: str, store: str) -> str:
    """The store's day."""
    place = current.place
    assert place.store is not None
    now = clock.business_date(clock.now(), place.zone)
    yesterday = now - timedelta(days=1)
    with current.session() as s:
        shown = results.latest_day(s, place.store.id, now) or yesterday
        earlier = results.same_weekdays(shown)
        found = results.days(s, place.store.id, [shown, *earlier], place.zone)
        usual = results.usual([found[one] for one in earlier])
        figures = [*day_figures(found[shown], usual, place.currency), *_tools_figures(s, shown)]
        tasks = _tasks(s, place)
        faces = [
            toolfaces.face(current.house.host, name, effective)
            for name, effective in state.overview(s, place.store.id).items()
            if effective.state in ("paused", "held")
        ]
        news = slots.fill(s, "today.news")
        pieces = slots.fill(s, "today.panel")
        offers = campaigns.offers(s)
        so_far = results.visits_on(s, place.store.id, now)
        off = switched_off(s)
    return render_template(
        "store/today.html",
        today=now,
        shown=shown,
        yesterday_is_latest=shown == yesterday,
        weeks=usual.days,
        day=figures,
        tasks=tasks,
        paused=[one for one in faces if one.state == "paused"],
        held=[one for one in faces if one.state == "held"],
        webhooks_off=off,
        news=news,
        pieces=pieces,
        rows=offers,
        so_far=so_far,
    )


def day_figures(day: Day, usual: Usual, currency: str) -> list[Figure]:
    """The core's figures of a day, each against the usual one of that weekday."""
    share = round(100 * day.member_sales_minor / day.sales_minor) if day.sales_minor else 0
    basket, other = day.member_basket_minor, day.other_basket_minor
    compared = usual.days > 0
    return [
        Figure(
            _("member sales"),
            formats.money(day.member_sales_minor, currency, whole=True),
            formats.joined(
                formats.trend_percent(day.member_sales_minor, usual.member_sales_minor),
                _(
                    "%(share)s of %(all)s",
                    share=formats.percent(share),
                    all=formats.money(day.sales_minor, currency, whole=True),
                )
                if day.sales_minor
                else "",
            ),
        ),
        Figure(
            _("member visits"),
            formats.num(day.member_visits),
            formats.joined(
                formats.trend(day.member_visits - usual.member_visits) if compared else "",
                _("of %(all)s in all", all=formats.num(day.visits)) if day.visits else "",
            ),
        ),
        Figure(
            _("spent at a member’s visit"),
            formats.money(basket, currency) if basket is not None else "–",
            formats.joined(
                formats.trend_money(basket, usual.member_basket_minor, currency),
                _("others %(amount)s", amount=formats.money(other, currency)) if other else "",
            ),
        ),
        Figure(
            _("new members"),
            formats.num(day.new_members),
            formats.trend(day.new_members - usual.new_members) if compared else "",
        ),
    ]


def _tools_figures(s: ScopedSession, on: date) -> list[Figure]:
    return told_by_tools(dispatch.collect(s, "day_figures", on=on))[:3]


def told_by_tools(answers: Iterable[dispatch.Answer]) -> list[Figure]:
    """Figures that tools gave, as the core writes its own."""
    found = [figure for answer in answers for figure in (answer.value or ())]
    # The core's own labels begin small, for the number stands first.
    return [replace(one, label=one.label[:1].lower() + one.label[1:]) for one in found]


def _tasks(s: ScopedSession, place: Place) -> list[Task]:
    tasks: list[Task] = []
    if current.may("jobs.view"):
        failed = job_queries.counts(s).get("failed", 0)
        if failed:
            tasks.append(
                Task(
                    ngettext("%(num)s job gave up", "%(num)s jobs gave up", failed),
                    _("See the jobs"),
                    url_for("jobs.store", state="failed", **place.slugs),
                    _("What they should have done was not done"),
                    "wrong",
                    _("Needs a look"),
                )
            )
    if current.may("customers.merge"):
        pairs = duplicates.likely_duplicates(s, limit=MOST_PAIRS)
        if pairs:
            tasks.append(
                Task(
                    ngettext(
                        "%(num)s pair of records may be one person",
                        "%(num)s pairs of records may be one person",
                        len(pairs),
                    ),
                    _("Compare"),
                    url_for("customers.likely", **place.slugs),
                    pairs[0].reason,
                )
            )
    return tasks
