"""The brand's results and each store's, on pages and as a file."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Response, render_template

from highstreet.host.access import requires
from highstreet.results.periods import Period
from highstreet.web import slots, weekly
from highstreet.web.current import current
from highstreet.web.office import figures
from highstreet.web.office.pages import PER_PAGE, here, office, page_number
from highstreet.web.sheets import sheet
from highstreet_tenants.aggregates import SMALLEST_CELL
from highstreet_tenants.models import Store
from highstreet_tenants.money import major
from highstreet_tenants.sessions import ScopedSession

Cells = dict[UUID, dict[str, Any]]

#: What a spreadsheet's reader, man or machine, finds in each column; never translated.
_COLUMNS = (
    *("store", "code", "from", "to", "members", "member_visits", "visits", "currency"),
    *("sales", "member_sales"),
)


@office.get("/results/")
@requires("results.view")
def results(brand: str) -> str:
    """The brand's results, and each store's, most visited first."""
    place, number = current.place, page_number()
    with current.aggregate() as s:
        weeks = figures.period(s, place)
        shown = figures.overview(s, place, weeks)
        cells = figures.by_store(s, weeks)
    chosen = _most_visited(cells)[number * PER_PAGE : (number + 1) * PER_PAGE]
    with current.session() as s:
        named = _named(s, chosen)
        panels = slots.fill(s, "office.results")
    rows = [
        {
            "name": named[store_id].name,
            "href": here("office.store", slug=named[store_id].slug),
            **figures.shown(cells[store_id]),
        }
        for store_id in chosen
        if store_id in named
    ]
    return render_template(
        "office/results.html",
        figures_=shown,
        rows=rows,
        panels=panels,
        period=weekly.words_of(weeks),
        least=SMALLEST_CELL,
        sheet_href=here("office.results_sheet"),
        next_href=here("office.results", page=number + 1)
        if len(cells) > (number + 1) * PER_PAGE
        else None,
    )


@office.get("/results/stores.csv")
@requires("results.view")
def results_sheet(brand: str) -> Response:
    """All stores as a file for a spreadsheet; what the page hides is empty there."""
    place = current.place
    with current.aggregate() as s:
        weeks = figures.period(s, place)
        cells = figures.by_store(s, weeks)
    with current.session() as s:
        named = _named(s, None)
    rows = [
        _line(named[store_id], weeks, cells[store_id])
        for store_id in _most_visited(cells)
        if store_id in named
    ]
    return sheet(f"results-{place.brand.slug}-{weeks.last.isoformat()}.csv", _COLUMNS, rows)


def _most_visited(cells: Cells) -> list[UUID]:
    return sorted(cells, key=lambda one: (-(cells[one]["member_visits"] or 0), one))


def _named(s: ScopedSession, stores: list[UUID] | None) -> dict[UUID, Any]:
    """Name, slug and code of some stores, or of all."""
    query = sa.select(Store.id, Store.name, Store.slug, Store.code)
    if stores is not None:
        query = query.where(Store.id.in_(stores))
    return {row.id: row for row in s.execute(query)}


def _line(store: Any, weeks: Period, cell: dict[str, Any]) -> tuple[Any, ...]:
    money = cell["currency"]
    known = cell["visits"] is not None
    sums = (
        *(cell["people"], cell["member_visits"], cell["visits"], money),
        *(major(int(cell[name]), money) if known else None for name in ("minor", "member_minor")),
    )
    return (store.name, store.code, weeks.first, weeks.last, *sums)
