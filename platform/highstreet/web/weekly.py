"""Visits week by week, as a chart with its figures beneath: the same for a store and a brand."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask import Response, make_response, request
from msgspec import Struct

from highstreet.i18n import gettext as _
from highstreet.i18n import ngettext
from highstreet.results.periods import Period
from highstreet.web import chart, formats
from highstreet.web.current import current

NOTHING = "–"


class Week(Struct, frozen=True):
    """One week of the chart, or several in a row; None where too few people came to be shown."""

    first: date
    members: int | None
    all: int | None


def words_of(period: Period) -> str:
    """ "four weeks to Sunday 10 May"."""
    day = formats.day_short(period.last)
    weeks = period.days // 7
    if weeks == 4:
        return _("four weeks to %(day)s", day=day)
    return ngettext("%(num)d week to %(day)s", "%(num)d weeks to %(day)s", weeks, day=day)


def shown(weeks: Sequence[Week], href: str) -> dict[str, Any]:
    """What shared/_weeks.html shows; `href` is the picture's address. No picture of nothing."""
    return {
        "weeks": [
            {
                "label": formats.day_month(week.first),
                "members": formats.num(week.members) if week.members is not None else NOTHING,
                "all": formats.num(week.all) if week.all is not None else NOTHING,
            }
            for week in weeks
        ],
        "chart_href": href if any(week.all for week in weeks) else None,
        "chart_alt": _words(weeks),
    }


def picture(weeks: Sequence[Week]) -> Response:
    """The chart as an SVG file; `?narrow=1` fits a phone."""
    drawn = chart.line_chart(
        _("Visits by week"),
        [formats.day_month(week.first) for week in weeks],
        [
            *(
                [chart.Line(_("All"), [week.all for week in weeks])]
                if any(week.all != week.members for week in weeks)
                else []
            ),
            chart.Line(_("Members"), [week.members for week in weeks], main=True),
        ],
        current.place.brand.accent,
        narrow="narrow" in request.args,
    )
    response = make_response(drawn)
    response.mimetype = "image/svg+xml"
    # The picture's own style stands inside it; nothing else may be loaded by it.
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return response


def _words(weeks: Sequence[Week]) -> str:
    told = [week for week in weeks if week.members is not None and week.all is not None]
    if not told:
        return _("Line chart. The figures are in the table below.")
    low = min(week.members or 0 for week in told)
    high = max(week.members or 0 for week in told)
    return _(
        "Line chart. Members came %(low)s to %(high)s times a week. The figures are in the table"
        " below.",
        low=formats.num(low),
        high=formats.num(high),
    )
