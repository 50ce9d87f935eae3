"""The books between stores: what they owe one another for a month's rewards, page and file."""

from datetime import date
from decimal import Decimal

from flask import render_template, request, url_for
from werkzeug.wrappers import Response

from highstreet.sdk import (
    Ctx,
    format_locale,
    format_minor,
    minor_digits,
    open_ctx,
    requires,
)
from highstreet_points_club import rules, settlement, stores, words
from highstreet_points_club.office import office
from highstreet_points_club.screens import store
from highstreet_points_club.sheets import sheet

PAGE = 200
"""Pairs on the page; the file holds all."""


@office.get("/books")
@requires("results.view")
def office_books() -> str:
    """All pairs of stores of a month."""
    with open_ctx() as ctx:
        return _page(ctx, "office")


@office.get("/books.csv")
@requires("results.view")
def office_file() -> Response:
    """All pairs of stores of a month, for whoever writes the invoices."""
    with open_ctx() as ctx:
        return _file(ctx)


@store.get("/books")
@requires("results.view")
def store_books() -> str:
    """The pairs of a month that the store is part of."""
    with open_ctx() as ctx:
        return _page(ctx, "store")


@store.get("/books.csv")
@requires("results.view")
def store_file() -> Response:
    """The pairs of a month that the store is part of, as a file."""
    with open_ctx() as ctx:
        return _file(ctx)


def _page(ctx: Ctx, face: str) -> str:
    month, place = settlement.month_of(ctx, request.args.get("month")), rules.place(ctx)
    found = [one for one in settlement.pairs(ctx, month) if one.between]
    names = stores.named(ctx, [one for pair in found for one in (pair.giver, pair.taker)])
    lines = settlement.standings(found)
    at = request.view_args or {}
    this_month = settlement.this_month(ctx)

    def link(view: str, first: date | None = None) -> str:
        return url_for(f".{view}", month=f"{first:%Y-%m}" if first else None, **at)

    def shown(minor: int, currency: str) -> str:
        return format_minor(minor, currency, str(format_locale(place.locale)))

    return render_template(
        "points_club/books.html",
        month=words.month(month.first, place),
        shared=ctx.brand.customers == "brand",
        unit=words.units(rules.programme(ctx)),
        own=ctx.scope.store_id,
        standings=[
            {
                "store": names[one.store_id].name,
                "gets": shown(one.gets, one.currency),
                "pays": shown(one.pays, one.currency),
                "net": shown(one.net, one.currency),
                "mine": one.store_id == ctx.scope.store_id,
            }
            for one in lines[:PAGE]
        ],
        pairs=[
            {
                "giver": names[one.giver].name,
                "taker": names[one.taker].name,
                "amount": shown(one.minor, one.currency),
                "pair": one,
            }
            for one in found[:PAGE]
        ],
        left_out=max(0, len(found) - PAGE),
        running=month.first == this_month,
        earlier=link(f"{face}_books", month.before),
        later=link(f"{face}_books", month.after) if month.after <= this_month else None,
        file=link(f"{face}_file", month.first),
        back=link("overview" if face == "store" else "office_overview"),
    )


def _file(ctx: Ctx) -> Response:
    month = settlement.month_of(ctx, request.args.get("month"))
    found = settlement.pairs(ctx, month)
    names = stores.named(ctx, [one for pair in found for one in (pair.giver, pair.taker)])
    header = (
        "month", "owes_code", "owes", "gets_code", "gets", "currency", "rewards", "points", "amount"
    )  # fmt: skip
    rows = [
        (
            f"{month.first:%Y-%m}",
            *names[one.giver],
            *names[one.taker],
            one.currency,
            one.rewards,
            one.points,
            Decimal(one.minor).scaleb(-minor_digits(one.currency)),
        )
        for one in found
    ]
    return sheet(f"points-{month.first:%Y-%m}.csv", header, rows)
