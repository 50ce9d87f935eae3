"""Head office's page: the programme in words, and the club in sums over stores."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from flask import render_template, request
from werkzeug.wrappers import Response

from highstreet.sdk import aggregates, open_ctx, open_totals, requires, screens
from highstreet_points_club import liability, rules, stores, terms, totals, words
from highstreet_points_club.liability import Liability
from highstreet_points_club.sheets import sheet
from highstreet_points_club.totals import Span, Sums
from highstreet_points_club.writing import business_date

office = screens("points_club", "office", import_name=__name__)

WEEKS = timedelta(weeks=4)
PAGE = 100
"""Stores on a page."""
_COLUMNS = (
    *("store", "members", "points_owed", "points_pending", "points_in_rewards"),
    *("points_given_in_4_weeks", "rewards_in_4_weeks"),
)


class Line(NamedTuple):
    """One store on the page. owed: in full, where the brand owns the members."""

    name: str
    sums: Sums
    owed: Liability | None


class Found(NamedTuple):
    """What every store owes and gave in `span`. there: those with most to owe first."""

    shared: bool
    span: Span
    owed: Mapping[UUID | None, Liability]
    sums: Mapping[UUID | None, Sums]
    there: list[UUID | None]


@office.get("/")
@requires("results.view")
def office_overview() -> str:
    """The brand's programme in words, and its stores in sums; those with most to owe first."""
    number = max(0, request.args.get("page", 0, type=int))
    found = _found()
    page = found.there[number * PAGE : (number + 1) * PAGE]
    owed, sums = found.owed, found.sums
    with open_ctx() as ctx:
        place = rules.place(ctx)
        shown = terms.shown(rules.programme(ctx), place)
        names = stores.named(ctx, page)
    return render_template(
        "points_club/office.html",
        **shown,
        shared=found.shared,
        lines=[Line(names[one].name, sums.get(one) or Sums(one), owed.get(one)) for one in page],
        whole=_whole(owed.values()) if owed else None,
        period=words.span(found.span.first, found.span.last, place),
        number=number,
        least=aggregates.SMALLEST_CELL,
        more=len(found.there) > (number + 1) * PAGE,
    )


@office.get("/owed.csv")
@requires("results.view")
def office_owed() -> Response:
    """What each store owes as a file; what the page hides is empty there."""
    found = _found()
    with open_ctx() as ctx:
        names = stores.named(ctx, found.there)
    rows = []
    for one in found.there:
        owed, sums = found.owed.get(one), found.sums.get(one) or Sums(one)
        rows.append(
            (
                names[one].name,
                owed.members if owed else sums.members,
                owed.points if owed else sums.points,
                *((owed.pending, owed.held) if owed else (None, None)),
                *(sums.given, sums.rewards),
            )
        )
    return sheet("points-owed.csv", _COLUMNS, rows)


def _found() -> Found:
    with open_ctx() as ctx:
        place = rules.place(ctx)
        shared = ctx.brand.customers == "brand"
        today = business_date(ctx.now(), place.zone)
        span = Span(today - WEEKS + timedelta(days=1), today, place.zone, ctx.now())
        owed = {one.store_id: one for one in liability.by_store(ctx)} if shared else {}
        sums = totals.by_store(ctx.s, span) if shared else {}
    if not shared:  # sums are all that head office may read
        with open_totals() as s:
            sums = totals.by_store(s, span)
    there = sorted(
        {*sums, *owed}, key=lambda one: (-_points(owed.get(one), sums.get(one)), str(one))
    )
    return Found(shared, span, owed, sums, there)


def _points(owed: Liability | None, sums: Sums | None) -> int:
    if owed is not None:
        return owed.points
    return (sums.points or 0) if sums is not None else 0


def _whole(lines: Collection[Liability]) -> Liability:
    """What all stores owe. Members are not added up: one may have points of several stores."""
    return Liability(
        None,
        sum(one.active for one in lines),
        sum(one.pending for one in lines),
        sum(one.held for one in lines),
        sum(one.owed for one in lines),
        0,
    )
