"""A store's own results: how its weeks compare, who comes back, how much hangs on a few."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for

from highstreet.host import dispatch
from highstreet.host.access import requires
from highstreet.i18n import gettext as _
from highstreet.i18n import ngettext
from highstreet.results import loyalty, queries
from highstreet.results.hooks import Figure
from highstreet.results.loyalty import Leaning, Repeat
from highstreet.results.periods import Period, weeks_to, whole_weeks
from highstreet.results.queries import Day
from highstreet.web import formats, weekly
from highstreet.web.current import Place, current
from highstreet.web.sheets import sheet
from highstreet.web.store.today import told_by_tools
from highstreet.web.weekly import NOTHING, Week
from highstreet_tenants import clock
from highstreet_tenants.money import major
from highstreet_tenants.sessions import ScopedSession

results = Blueprint("results", __name__, url_prefix="/store/<brand>/<store>/results")
#: Weeks of a period that may be chosen → weeks of one point of its chart.
PERIODS = {4: 1, 12: 1, 52: 4}
USUAL = 12
#: The repeat rate is always of so many weeks, so that it means the same whatever is chosen.
REPEAT_WEEKS = 12


@results.get("/")
@requires("store.results")
def page(brand: str, store: str) -> str:
    """Figures of the weeks that were chosen against those before, chart, key customers."""
    place = current.place
    assert place.store is not None
    with current.session() as s:
        period = _period(s, place)
        then, now = queries.spans(s, place.store.id, [period.earlier, period], place.zone)
        begun = queries.first_day(s, place.store.id)
        if begun is None or begun > period.earlier.first + timedelta(weeks=1):
            then = Day(period.earlier.first)  # no whole period yet to compare with
        lines = _weeks(s, place, period)
        again = loyalty.repeat(s, place.store.id, weeks_to(period.last, REPEAT_WEEKS))
        few = loyalty.leaning(s, place.store.id, period)
        tools = told_by_tools(
            dispatch.collect(s, "period_figures", first=period.first, last=period.last)
        )
    count = period.days // 7
    return render_template(
        "store/results.html",
        figures_=_figures(now, then, again, place.currency),
        tools=tools,
        empty=not now.visits,
        leaning=_leaning(few, now, place.currency),
        period=weekly.words_of(period),
        compared=bool(then.visits),
        choices=[_choice(weeks, weeks == count) for weeks in PERIODS],
        step=PERIODS[count],
        sheet_href=_here("results.sheet", weeks=count),
        **weekly.shown(
            lines, _here("results.visits_chart", weeks=count, to=period.last.isoformat())
        ),
    )


@results.get("/visits.svg")
@requires("store.results")
def visits_chart(brand: str, store: str) -> Response:
    """Visits by week, as a picture."""
    with current.session() as s:
        return weekly.picture(_weeks(s, current.place, _period(s, current.place)))


@results.get("/weeks.csv", endpoint="sheet")
@requires("store.results")
def weeks_sheet(brand: str, store: str) -> Response:
    """The weeks that were chosen as a file for a spreadsheet, one line each."""
    place = current.place
    assert place.store is not None
    with current.session() as s:
        period = _period(s, place)
        weeks = period.parts(1)
        found = queries.spans(s, place.store.id, weeks, place.zone)
    rows = [
        (
            place.store.name,
            week.first,
            week.last,
            day.visits,
            day.member_visits,
            day.members,
            day.new_members,
            place.currency,
            major(day.sales_minor, place.currency),
            major(day.member_sales_minor, place.currency),
        )
        for week, day in zip(weeks, found, strict=True)
    ]
    return sheet(f"results-{place.store.slug}-{period.last.isoformat()}.csv", _COLUMNS, rows)


#: What a spreadsheet's reader, man or machine, finds in each column; never translated.
_COLUMNS = (
    *("store", "from", "to", "visits", "member_visits", "members", "new_members", "currency"),
    *("sales", "member_sales"),
)


def _period(s: ScopedSession, place: Place) -> Period:
    """The whole weeks that were chosen; without a sale in them, those up to the last sale."""
    assert place.store is not None
    text = request.args.get("weeks", "")
    count = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else USUAL
    count = count if count in PERIODS else USUAL
    today = clock.business_date(clock.now(), place.zone)
    usual = whole_weeks(today, count)
    latest = queries.latest_day(s, place.store.id, today)
    return usual if latest is None or latest >= usual.first else weeks_to(latest, count)


def _weeks(s: ScopedSession, place: Place, period: Period) -> list[Week]:
    """The points of the chart; a short period is shown within the twelve weeks to its end."""
    assert place.store is not None
    count = period.days // 7
    parts = weeks_to(period.last, max(count, USUAL)).parts(PERIODS[count])
    found = queries.spans(s, place.store.id, parts, place.zone)
    return [Week(day.on, day.member_visits, day.visits) for day in found]


def _figures(now: Day, then: Day, again: Repeat, currency: str) -> list[Figure]:
    share = _percent(now.member_sales_minor, now.sales_minor)
    basket, other = now.member_basket_minor, now.other_basket_minor
    return [
        Figure(
            _("visits"),
            formats.num(now.visits),
            formats.joined(
                formats.trend_percent(now.visits, then.visits),
                _("%(num)s by members", num=formats.num(now.member_visits)),
            ),
        ),
        Figure(
            _("of all sales are members’"),
            share,
            _(
                "%(part)s of %(all)s",
                part=formats.money(now.member_sales_minor, currency, whole=True),
                all=formats.money(now.sales_minor, currency, whole=True),
            ),
        ),
        Figure(
            _("spent at a member’s visit"),
            formats.money(basket, currency) if basket is not None else NOTHING,
            formats.joined(
                formats.trend_money(basket, then.member_basket_minor, currency),
                _("others %(amount)s", amount=formats.money(other, currency)) if other else "",
            ),
        ),
        Figure(
            _("new members"),
            formats.num(now.new_members),
            formats.trend_percent(now.new_members, then.new_members),
        ),
        Figure(
            _("came again within 12 weeks"),
            formats.percent(again.rate) if again.rate is not None else NOTHING,
            _(
                "%(part)s of %(all)s members who came",
                part=formats.num(again.again),
                all=formats.num(again.members),
            ),
        ),
    ]


def _leaning(few: Leaning, now: Day, currency: str) -> dict[str, Any] | None:
    """How much hangs on the best customers, as rows of a table; None where no member bought."""
    if not few.members:
        return None
    groups = [
        (_("The best member"), 1, few.first_minor),
        (
            ngettext("The best tenth: %(num)d member", "The best tenth: %(num)d members", few.best),
            few.best,
            few.best_minor,
        ),
        (_("All members who came"), few.members, few.members_minor),
    ]
    return {
        "share": _percent(few.best_minor, now.sales_minor),
        "best": few.best,
        "rows": [
            {
                "who": who,
                "sales": formats.money(minor, currency, whole=True),
                "of_members": _percent(minor, few.members_minor),
                "of_all": _percent(minor, now.sales_minor),
            }
            for n, (who, _people, minor) in enumerate(groups)
            if n != 1 or few.best > 1
        ],
    }


def _percent(part: int, whole: int) -> str:
    return formats.percent(100 * part / whole) if whole > 0 else NOTHING


def _choice(weeks: int, here: bool) -> dict[str, Any]:
    words = ngettext("%(num)d week", "%(num)d weeks", weeks)
    return {"words": words, "href": _here("results.page", weeks=weeks), "here": here}


def _here(endpoint: str, **values: Any) -> str:
    return url_for(endpoint, **current.place.slugs, **values)
