"""The brand in figures: sums over stores through registered aggregates, small cells left out."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from highstreet.i18n import gettext as _
from highstreet.results import aggregates as results
from highstreet.results import queries
from highstreet.results.hooks import Figure
from highstreet.results.periods import Period, weeks_to, whole_weeks
from highstreet.web import formats
from highstreet.web.current import Place
from highstreet.web.weekly import NOTHING, Week
from highstreet_tenants import aggregates, clock
from highstreet_tenants.sessions import ScopedSession

WEEKS = 4
CHART_WEEKS = 10


def period(s: ScopedSession, place: Place) -> Period:
    """The last four whole weeks; where nothing was sold in them, the last four that had sales."""
    usual = whole_weeks(clock.business_date(clock.now(), place.zone), WEEKS)
    if totals(s, usual, place.currency)["visits"]:
        return usual
    cells = aggregates.run(s, results.SPAN)
    latest = cells[0]["last"] if cells else None
    if latest is None:
        return usual
    return weeks_to(latest, WEEKS)


def totals(s: ScopedSession, weeks: Period, currency: str) -> dict[str, int]:
    """Sums of the whole brand in one currency; nobody is counted twice among `people`."""
    names = ("people", "member_visits", "visits", "member_minor", "minor")
    cells = aggregates.run(s, results.BY_WEEK, weeks=((weeks.first, weeks.last),))
    own = [cell for cell in cells if cell["currency"] == currency and cell["week"] == 0]
    return {name: sum(int(cell[name] or 0) for cell in own) for name in names}


def overview(s: ScopedSession, place: Place, weeks: Period) -> list[Figure]:
    """The brand's figures at the top of a page."""
    since = queries.day_start(weeks.first, place.zone)
    people = aggregates.run(s, results.MEMBERS, since=since)
    now = totals(s, weeks, place.currency)
    then = totals(s, weeks.earlier, place.currency)
    return [*_people(people), *_visits(now, then), *_money(now, then, place.currency)]


def _people(cells: Sequence[dict[str, Any]]) -> list[Figure]:
    cell = cells[0] if cells else {"people": 0, "joined": 0}
    if cell["people"] is None:
        return [Figure(_("members"), NOTHING, _("too few to show"))]
    joined = int(cell["joined"] or 0)
    note = _("%(change)s in four weeks", change=formats.trend(joined)) if joined else ""
    return [Figure(_("members"), formats.num(int(cell["people"])), note)]


def _visits(now: dict[str, int], then: dict[str, int]) -> list[Figure]:
    each = now["member_visits"] / now["people"] if now["people"] else None
    return [
        Figure(
            _("visits a member"),
            formats.num(each, 1) if each is not None else NOTHING,
            _("%(people)s members came", people=formats.num(now["people"])),
        ),
        Figure(
            _("member visits"),
            formats.num(now["member_visits"]),
            formats.joined(
                formats.trend_percent(now["member_visits"], then["member_visits"]),
                _("of %(all)s in all", all=formats.num(now["visits"])),
            ),
        ),
    ]


def _money(now: dict[str, int], then: dict[str, int], currency: str) -> list[Figure]:
    others = now["visits"] - now["member_visits"]
    basket = now["member_minor"] / now["member_visits"] if now["member_visits"] else None
    other = (now["minor"] - now["member_minor"]) / others if others else None
    share = 100 * now["member_minor"] / now["minor"] if now["minor"] else None
    note = _("others %(amount)s", amount=formats.money(round(other), currency)) if other else ""
    return [
        Figure(
            _("spent at a member’s visit"),
            formats.money(round(basket), currency) if basket is not None else NOTHING,
            note,
        ),
        Figure(
            _("member sales"),
            formats.money(now["member_minor"], currency, whole=True),
            formats.trend_percent(now["member_minor"], then["member_minor"]),
        ),
        Figure(
            _("of all sales are members’"),
            formats.percent(share) if share is not None else NOTHING,
            _("of %(all)s", all=formats.money(now["minor"], currency, whole=True)),
        ),
    ]


def weekly(s: ScopedSession, last: date, count: int = CHART_WEEKS) -> list[Week]:
    """Visits of the weeks up to the one that ends on `last`, oldest first."""
    # Asked in the fours that the page has sums of: a week that is hidden must not be told by one.
    fours = weeks_to(last, count).parts(WEEKS)
    return [week for four in fours for week in _weeks(s, four.parts(1))]


def _weeks(s: ScopedSession, spans: Sequence[Period]) -> list[Week]:
    cells = aggregates.run(
        s, results.BY_WEEK, weeks=tuple((span.first, span.last) for span in spans)
    )
    found = []
    for number, span in enumerate(spans):
        own = [cell for cell in cells if cell["week"] == number]
        # A week without anybody looks like one with a few: else a lone visit would tell its week.
        hidden = not own or any(cell["visits"] is None for cell in own)
        found.append(
            Week(
                span.first,
                None if hidden else sum(int(cell["member_visits"]) for cell in own),
                None if hidden else sum(int(cell["visits"]) for cell in own),
            )
        )
    return found


def by_store(s: ScopedSession, weeks: Period) -> dict[UUID, dict[str, Any]]:
    """One cell a store (its largest currency), with `before`, the weeks' before."""
    before = {
        (cell["store_id"], cell["currency"]): cell
        for cell in aggregates.run(
            s, results.BY_STORE, first=weeks.earlier.first, last=weeks.earlier.last
        )
    }
    found: dict[UUID, dict[str, Any]] = {}
    for cell in aggregates.run(s, results.BY_STORE, first=weeks.first, last=weeks.last):
        key = cell["store_id"]
        if key not in found or (cell["visits"] or 0) > (found[key]["visits"] or 0):
            found[key] = {**cell, "before": before.get((key, cell["currency"]))}
    return found


def store_figures(cell: dict[str, Any] | None) -> list[Figure]:
    """One store's figures as head office may see them."""
    row = shown(cell)
    return [
        Figure(_("members who came"), row["people"]),
        Figure(_("their visits"), row["visits"], row["trend"]),
        Figure(_("member sales"), row["sales"]),
        Figure(_("spent at a member’s visit"), row["basket"]),
    ]


def shown(cell: dict[str, Any] | None) -> dict[str, str]:
    """A store's cell in words; “–” for all of it where too few people came."""
    if cell is None or cell["visits"] is None:
        return dict.fromkeys(("people", "visits", "each", "sales", "basket", "trend"), NOTHING)
    visits, people, currency = int(cell["member_visits"]), int(cell["people"]), cell["currency"]
    before = cell.get("before")
    then = int(before["member_visits"] or 0) if before and before["visits"] is not None else 0
    return {
        "people": formats.num(people),
        "visits": formats.num(visits),
        "each": formats.num(visits / people, 1) if people else NOTHING,
        "sales": formats.money(int(cell["member_minor"]), currency, whole=True),
        "basket": formats.money(round(int(cell["member_minor"]) / visits), currency)
        if visits
        else NOTHING,
        "trend": formats.trend_percent(visits, then) or NOTHING,
    }
