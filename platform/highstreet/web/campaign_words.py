"""A campaign in words, for both consoles: its state, days, terms, and what each store has to do."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from babel.dates import format_interval
from msgspec import Struct

from highstreet import host as hosts
from highstreet.campaigns import queries, running, standing, terms
from highstreet.campaigns.models import Campaign
from highstreet.campaigns.queries import State
from highstreet.campaigns.standing import Standing
from highstreet.host import state
from highstreet.i18n import gettext as _
from highstreet.web import formats, settings_form
from highstreet_tenants import clock
from highstreet_tenants.sessions import ScopedSession

#: State of a campaign → the shape that shows it (see `macros/ui.html`).
SIGNS: Mapping[State, str] = {
    "draft": "off",
    "approved": "required",
    "scheduled": "waiting",
    "running": "on",
    "finished": "done",
    "stopped": "forbidden",
}
#: Why a store does not take part → the shape.
WHY_SIGNS = {
    "closed": "off",
    "tool": "off",
    "currency": "forbidden",
    "terms": "wrong",
    "out": "forbidden",
    "silent": "waiting",
    "over": "off",
}


class Term(Struct, frozen=True):
    """A field of the terms as people read it. bounds: what a store may choose, in words."""

    name: str
    label: str
    value: str
    bounds: str = ""


def state_words(which: State) -> str:
    """What a state is called."""
    return {
        "draft": _("Draft"),
        "approved": _("Approved"),
        "scheduled": _("Scheduled"),
        "running": _("Running"),
        "finished": _("Finished"),
        "stopped": _("Stopped"),
    }[which]


def participation_words() -> dict[str, tuple[str, str]]:
    """Value → (what it is called, what it means for a store)."""
    return {
        "opt_in": (_("Stores join"), _("In only if the store says yes before it begins.")),
        "opt_out": (_("Stores may decline"), _("In unless the store says no before it begins.")),
        "mandatory": (_("Required"), _("Every store in reach is in.")),
    }


def why_words(why: str) -> str:
    """Why stores do not take part, as a heading over several."""
    return {
        "closed": _("Closed"),
        "tool": _("The tool is not on"),
        "currency": _("Another currency"),
        "terms": _("The tool refuses the terms"),
        "out": _("Said no"),
        "silent": _("Not joined"),
        "over": _("Over before it could begin"),
    }[why]


def days(campaign: Campaign) -> str:
    """ "4 – 10 May 2026"."""
    first, last = campaign.first_day, campaign.last_day
    if first == last:
        return formats.day(first, year=True)
    return format_interval(first, last, "yMMMd", locale=formats.locale())


def begins(one: Standing) -> str:
    """When it begins in a store, by that store's clock."""
    local = one.begins_at.astimezone(clock.zone(one.place.zone))
    day = formats.day(local.date())
    if (local.hour, local.minute) == (0, 0):
        return day
    return _("%(day)s, %(time)s", day=day, time=f"{local:%H:%M}")


def action_title(s: ScopedSession, name: str) -> str:
    """What an action is called; its name where its tool is gone."""
    found = terms.every(hosts.of(s)).get(name)
    return str(found[1].title) if found else name


def terms_shown(
    s: ScopedSession, campaign: Campaign, values: Mapping[str, Any] | None = None
) -> list[Term]:
    """The terms, head office's or as a store has them (`values`), as people read them."""
    found = terms.every(hosts.of(s)).get(campaign.action)
    given = campaign.terms if values is None else values
    if found is None:
        return [Term(name, name, str(value)) for name, value in given.items()]
    shown = []
    for name, one in found[1].terms().fields.items():
        if name not in given:
            continue
        item = settings_form.make(name, one, given[name], campaign.currency)
        shown.append(Term(name, item.label, _value(item), _bounds(campaign, name, one)))
    return shown


def _value(item: settings_form.Item) -> str:
    if item.kind == "tick":
        return _("yes") if item.value else _("no")
    if item.kind == "choice":
        return dict(item.options or ()).get(item.value, str(item.value))
    if item.currency:
        return f"{item.sign}{item.value}"
    return str(item.value)


def bounds_of(campaign: Campaign, item: settings_form.Item) -> str:
    """What a store may type into a field, as a sentence; empty where its schema says that."""
    found = _within(campaign, item.path, item.one)
    return _("From %(low)s to %(high)s.", low=found[0], high=found[1]) if found else ""


def _bounds(campaign: Campaign, name: str, one: Any) -> str:
    if name not in campaign.store_fields:
        return ""
    found = _within(campaign, name, one)
    if found is None:
        return _("stores may change it")
    return _("stores may go from %(low)s to %(high)s", low=found[0], high=found[1])


def _within(campaign: Campaign, name: str, one: Any) -> tuple[str, str] | None:
    """The bounds of a field, as people read them."""
    bounds = campaign.store_fields.get(name, {})
    if "min" not in bounds:
        return None
    low, high = (
        _value(settings_form.make(name, one, bounds[key], campaign.currency))
        for key in ("min", "max")
    )
    return low, high


def says(s: ScopedSession, campaign: Campaign, one: Standing) -> str:
    """What it means to a member in a store, in a few words."""
    return standing.says(s, campaign.action, one.terms, one.place.store_id)


def running_here(s: ScopedSession, store_id: UUID | None = None) -> list[dict[str, str]]:
    """What runs in a store (the session's own unless named) now, for cashiers and members. Costs no
    query once it was asked."""
    at = clock.now()
    found = []
    for one in running.every(s, store_id):
        if one.runs_at(at) and state.is_on(s, one.tool, store_id):
            zone = state.place(s, store_id).zone
            last = (one.ends_at - timedelta(seconds=1)).astimezone(clock.zone(zone)).date()
            words = standing.says(s, one.action, one.terms, store_id)
            found.append({"words": words or one.name, "name": one.name, "until": formats.day(last)})
    return found


def in_list(s: ScopedSession, campaign: Campaign, href: str) -> dict[str, Any]:
    """A campaign in head office's list."""
    at = clock.now()
    which = queries.state_of(campaign, at)
    taking, everyone, silent = queries.shares(s, campaign, at)
    return {
        "name": campaign.name,
        "href": href,
        "action": action_title(s, campaign.action),
        "sign": SIGNS[which],
        "state": state_words(which),
        "days": days(campaign),
        "taking": taking,
        "all": everyone,
        "silent": silent if which == "scheduled" else 0,
    }


def in_the_way(found: Iterable[Standing]) -> list[tuple[str, list[str]]]:
    """What gets in the way, each sentence with the stores where it does, most first."""
    by: dict[str, list[str]] = {}
    for one in found:
        for said in one.clashes:
            by.setdefault(said, []).append(one.place.name)
    return sorted(by.items(), key=lambda pair: -len(pair[1]))


def grouped(found: Iterable[Standing]) -> list[tuple[str, str, list[Standing]]]:
    """Stores that do not take part, by why: (why, in words, the stores), most first."""
    by: dict[str, list[Standing]] = {}
    for one in found:
        if one.why:
            by.setdefault(one.why, []).append(one)
    return [
        (why, why_words(why), those)
        for why, those in sorted(by.items(), key=lambda pair: -len(pair[1]))
    ]
