"""A member's statement of account for chosen months: theirs to read, to print, to keep."""

from datetime import date
from typing import Any
from uuid import UUID

from flask import render_template, request, url_for
from msgspec import Struct
from msgspec.structs import replace
from werkzeug.wrappers import Response

from highstreet.sdk import Ctx, NotFound, current, open_ctx, public, screens
from highstreet.sdk import gettext as _
from highstreet_points_club import history, rules, words
from highstreet_points_club.settlement import Month, month_named
from highstreet_points_club.sheets import sheet
from highstreet_points_club.writing import business_date

member = screens("points_club", "member", import_name=__name__)

LINK = "the link is the key: it was given to this member only"
#: Months that a statement shows where none are chosen; the one that runs is the last.
USUAL = 3


class Account(Struct, frozen=True):
    """A member's account from the first day of `first` to the last of `last`.

    `opening` + the lines' points = `closing`. lines: oldest first by when they happened, each with
    the balance after it.
    """

    first: Month
    last: Month
    opening: int
    lines: tuple[history.Line, ...]
    closing: int

    @property
    def gained(self) -> int:
        """Points that came."""
        return sum(line.points for line in self.lines if line.points > 0)

    @property
    def gone(self) -> int:
        """Points that went, zero or below."""
        return sum(line.points for line in self.lines if line.points < 0)


def account(ctx: Ctx, customer_id: UUID, first: Month, last: Month) -> Account:
    """The account of these months.

    By when things happened, not by when they were written down: a purchase that a till sent late
    stands on its own day. So the balances are counted anew.
    """
    story = sorted(history.statement(ctx, customer_id, until=last.until), key=lambda line: line.at)
    opening = total = sum(line.points for line in story if line.at < first.since)
    lines = []
    for line in story:
        if line.at >= first.since:
            total += line.points
            lines.append(replace(line, balance=total))
    return Account(first, last, opening, tuple(lines), total)


@member.get("/statement")
@public(LINK)
def statement() -> str:
    """The account of the months `from_month` to `to_month`; the last three where none are named."""
    with open_ctx() as ctx:
        place, programme = rules.place(ctx), rules.programme(ctx)
        found = _asked(ctx)
        names: dict[str, Any] = {
            "from_month": f"{found.first.first:%Y-%m}",
            "to_month": f"{found.last.first:%Y-%m}",
        }
        token = (request.view_args or {})["token"]
        return render_template(
            "points_club/statement.html",
            brand=ctx.brand,
            token=token,
            months=_span(found, place),
            names=names,
            newest=f"{_today(ctx):%Y-%m}",
            unit=words.units(programme),
            figures=(
                {"label": _("Before"), "value": words.number(found.opening)},
                {"label": _("Came"), "value": words.signed(found.gained)},
                {"label": _("Went"), "value": words.number(found.gone)},
                {"label": _("At the end"), "value": words.number(found.closing)},
            ),
            lines=[
                (words.told(line, place), words.number(line.balance or 0)) for line in found.lines
            ],
            file=url_for(".statement_file", token=token, **names),
        )


@member.get("/statement.csv")
@public(LINK)
def statement_file() -> Response:
    """The same as a file for a spreadsheet."""
    with open_ctx() as ctx:
        place, found = rules.place(ctx), _asked(ctx)
        unit = words.units(rules.programme(ctx))
        rows = [
            (
                line.at.astimezone(place.zone).isoformat(timespec="minutes"),
                words.told(line, place).what,
                line.store or "",
                line.points,
                line.balance,
            )
            for line in found.lines
        ]
    name = f"points-{found.first.first:%Y-%m}-{found.last.first:%Y-%m}.csv"
    return sheet(name, (_("Date"), _("What"), _("Store"), unit, _("Balance")), rows)


def _asked(ctx: Ctx) -> Account:
    """The account that the address asks for. Raises NotFound for no month."""
    if current.member_id is None:
        raise NotFound(_("There is no such page."))
    zone = rules.place(ctx).zone
    named = {end: request.args.get(end, "") for end in ("from_month", "to_month")}
    last = month_named(named["to_month"], zone) if named["to_month"] else Month(_today(ctx), zone)
    first = last
    if named["from_month"]:
        first = month_named(named["from_month"], zone)
    else:
        for _n in range(USUAL - 1):
            first = Month(first.before, zone)
    first, last = sorted((first, last), key=lambda month: month.first)
    return account(ctx, ctx.customers.get(current.member_id).id, first, last)


def _today(ctx: Ctx) -> date:
    """The first day of the month that runs where the member is."""
    return business_date(ctx.now(), rules.place(ctx).zone).replace(day=1)


def _span(found: Account, place: rules.Place) -> str:
    first, last = (words.month(one.first, place) for one in (found.first, found.last))
    return first if first == last else f"{first} – {last}"
