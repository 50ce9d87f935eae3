"""What the magazine says to people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from highstreet.sdk import Ctx, LazyText, clock, format_day, ngettext
from highstreet.sdk import gettext as _
from highstreet.sdk import lazy_gettext as _l
from highstreet_magazine import issues, publications
from highstreet_magazine.forms import Standing
from highstreet_magazine.models import Issue
from highstreet_magazine.names import FORMS, PRINT

#: State of an issue: sign and word.
STATES: Final[Mapping[str, tuple[str, LazyText]]] = {
    "planned": ("waiting", _l("planned")),
    "selecting": ("waiting", _l("being worked out")),
    "selected": ("waiting", _l("worked out")),
    "approved": ("on", _l("approved")),
    "running": ("on", _l("going out")),
    "paused": ("paused", _l("paused")),
    "finished": ("done", _l("gone out")),
    "stopped": ("off", _l("stopped")),
    "discarded": ("off", _l("thrown away")),
}
#: Names and values of the export, for the page on which a member reads what is held.
HELD: Final = (
    *(_l("Subscriptions"), _l("Publication"), _l("Form"), _l("Copies"), _l("Since")),
    *(_l("Kept on"), _l("Changed at"), _l("Merged"), _l("Print"), _l("Email"), _l("None")),
)


def of_standing(one: Standing) -> str:
    """What somebody gets of a publication."""
    if one.form == PRINT and one.copies > 1:
        return ngettext("%(num)d printed copy", "%(num)d printed copies, by post", one.copies)
    return str(FORMS[one.form])


def state(ctx: Ctx, row: Issue) -> tuple[str, str]:
    """Sign and word of an issue's state."""
    sign, word = STATES[issues.standing(ctx, row)]
    return sign, str(word)


def facts(ctx: Ctx) -> Sequence[str]:
    """A line for the list of tools."""
    there = publications.listed(ctx)
    if not there:
        return ()
    return [
        ngettext("%(num)d publication", "%(num)d publications", len(there)),
        *[_("next in the homes: %(day)s", day=day) for day in _next(ctx)],
    ]


def _next(ctx: Ctx) -> list[str]:
    today = ctx.now().date()
    days = sorted(
        one.in_home_on
        for one in issues.listed(ctx)
        if one.in_home_on >= today and one.state not in ("stopped", "discarded")
    )
    return [format_day(day, ctx.store()) for day in days[:1]]


def local(at: datetime, ctx: Ctx) -> str:
    """A moment as a field of a form holds it, by the clock of the place."""
    return at.astimezone(clock.zone(ctx.store().zone)).strftime("%Y-%m-%dT%H:%M")
