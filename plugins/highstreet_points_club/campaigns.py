"""What head office's campaigns can do in the points club: more points for a while.

A campaign gives on top of what a purchase earns by the store's own programme; a purchase that
earns nothing gets nothing. `extras` has the arithmetic, `gains` what each campaign gave.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from babel.numbers import format_decimal
from marshmallow import fields, validate

from highstreet.sdk import CampaignAction, format_locale
from highstreet.sdk import gettext as _
from highstreet.sdk import lazy_gettext as _l
from highstreet_points_club import rules, words
from highstreet_points_club.extras import DEPARTMENT, MULTIPLY, WELCOME
from highstreet_points_club.gains import COUNTS
from highstreet_points_club.rule_settings import MOST, Strict, zero_or_more

if TYPE_CHECKING:
    from highstreet.sdk import Ctx
    from highstreet_points_club.programme import Bonus

_WEEK = 7


class MultiplyTerms(Strict):
    """Every purchase earns a multiple."""

    percent = fields.Integer(
        load_default=200,
        strict=True,
        validate=validate.Range(101, 1000),
        metadata={"label": _l("Points in per cent of the usual"), "help": _l("200: double.")},
    )
    min_minor = fields.Integer(
        load_default=0,
        strict=True,
        validate=zero_or_more,
        metadata={
            "label": _l("Only for purchases from"),
            "money": True,
            "help": _l("0: for every purchase."),
        },
    )


class DepartmentTerms(Strict):
    """Purchases in one department earn so many points more."""

    department = fields.String(
        required=True,
        validate=validate.Length(min=1, max=100),
        metadata={"label": _l("Department"), "help": _l("As the tills call it.")},
    )
    points = fields.Integer(
        load_default=50,
        strict=True,
        validate=validate.Range(1, MOST),
        metadata={"label": _l("Points on top, once a purchase")},
    )
    min_minor = fields.Integer(
        load_default=0,
        strict=True,
        validate=zero_or_more,
        metadata={
            "label": _l("Only from so much spent there"),
            "money": True,
            "help": _l("0: whatever is bought there."),
        },
    )


class WelcomeTerms(Strict):
    """A member's first purchase earns so many points more."""

    points = fields.Integer(
        load_default=50,
        strict=True,
        validate=validate.Range(1, MOST),
        metadata={"label": _l("Points on top of a member’s first purchase")},
    )


def _multiply_says(_ctx: Ctx, terms: Mapping[str, Any]) -> str:
    if terms["percent"] == 200:
        return _("Double points")
    if terms["percent"] == 300:
        return _("Triple points")
    times = format_decimal(terms["percent"] / 100, locale=format_locale())
    return _("%(number)s times the points", number=times)


def _department_says(ctx: Ctx, terms: Mapping[str, Any]) -> str:
    return _(
        "%(points)s more in %(department)s",
        points=_amount(ctx, terms["points"]),
        department=terms["department"],
    )


def _welcome_says(ctx: Ctx, terms: Mapping[str, Any]) -> str:
    return _("%(points)s to welcome new members", points=_amount(ctx, terms["points"]))


def _amount(ctx: Ctx, points: int) -> str:
    return words.amount(rules.programme(ctx), points)


def _clashes(ctx: Ctx, _terms: Mapping[str, Any], first: date, last: date) -> Sequence[str]:
    """Bonus times of the store's own that are open on some of the days."""
    programme = rules.programme(ctx)
    said = []
    for bonus in programme.bonuses:
        if _open_between(bonus, first, last):
            more = (
                _("“%(bonus)s” runs there on some of these days, too: both are given.")
                if programme.stacked
                else _(
                    "“%(bonus)s” runs there on some of these days, too: the better of both counts."
                )
            )
            said.append(more % {"bonus": bonus.name})
    return said


def _open_between(bonus: Bonus, first: date, last: date) -> bool:
    """Whether a bonus time is open on one of the days. After a week weekdays repeat."""
    start = max(first, bonus.first_day or first)
    end = min(last, bonus.last_day or last)
    clock = bonus.hours_from or time.min
    return any(
        bonus.open_at(datetime.combine(start + timedelta(days=more), clock))
        for more in range(min(_WEEK, (end - start).days + 1))
    )


ACTIONS = (
    CampaignAction(
        MULTIPLY,
        _l("More points for every purchase"),
        MultiplyTerms,
        _multiply_says,
        summary=_l("Double points, for example."),
        store_may=("percent", "min_minor"),
        clashes=_clashes,
        counts=COUNTS,
    ),
    CampaignAction(
        DEPARTMENT,
        _l("Points on top in one department"),
        DepartmentTerms,
        _department_says,
        summary=_l("For whoever buys there, once a purchase."),
        store_may=("points", "min_minor"),
        clashes=_clashes,
        counts=COUNTS,
    ),
    CampaignAction(
        WELCOME,
        _l("A welcome to new members"),
        WelcomeTerms,
        _welcome_says,
        summary=_l("With the first purchase that earns, on top of everything else."),
        store_may=("points",),
        counts=COUNTS,
    ),
)
