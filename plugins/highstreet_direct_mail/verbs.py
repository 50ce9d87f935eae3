"""What an operator may ask of direct mail on the command line."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from highstreet.sdk import Ctx, Invalid, Verb, business_date
from highstreet.sdk import gettext as _
from highstreet.sdk import lazy_gettext as _l
from highstreet_direct_mail import posting, results, triggers

NAME = "direct_mail"


def jobs(ctx: Ctx, _options: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
    """The jobs of a place (head office's without --store) with their results."""
    found = []
    for whole in posting.listed(ctx):
        line: dict[str, Any] = {
            "number": whole.mailing.number,
            "name": whole.mailing.name,
            "status": whole.mailing.status,
            "selected": whole.mailing.selected,
        }
        told = results.of(ctx, whole)
        line |= {
            "sent": told.waterfall.sent,
            "returned": told.waterfall.returned,
            "answers": told.by_code.answers,
            "households that bought": told.match_back.got.responded,
            "cost": told.cost_minor,
        }
        found.append(line)
    return found


def run_orders(ctx: Ctx, options: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
    """Run a store's standing orders for a day, today's if not said; what ran already stays so."""
    try:
        text = options.get("day")
        day = date.fromisoformat(text) if text else business_date(ctx.now(), ctx.store().zone)
    except ValueError as error:
        raise Invalid(_("Write the day as 2026-11-27.")) from error
    return [
        {
            "order": one.name,
            "outcome": triggers.run(ctx, one.id, day) or f"ran before: {one.outcome}",
        }
        for one in triggers.listed(ctx, active=True)
    ]


VERBS = (
    Verb(f"{NAME}.jobs", _l("Mail jobs with what came of them"), jobs),
    Verb(
        f"{NAME}.run_orders",
        _l("Run the standing orders of a store that were missed"),
        run_orders,
        {"day": _l("such as 2026-11-27; today if not said")},
        at="store",
        writes=True,
    ),
)
